"""A process or session that callers are about to use, held against what was approved of its server.

The steward looks at a server in a process or session of its own. Another one may be of another version, so
what it offers is listed and compared before its first call, and after each word of it that lists changed.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Final, Protocol, TypeAlias

from bawn.errors import (
    INTEGRITY_CHECKING,
    INTEGRITY_DRIFT,
    UPSTREAM_INVALID,
    UPSTREAM_TOO_LARGE,
    Reason,
    Refused,
)
from bawn.model import Json
from bawn.pins.record import Aspect, Key, Record

Ask: TypeAlias = Callable[[str, Json], Awaitable[Json]]
"""Asks that process or session: method and params → result; raises Refused."""

Stranger: TypeAlias = tuple[Aspect, str, str, Json]
"""What is offered and was not approved so: aspect, name, digest and definition."""

ASPECTS: Final[Mapping[str, Aspect]] = {"tools/call": "tool", "prompts/get": "prompt"}
"""What a call of this method relies on."""

LISTS: Final[Mapping[str, Aspect]] = {
    "notifications/tools/list_changed": "tool",
    "notifications/prompts/list_changed": "prompt",
}
"""What such a message puts in doubt."""

_LISTED: Final[Mapping[Aspect, tuple[str, str]]] = {
    "tool": ("tools/list", "tools"),
    "prompt": ("prompts/list", "prompts"),
}
_PAGES: Final = 1_000
_ROUNDS: Final = 3  # looks in a row at a list that changes while it is looked at
_SEVERAL: Final = 8  # strangers of one name that are told apart


class Approvals(Protocol):
    """What was approved of one server, wherever that is kept."""

    def record(self) -> Record | None:
        """The record as it stands.

        Raises:
            Refused: integrity.store.
        """

    def strangers(
        self, aspect: Aspect, definitions: Sequence[Json], record: Record
    ) -> Iterable[Stranger]:
        """Those definitions that are not as any approved one of their name."""

    def found(self, strangers: Sequence[Stranger]) -> None:
        """Put them on record, and have the server looked at.

        Raises:
            Refused: integrity.store.
        """


class Verifying:
    """What of one process or session was compared. `always`: before every call; `most`: definitions.

    `reason` is why a call of what is otherwise there is refused.
    """

    def __init__(
        self,
        approvals: Approvals,
        most: int,
        *,
        always: bool = False,
        reason: Reason = INTEGRITY_DRIFT,
    ) -> None:
        self._approvals = approvals
        self._most = most
        self._always = always
        self._reason = reason
        self.unsure: set[Aspect] = set(_LISTED.keys())
        self._looking: dict[Aspect, asyncio.Task[None]] = {}
        self._refused: dict[Key, frozenset[str]] = {}  # with the digests that it has there

    def doubt(self, method: str) -> None:
        """It said by this message that a list has changed."""
        aspect = LISTS.get(method)
        if aspect is not None:
            self.unsure.add(aspect)

    def doubt_all(self) -> None:
        """It was away: whatever is there now may be another."""
        self.unsure.update(_LISTED)

    def settled(self, method: str) -> bool:
        """Whether nothing has to be asked before a call of this method; costs next to nothing."""
        aspect = ASPECTS.get(method)
        return aspect is None or not (self._always or aspect in self.unsure or self._refused)

    @property
    def quiet(self) -> bool:
        """Whether nothing at all is in doubt, or refused."""
        return not (self._always or self.unsure or self._refused)

    async def check(self, method: str, name: object, ask: Ask) -> None:
        """Let a call through to what is as it was approved; where that is not known, look first.

        Raises:
            Refused: `reason`, integrity.checking, integrity.store, or why it cannot be listed.
        """
        aspect = ASPECTS.get(method)
        if aspect is None:
            return
        if self._always:
            await self._look_anew(aspect, ask)
        for _ in range(_ROUNDS):
            if aspect not in self.unsure:
                break
            await self._look_once(aspect, ask)
        else:
            if aspect in self.unsure:
                raise Refused(INTEGRITY_CHECKING, detail="its lists change while they are read")
        self._check(aspect, name)

    def _check(self, aspect: Aspect, name: object) -> None:
        key = (aspect, str(name))
        digests = self._refused.get(key)
        if digests is None:
            return
        record = self._approvals.record()
        pins = () if record is None else record.pins
        if digests <= {pin.digest for pin in pins if pin.key == key} - {""}:
            del self._refused[key]  # it was approved meanwhile
            return
        raise Refused(self._reason, detail="it is another in this process or session")

    async def _look_anew(self, aspect: Aspect, ask: Ask) -> None:
        """Look once more; one look that begins after several have asked serves all of them."""
        running = self._looking.get(aspect)
        if running is not None:  # begun before this call came
            await asyncio.wait({running})
        await self._look_once(aspect, ask)

    async def _look_once(self, aspect: Aspect, ask: Ask) -> None:
        running = self._looking.get(aspect)
        if running is None:
            running = self._looking[aspect] = asyncio.create_task(self._look(aspect, ask))
            running.add_done_callback(lambda _: self._looking.pop(aspect, None))
        await asyncio.shield(running)

    async def _look(self, aspect: Aspect, ask: Ask) -> None:
        record = self._approvals.record()
        if record is None:  # nobody can have been shown anything of it
            self.unsure.discard(aspect)
            return
        self.unsure.discard(aspect)
        try:
            strangers = await self._strangers(aspect, ask, record)
            if strangers:
                self._approvals.found([_told(several) for several in strangers.values()])
        except BaseException:
            self.unsure.add(aspect)
            raise
        kept = {key: digests for key, digests in self._refused.items() if key[0] != aspect}
        found = {key: frozenset(several) for key, several in strangers.items()}
        self._refused = {**kept, **found}

    async def _strangers(
        self, aspect: Aspect, ask: Ask, record: Record
    ) -> dict[Key, dict[str, Stranger]]:
        """By digest what is offered of each name and was not approved so; the rest is not kept."""
        found: dict[Key, dict[str, Stranger]] = {}
        async for page in self._pages(aspect, ask):
            for each in self._approvals.strangers(aspect, page, record):
                several = found.setdefault((each[0], each[1]), {})
                digest = each[2] if len(several) < _SEVERAL else ""
                several[digest] = each if digest else (each[0], each[1], "", {})
        return found

    async def _pages(self, aspect: Aspect, ask: Ask) -> AsyncIterator[Sequence[Json]]:
        method, member = _LISTED[aspect]
        cursor: str | None = None
        left = self._most
        for _ in range(_PAGES):
            page = await ask(method, {} if cursor is None else {"cursor": cursor})
            listed = page.get(member)
            if not isinstance(listed, list) or not all(isinstance(d, dict) for d in listed):
                raise Refused(
                    UPSTREAM_INVALID, detail=f"{method}: `{member}` is no list of objects"
                )
            left -= len(listed)
            if left < 0:
                break
            yield listed
            following = page.get("nextCursor")
            if following is None:
                return
            if not isinstance(following, str) or following == cursor:
                raise Refused(UPSTREAM_INVALID, detail=f"{method}: the cursor does not go on")
            cursor = following
        raise Refused(UPSTREAM_TOO_LARGE, detail=f"{method} lists more than limits.tools")


def _told(several: Mapping[str, Stranger]) -> Stranger:
    """The one that is put on record: one that can be approved, if there is such."""
    return next((each for digest, each in several.items() if digest), next(iter(several.values())))
