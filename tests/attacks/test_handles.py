"""Attacks by mirrored headers, names, cursors and sessions: each is refused with its reason."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any, Final

import pytest

from bawn.model import Kind
from bawn.ports import Arrival
from tests.fakes import Clock, counting_sealer
from tests.gate import (
    ADA,
    EVE,
    LEGACY,
    MODERN,
    VIC,
    House,
    arrive,
    legacy,
    listing,
    modern,
    session_of,
    stopped,
)

READ: Final = {"name": "files__read", "arguments": {"path": "/a"}}

# ── header against body ───────────────────────────────────────────────────────────────────────────


def _sentinel(text: str, encode: Callable[[bytes], bytes] = base64.b64encode) -> bytes:
    return b"=?base64?" + encode(text.encode()) + b"?="


def _mirrored(params: dict[str, Any] | None = None, **headers: bytes | None) -> Arrival:
    changed = {name.replace("_", "-").encode(): value for name, value in headers.items()}
    return modern("tools/call", params or READ, headers=changed)


_LOOKS_WRAPPED = _sentinel("issues__search").decode()
SMUGGLED: Final[dict[str, Arrival]] = {
    "another name in the header": _mirrored(mcp_name=b"issues__search"),
    "no name in the header": _mirrored(mcp_name=None),
    "an empty name": _mirrored(mcp_name=b""),
    "a name of another case": _mirrored(mcp_name=b"FILES__READ"),
    "a harmless method in the header": _mirrored(mcp_method=b"tools/list"),
    "a method of another case": _mirrored(mcp_method=b"Tools/Call"),
    "no method in the header": _mirrored(mcp_method=None),
    "no version in the header": _mirrored(mcp_protocol_version=None),
    "a legacy version over a modern body": _mirrored(mcp_protocol_version=LEGACY.encode()),
    "a newer version in the header": _mirrored(mcp_protocol_version=b"2099-01-01"),
    "two versions in one header": _mirrored(mcp_protocol_version=f"{MODERN}, {LEGACY}".encode()),
    "another name in base64": _mirrored(mcp_name=_sentinel("issues__search")),
    "base64 that does not decode": _mirrored(mcp_name=b"=?base64?files__read?="),
    "base64 with space": _mirrored(mcp_name=b"=?base64?ZmlsZXNf X3JlYWQ=?="),
    "base64 for URLs": _mirrored({"name": "~~~???"}, mcp_name=_sentinel("~~~???", base64.urlsafe_b64encode)),
    "base64 without padding": _mirrored({"name": "files"}, mcp_name=_sentinel("files").replace(b"=?=", b"?=")),
    "base64 with stray bits": _mirrored({"name": "a"}, mcp_name=b"=?base64?YR==?="),
    "base64 twice": _mirrored(mcp_name=_sentinel(_sentinel("files__read").decode())),
    "a sentinel of another case": _mirrored(mcp_name=_sentinel("files__read").replace(b"base64", b"BASE64")),
    "one question mark for both ends": _mirrored({"name": ""}, mcp_name=b"=?base64?="),
    "a name that reads as another to whoever unwraps it": _mirrored(
        {"name": _LOOKS_WRAPPED}, mcp_name=_LOOKS_WRAPPED.encode()
    ),
    "UTF-8 that should be wrapped": _mirrored({"name": "ä"}, mcp_name="ä".encode()),
    "Latin-1 that should be wrapped": _mirrored({"name": "ä"}, mcp_name=b"\xe4"),
    "another resource in the header": modern(
        "resources/read", {"uri": "file:///a"}, headers={b"mcp-name": b"file:///b"}
    ),
    "a task's name missing, before tasks are served": modern(
        "tasks/get", {"taskId": "t"}, headers={b"mcp-name": None}
    ),
    "another task in the header": modern(
        "tasks/cancel", {"taskId": "t"}, headers={b"mcp-name": b"u"}
    ),
}  # fmt: skip


@pytest.mark.parametrize("arrival", SMUGGLED.values(), ids=SMUGGLED)
async def test_a_header_that_says_another_thing_than_the_body_is_refused(arrival: Arrival) -> None:
    error = await stopped(House(), arrival, "header.mismatch")
    assert error["code"] == -32020


async def test_a_modern_header_over_a_legacy_body_is_refused() -> None:
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": READ}
    await stopped(House(), arrive(body, modern("tools/call", READ).headers), "message.params")


# ── names and URIs ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "name",
    [
        "read", "search", "files__Read", "files__read\u200b", " files__read", "files_read",
        "files__issues__search", "issues__files__read", "files__../issues__search", "files__",
        "__read", "bawn__read", "bare__echo", "files__read\0", "files__re\u0430d", "*", "files__*",
        "../files/read", "x" * 100_000,
    ],
)  # fmt: skip
async def test_a_name_that_the_aggregate_does_not_show_goes_nowhere(name: str) -> None:
    value = b"=?base64?" + base64.b64encode(name.encode()) + b"?="
    arrival = modern("tools/call", {"name": name}, headers={b"mcp-name": value})
    await stopped(House(), arrival, "target.unknown")


async def test_the_aggregates_names_do_not_work_at_a_servers_endpoint() -> None:
    await stopped(House(), modern("tools/call", READ, at="files"), "target.unknown")
    await stopped(House(), modern("tools/call", READ, at="issues"), "target.unknown")


async def test_a_server_cannot_pose_as_another_that_is_away() -> None:
    house = House()
    posing = {**dict.fromkeys(Kind, ()), Kind.TOOL: ({"name": "files__read"},)}
    house.gateway.swap(house.view(listing("bare", posing)))
    await stopped(house, modern("tools/call", READ), "target.unknown")
    await house.answer(modern("tools/call", {"name": "bare__files__read"}))
    assert house.sent[0].server == "bare"


async def test_a_server_cannot_take_a_name_over_by_offering_it() -> None:
    house = House()
    posing = {**dict.fromkeys(Kind, ()), Kind.TOOL: ({"name": "files__read"},)}
    honest = {**dict.fromkeys(Kind, ()), Kind.TOOL: ({"name": "read"},)}
    house.gateway.swap(house.view(listing("bare", posing), listing("files", honest)))
    await house.answer(modern("tools/call", READ))
    assert [sent.server for sent in house.sent] == ["files"]


@pytest.mark.parametrize(
    "uri",
    [
        "FILE:///a", "file://localhost/a", "file:/a", "http://169.254.169.254/latest/meta-data/",
        " file:///a", "xfile:///a", "issue://1", "", "a" * 100_000, "file:///" + "a" * 100_000,
    ],
)  # fmt: skip
async def test_a_uri_that_nobody_offers_goes_nowhere(uri: str) -> None:
    value = uri if uri == uri.strip() else _sentinel(uri).decode()
    arrival = modern("resources/read", {"uri": uri}, headers={b"mcp-name": value.encode()})
    await stopped(House(), arrival, "target.unknown")


async def test_a_uri_that_two_servers_offer_is_not_guessed() -> None:
    await stopped(House(), modern("resources/read", {"uri": "common://doc"}), "resource.claimed")


async def test_a_uri_reaches_policy_and_server_as_it_was_written() -> None:
    house = House()
    for uri in ("file:///../../etc/passwd", "file:///a%2e%2e/b", "file:///a?x#y"):
        await house.answer(modern("resources/read", {"uri": uri}))
    assert [sent.params["uri"] for sent in house.sent] == [
        item.name for _, item, *_ in house.journal.of("intent")
    ]
    assert house.sent[0].params["uri"] == "file:///../../etc/passwd"


async def test_what_is_denied_cannot_be_told_from_what_is_not_there() -> None:
    one = await stopped(House(), modern("tools/call", READ, who=EVE), "target.unknown")
    other = await stopped(House(), modern("tools/call", {"name": "x"}, who=EVE), "target.unknown")
    assert one["data"].pop("trace") == other["data"].pop("trace")
    assert one == other


# ── cursors ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "cursor", ["", "1", "AAAA", "x" * 200_000, None, 0, True, [], {"tool||": ""}, "\u0000", "=?="]
)
async def test_a_forged_cursor_is_refused(cursor: object) -> None:
    await stopped(House(), modern("tools/list", {"cursor": cursor}), "cursor.invalid")


async def test_a_cursor_of_another_gate_endpoint_list_or_caller_is_refused() -> None:
    house = House()
    scope = f"tool|||{house.policy.permission_set(ADA)}"
    cursor = house.sealer.seal("cursor", {scope: "files__read"})
    _, body = await house.ask(modern("tools/list", {"cursor": cursor}))
    assert body["result"]["tools"][0]["name"] == "files__write"
    foreign = counting_sealer(b"x" * 32).seal("cursor", {scope: "a"})
    for arrival in (
        modern("tools/list", {"cursor": foreign}),
        modern("tools/list", {"cursor": cursor}, at="files"),
        modern("prompts/list", {"cursor": cursor}),
        modern("tools/list", {"cursor": cursor}, who=VIC),
        modern("tools/list", {"cursor": cursor[:-1]}),
        modern("tools/list", {"cursor": cursor + "A"}),
        modern("tools/list", {"cursor": cursor + "="}),
    ):
        await stopped(house, arrival, "cursor.invalid")


async def test_a_session_is_no_cursor() -> None:
    house = House()
    session = await session_of(house)
    await stopped(house, modern("tools/list", {"cursor": session}), "cursor.invalid")


# ── sessions ──────────────────────────────────────────────────────────────────────────────────────


async def test_a_stolen_session_is_of_no_use() -> None:
    house = House()
    session = await session_of(house)
    for arrival in (
        legacy("tools/call", READ, session=session, who=VIC),
        legacy("tools/call", READ, session=session, who=EVE),
        legacy("tools/list", session=session, at="files"),
        legacy("ping", session=session, who=VIC),
        legacy("notifications/cancelled", {"requestId": 1}, id_=None, session=session, who=VIC),
    ):
        await stopped(house, arrival, "session.unknown")


async def test_a_session_of_one_server_does_not_open_another() -> None:
    house = House()
    session = await session_of(house, at="files")
    for at in (None, "issues"):
        await stopped(house, legacy("tools/list", session=session, at=at), "session.unknown")


@pytest.mark.parametrize("session", ["x", "A" * 400, "../../etc", "null", "é"])
async def test_an_invented_session_is_refused(session: str) -> None:
    arrival = arrive(
        {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": READ},
        {b"mcp-session-id": session.encode("latin-1")},
    )
    await stopped(House(), arrival, "session.unknown")


async def test_a_changed_session_is_refused() -> None:
    house = House()
    session = await session_of(house)
    for changed in (session[:-1], session + "A", session + "=", session[1:] + session[:1]):
        await stopped(house, legacy("tools/call", READ, session=changed), "session.unknown")


async def test_a_session_does_not_outlive_its_time() -> None:
    house = House()
    session = await session_of(house)
    house.clock.now = Clock().now + 24 * 3600
    await stopped(house, legacy("tools/call", READ, session=session), "session.unknown")


async def test_a_session_does_not_change_its_version() -> None:
    house = House()
    session = await session_of(house)
    arrival = legacy("tools/call", READ, session=session, version="2025-03-26")
    await stopped(house, arrival, "header.mismatch")


async def test_a_sessions_capabilities_give_nothing_to_who_holds_it() -> None:
    house = House()
    params = {"protocolVersion": LEGACY, "capabilities": {"roles": ["admin"]}, "clientInfo": {}}
    reply = await house.answer(legacy("initialize", params, who=EVE, version=None))
    session = dict(reply.headers)[b"mcp-session-id"].decode()
    await stopped(house, legacy("tools/call", READ, session=session, who=EVE), "target.unknown")
