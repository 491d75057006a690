from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from bawn import steward as stewards
from bawn.config import Config, Limits, Server
from bawn.config.integrity import DriftConfig
from bawn.config.model import Refresh
from bawn.errors import REASONS, Refused
from bawn.model import Answer, Health, Json, Kind, Listing, Outbound, ServerState, View
from bawn.ports import Emit, Upstream
from bawn.steward import Steward

TOOLS: Json = {"tools": [{"name": "read"}, {"name": "write"}]}


class Scripted:
    """A server by its answers: a result, an error code, or what it raises, for each method."""

    def __init__(self, **answers: Any) -> None:
        self.answers: dict[str, Any] = {
            "server/discover": {"supportedVersions": ["2026-07-28"], "capabilities": {"tools": {}}},
            "tools/list": TOOLS,
        } | {name.replace("_", "/"): answer for name, answer in answers.items()}
        self.asked: list[Outbound] = []
        self.emits: list[Emit] = []
        self.asked_now = asyncio.Condition()

    def stays(self, capabilities: Mapping[str, Any], *, shared: bool) -> bool:
        return False

    async def call(self, outbound: Outbound, emit: Emit | None = None) -> Answer:
        async with self.asked_now:
            self.asked.append(outbound)
            self.asked_now.notify_all()
        if outbound.method == "subscriptions/listen":
            return await self._told_of(emit)
        answer = self.answers[outbound.method]
        if isinstance(answer, list):  # one after the other, the last for good
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, int):
            return Answer(error={"code": answer, "message": ""})
        if isinstance(answer, asyncio.Event):
            await answer.wait()
            return Answer(result={})
        return Answer(result=answer)

    async def _told_of(self, emit: Emit | None) -> Answer:
        """Acknowledge what is wanted, and tell of it for ever."""
        assert emit is not None
        wanted = self.asked[-1].params["notifications"]
        method = "notifications/subscriptions/acknowledged"
        await emit({"jsonrpc": "2.0", "method": method, "params": {"notifications": wanted}})
        self.emits.append(emit)
        try:
            await asyncio.Event().wait()
        finally:
            self.emits.remove(emit)
        raise AssertionError

    async def tell(self, name: str) -> None:
        """Tell that a list has changed."""
        for emit in tuple(self.emits):
            await emit({"jsonrpc": "2.0", "method": f"notifications/{name}/list_changed"})

    async def aclose(self) -> None: ...

    async def was_asked(self, times: int, method: str) -> None:
        """Return once a method was asked for so often."""
        async with self.asked_now:
            await self.asked_now.wait_for(
                lambda: sum(1 for asked in self.asked if asked.method == method) >= times
            )


class Published(list[View]):
    """The Views in their order; `more` returns once there are so many."""

    def __init__(self) -> None:
        super().__init__()
        self.grew = asyncio.Event()

    def take(self, view: View) -> None:
        self.append(view)
        self.grew.set()

    async def more(self, count: int) -> View:
        while len(self) < count:
            self.grew.clear()
            await self.grew.wait()
        return self[-1]


def _config(servers: dict[str, Upstream], limits: Limits | None = None, **changes: Any) -> Config:
    given = {name: Server(url="http://127.0.0.1:9/mcp", **changes) for name in servers}
    return Config(
        servers=given,
        limits=limits or Limits(),
        drift=DriftConfig(max_age=0.01),
        refresh=Refresh(probe=0.01),
    )


@asynccontextmanager
async def _watching(
    *,
    limits: Limits | None = None,
    patience: float = 5.0,
    changes: Json | None = None,
    **servers: Any,
) -> AsyncIterator[tuple[Steward, Published]]:
    published = Published()
    config = _config(servers, limits, **(changes or {}))
    steward = Steward(config, servers, published.take)
    try:
        await steward.start(patience)
        yield steward, published
    finally:
        await steward.stop()


def _tools(view: View) -> list[str]:
    return list(view.endpoints[None].items[Kind.TOOL])


async def test_what_the_servers_offer_becomes_the_first_view() -> None:
    async with _watching(files=Scripted(), issues=Scripted()) as (steward, published):
        view = published[-1]
        assert _tools(view) == ["files__read", "files__write", "issues__read", "issues__write"]
        assert steward.version == view.version
        assert steward.items["tool"] == 4
        assert steward.longest_name == "issues__write"
        assert steward.states["files"].health is Health.OK
        assert steward.states["files"].version == "2026-07-28"


async def test_the_servers_of_tenants_are_counted_like_others() -> None:
    of_acme = {"tenant": "acme"}
    async with _watching(changes=of_acme, files=Scripted(), wiki=Scripted()) as (
        steward,
        published,
    ):
        assert _tools(published[-1]) == []
        assert len(published[-1].aggregates["acme"].items[Kind.TOOL]) == 4
        assert steward.items["tool"] == 4
        assert steward.longest_name == "files__write"


async def test_a_server_that_fails_spoils_its_own_tenants_lists_alone() -> None:
    kept = {**TOOLS, "ttlMs": 1000}
    discovered = {"supportedVersions": [], "capabilities": {"tools": {}}, "ttlMs": 1000}
    failing = Scripted(server_discover=Refused(REASONS["upstream.unreachable"]))
    upstreams: dict[str, Upstream] = {
        "files": Scripted(server_discover=discovered, tools_list=kept),
        "wiki": failing,
    }
    servers = {
        name: Server(url="http://127.0.0.1:9/mcp", tenant=tenant)
        for name, tenant in {"files": "acme", "wiki": "zeta"}.items()
    }
    published = Published()
    steward = Steward(Config(servers=servers), upstreams, published.take)
    await steward.start(5.0)
    await steward.stop()
    assert published[-1].aggregates["acme"].ttl_ms == 1000
    assert published[-1].aggregates["zeta"].ttl_ms == 0


async def test_without_servers_there_is_an_empty_view_at_once() -> None:
    async with _watching() as (_, published):
        assert [list(view.endpoints) for view in published] == [[None]]


async def test_a_server_that_fails_does_not_keep_the_others_waiting() -> None:
    failing = Scripted(server_discover=Refused(REASONS["upstream.unreachable"], detail="refused"))
    async with _watching(files=Scripted(), issues=failing) as (steward, published):
        assert _tools(published[-1]) == ["files__read", "files__write"]
        assert published[-1].endpoints[None].ttl_ms == 0
        assert steward.states["issues"].health is Health.FAILING
        assert "upstream.unreachable" in steward.states["issues"].detail


async def test_a_server_that_never_answers_is_not_waited_for_beyond_patience() -> None:
    hanging = Scripted(server_discover=asyncio.Event())
    async with _watching(patience=0.05, files=hanging) as (steward, published):
        assert steward.states["files"].health is Health.STARTING
        assert _tools(published[-1]) == []


async def test_a_server_that_wants_credentials_is_said_to() -> None:
    closed = Scripted(server_discover=Refused(REASONS["upstream.sign_in"]))
    async with _watching(files=closed) as (steward, _):
        assert steward.states["files"].health is Health.SIGN_IN


async def test_a_server_that_comes_late_is_listed_then() -> None:
    late = Scripted(
        server_discover=[
            Refused(REASONS["upstream.unreachable"]),
            {"supportedVersions": ["2025-11-25"], "capabilities": {"tools": {}}},
        ]
    )
    async with _watching(files=late) as (steward, published):
        while not _tools(await published.more(1)):
            published.grew.clear()
            await published.grew.wait()
        assert steward.states["files"].version == "2025-11-25"


async def test_a_server_that_goes_away_keeps_its_last_listing() -> None:
    files = Scripted()
    async with _watching(files=files) as (steward, published):
        files.answers["server/discover"] = Refused(REASONS["upstream.unreachable"])
        files.answers["tools/list"] = Refused(REASONS["upstream.unreachable"])
        while steward.states["files"].health is Health.OK:
            await files.was_asked(len(files.asked) + 1, "server/discover")
        assert _tools(published[-1]) == ["files__read", "files__write"]


async def test_a_change_is_published_and_no_change_is_not() -> None:
    files = Scripted()
    async with _watching(files=files) as (_, published):
        before = len(published)
        await files.was_asked(4, "tools/list")
        assert len(published) == before
        files.answers["tools/list"] = {"tools": [{"name": "new"}]}
        assert _tools(await published.more(before + 1)) == ["files__new"]


async def test_a_view_that_could_not_be_published_is_tried_again() -> None:
    files, published = Scripted(), Published()
    room = asyncio.Event()

    def publish(view: View) -> None:
        if not room.is_set():
            raise OSError(28, "No space left on device")
        published.take(view)

    steward = Steward(_config({"files": files}, None), {"files": files}, publish)
    try:
        await steward.start(0.05)
        assert steward.version == ""
        room.set()
        assert _tools(await published.more(1)) == ["files__read", "files__write"]
    finally:
        await steward.stop()


async def test_all_pages_are_listed_and_the_shortest_time_holds() -> None:
    discover = {
        "supportedVersions": ["2026-07-28"],
        "capabilities": {"tools": {}},
        "ttlMs": 50,
    }
    pages = [
        {"tools": [{"name": "a"}], "nextCursor": "1", "ttlMs": 40},
        {"tools": [{"name": "b"}], "nextCursor": "2", "ttlMs": 30},
        {"tools": [{"name": "c"}], "ttlMs": 60},
    ]
    files = Scripted(server_discover=discover, tools_list=list(pages))
    published = Published()
    config = Config(servers={"files": Server(url="http://127.0.0.1:9/mcp")})
    steward = Steward(config, {"files": files}, published.take)
    await steward.start(5)
    await steward.stop()
    assert _tools(published[-1]) == ["files__a", "files__b", "files__c"]
    assert published[-1].endpoints["files"].ttl_ms == 30
    assert [asked.params.get("cursor") for asked in files.asked[1:]] == [None, "1", "2"]


@pytest.mark.parametrize(
    "answers",
    [
        {"tools_list": {"tools": "x"}},
        {"tools_list": {"tools": [5]}},
        {"tools_list": {}},
        {"tools_list": {"tools": [], "nextCursor": 5}},
        {"tools_list": {"tools": [], "nextCursor": "same"}},
        {"tools_list": -32601},
        {"server_discover": {"supportedVersions": []}},
        {"server_discover": {"capabilities": []}},
        {"server_discover": -32603},
        {"tools_list": {"resultType": "input_required"}},
        {"tools_list": {"tools": [{"name": str(n)} for n in range(6)]}},
        {"tools_list": ValueError("a defect of ours")},
    ],
)
async def test_a_server_that_lists_nonsense_fails_and_offers_nothing(answers: Json) -> None:
    nonsense = Scripted(**answers)
    limits = Limits(tools=5)
    async with _watching(limits=limits, files=nonsense, issues=Scripted()) as (steward, published):
        assert steward.states["files"].health is Health.FAILING
        assert steward.states["files"].detail
        assert _tools(published[-1]) == ["issues__read", "issues__write"]


async def test_a_cursor_that_does_not_go_on_is_followed_once() -> None:
    turning = Scripted(tools_list={"tools": [], "nextCursor": "same"})
    async with _watching(files=turning) as (steward, _):
        assert "does not go on" in steward.states["files"].detail
        assert [asked.method for asked in turning.asked[:3]] == [
            "server/discover",
            "tools/list",
            "tools/list",
        ]


async def test_a_list_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stewards, "_PAGES", 3)
    pages: list[Any] = [{"tools": [], "nextCursor": str(n)} for n in range(50)]
    async with _watching(files=Scripted(tools_list=pages)) as (steward, _):
        assert steward.states["files"].health is Health.FAILING
        assert "upstream.too_large" in steward.states["files"].detail


@pytest.mark.parametrize("ttl", [-5, "9", None, True, 1.5])
async def test_an_odd_time_to_live_is_none_at_all(ttl: Any) -> None:
    discover = {"supportedVersions": [], "capabilities": {"tools": {}}, "ttlMs": ttl}
    async with _watching(files=Scripted(server_discover=discover)) as (_, published):
        assert published[-1].endpoints["files"].ttl_ms == 0


async def test_only_kinds_that_the_server_has_are_asked_for() -> None:
    files = Scripted()
    async with _watching(files=files):
        assert {asked.method for asked in files.asked} == {"server/discover", "tools/list"}


@pytest.mark.parametrize(("isolation", "key"), [("principal", "gate"), ("shared", "shared")])
async def test_the_gate_lists_under_a_key_of_its_own(isolation: str, key: str) -> None:
    files = Scripted()
    async with _watching(changes={"isolation": isolation}, files=files):
        assert {asked.isolation for asked in files.asked} == {key}


async def test_stopping_ends_every_task() -> None:
    async with _watching(files=Scripted(), issues=Scripted()) as (steward, _):
        tasks = list(steward._tasks)
    assert len(tasks) == 2
    assert all(task.done() for task in tasks)


async def test_a_list_that_would_fill_the_memory_is_refused() -> None:
    pages = [{"tools": [{"name": "a" * 900}], "nextCursor": str(n)} for n in range(900)]
    fat = Scripted(tools_list=pages)
    async with _watching(limits=Limits(result=1000), files=fat) as (steward, _):
        assert steward.states["files"].health is Health.FAILING
        assert "upstream.too_large" in steward.states["files"].detail
        assert len([asked for asked in fat.asked if asked.method == "tools/list"]) < 20


async def test_what_an_earlier_steward_knew_is_served_at_once() -> None:
    silent = Scripted(server_discover=Refused(REASONS["upstream.unreachable"]))
    servers: dict[str, Upstream] = {"files": silent}
    tool = {"name": "read", "inputSchema": {"type": "object"}}
    none: dict[Kind, tuple[Json, ...]] = dict.fromkeys(Kind, ())
    known = [
        Listing(name, "2026-07-28", {"tools": {}}, "", {**none, Kind.TOOL: (tool,)}, 0)
        for name in ("files", "gone")
    ]
    published = Published()
    states = {name: ServerState(Health.OK) for name in ("files", "gone")}
    steward = Steward(_config(servers), servers, published.take, known=known, states=states)
    assert steward.states == {"files": ServerState(Health.OK)}
    try:
        await steward.start(0.0)
        assert _tools(published[0]) == ["files__read"]
        assert [each.server for each in steward.listings] == ["files"]
    finally:
        await steward.stop()


async def test_of_every_listing_only_what_may_be_kept_is_known() -> None:
    servers: dict[str, Upstream] = {"files": Scripted()}

    def kept(listing: Listing) -> Listing:
        tools = listing.definitions[Kind.TOOL]
        return replace(listing, definitions={**listing.definitions, Kind.TOOL: tools[:1]})

    steward = Steward(_config(servers), servers, Published().take, kept=kept)
    await steward.start(5.0)
    [listing] = steward.listings
    assert [tool["name"] for tool in listing.definitions[Kind.TOOL]] == ["read"]
    await steward.stop()

    known = replace(listing, definitions={**listing.definitions, Kind.TOOL: tuple(TOOLS["tools"])})
    again = Steward(_config(servers), servers, Published().take, known=[known], kept=kept)
    [listing] = again.listings
    assert len(listing.definitions[Kind.TOOL]) == 1


async def test_every_look_is_noted() -> None:
    servers: dict[str, Upstream] = {"files": Scripted()}
    looked = asyncio.Event()
    steward = Steward(_config(servers), servers, Published().take, noted=looked.set)
    await steward.start(5.0)
    await asyncio.wait_for(looked.wait(), 30)
    await steward.stop()
