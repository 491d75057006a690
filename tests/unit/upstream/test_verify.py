"""Sessions at remote servers are compared with what was approved before their first call."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from functools import partial

import pytest

from bawn.errors import UPSTREAM_OUTCOME, UPSTREAM_UNREACHABLE, Refused
from bawn.model import Json
from bawn.pins.record import Aspect, Pin, Record
from bawn.pins.verifying import Stranger, Verifying
from bawn.ports import HttpReply
from bawn.upstream.http import Remote
from tests.unit.upstream.scripted import Asked, Events, Server, error, outbound, reply, result

DISCOVERED = {"resultType": "complete", "supportedVersions": ["2026-07-28"], "capabilities": {}}
INITIALIZED = {"protocolVersion": "2025-11-25", "capabilities": {}, "serverInfo": {}}


class Kept:
    """The tool `read` was approved as `good`."""

    def record(self) -> Record | None:
        return Record("files", 0.0, pins=(Pin("tool", "read", "good", {}, 0.0),))

    def strangers(
        self, aspect: Aspect, definitions: Sequence[Json], record: Record
    ) -> Iterable[Stranger]:
        return [
            (aspect, d["name"], d["description"], d)
            for d in definitions
            if d["description"] != "good"
        ]

    def found(self, strangers: Sequence[Stranger]) -> None: ...


class Site:
    """A server of one era that lists its tool with `description`; `away` is raised instead of an answer."""

    def __init__(self, era: str, *, always: bool = False) -> None:
        self.era = era
        self.description = "good"
        self.away: Refused | None = None
        self.gone: set[bytes] = set()
        self.telling = False  # on the stream of each call, that its tools have changed
        self.sessions = 0
        self.server = Server(self.answer)
        verify = partial(Verifying, Kept(), 100, always=always)
        self.remote = Remote(self.server.wire(), None, verify, always=always)

    async def answer(self, asked: Asked) -> HttpReply:
        await asyncio.sleep(0)
        if self.away is not None:
            raise self.away
        if asked.method == "server/discover" and self.era == "modern":
            return result(asked, DISCOVERED)
        if self.era == "legacy":
            if asked.method == "initialize":
                self.sessions += 1
                return result(asked, INITIALIZED, f"s{self.sessions}")
            if "id" not in asked.message:
                return reply(status=202)
            if not asked.session:
                return error(asked, -32000, 400, id_=None)
            if asked.session in self.gone:
                return reply(status=404)
        if asked.method == "tools/list":
            return result(asked, {"tools": [{"name": "read", "description": self.description}]})
        if self.telling:
            told = {"jsonrpc": "2.0", "method": "notifications/tools/list_changed"}
            done = {"jsonrpc": "2.0", "id": asked.message["id"], "result": {"content": []}}
            return reply(events=Events([told, done]))
        return result(asked)

    async def call(self) -> str:
        try:
            await self.remote.call(outbound())
        except Refused as refused:
            return refused.reason.id
        return "ok"

    def listed(self) -> int:
        return len(self.server.of("tools/list"))

    def called(self) -> int:
        return len(self.server.of("tools/call"))


async def test_a_legacy_session_is_compared_before_its_first_call_and_never_again() -> None:
    site = Site("legacy")
    assert [await site.call() for _ in range(3)] == ["ok"] * 3
    assert (site.listed(), site.called()) == (1, 3)


async def test_what_differs_in_a_session_gets_no_call() -> None:
    site = Site("legacy")
    site.description = "bad"
    assert [await site.call() for _ in range(2)] == ["integrity.drift"] * 2
    assert site.called() == 0


async def test_a_session_begun_anew_is_compared_anew_before_the_call_is_sent_again() -> None:
    site = Site("legacy")
    assert await site.call() == "ok"
    site.gone.add(b"s1")
    site.description = "bad"
    assert await site.call() == "integrity.drift"
    assert len([each for each in site.server.of("tools/call") if each.session == b"s2"]) == 0


async def test_a_modern_server_relies_on_the_stewards_look() -> None:
    site = Site("modern")
    site.description = "bad"
    assert await site.call() == "ok"
    assert site.listed() == 0


async def test_a_session_in_which_the_server_says_that_it_has_changed_is_compared_again() -> None:
    """Whatever it says to other sessions, and on whichever stream."""
    site = Site("legacy")
    site.telling = True
    assert await site.call() == "ok"
    site.telling, site.description = False, "bad"
    assert await site.call() == "integrity.drift"
    assert (site.listed(), site.called()) == (2, 1)


@pytest.mark.parametrize("era", ["modern", "legacy"])
async def test_a_server_that_was_lost_in_a_call_is_compared_before_the_next(era: str) -> None:
    site = Site(era)
    assert await site.call() == "ok"
    site.away = Refused(UPSTREAM_OUTCOME)
    assert await site.call() == "upstream.outcome_unknown"
    site.away, site.description = None, "bad"
    assert await site.call() == "integrity.drift"


@pytest.mark.parametrize("era", ["modern", "legacy"])
async def test_a_server_that_was_away_is_compared_before_the_next_call(era: str) -> None:
    site = Site(era)
    assert await site.call() == "ok"
    site.away = Refused(UPSTREAM_UNREACHABLE)
    assert await site.call() == "upstream.unreachable"
    site.away, site.description = None, "bad"
    assert await site.call() == "integrity.drift"
    assert site.called() == 2, "the first, and the one that did not arrive"


@pytest.mark.parametrize("era", ["modern", "legacy"])
async def test_every_call_is_compared_where_that_is_wanted(era: str) -> None:
    site = Site(era, always=True)
    assert [await site.call() for _ in range(2)] == ["ok"] * 2
    site.description = "bad"
    assert await site.call() == "integrity.drift"
    assert (site.listed(), site.called()) == (3, 2)
