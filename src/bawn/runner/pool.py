"""All children: one for each server, isolation key and offer, bounded, stopped when idle.

What a caller can be asked is offered to a legacy server once, when it is initialised: so each set of
capabilities has a child of its own. A modern server is told with each call, and needs one child only.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Final, Protocol

from bawn.config import Limits, Server
from bawn.errors import (
    LIMIT_CHILDREN,
    MESSAGE_SHAPE,
    TARGET_UNKNOWN,
    UPSTREAM_NOT_STARTED,
    Refused,
)
from bawn.launching.installed import Installed
from bawn.model import OWN_ISOLATION, Answer, Json
from bawn.pins.verifying import Verifying
from bawn.protocol import capabilities
from bawn.runner import bounds, child
from bawn.runner import data as directories
from bawn.runner.bounds import Bounds
from bawn.runner.caller import Caller
from bawn.runner.child import Plan
from bawn.runner.confine import Shelter
from bawn.runner.introduce import Era
from bawn.runner.key import Key, Place
from bawn.runner.listens import Changes, Listen
from bawn.runner.pending import LISTEN, Deadlines
from bawn.runner.slot import Running, Slot
from bawn.runner.surroundings import Surroundings
from bawn.storage.trees import Trees

_LAUNCHED_BY: Final = ("command", "cwd", "env", "isolation", "confine", "memory", "cpu")
"""The settings of a server that its processes are made of; the others change under them."""
GUARDED: Final = 1.0
"""Seconds between two looks at whether a guarded file was replaced."""


_log = logging.getLogger("bawn.runner")


class Starter(Protocol):
    """Starts a child: `child.start`, or a fake in tests."""

    def __call__(
        self,
        plan: Plan,
        known: Era | None,
        on_end: Callable[[str], None],
        on_change: Callable[[str], None],
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
        self._changes: defaultdict[str, Changes] = defaultdict(Changes)
        self._closing: dict[asyncio.Task[None], Key] = {}
        self._closed = False
        self._verify: Callable[[str], Verifying] | None = None
        self._around = Surroundings()
        self._shelter = Shelter()
        self._installed: Mapping[str, Installed] = {}
        self._trees = Trees()
        self._bounds = Bounds(None, frozenset())
        self._guarded: tuple[object, ...] = ()
        self._looking: asyncio.TimerHandle | None = None

    async def prepare(self, servers: Mapping[str, Server]) -> None:
        """Find out what this machine offers for these servers, before they are applied."""
        if any(server.command and server.confine != "off" for server in servers.values()):
            await self._shelter.probe()
        if any(server.memory or server.cpu for server in servers.values()):
            self._bounds = await asyncio.to_thread(bounds.find)

    def apply(
        self,
        servers: Mapping[str, Server],
        limits: Limits,
        base: Path,
        around: Surroundings | None = None,
        verify: Callable[[str], Verifying] | None = None,
        installed: Mapping[str, Installed] | None = None,
    ) -> None:
        """Serve these local servers from now on; children of removed or changed ones are ended.

        `verify` begins the verification of what a child offers; `installed` replaces a server's command.
        """
        local = {name: server for name, server in servers.items() if server.command is not None}
        around = around or Surroundings()
        moved, installed = base != self._base or around != self._around, installed or {}
        if around.data is not None and self._around.data is None:
            directories.clear_sessions(around.data)
        self._around = around
        self._shelter.apply(local.values(), base, around.hide, around.guard)
        stale = {
            name
            for name, old in self._servers.items()
            if moved
            or name not in local
            or _launched_by(old) != _launched_by(local[name])
            or self._installed.get(name) != installed.get(name)
        }
        self._installed = installed
        self._servers, self._limits, self._base = local, limits, base
        self._deadlines = Deadlines(limits.first_byte, limits.total)
        self._verify = verify
        for key in [key for key in self._slots if key.server in stale]:
            self._forget(key)
        for name in stale:
            self._eras.pop(name, None)
            self._changes[name].end()
        self._guarded = self._shelter.guarded
        if around.guard and self._looking is None:
            self._look_at_guarded()

    async def call(
        self,
        key: Key,
        method: str,
        params: Json,
        caller: Caller | None = None,
        account: str = "",
    ) -> Answer:
        """One canonical request to the child that this key names; a stream of notifications as well.

        A child that is started for it counts among those of `account`.

        Raises:
            Refused: target.unknown, message.shape without a key, limit.children, or upstream.*.
        """
        key = self._whose(key)
        offers: Json = {}
        if caller is not None and self._servers[key.server].isolation != "shared":
            offers = caller.offers
        slot = self._slots.get(key) if not offers else None
        if slot is None:
            slot = await self._find(key, offers, account)
        if method == LISTEN and caller is not None:
            # one that many share asks for what all of them want
            most = self._limits.subscriptions * self._limits.listens
            return await self._listen(key, slot, Listen(params, caller, most))
        return await slot.call(method, params, self._deadlines, caller)

    def answer(self, key: Key, ask: str, outcome: Json) -> bool:
        """Bring an answer to what a child of this key asked; False when none has asked this.

        Raises:
            Refused: target.unknown, or message.shape without a key.
        """
        bare = self._whose(key)
        return any(
            slot.answer(ask, outcome) for key, slot in self._slots.items() if key.bare == bare
        )

    def era(self, server: str) -> str:
        """The era of a server; empty until its first child has been started."""
        return self._eras.get(server, "")

    def status(self) -> Json:
        """The children, and for each server a count that rises when it says its lists changed."""
        children = [
            {"server": key.server, "isolation": _shown(key), **slot.facts}
            for key, slot in self._slots.items()
        ]
        servers = {
            name: {"changed": self._changes[name].count, **self._shelter.verdict(server).facts}
            for name, server in self._servers.items()
        }
        return {"servers": servers, "children": children}

    async def aclose(self) -> None:
        """End every child, and start none again."""
        self._closed = True
        if self._looking is not None:
            self._looking.cancel()
        for changes in self._changes.values():
            changes.end()
        while self._slots:
            self._forget(next(iter(self._slots)))
        while self._closing:
            await asyncio.wait(self._closing)

    def _whose(self, key: Key) -> Key:
        settings = self._servers.get(key.server)
        if settings is None:
            raise Refused(TARGET_UNKNOWN, detail=f"no local server {key.server!r} is configured")
        if not key.isolation:
            raise Refused(MESSAGE_SHAPE, detail="a call without an isolation key")
        if key.project is not None and settings.isolation != "project":
            return key._replace(project=None)
        return key

    async def _find(self, key: Key, offers: Json, account: str) -> Slot:
        """The slot for a call that offers this. Which it is depends on the era of the server: while
        that is unknown, whoever comes first has a child started, and the others wait for it."""
        wanted = key._replace(offers=capabilities.key(offers))
        if wanted not in self._slots and wanted != key:
            era = self._eras.get(key.server)
            if era is None:
                first = self._slots.get(key) or self._new_slot(Place(key, offers), account)
                era = (await first.child()).era
                self._whose(key)  # it may have been removed meanwhile
            if era is not Era.LEGACY:
                wanted, offers = key, {}
        return self._slots.get(wanted) or self._new_slot(Place(wanted, offers), account)

    async def _listen(self, key: Key, slot: Slot, listen: Listen) -> Answer:
        steward = key.isolation == OWN_ISOLATION
        changes = self._changes[key.server]
        changes.listeners.add(listen)
        try:
            if steward and not listen.rest:  # it hears of the lists from whichever child there is
                listen.acknowledge((await slot.child()).honoured(listen))
                return await listen.over
            work = slot.listen(listen, self._deadlines, keeps=not steward)
            return await listen.run(work)
        finally:
            changes.listeners.discard(listen)

    def _new_slot(self, place: Place, account: str) -> Slot:
        key = place.key
        if self._closed:
            raise Refused(UPSTREAM_NOT_STARTED, detail="the runner is stopping")
        settings = self._servers[key.server]
        if settings.isolation == "shared":
            account = ""  # it is everybody's
        evicted = self._make_room(key.server, account, settings.max_children)
        before = {
            task
            for task, other in self._closing.items()
            if key.bare == other.bare or task is evicted
        }
        starter = self._starter_for(place, before)
        slot = self._slots[key] = Slot(key.server, starter, self._clock, account)
        if settings.isolation == "session":
            slot.directory = self._data(key, settings)
        self._watch_idle(place, slot, settings.idle_stop)
        return slot

    def _make_room(self, server: str, account: str, most: int) -> asyncio.Task[None] | None:
        """See that one more process may be; the end of one that has to leave first."""
        peers = {key: slot for key, slot in self._slots.items() if key.server == server}
        own = {key: slot for key, slot in peers.items() if account and slot.account == account}
        most_own = self._limits.children_per_principal
        if len(own) < most_own and len(peers) < most:
            return None
        crowd = peers if len(own) < most_own else own
        resting = next((key for key, slot in crowd.items() if slot.resting), None)
        idle = sorted((slot.idle_since, key) for key, slot in own.items() if slot.idle)
        if resting is not None:
            return self._forget(resting)
        if idle:
            return self._forget(idle[0][1])
        whose = "of one caller " if crowd is own else ""
        raise Refused(
            LIMIT_CHILDREN, detail=f"{len(crowd)} processes {whose}of {server} run already"
        )

    def _starter_for(
        self, place: Place, before: set[asyncio.Task[None]]
    ) -> Callable[[Callable[[str], None]], Awaitable[Running]]:
        async def start(on_end: Callable[[str], None]) -> Running:
            if before:  # whose place this is, or whose directory
                await asyncio.wait(before)
            name = place.key.server
            try:
                running = await self._starter(
                    self._plan(place), self._eras.get(name), on_end, self._changes[name].note
                )
            except Refused:
                self._eras.pop(name, None)  # it may have changed its era: look again
                raise
            self._eras[name] = running.era
            self._settle(place, running.era)
            return running

        return start

    def _settle(self, place: Place, era: Era) -> None:
        """Have the slot of a child stand where calls look for it, now that its era is known."""
        name = capabilities.key(place.offers) if era is Era.LEGACY else ""
        key = place.key._replace(offers=name)
        if key not in self._slots and place.key in self._slots:
            self._slots[key] = self._slots.pop(place.key)
            place.key = key

    def _plan(self, place: Place) -> Plan:
        key = place.key
        server = self._servers[key.server]
        return Plan(
            key.server,
            server,
            self._base,
            self._limits,
            key.project,
            self._data(key, server),
            self._shelter,
            self._bounds,
            place.offers,
            None if self._verify is None else partial(self._verify, key.server),
            self._installed.get(key.server),
            self._trees,
        )

    def _data(self, key: Key, server: Server) -> Path | None:
        root, session = self._around.data, server.isolation == "session"
        return root and directories.place(root, *key[:3], session=session)

    def _watch_idle(self, place: Place, slot: Slot, seconds: float) -> None:
        """Look at a slot again when it may have been idle long enough: no timer is set per call."""
        loop = asyncio.get_running_loop()
        loop.call_later(seconds, self._stop_if_idle, place, slot)

    def _stop_if_idle(self, place: Place, slot: Slot) -> None:
        if self._slots.get(place.key) is not slot:
            return
        idle_stop = self._servers[place.key.server].idle_stop
        left = idle_stop if slot.in_flight else slot.idle_since + idle_stop - self._clock()
        if left <= 0:
            slot.stop(self._limits.stop)
        if slot.resting:
            self._forget(place.key)
        else:
            self._watch_idle(place, slot, left if left > 0 else idle_stop)

    def _look_at_guarded(self) -> None:
        """A mount ends with the file that it covers, so whoever replaces that file uncovers it."""
        if (found := self._shelter.guarded) != self._guarded:
            if not any(slot.starting for slot in self._slots.values()):
                self._guarded = found
            _log.info(
                "a guarded file was replaced: confined servers start again at their next call"
            )
            for key, slot in self._slots.items():
                if self._shelter.verdict(self._servers[key.server]).confined != "no":
                    slot.stop(self._limits.stop)
        loop = asyncio.get_running_loop()
        self._looking = loop.call_later(GUARDED, self._look_at_guarded)

    def _forget(self, key: Key) -> asyncio.Task[None]:
        """Take a slot out and end its child; a session's directory goes with it."""
        slot = self._slots.pop(key)
        before = {task for task, other in self._closing.items() if other.bare == key.bare}
        shared = any(other.bare == key.bare for other in self._slots)
        task = asyncio.create_task(self._close(slot, before, None if shared else slot.directory))
        self._closing[task] = key
        task.add_done_callback(self._closing.pop)
        return task

    async def _close(
        self, slot: Slot, before: set[asyncio.Task[None]], directory: Path | None
    ) -> None:
        await slot.close(self._limits.stop)
        if before:  # they may use the same directory
            await asyncio.wait(before)
        if directory is not None:
            await asyncio.to_thread(directories.remove, directory)


def _launched_by(server: Server) -> tuple[object, ...]:
    return tuple(getattr(server, name) for name in _LAUNCHED_BY)


def _shown(key: Key) -> str:
    """The isolation key without what it may tell of a person: 12 hex digits of its digest."""
    return hashlib.sha256(repr(key[1:3]).encode()).hexdigest()[:12]
