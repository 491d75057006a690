from __future__ import annotations

import logging

import pytest

from bawn.model import Json, Kind
from tests.gate import FILES, House, listing, modern

NESTED: Json = {"type": "object", "properties": {"on": {"type": "boolean", "x-mcp-header": "On"}}}
ANNOTATED: Json = {
    "type": "object",
    "properties": {
        "region": {"type": "string", "x-mcp-header": "Region"},
        "count": {"type": "integer", "x-mcp-header": "Count"},
        "nested": NESTED,
        "plain": {"type": "string"},
    },
}
ARGUMENTS: Json = {"region": "Zürich", "count": 7, "nested": {"on": True}, "plain": "x"}
HEADERS = {
    b"mcp-param-region": b"=?base64?WsO8cmljaA==?=",
    b"mcp-param-count": b"7",
    b"mcp-param-on": b"true",
}
BAD: dict[str, Json] = {
    "empty": {"properties": {"a": {"type": "string", "x-mcp-header": ""}}},
    "no_token": {"properties": {"a": {"type": "string", "x-mcp-header": "a b"}}},
    "line_break": {"properties": {"a": {"type": "string", "x-mcp-header": "a\r\nb"}}},
    "number": {"properties": {"a": {"type": "number", "x-mcp-header": "A"}}},
    "object": {"properties": {"a": {"type": "object", "x-mcp-header": "A"}}},
    "twice": {
        "properties": {
            "a": {"type": "string", "x-mcp-header": "Same"},
            "b": {"type": "string", "x-mcp-header": "sAME"},
        }
    },
    "in_items": {
        "properties": {
            "a": {"type": "array", "items": {"type": "string", "x-mcp-header": "A"}},
        }
    },
    "in_any_of": {"anyOf": [{"properties": {"a": {"type": "string", "x-mcp-header": "A"}}}]},
}


def _house(*tools: tuple[str, Json]) -> House:
    house = House()
    definitions = tuple({"name": name, "inputSchema": schema} for name, schema in tools)
    house.gateway.swap(house.view(listing("files", {**FILES, Kind.TOOL: definitions})))
    return house


def _call(arguments: Json) -> Json:
    return {"name": "files__read", "arguments": arguments}


async def test_annotated_arguments_go_out_as_headers() -> None:
    house = _house(("read", ANNOTATED))
    await house.answer(modern("tools/call", _call(ARGUMENTS), headers=HEADERS))
    [sent] = house.sent
    assert dict(sent.headers) == HEADERS
    assert sent.params["arguments"] == ARGUMENTS


@pytest.mark.parametrize("bad", BAD)
async def test_a_tool_with_a_bad_annotation_is_left_out_alone_and_that_is_logged(
    bad: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        house = _house(("read", ANNOTATED), (bad, {"type": "object", **BAD[bad]}), ("last", {}))
    _, body = await house.ask(modern("tools/list"))
    assert [tool["name"] for tool in body["result"]["tools"]] == ["files__last", "files__read"]
    [record] = caplog.records
    assert bad in str(record.__dict__)
    await house.refused(modern("tools/call", {"name": f"files__{bad}"}), "target.unknown")


@pytest.mark.parametrize("arguments", [{}, {"region": None, "count": None}, {"nested": {}}])
async def test_what_is_absent_or_null_has_no_header(arguments: Json) -> None:
    house = _house(("read", ANNOTATED))
    _, body = await house.ask(modern("tools/call", _call(arguments)))
    assert "result" in body
    assert house.sent[0].headers == ()


@pytest.mark.parametrize("header", HEADERS)
@pytest.mark.parametrize("value", [None, b"other", b"=?base64?%%%?=", b"\xff"])
async def test_a_header_that_does_not_repeat_its_argument_is_refused(
    header: bytes, value: bytes | None
) -> None:
    house = _house(("read", ANNOTATED))
    headers: dict[bytes, bytes | None] = {**HEADERS, header: value}
    arrival = modern("tools/call", _call(ARGUMENTS), headers=headers)
    error = await house.refused(arrival, "header.mismatch", status=400)
    assert error["code"] == -32020


async def test_integers_are_compared_as_numbers() -> None:
    house = _house(("read", ANNOTATED))
    headers = {**HEADERS, b"mcp-param-count": b"7.0"}
    _, body = await house.ask(modern("tools/call", _call(ARGUMENTS), headers=headers))
    assert "result" in body
    assert dict(house.sent[0].headers) == HEADERS


async def test_a_header_that_no_annotation_asks_for_goes_nowhere() -> None:
    house = _house(("read", {"type": "object"}))
    arrival = modern("tools/call", _call({}), headers={b"mcp-param-unheard-of": b"x"})
    _, body = await house.ask(arrival)
    assert "result" in body
    assert house.sent[0].headers == ()
