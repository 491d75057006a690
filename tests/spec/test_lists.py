from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import Any

import pytest

from bawn import steward as stewards
from bawn.config import Config, Limits, Server
from bawn.config.integrity import DriftConfig
from bawn.config.model import Refresh
from bawn.errors import UPSTREAM_UNREACHABLE, Refused
from bawn.model import Answer, Json, Kind, Outbound, View
from bawn.ports import Emit
from bawn.protocol.versions import LIST_METHODS
from bawn.steward import Steward
from tests.gate import EVE, VIC, House, legacy, modern, session_of

READ: Json = {"name": "files__read", "arguments": {"path": "/a"}}
LISTS = [method for method, _ in LIST_METHODS.values()]


@pytest.mark.parametrize("method", LISTS)
async def test_a_list_does_not_depend_on_what_was_asked_before(method: str) -> None:
    house = House()
    _, first = await house.ask(modern(method))
    session = await session_of(house)
    for arrival in (
        modern(method, who=EVE),
        modern(method, who=VIC, at="files"),
        legacy(method, session=session),
        modern("tools/call", READ),
        modern("resources/read", {"uri": "file:///a"}),
        modern(method, {"cursor": "none"}),
        modern("server/discover"),
    ):
        await house.answer(arrival)
    _, again = await house.ask(modern(method, headers={b"mcp-session-id": session.encode()}))
    assert again == first
    assert first["result"][dict(LIST_METHODS.values())[method]]


async def test_every_page_of_a_list_has_one_scope() -> None:
    house = House(limits=Limits(page=1))
    scopes: set[str] = set()
    names: list[str] = []
    params: Json = {}
    while True:
        _, body = await house.ask(modern("tools/list", params))
        scopes.add(body["result"]["cacheScope"])
        names += [tool["name"] for tool in body["result"]["tools"]]
        cursor = body["result"].get("nextCursor")
        if cursor is None:
            break
        params = {"cursor": cursor}
    assert len(names) == len(set(names)) == 5
    assert scopes == {"private"}


async def test_what_a_server_answered_is_never_answered_again_by_the_gate() -> None:
    house = House()

    async def lasting(outbound: Outbound, emit: Emit | None) -> Answer:
        hints = {"ttlMs": 3_600_000, "cacheScope": "public"}
        return Answer(result={"resultType": "complete", "contents": [], **hints})

    house.upstreams["files"].behave = lasting
    for who in (VIC, VIC):
        await house.answer(modern("resources/read", {"uri": "file:///a"}, who=who))
    assert len(house.sent) == 2


def test_a_shown_name_keeps_to_the_allowed_characters() -> None:
    view = House().view()
    shown = [name for kind in (Kind.TOOL, Kind.PROMPT) for name in view.endpoints[None].items[kind]]
    assert "files__read" in shown
    assert [name for name in shown if not re.fullmatch(r"[A-Za-z0-9_.-]{1,128}", name)] == []


class Paged:
    """A server whose second page is asked for by the empty cursor."""

    async def call(self, outbound: Outbound, emit: Emit | None = None) -> Answer:
        """Fills `ports.Upstream`."""
        return Answer(result=self._answer(outbound.method, outbound.params.get("cursor")))

    def _answer(self, method: str, cursor: object) -> dict[str, Any]:
        if method != "tools/list":
            return {"supportedVersions": ["2026-07-28"], "capabilities": {"tools": {}}}
        if cursor is None:
            return {"tools": [{"name": "first"}], "nextCursor": ""}
        return {"tools": [{"name": "second"}] if cursor == "" else []}

    def stays(self, capabilities: Mapping[str, Any], *, shared: bool) -> bool:
        """Fills `ports.Upstream`."""
        return False

    async def aclose(self) -> None:
        """Fills `ports.Upstream`."""


async def test_an_empty_cursor_of_a_server_is_followed() -> None:
    published: list[View] = []
    config = Config(servers={"files": Server(url="http://127.0.0.1:9/mcp")})
    steward = Steward(config, {"files": Paged()}, published.append)
    try:
        await steward.start(5.0)
    finally:
        await steward.stop()
    assert list(published[-1].endpoints["files"].items[Kind.TOOL]) == ["first", "second"]


@pytest.mark.parametrize("hints", [{}, {"ttlMs": -5, "cacheScope": "public"}, {"ttlMs": "5"}])
async def test_what_is_read_always_has_its_hints(hints: Json) -> None:
    house = House()

    async def behave(outbound: Outbound, emit: Emit | None) -> Answer:
        return Answer(result={"resultType": "complete", "contents": [], **hints})

    house.upstreams["files"].behave = behave
    _, body = await house.ask(modern("resources/read", {"uri": "file:///a"}))
    assert body["result"]["cacheScope"] == "private"
    assert type(body["result"]["ttlMs"]) is int
    assert body["result"]["ttlMs"] >= 0


class Away:
    """A server that cannot be reached."""

    async def call(self, outbound: Outbound, emit: Emit | None = None) -> Answer:
        """Fills `ports.Upstream`."""
        raise Refused(UPSTREAM_UNREACHABLE)

    def stays(self, capabilities: Mapping[str, Any], *, shared: bool) -> bool:
        """Fills `ports.Upstream`."""
        return False

    async def aclose(self) -> None:
        """Fills `ports.Upstream`."""


async def test_who_polls_backs_off_and_spreads_it_out(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: dict[str, list[float]] = {}
    passing = asyncio.timeout

    def timeout(seconds: float) -> asyncio.Timeout:
        task = asyncio.current_task()
        assert task is not None
        waits.setdefault(task.get_name(), []).append(seconds)
        return passing(0)

    monkeypatch.setattr(stewards, "_MOMENT", 0.0)
    names = [f"s{number}" for number in range(8)]
    config = Config(
        servers={name: Server(url="http://127.0.0.1:9/mcp") for name in names},
        drift=DriftConfig(max_age=300),
        refresh=Refresh(probe=8),
    )
    upstreams = {name: Away() for name in names}
    steward = Steward(config, upstreams, lambda view: None)
    monkeypatch.setattr(asyncio, "timeout", timeout)
    try:
        await steward.start(5.0)
        while min(len(waits.get(f"steward {name}", ())) for name in names) < 6:
            await asyncio.sleep(0)
    finally:
        await steward.stop()
    for turn, most in enumerate([0.5, 1.0, 2.0, 4.0, 8.0, 8.0]):
        waited = [waits[f"steward {name}"][turn] for name in names]
        assert all(most / 2 <= each <= most for each in waited)
        assert len(set(waited)) == len(names)
