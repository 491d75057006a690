from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.errors import Refused
from bawn.model import Client, Kind
from bawn.ports import Arrival
from bawn.protocol import envelope, inbound, strict, versions
from bawn.protocol.inbound import Notification, Request
from tests.gate import LEGACY, META, MODERN, arrive, legacy, modern


def _read(arrival: Arrival, session: Client | None = None) -> Request | Notification:
    tree = strict.careful(arrival.body, strict.JsonLimits())
    return inbound.read(envelope.read(tree), arrival.headers, session)


def _request(arrival: Arrival, session: Client | None = None) -> Request:
    read = _read(arrival, session)
    assert isinstance(read, Request)
    return read


def _refused(arrival: Arrival, reason: str, session: Client | None = None) -> Refused:
    with pytest.raises(Refused) as caught:
        _read(arrival, session)
    assert caught.value.reason.id == reason
    return caught.value


# ── the stateless era ───────────────────────────────────────────────────────────────────────────


def test_a_modern_request_says_itself_who_asks() -> None:
    info = {"name": "inspector", "version": "2"}
    declared = {META + "clientInfo": info, META + "clientCapabilities": {"elicitation": {}}}
    asked = _request(modern("tools/call", {"name": "read"}, meta=declared))
    assert asked.modern
    assert asked.method is versions.METHODS["tools/call"]
    assert asked.client == Client(MODERN, "inspector", {"elicitation": {}})


@pytest.mark.parametrize("info", [5, None, [], {}, {"name": 5}])
def test_who_asks_may_stay_unnamed(info: object) -> None:
    assert _request(modern("tools/list", meta={META + "clientInfo": info})).client.name == ""


@pytest.mark.parametrize(
    "meta",
    [
        {META + "clientCapabilities": None},
        {META + "clientCapabilities": []},
        {META + "protocolVersion": None},
        {META + "protocolVersion": 20260728},
        {META + "protocolVersion": [MODERN]},
    ],
)
def test_a_modern_request_without_its_metadata_is_refused(meta: dict[str, Any]) -> None:
    _refused(modern("tools/list", meta=meta), "message.params")


def test_the_header_alone_claims_the_era_too() -> None:
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    headers = {b"mcp-protocol-version": MODERN.encode(), b"mcp-method": b"tools/list"}
    assert "_meta" in _refused(arrive(body, headers), "message.params").message


@pytest.mark.parametrize("method", sorted(versions.METHODS))
@pytest.mark.parametrize(
    "headers",
    [
        {b"mcp-protocol-version": None},
        {b"mcp-protocol-version": LEGACY.encode()},
        {b"mcp-protocol-version": b"2099-01-01"},
        {b"mcp-method": None},
        {b"mcp-method": b"other"},
    ],
    ids=["no version", "older version", "newer version", "no method", "other method"],
)
def test_headers_repeat_the_body_whatever_the_method(
    method: str, headers: dict[bytes, bytes | None]
) -> None:
    params = {"name": "a", "uri": "a", "taskId": "a"}
    _refused(modern(method, params, headers=headers), "header.mismatch")


@pytest.mark.parametrize(
    ("method", "parameter"),
    [(m.name, m.named) for m in versions.METHODS.values() if m.named is not None],
)
@pytest.mark.parametrize("name", [None, b"other", b""])
def test_the_name_is_repeated_too(method: str, parameter: str, name: bytes | None) -> None:
    arrival = modern(method, {parameter: "mine"}, headers={b"mcp-name": name})
    _refused(arrival, "header.mismatch")


@pytest.mark.parametrize("method", ["tasks/get", "tasks/update", "tasks/cancel"])
def test_tasks_belong_to_the_modern_era(method: str) -> None:
    assert _request(modern(method, {"taskId": "t"})).method.named == "taskId"
    _refused(legacy(method, {"taskId": "t"}), "method.unknown")


@pytest.mark.parametrize(
    "method",
    ["initialize", "ping", "logging/setLevel", "resources/subscribe", "resources/unsubscribe"],
)
def test_a_method_of_another_era_is_unknown(method: str) -> None:
    _refused(modern(method, {"uri": "file:///a"}), "method.unknown")


@pytest.mark.parametrize("method", ["nonsense", "", "com.example/own", "TOOLS/CALL"])
def test_a_method_that_no_table_names_may_be_one_of_an_extension(method: str) -> None:
    asked = _request(modern(method, {"x": 1}))
    assert asked.method == versions.Method(method, kind=Kind.METHOD)
    _refused(legacy(method), "method.unknown")


@pytest.mark.parametrize("member", ["requestState", "inputResponses"])
def test_a_legacy_request_has_no_rounds_of_the_modern_kind(member: str) -> None:
    params = {"name": "read", member: "x"}
    assert member in _refused(legacy("tools/call", params), "message.params").message
    assert member in _request(modern("tools/call", params)).params


@pytest.mark.parametrize("version", ["2099-01-01", LEGACY, "", "x" * 100])
def test_another_version_is_told_what_is_served(version: str) -> None:
    arrival = modern(
        "tools/list",
        meta={META + "protocolVersion": version},
        headers={b"mcp-protocol-version": version.encode()},
    )
    data = _refused(arrival, "version.unsupported").data
    assert data == {"supported": list(versions.SUPPORTED), "requested": version[:64]}


def test_a_modern_notification_is_one_without_ado() -> None:
    body = {
        "jsonrpc": "2.0",
        "method": "notifications/x",
        "params": {"_meta": {META + "protocolVersion": MODERN}},
    }
    assert _read(arrive(body)) == Notification(
        "notifications/x", {"_meta": {META + "protocolVersion": MODERN}}, modern=True
    )


# ── the handshake era ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("version", versions.HANDSHAKE)
def test_a_legacy_request_without_a_session_speaks_what_its_header_says(version: str) -> None:
    asked = _request(legacy("tools/list", version=version))
    assert not asked.modern
    assert asked.client == Client(version)


def test_without_any_header_it_speaks_the_first_that_had_none() -> None:
    assert _request(legacy("tools/list", version=None)).client == Client("2025-03-26")


def test_a_session_says_who_asks() -> None:
    client = Client("2025-06-18", "inspector", {"roots": {}})
    assert _request(legacy("tools/list", version="2025-06-18"), client).client is client
    assert _request(legacy("tools/list", version=None), client).client is client


def test_a_header_of_another_version_than_the_sessions_is_refused() -> None:
    session = Client("2025-06-18")
    _refused(legacy("tools/list", version="2025-11-25"), "header.mismatch", session)
    _refused(legacy("notifications/initialized", id_=None), "header.mismatch", session)


@pytest.mark.parametrize("version", ["2024-10-07", "2099-01-01", "DRAFT", "", "\xe9"])
def test_a_version_that_is_not_served_is_told_what_is(version: str) -> None:
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    arrival = arrive(body, {b"mcp-protocol-version": version.encode("latin-1")})
    data = _refused(arrival, "version.unsupported").data
    assert data is not None
    assert data["requested"] == version


@pytest.mark.parametrize(
    "method",
    ["server/discover", "subscriptions/listen", "tasks/get", "TOOLS/CALL", "tools/call ", ""],
)
def test_a_method_that_legacy_clients_do_not_have_is_unknown(method: str) -> None:
    _refused(legacy(method), "method.unknown")


def test_a_legacy_notification_carries_its_params() -> None:
    told = _read(legacy("notifications/cancelled", {"requestId": 1}, id_=None))
    assert told == Notification("notifications/cancelled", {"requestId": 1}, modern=False)


@given(st.text(max_size=30), st.binary(max_size=20), st.none() | st.text(max_size=12))
def test_any_version_anywhere_is_judged(method: str, header: bytes, version: str | None) -> None:
    meta = {} if version is None else {META + "protocolVersion": version}
    tree = {"jsonrpc": "2.0", "id": 1, "method": method, "params": {"_meta": meta}}
    try:
        inbound.read(envelope.read(tree), {b"mcp-protocol-version": header}, None)
    except Refused as refused:
        if refused.reason.id == "internal.error":
            raise
