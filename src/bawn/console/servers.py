"""The HTTP API of servers under review: what is approved, what waits and what it means, and decisions.

A decision names the digests that were seen: it counts for exactly these, and for nothing that a server
has come up with meanwhile. It is in the audit before it takes effect.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Any, Final, TypeAlias

import msgspec
from starlette.requests import Request
from starlette.routing import Route

from bawn.approvals.viewed import Decider
from bawn.console.approvals import bounded, media_type
from bawn.console.deciders import Deciders
from bawn.console.told import told
from bawn.drift.waiting import Review, change_as_json, contents, names_of, summary
from bawn.errors import (
    HTTP_MEDIA_TYPE,
    INTEGRITY_DECIDER,
    INTEGRITY_LOCK,
    INTEGRITY_SEEN,
    MESSAGE_PARAMS,
    TARGET_UNKNOWN,
    Refused,
)
from bawn.model import Json
from bawn.pins.deciding import approve, hold, reject, release
from bawn.pins.record import WHOLE, Aspect, Hold, Key, Record, Vote
from bawn.ports import Audit
from bawn.storage.files import ServerFiles

PATH: Final = "/api/v1/servers"
LARGEST: Final = 1 << 20  # bytes of a body: five thousand names with their digests
PAGE: Final = 200
"""Changes that one answer tells."""

WHY: Final = 500  # characters

_ASPECTS: Final = frozenset(("tool", "prompt", "template", "instructions", "launch", WHOLE))

Change: TypeAlias = Callable[[Record], Record]


class _Item(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    aspect: Aspect
    name: str
    digest: str


class _Items(msgspec.Struct, forbid_unknown_fields=True):
    """The body of an approval or a rejection."""

    items: tuple[_Item, ...]
    also: bool = False


class _Place(msgspec.Struct, forbid_unknown_fields=True):
    """The body of a quarantine, or of its end."""

    aspect: str
    name: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class ServersApi:
    """Answers with JSON, errors too; who asks sees the servers of its own tenant.

    `servers` gives the tenant of each server by id; who has one of `roles` decides, and `approvals` of them
    are needed. `changed` is awaited when the record of a server has changed; the answer comes after it.
    `trust` gives what else is known of a server, for whoever may see it. Of a gate that is `locked`, nothing
    can be approved or rejected here.
    """

    files: ServerFiles[Record]
    deciders: Deciders
    audit: Audit
    servers: Callable[[], Mapping[str, str]]
    roles: frozenset[str]
    approvals: int
    clock: Callable[[], float]
    changed: Callable[[str], Awaitable[None]]
    trust: Callable[[str], Json | None] = lambda _: None
    locked: bool = False
    _names: dict[str, tuple[object, frozenset[str]]] = field(default_factory=dict)

    @property
    def routes(self) -> list[Route]:
        """Where it is served."""
        one = f"{PATH}/{{name}}"
        return [
            Route(PATH, told(self.listed), methods=["GET"]),
            Route(one, told(self.one), methods=["GET"]),
            Route(f"{one}/approve", told(self.approve), methods=["POST"]),
            Route(f"{one}/reject", told(self.reject), methods=["POST"]),
            Route(f"{one}/quarantine", told(self.quarantine), methods=["POST"]),
            Route(f"{one}/release", told(self.release), methods=["POST"]),
        ]

    async def listed(self, request: Request) -> Json:
        """The servers that the caller may see; one that cannot be read has an `error`."""
        decider = await self._reader(request)
        found = []
        for name in sorted(self._of(decider)):
            try:
                found.append(self._summary(name, await self._read(name)))
            except Refused as refused:
                found.append(
                    {"server": name, "error": refused.reason.id, "message": refused.message}
                )
        return {"servers": found}

    async def one(self, request: Request) -> Json:
        """One server: what is approved, what waits from `start` on, and what is in quarantine."""
        decider = await self._reader(request)
        name = self._named(request, decider)
        start = _start(request)
        record = await self._read(name)
        review = Review(record, await self._foreign(name))
        waiting = []
        for change in record.waiting[start : start + PAGE]:
            drift = await asyncio.to_thread(review.drift, change)  # a large one takes its time
            told = change_as_json(change, drift, self.approvals)
            told["decided"] = any(v.who == decider.principal.key for v in change.votes)
            waiting.append(told)
        more = start + PAGE < len(record.waiting)
        return {
            **self._summary(name, record),
            "decides": self._decides(decider),
            **contents(record),
            "waiting": waiting,
            "next": start + PAGE if more else None,
        }

    async def approve(self, request: Request) -> Json:
        """Vote for changes; with enough votes they are the approved ones from now on."""
        decider, name = await self._decider(request)
        self._insist_on_unlocked()
        asked = await _body(request, _Items)
        seen = await self._seen(name, asked)
        who = decider.principal
        if self.approvals > 1 and who.expires == inf:  # the machine's user has a token besides
            why = f"{self.approvals} people have to approve, each with a token of their own"
            raise Refused(INTEGRITY_DECIDER, why)
        vote = Vote(who.key, who.subject, self.clock())
        detail = {"server": name, "items": _builtin(asked.items), "also": asked.also}
        done: list[Key] = []

        def change(record: Record) -> Record:
            after, approved = approve(record, seen, vote, self.approvals, also=asked.also)
            done.extend(approved)
            return after

        await self._decide(decider, name, "definition.approved", detail, change)
        waits = [key for key in seen if key not in done]
        return {"approved": list(map(_key, done)), "waiting": list(map(_key, waits))}

    async def reject(self, request: Request) -> Json:
        """Say no to changes."""
        decider, name = await self._decider(request)
        self._insist_on_unlocked()
        asked = await _body(request, _Items)
        seen = await self._seen(name, asked)
        who = decider.principal.subject
        done: list[Key] = []

        def change(record: Record) -> Record:
            after, rejected = reject(record, seen, who)
            done.extend(rejected)
            return after

        detail = {"server": name, "items": _builtin(asked.items)}
        await self._decide(decider, name, "definition.rejected", detail, change)
        return {"rejected": list(map(_key, done))}

    async def quarantine(self, request: Request) -> Json:
        """Take an item, or the whole server, out of service."""
        decider, name = await self._decider(request)
        asked = await _place(request)
        held = Hold(asked.aspect, asked.name, self.clock(), decider.principal.subject, asked.why)
        detail = {"server": name, "aspect": held.aspect, "name": held.name, "why": held.why}
        await self._decide(
            decider, name, "server.quarantined", detail, lambda record: hold(record, held)
        )
        return {"held": True}

    async def release(self, request: Request) -> Json:
        """Lift a quarantine."""
        decider, name = await self._decider(request)
        asked = await _place(request)
        key = (asked.aspect, asked.name)
        record = await self._read(name)
        if key not in {(each.aspect, each.name) for each in record.holds}:
            raise Refused(INTEGRITY_SEEN, "this is in no quarantine")
        detail = {"server": name, "aspect": asked.aspect, "name": asked.name}
        await self._decide(
            decider, name, "server.released", detail, lambda record: release(record, *key)
        )
        return {"held": False}

    async def _decide(
        self, decider: Decider, name: str, what: str, detail: Json, change: Change
    ) -> None:
        """Record a decision, then let it take effect; whoever gets the answer finds it in force."""

        def changed(record: Record | None) -> Record | None:
            before = record or Record(name, 0.0)
            after = change(before)
            return None if after is before else after

        self.audit.event(decider.principal, what, secrets.token_hex(16), detail)
        await asyncio.to_thread(self.files.update, name, changed)
        await self.changed(name)

    async def _seen(self, name: str, asked: _Items) -> dict[Key, str]:
        """What the decision is of, as far as it still waits just so: all of it, or none is decided."""
        seen: dict[Key, str] = {(each.aspect, each.name): each.digest for each in asked.items}
        record = await self._read(name)
        waiting = {change.key: change.digest for change in record.waiting}
        if not seen or len(seen) != len(asked.items):
            raise Refused(MESSAGE_PARAMS, "`items`: expected some, each of them once")
        for key, digest in seen.items():
            if waiting.get(key) != digest:
                raise Refused(INTEGRITY_SEEN, f"{key[0]} {key[1][:128]!r}")
        return seen

    def _summary(self, name: str, record: Record) -> Json:
        return {**summary(record), "trust": self.trust(name)}

    async def _read(self, name: str) -> Record:
        return await asyncio.to_thread(self.files.read, name) or Record(name, 0.0)

    async def _foreign(self, name: str) -> set[str]:
        """What the other servers of the same tenant call their items; an unreadable one says nothing."""
        tenants = self.servers()
        found: set[str] = set()
        for other in tenants:
            if other == name or tenants[other] != tenants[name]:
                continue
            stamp = self.files.stamp(other)
            if self._names.get(other, (None,))[0] != stamp:
                try:
                    self._names[other] = (stamp, names_of(await self._read(other)))
                except Refused:
                    continue
            found |= self._names.get(other, (None, frozenset()))[1]
        return found

    def _of(self, decider: Decider) -> frozenset[str]:
        tenant = decider.principal.tenant
        return frozenset(name for name, of in self.servers().items() if of == tenant)

    def _named(self, request: Request, decider: Decider) -> str:
        name: str = request.path_params["name"]
        if name not in self._of(decider):
            raise Refused(TARGET_UNKNOWN, "no such server, or not yours to see")
        return name

    def _decides(self, decider: Decider) -> bool:
        return not self.roles.isdisjoint(decider.principal.roles)

    def _insist_on_unlocked(self) -> None:
        if self.locked:
            raise Refused(INTEGRITY_LOCK, "what serves is decided in bawn.lock; change it there")

    async def _reader(self, request: Request) -> Decider:
        decider = await self.deciders.of(request)
        if not (self._decides(decider) or decider.oversees):
            raise Refused(INTEGRITY_DECIDER)
        return decider

    async def _decider(self, request: Request) -> tuple[Decider, str]:
        decider = await self.deciders.of(request)
        if not self._decides(decider):
            raise Refused(INTEGRITY_DECIDER)
        return decider, self._named(request, decider)


async def _body(request: Request, kind: type[Any]) -> Any:
    body = await bounded(request, LARGEST)
    if media_type(request) != "application/json":
        raise Refused(HTTP_MEDIA_TYPE)
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Refused(MESSAGE_PARAMS, str(error)[:200]) from None


async def _place(request: Request) -> _Place:
    asked: _Place = await _body(request, _Place)
    whole = asked.aspect == WHOLE
    if asked.aspect not in _ASPECTS or (whole and asked.name) or len(asked.why) > WHY:
        raise Refused(
            MESSAGE_PARAMS,
            f"expected one of {', '.join(sorted(_ASPECTS))} as `aspect`, a `name` for items alone, "
            f"and at most {WHY} characters of `why`",
        )
    return asked


def _start(request: Request) -> int:
    text = request.query_params.get("start", "0")
    if not (text.isascii() and text.isdigit() and len(text) < 7):
        raise Refused(MESSAGE_PARAMS, "`start` is a number of changes to pass over")
    return int(text)


def _key(key: Key) -> Json:
    return {"aspect": key[0], "name": key[1]}


def _builtin(items: tuple[_Item, ...]) -> Any:
    return [msgspec.to_builtins(each) for each in items]
