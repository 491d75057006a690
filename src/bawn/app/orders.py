"""What the supervisor tells its children, and the line-by-line JSON channel that carries it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any, Final

import msgspec

from bawn.launching.installed import Installed
from bawn.policy.rules import Source

LONGEST: Final = 16 << 20

SWITCH: Final = 0.0005
"""Seconds that a thread may hold up the others: one that reads a large message must not stop the loop."""


class StewardOrder(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a steward needs; `epoch` counts configurations, `policy` is None for roles alone.

    `doubted` are servers that the steward before had not looked at since they said that they changed.
    `lock` is the directory of what serves by bawn.lock; empty where the gate is not locked.
    """

    config: msgspec.Raw
    base: str
    state: str
    runner: str
    epoch: int
    policy: Source | None
    doubted: list[str] = []
    lock: str = ""


class WorkOrder(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a worker needs; descriptors are inherited under the numbers given here.

    It is the one in `slot` among `workers`, and serves while the configuration of `epoch` is in force.
    `lock` is as for the steward.
    """

    config: msgspec.Raw
    base: str
    state: str
    runner: str
    epoch: int
    slot: int
    workers: int
    listeners: list[int]
    management: int | None
    insecure_no_auth: bool
    policy: Source | None
    lock: str = ""


class RunnerOrder(msgspec.Struct, frozen=True, kw_only=True):
    """Which local servers the runner owns from now on, where it listens, and what they never see.

    `hide` are directories of bawn's own, `guard` files that no server may change; below `data` every
    server has a directory for each isolation key; `state` holds what was approved of them. Whoever is in
    `installed` is started from there. `lock` is as for the steward.
    """

    config: msgspec.Raw
    base: str
    socket: str
    hide: list[str]
    guard: list[str]
    data: str
    state: str
    installed: dict[str, Installed] = {}
    lock: str = ""


class Channel:
    """One end of a socket pair: a JSON object on each line."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def over(cls, end: socket.socket) -> Channel:
        """Take over one end of the pair."""
        return cls(*await asyncio.open_connection(sock=end, limit=LONGEST))

    async def send(self, message: object) -> None:
        """Write one message."""
        self._writer.write(msgspec.json.encode(message) + b"\n")
        await self._writer.drain()

    def post(self, message: object) -> None:
        """Write one small message without waiting; a side that is gone does not get it."""
        self._writer.write(msgspec.json.encode(message) + b"\n")

    async def line(self) -> bytes:
        """The next message as it came; empty when the other side is gone."""
        try:
            return await self._reader.readline()
        except (ConnectionError, ValueError):
            return b""

    async def receive(self) -> dict[str, Any] | None:
        """The next message, or None when the other side is gone."""
        line = await self.line()
        return msgspec.json.decode(line, type=dict[str, Any]) if line.endswith(b"\n") else None

    async def until_gone(
        self, told: Callable[[dict[str, Any]], None] = lambda message: None
    ) -> None:
        """Give signs of life whenever they are asked for, until the other side is gone.

        `told` takes what it says otherwise.
        """
        while line := await self.line():
            message = msgspec.json.decode(line, type=dict[str, Any])
            if "alive" in message:
                self.post({"alive": True})
            else:
                told(message)

    def close(self) -> None:
        """Let go; the other side reads the end."""
        self._writer.close()
