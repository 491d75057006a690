"""What the supervisor tells its children, and the line-by-line JSON channel that carries it."""

from __future__ import annotations

import asyncio
import socket
from typing import Any, Final

import msgspec

LONGEST: Final = 16 << 20


class WorkOrder(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a worker needs; descriptors are inherited under the numbers given here."""

    config: msgspec.Raw
    base: str
    state: str
    runner: str
    listeners: list[int]
    management: int | None
    insecure_no_auth: bool


class RunnerOrder(msgspec.Struct, frozen=True, kw_only=True):
    """Which local servers the runner owns from now on, and where it listens."""

    config: msgspec.Raw
    base: str
    socket: str


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

    def close(self) -> None:
        """Let go; the other side reads the end."""
        self._writer.close()
