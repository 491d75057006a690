"""All children: one for each server and isolation key, bounded, stopped when idle."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from bawn.config import Limits, Server
from bawn.errors import (
    LIMIT_CHILDREN,
    MESSAGE_SHAPE,
    TARGET_UNKNOWN,
    UPSTREAM_NOT_STARTED,
    Refused,
)
from bawn.model import Answer, Json
from bawn.runner import child
from bawn.runner.child import Plan
from bawn.runner.dialogue import Deadlines, Progress
from bawn.runner.introduce import Era
from bawn.runner.slot import Running, Slot

_LAUNCHED_BY: Final = ("command", "cwd", "env", "isolation")
"""The settings of a server that its processes are made of; the others change under them."""


class Key(NamedTuple):
    """Whose child it is. `project` counts where `isolation: project` makes it the directory:
    then it is part of the key, so that no caller ever runs in the project of another.
    """

    server: str
    isolation: str
    project: str | None


class Starter(Protocol):
    """Starts a child: `child.start`, or a fake in tests."""

    def __call__(
        self,
        plan: Plan,
        known: Era | None,
        on_end: Callable[[str], None],
        on_change: Callable[[], None],
        /,
    ) -> Awaitable[Running]: ...


class Pool:
    """The children of every local server. Empty until `apply`."""

    def __init__(
        self, starter: Starter = child.start, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._starter = starter
        self._clock = clock
        self._servers: Mapping[str, Server] = {}
        self._limits = Limits()
        self._base = Path()
        self._deadlines = Deadlines(self._limits.first_byte, self._limits.total)
        self._slots: dict[Key, Slot] = {}
        self._eras: dict[str, Era] = {}
        self._changed: Counter[str] = Counter()
        self._closing: set[asyncio.Task[None]] = set()
        self._closed = False

    def apply(self, servers: Mapping[str, Server], limits: Limits, base: Path) -> None:
        """Serve these local servers from now on; children of removed or changed ones are ended."""
        local = {name: server for name, server in servers.items() if server.command is not None}
        moved = base != self._base
        stale = {
            name
            for name, old in self._servers.items()
            if moved or name not in local or _launched_by(old) != _launched_by(local[name])
        }
        self._servers, self._limits, self._base = local, limits, base
        self._deadlines = Deadlines(limits.first_byte, limits.total)
        for key in [key for key in self._slots if key.server in stale]:
            self._close(self._slots.pop(key))
        for name in stale:
            self._eras.pop(name, None)

    async def call(
        self, key: Key, method: str, params: Json, progress: Progress | None = None
    ) -> Answer:
        """One canonical request to the child that this key names.

        Raises:
            Refused: target.unknown, message.shape without a key, limit.children, or upstream.*.
        """
        settings = self._servers.get(key.server)
        if settings is None:
            raise Refused(TARGET_UNKNOWN, detail=f"no local server {key.server!r} is configured")
        if not key.isolation:
            raise Refused(MESSAGE_SHAPE, detail="a call without an isolation key")
        if key.project is not None and settings.isolation != "project":
            key = key._replace(project=None)
        slot = self._slots.get(key) or self._new_slot(key)
        return await slot.call(method, params, self._deadlines, progress)

    def status(self) -> Json:
        """The children, and for each server a count that rises when it says its lists changed."""
        children = [
            {"server": key.server, "isolation": _shown(key), **slot.facts}
            for key, slot in self._slots.items()
        ]
        servers = {name: {"changed": self._changed[name]} for name in self._servers}
        return {"servers": servers, "children": children}

    async def aclose(self) -> None:
        """End every child, and start none again."""
        self._closed = True
        while self._slots:
            self._close(self._slots.popitem()[1])
        if self._closing:
            await asyncio.wait(self._closing)

    def _new_slot(self, key: Key) -> Slot:
        if self._closed:
            raise Refused(UPSTREAM_NOT_STARTED, detail="the runner is stopping")
        peers = [other for other in self._slots if other.server == key.server]
        if len(peers) >= self._limits.children:
            resting = [peer for peer in peers if self._slots[peer].resting]
            if not resting:
                detail = f"{len(peers)} processes of {key.server} run already"
                raise Refused(LIMIT_CHILDREN, detail=detail)
            del self._slots[resting[0]]
        slot = self._slots[key] = Slot(key.server, self._starter_for(key), self._clock)
        self._watch_idle(key, slot, self._servers[key.server].idle_stop)
        return slot

    def _starter_for(self, key: Key) -> Callable[[Callable[[str], None]], Awaitable[Running]]:
        async def start(on_end: Callable[[str], None]) -> Running:
            name = key.server
            plan = Plan(name, self._servers[name], self._base, self._limits, key.project)
            try:
                running = await self._starter(
                    plan, self._eras.get(name), on_end, lambda: self._note_change(name)
                )
            except Refused:
                self._eras.pop(name, None)  # it may have changed its era: look again
                raise
            self._eras[name] = running.era
            return running

        return start

    def _note_change(self, server: str) -> None:
        self._changed[server] += 1

    def _watch_idle(self, key: Key, slot: Slot, seconds: float) -> None:
        """Look at a slot again when it may have been idle long enough: no timer is set per call."""
        loop = asyncio.get_running_loop()
        loop.call_later(seconds, self._stop_if_idle, key, slot)

    def _stop_if_idle(self, key: Key, slot: Slot) -> None:
        if self._slots.get(key) is not slot:
            return
        idle_stop = self._servers[key.server].idle_stop
        left = idle_stop if slot.in_flight else slot.idle_since + idle_stop - self._clock()
        if left <= 0:
            slot.stop(self._limits.stop)
        if slot.resting:
            del self._slots[key]
        else:
            self._watch_idle(key, slot, left if left > 0 else idle_stop)

    def _close(self, slot: Slot) -> None:
        task = asyncio.create_task(slot.close(self._limits.stop))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)


def _launched_by(server: Server) -> tuple[object, ...]:
    return tuple(getattr(server, name) for name in _LAUNCHED_BY)


def _shown(key: Key) -> str:
    """The isolation key without what it may tell of a person: 12 hex digits of its digest."""
    return hashlib.sha256(repr(key[1:]).encode()).hexdigest()[:12]
