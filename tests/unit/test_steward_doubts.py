"""A server that says that it has changed is in doubt until it was listed since; only what was approved serves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from bawn import steward as stewards
from bawn.config import Config, Server
from bawn.config.integrity import DriftConfig
from bawn.config.model import Refresh
from bawn.errors import UPSTREAM_SIGN_IN, UPSTREAM_STATUS, Refused
from bawn.gateway import doubts
from bawn.model import Health, Kind, Listing, ServerState, View
from bawn.steward import Steward
from tests.unit.test_steward import TOOLS, Published, Scripted, _tools
from tests.unit.test_steward_news import NONE, TELLING


class Watched:
    """A steward, what it published, and what was in doubt at each word of it.

    `full` has nothing published, as when there is no room on the disk.
    """

    def __init__(self, published: Published) -> None:
        self.published = published
        self.full = False
        self.doubts: list[set[str]] = []
        self.said = asyncio.Event()
        self.steward: Steward

    def publish(self, view: View) -> None:
        if self.full:
            raise OSError("no room")
        self.published.take(view)
        self.doubting()

    def doubting(self) -> None:
        self.doubts.append(set(self.steward.doubted))
        self.said.set()

    async def until(self, holds: Callable[[], bool]) -> None:
        while not holds():
            self.said.clear()
            await self.said.wait()


@asynccontextmanager
async def _watching(
    files: Scripted,
    approved: Callable[[Listing], Listing] = lambda listing: listing,
    doubted: Iterable[str] = (),
    max_age: float = 3600,
    status: str = "active",
    known: Iterable[Listing] = (),
) -> AsyncIterator[Watched]:
    watched = Watched(Published())
    config = Config(
        servers={
            "files": Server.model_validate({"url": "http://127.0.0.1:9/mcp", "status": status})
        },
        drift=DriftConfig(max_age=max_age),
        refresh=Refresh(probe=3600),
    )
    watched.steward = Steward(
        config,
        {"files": files},
        watched.publish,
        known=known,
        states={each.server: ServerState(Health.OK) for each in known},
        approved=approved,
        doubting=watched.doubting,
        doubted=doubted,
    )
    await watched.steward.start(5)
    try:
        yield watched
    finally:
        await watched.steward.stop()


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stewards, "_MOMENT", 0.0)


async def _listening(files: Scripted) -> None:
    await files.was_asked(1, "subscriptions/listen")
    await asyncio.sleep(0)


async def test_word_of_changed_tools_puts_a_server_in_doubt_until_it_was_listed() -> None:
    files = Scripted(server_discover=TELLING, prompts_list=NONE)
    async with _watching(files) as watched:
        await _listening(files)
        files.answers["tools/list"] = {"tools": [{"name": "new"}]}
        await files.tell("tools")
        assert watched.doubts == [set(), {"files"}]
        await watched.published.more(2)
        assert watched.steward.doubted == set(), "with the view that follows"


async def test_doubt_is_lifted_as_well_where_nothing_had_changed() -> None:
    files = Scripted(server_discover=TELLING, prompts_list=NONE)
    async with _watching(files) as watched:
        await _listening(files)
        await files.tell("tools")
        await watched.published.more(2)  # that it said so is told on
        assert watched.steward.doubted == set()


async def test_a_server_that_cannot_be_listed_stays_in_doubt() -> None:
    files = Scripted(server_discover=TELLING, prompts_list=NONE)
    async with _watching(files) as watched:
        await _listening(files)
        asked = len(files.asked)
        files.answers["tools/list"] = Refused(UPSTREAM_STATUS)
        await files.tell("tools")
        while len(files.asked) < asked + 2:
            await asyncio.sleep(0)
        assert watched.steward.doubted == {"files"}


async def test_a_steward_goes_on_with_the_doubts_of_the_one_before() -> None:
    async with _watching(Scripted(), doubted=["files", "gone"]) as watched:
        assert watched.steward.doubted == set(), "it was listed at the start"
    broken = Scripted(tools_list=Refused(UPSTREAM_STATUS))
    async with _watching(broken, doubted=["files", "gone"]) as watched:
        assert watched.steward.doubted == {"files"}


KNOWN = Listing(
    "files", "", {"tools": {}}, "", {**dict.fromkeys(Kind, ()), Kind.TOOL: tuple(TOOLS["tools"])}, 0
)


async def test_what_the_first_look_of_a_later_steward_finds_is_in_force_at_once() -> None:
    """One that follows a killed one serves what that had found, and looks whether it still holds."""
    files = Scripted(tools_list={"tools": [{"name": "new"}]})
    async with _watching(files, known=[KNOWN], doubted=["files"]) as watched:
        assert _tools(watched.published[0]) == ["files__read", "files__write"]
        await watched.until(lambda: not watched.steward.doubted)
        assert _tools(watched.published[-1]) == ["files__new"], "with the view, not before it"


async def test_doubt_stays_while_what_was_found_cannot_be_put_in_force() -> None:
    files = Scripted(server_discover=TELLING, prompts_list=NONE)
    async with _watching(files) as watched:
        await _listening(files)
        watched.full = True
        files.answers["tools/list"] = {"tools": [{"name": "new"}]}
        await files.tell("tools")
        await files.was_asked(2, "prompts/list")
        for _ in range(20):
            await asyncio.sleep(0)
        assert watched.steward.doubted == {"files"}
        assert watched.doubts[-1] == {"files"}, "nobody was told that it is over"
        watched.full = False
        assert watched.steward.reconsider()
        assert watched.steward.doubted == set()
        assert _tools(watched.published[-1]) == ["files__new"]


async def test_whoever_asks_is_told_when_what_was_decided_is_not_in_force() -> None:
    serving = [True]

    def approved(listing: Listing) -> Listing:
        return listing if serving[0] else replace(listing, definitions=dict.fromkeys(Kind, ()))

    async with _watching(Scripted(), approved) as watched:
        assert watched.steward.reconsider()
        watched.full, serving[0] = True, False
        assert not watched.steward.reconsider()


async def test_what_cannot_be_judged_of_one_server_does_not_stop_the_others() -> None:
    def approved(listing: Listing) -> Listing:
        raise RecursionError

    async with _watching(Scripted(), approved) as watched:
        assert _tools(watched.published[-1]) == [], "what nobody could judge does not serve"


async def test_a_server_that_wants_somebody_to_sign_in_is_not_asked_without_a_pause(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waits: list[float] = []

    async def waited(self: Steward, name: str, seconds: float) -> None:
        waits.append(seconds)
        await asyncio.Event().wait()

    monkeypatch.setattr(Steward, "_until_due", waited)
    async with _watching(Scripted(server_discover=Refused(UPSTREAM_SIGN_IN)), max_age=60):
        assert waits == [3600], "as long as between two probes"


async def test_only_what_was_approved_is_compiled() -> None:
    def approved(listing: Listing) -> Listing:
        first = listing.definitions[Kind.TOOL][:1]
        return replace(listing, definitions={**listing.definitions, Kind.TOOL: first})

    async with _watching(Scripted(), approved) as watched:
        assert _tools(watched.published[-1]) == ["files__read"]


async def test_what_was_approved_meanwhile_serves_at_a_word() -> None:
    allowed = {"read"}

    def approved(listing: Listing) -> Listing:
        tools = tuple(d for d in listing.definitions[Kind.TOOL] if d["name"] in allowed)
        return replace(listing, definitions={**listing.definitions, Kind.TOOL: tools})

    async with _watching(Scripted(), approved) as watched:
        allowed.add("write")
        watched.steward.reconsider()
        assert _tools(watched.published[-1]) == ["files__read", "files__write"]


async def test_a_silent_change_is_found_within_the_age_that_a_list_may_have() -> None:
    files = Scripted()
    async with _watching(files, max_age=0.05) as watched:
        files.answers["tools/list"] = {"tools": [{"name": "new"}]}
        assert _tools(await watched.published.more(2)) == ["files__new"]


async def test_a_disabled_server_is_never_looked_at() -> None:
    files = Scripted()
    async with _watching(files, status="disabled") as watched:
        assert files.asked == []
        assert _tools(watched.published[-1]) == []


async def test_of_a_server_that_goes_on_telling_of_changes_calls_wait_and_are_not_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Some servers tell of each session that begins: they are looked at seldom, but in time."""
    monkeypatch.undo()
    waits: list[float] = []
    real = asyncio.sleep

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        await real(0)

    files = Scripted(server_discover=TELLING, prompts_list=NONE)
    async with _watching(files) as watched:
        await _listening(files)
        watched.steward._pauses["files"] = stewards._MOST_LOOKS
        monkeypatch.setattr(asyncio, "sleep", sleep)
        watched.steward.doubted.add("files")
        watched.steward._stale["files"].set()
        await watched.steward._until_due("files", 3600)
        watched.steward.doubted.clear()
        watched.steward._stale["files"].set()
        await watched.steward._until_due("files", 3600)
    assert waits == [stewards._DOUBTFUL_PAUSE, stewards._LONGEST_PAUSE]
    assert stewards._DOUBTFUL_PAUSE < doubts._PATIENCE / 1.5
