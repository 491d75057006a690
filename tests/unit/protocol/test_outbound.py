from __future__ import annotations

from typing import Any

import pytest

from bawn.model import Call, Client, Item, Json, Kind
from bawn.protocol import outbound, templates, versions
from tests.gate import ADA, LEGACY, META, MODERN

TRACE = "a" * 32


def _call(method: str, params: Json, **changes: Any) -> Call:
    return Call(1, method, params, ADA, None, Client(LEGACY, "c"), TRACE, **changes)


def test_a_tool_goes_out_under_the_servers_own_name() -> None:
    params = {"name": "files__read", "arguments": {"path": "/a"}, "unknown": [1]}
    item = Item(Kind.TOOL, "files", "read", "files__read", {})
    leaving = outbound.request(
        _call("tools/call", params, project="/work"), versions.METHODS["tools/call"], item, "iso"
    )
    assert (leaving.server, leaving.method, leaving.name) == ("files", "tools/call", "read")
    assert (leaving.isolation, leaving.trace, leaving.project) == ("iso", TRACE, "/work")
    meta = leaving.params.pop("_meta")
    assert leaving.params == params | {"name": "read"}
    assert meta[META + "protocolVersion"] == MODERN
    assert params["name"] == "files__read"


def test_a_prompt_goes_out_under_the_servers_own_name() -> None:
    item = Item(Kind.PROMPT, "files", "summary", "files__summary", {})
    call = _call("prompts/get", {"name": "files__summary"})
    leaving = outbound.request(call, versions.METHODS["prompts/get"], item, "iso")
    assert leaving.name == leaving.params["name"] == "summary"


@pytest.mark.parametrize("kind", [Kind.RESOURCE, Kind.TEMPLATE])
def test_a_resource_goes_out_under_the_uri_that_was_asked_for(kind: Kind) -> None:
    item = Item(kind, "files", "file:///{+path}", "file:///{+path}", {})
    call = _call("resources/read", {"uri": "file:///a/b"})
    leaving = outbound.request(call, versions.METHODS["resources/read"], item, "iso")
    assert leaving.name == leaving.params["uri"] == "file:///a/b"


def test_an_absent_meta_is_made() -> None:
    item = Item(Kind.TOOL, "files", "read", "files__read", {})
    call = _call("tools/call", {"name": "files__read", "_meta": None})
    leaving = outbound.request(call, versions.METHODS["tools/call"], item, "iso")
    assert leaving.params["_meta"][META + "clientInfo"]["name"] == "c"


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
