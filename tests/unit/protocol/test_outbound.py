from __future__ import annotations

from typing import Any

import pytest

from bawn.model import Call, Client, Json, Kind, Outbound
from bawn.protocol import outbound, templates
from tests.gate import ADA, LEGACY, META, MODERN

TRACE = "a" * 32


def _call(method: str, params: Json, **changes: Any) -> Call:
    return Call(1, method, params, ADA, None, Client(LEGACY, "c"), TRACE, **changes)


def _sent(call: Call, **more: Any) -> Outbound:
    return outbound.request(call.method, call.params, call, server="files", isolation="iso", **more)


def test_a_call_goes_out_with_its_params_and_canonical_metadata() -> None:
    params = {"name": "read", "arguments": {"path": "/a"}, "unknown": [1]}
    leaving = _sent(_call("tools/call", params, project="/work"), name="read", principal="p")
    assert (leaving.server, leaving.method, leaving.name) == ("files", "tools/call", "read")
    assert (leaving.isolation, leaving.trace, leaving.project) == ("iso", TRACE, "/work")
    assert (leaving.principal, leaving.headers, leaving.parked) == ("p", (), False)
    meta = leaving.params["_meta"]
    assert leaving.params == params | {"_meta": meta}
    assert meta[META + "protocolVersion"] == MODERN
    assert "_meta" not in params


def test_a_modern_callers_metadata_goes_out_as_it_came() -> None:
    meta = {META + "protocolVersion": MODERN, META + "clientCapabilities": {"roots": {}}, "own": 1}
    leaving = _sent(_call("tools/call", {"name": "read", "_meta": meta}))
    assert leaving.params["_meta"] is meta


def test_an_absent_meta_is_made() -> None:
    leaving = _sent(_call("tools/call", {"name": "read", "_meta": None}))
    assert leaving.params["_meta"][META + "clientInfo"]["name"] == "c"


def test_the_level_of_a_session_stands_in_its_calls() -> None:
    call = _call("tools/call", {"name": "read"}, session="s")
    assert META + "logLevel" not in _sent(call).params["_meta"]
    assert _sent(call, level="error").params["_meta"][META + "logLevel"] == "error"


def test_the_tasks_of_an_earlier_version_are_offered_to_nobody() -> None:
    params = {"name": "read", "task": {"ttl": 1}}
    assert "task" not in _sent(_call("tools/call", params, session="s")).params
    assert _sent(_call("tools/call", params)).params["task"] == {"ttl": 1}
    assert params["task"] == {"ttl": 1}


def test_the_trace_goes_on_in_body_and_header() -> None:
    parent = f"00-{TRACE}-{'b' * 16}-01"
    meta = {"traceparent": f"00-{TRACE}-{'c' * 16}-01", "baggage": "k=v"}
    call = _call("tools/call", {"name": "read", "_meta": meta}, parent=parent)
    leaving = _sent(call, headers=((b"mcp-param-x", b"1"),))
    assert leaving.params["_meta"]["traceparent"] == parent
    assert "baggage" not in leaving.params["_meta"]
    fields = dict(leaving.headers)
    assert fields[b"traceparent"] == parent.encode()
    assert fields[b"mcp-param-x"] == b"1"
    assert b"baggage" not in fields
    assert _sent(call, baggage=True).params["_meta"]["baggage"] == "k=v"


@pytest.mark.parametrize("kind", list(Kind))
def test_what_is_unknown_reads_the_same_whatever_the_cause(kind: Kind) -> None:
    refused = outbound.unknown(kind)
    assert refused.reason.id == "target.unknown"
    assert refused.public == f"no such {kind}"


@pytest.mark.parametrize(
    ("kind", "definition", "name"),
    [
        (Kind.TOOL, {"name": "a"}, "a"),
        (Kind.RESOURCE, {"uri": "u:", "name": "a"}, "u:"),
        (Kind.TEMPLATE, {"uriTemplate": "u:{x}", "name": "a"}, "u:{x}"),
        (Kind.TOOL, {"name": "x" * outbound.LONGEST}, "x" * outbound.LONGEST),
        (Kind.TOOL, {"name": "x" * (outbound.LONGEST + 1)}, None),
        (Kind.TOOL, {"name": ""}, None),
        (Kind.TOOL, {"name": 5}, None),
        (Kind.TOOL, {"uri": "u:"}, None),
        (Kind.RESOURCE, {"name": "a"}, None),
    ],
)
def test_a_definition_is_named_by_the_member_of_its_kind(
    kind: Kind, definition: Json, name: str | None
) -> None:
    assert outbound.identifier(kind, definition) == name


def test_a_template_of_too_many_expressions_is_not_offered() -> None:
    most = "x:" + "{a}" * templates.EXPRESSIONS
    assert outbound.identifier(Kind.TEMPLATE, {"uriTemplate": most}) == most
    assert outbound.identifier(Kind.TEMPLATE, {"uriTemplate": most + "{a}"}) is None
    assert outbound.identifier(Kind.TOOL, {"name": most + "{a}"}) == most + "{a}"
