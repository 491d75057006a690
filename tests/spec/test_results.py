from __future__ import annotations

from typing import Any

import pytest

from bawn.model import Answer, Json, Outbound
from bawn.ports import Emit
from tests.gate import META, House, modern

TEXT: Json = {"type": "text", "text": "é😀\u2028", "annotations": {"audience": ["user"]}}
CONTENT: list[Json] = [
    TEXT,
    {"type": "image", "data": "aGk=", "mimeType": "image/png"},
    {"type": "audio", "data": "aGk=", "mimeType": "audio/wav", "x-own": 10**30},
    {"type": "resource_link", "uri": "file:///Ä b", "name": "a", "_meta": {"own": 1}},
    {"type": "resource", "resource": {"uri": "ui://files/page", "text": "<p>", "_meta": {}}},
    {"type": "resource", "resource": {"uri": "file:///c", "blob": "aGk="}},
    {"type": "of.the.future", "own": [None, True, 0.1]},
]
CALL: Json = {"content": CONTENT, "structuredContent": {"a": None}, "_meta": {"own": {"x": 1}}}
PROMPT: Json = {"messages": [{"role": "user", "content": each} for each in CONTENT], "own": {}}
PAGE: Json = {
    "uri": "ui://files/page",
    "mimeType": "text/html;profile=mcp-app",
    "text": "<!DOCTYPE html>",
    "_meta": {"ui": {"csp": {"connectDomains": ["https://a.example"]}, "permissions": {}}},
}
CONTENTS: Json = {"contents": [PAGE, {"uri": "file:///a", "blob": "AAECAw=="}], "own": 1}


def _answering(house: House, result: Json) -> None:
    async def behave(outbound: Outbound, emit: Emit | None) -> Answer:
        return Answer(result={"resultType": "complete", **result})

    house.upstreams["files"].behave = behave


def _without_gate(result: Json) -> Json:
    """The result without what the gate says of itself and of its keeping."""
    kept = {name: value for name, value in result.items() if name not in {"ttlMs", "cacheScope"}}
    meta = {
        key: value for key, value in kept.pop("_meta", {}).items() if key != META + "serverInfo"
    }
    return {**kept, **({"_meta": meta} if meta else {})}


@pytest.mark.parametrize(
    ("method", "params", "result"),
    [
        ("tools/call", {"name": "files__read"}, CALL),
        ("prompts/get", {"name": "files__summary"}, PROMPT),
        ("resources/read", {"uri": "file:///a"}, CONTENTS),
    ],
)
async def test_what_a_server_answers_reaches_a_modern_caller_whole(
    method: str, params: Json, result: Json
) -> None:
    house = House()
    _answering(house, result)
    _, body = await house.ask(modern(method, params))
    assert _without_gate(body["result"]) == {"resultType": "complete", **result}


@pytest.mark.parametrize("value", [None, True, 5, 2**70, 0.1, "x", [], [1, None], {}, {"a": [{}]}])
async def test_structured_content_of_any_kind_reaches_a_modern_caller(value: Any) -> None:
    house = House()
    _answering(house, {"content": [], "structuredContent": value})
    _, body = await house.ask(modern("tools/call", {"name": "files__read"}))
    assert "structuredContent" in body["result"]
    assert body["result"]["structuredContent"] == value
    assert type(body["result"]["structuredContent"]) is type(value)


async def test_an_unknown_tool_is_an_error_and_a_tools_own_failure_a_result() -> None:
    house = House()
    error = await house.refused(modern("tools/call", {"name": "files__none"}), "target.unknown")
    assert error["code"] == -32602
    _answering(house, {"content": [TEXT], "isError": True})
    reply, body = await house.ask(modern("tools/call", {"name": "files__read"}))
    assert reply.status == 200
    assert body["result"]["isError"] is True
    assert body["result"]["content"] == [TEXT]


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("tools/call", {"name": "read"}),
        ("prompts/get", {"name": "files__none"}),
        ("resources/read", {"uri": "none://"}),
    ],
)
async def test_what_is_not_offered_is_minus_32602(method: str, params: Json) -> None:
    house = House()
    _, body = await house.ask(modern(method, params))
    assert body["error"]["code"] == -32602
    assert house.sent == []
