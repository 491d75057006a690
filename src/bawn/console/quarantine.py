"""The HTTP API of quarantine: what is held back, for those who decide, and for who had asked for it.

What somebody does, looking at the content included, is in the audit before it takes effect.
"""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.routing import Route

from bawn.approvals.viewed import Decider
from bawn.console.deciders import Deciders
from bawn.console.told import told
from bawn.errors import INSPECTION_HELD, INTEGRITY_DECIDER, Refused
from bawn.inspection.outputs.marking import places
from bawn.model import Json
from bawn.ports import Audit
from bawn.storage.quarantine import Broken, Entry, Held, Quarantine

PATH: Final = "/api/v1/quarantine"


@dataclass(frozen=True, slots=True)
class QuarantineApi:
    """Answers with JSON, errors too. Who has one of `roles` decides, and sees the content.

    Who oversees the gate sees what is held of its tenant, without the content; everybody else sees what
    was held of its own requests, with the content once that is released.
    """

    store: Quarantine
    deciders: Deciders
    audit: Audit
    roles: frozenset[str]

    @property
    def routes(self) -> list[Route]:
        """Where it is served."""
        one = f"{PATH}/{{handle}}"
        return [
            Route(PATH, told(self.listed), methods=["GET"]),
            Route(one, told(self.one), methods=["GET"]),
            Route(f"{one}/release", told(self.release), methods=["POST"]),
            Route(f"{one}/discard", told(self.discard), methods=["POST"]),
        ]

    async def listed(self, request: Request) -> Json:
        """What the caller may see of what is held, the newest first."""
        decider = await self.deciders.of(request)
        entries = await asyncio.to_thread(self.store.listed)
        return {
            "held": [self._told(decider, each) for each in entries if self._sees(decider, each)]
        }

    async def one(self, request: Request) -> Json:
        """One: with `result` for who decides and asks by `content=true`, or had asked and may have it."""
        decider = await self.deciders.of(request)
        entry = await self._found(request, decider)
        if isinstance(entry, Broken):
            return as_json(entry)
        content = self._decides(decider) and request.query_params.get("content") == "true"
        fetched = entry.released and entry.owner == self.store.owner(decider.principal)
        if not content and not fetched:
            return self._told(decider, entry)
        _, result = await asyncio.to_thread(self.store.show, entry.handle)
        self._record(decider, "quarantine.shown" if content else "quarantine.fetched", entry)
        return {**self._told(decider, entry), "result": result}

    async def release(self, request: Request) -> Json:
        """Let who had asked have it, until its time is over."""
        decider, entry = await self._decided(request)
        await asyncio.to_thread(self.store.facts, entry.handle)  # what is broken can't be released
        self._record(decider, "quarantine.released", entry)
        by = decider.principal.subject
        return as_json(await asyncio.to_thread(self.store.release, entry.handle, by))

    async def discard(self, request: Request) -> Json:
        """Destroy it."""
        decider, entry = await self._decided(request)
        self._record(decider, "quarantine.discarded", entry)
        await asyncio.to_thread(self.store.discard, entry.handle)
        return {"discarded": True}

    async def _decided(self, request: Request) -> tuple[Decider, Entry]:
        decider = await self.deciders.of(request)
        entry = await self._found(request, decider)
        if not self._decides(decider):
            raise Refused(INTEGRITY_DECIDER)
        return decider, entry

    async def _found(self, request: Request, decider: Decider) -> Entry:
        entry = await asyncio.to_thread(self.store.find, request.path_params["handle"])
        if not self._sees(decider, entry):
            raise Refused(INSPECTION_HELD, detail="it is not theirs to see")
        return entry

    def _sees(self, decider: Decider, entry: Entry) -> bool:
        """What cannot be read is nobody's: those see it who are of no tenant, and decide."""
        who = decider.principal
        if isinstance(entry, Broken):
            return self._decides(decider) and not who.tenant
        if entry.owner == self.store.owner(who):
            return True
        return (decider.oversees or self._decides(decider)) and entry.tenant == who.tenant

    def _told(self, decider: Decider, entry: Entry) -> Json:
        """What was found is quoted to those who look after the gate: callers have it if it is released."""
        return as_json(entry, quoted=decider.oversees or self._decides(decider))

    def _decides(self, decider: Decider) -> bool:
        return not self.roles.isdisjoint(decider.principal.roles)

    def _record(self, decider: Decider, what: str, entry: Entry) -> None:
        self.audit.event(decider.principal, what, secrets.token_hex(16), told_of(entry))


def told_of(entry: Entry) -> Json:
    """What the audit is told of one."""
    if isinstance(entry, Broken):
        return {"handle": entry.handle, "problem": entry.problem}
    rules = sorted({each.detection.rule for each in entry.found})
    return {
        "handle": entry.handle,
        "server": entry.server,
        "name": entry.item,
        "of": entry.who,
        "call": entry.trace,
        "rules": rules,
    }


def as_json(entry: Entry, *, quoted: bool = True) -> Json:
    """One for programs: `state` is held, released or broken. Times are in seconds since the epoch.

    Without `quoted` no word of what was found is in it: the caller may be the model that it was written for.
    """
    if isinstance(entry, Broken):
        return {"handle": entry.handle, "state": "broken", "problem": entry.problem}
    return {
        "handle": entry.handle,
        "state": "released" if entry.released else "held",
        "who": entry.who,
        "tenant": entry.tenant,
        "server": entry.server,
        "kind": entry.kind,
        "name": entry.item,
        "method": entry.method,
        "trace": entry.trace,
        "created": entry.created,
        "expires": entry.expires,
        "size": entry.size,
        "released": _released(entry),
        "found": [
            {
                "rule": each.detection.rule,
                "severity": each.detection.severity.name.lower(),
                "place": place,
                "span": [each.detection.start, each.detection.end],
                "evidence": each.detection.evidence if quoted else "",
                "view": each.detection.view,
                "action": each.action,
            }
            for each, place in zip(entry.found, places(entry.found), strict=True)
            if each.action != "pass"
        ],
    }


def _released(entry: Held) -> Json | None:
    return {"by": entry.released, "at": entry.released_at} if entry.released else None
