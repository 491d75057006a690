from __future__ import annotations

from ipaddress import ip_address
from typing import Any

import pytest

from bawn.config import Config
from bawn.model import Json
from tests.gate import MODERN, House, arrive, modern, session_of
from tests.unit.transport.house import House as Edge

READ: Json = {"name": "files__read", "arguments": {"path": "/a"}}
HEADERS = {b"mcp-protocol-version": MODERN.encode(), b"mcp-method": b"tools/call"}


def test_by_default_only_this_machine_reaches_the_gate() -> None:
    host, _, _ = Config().listen.rpartition(":")
    assert ip_address(host.strip("[]")).is_loopback


@pytest.mark.parametrize(
    "body",
    [
        [{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": READ}],
        [],
        {"jsonrpc": "2.0", "id": 1, "result": {}},
        {"jsonrpc": "2.0", "id": 1, "error": {"code": 1, "message": "no"}},
    ],
)
async def test_a_modern_client_posts_neither_batches_nor_responses(body: Any) -> None:
    house = House()
    reply, answered = await house.ask(arrive(body, HEADERS))
    assert 400 <= reply.status < 500
    assert "result" not in answered
    assert house.sent == []


@pytest.mark.parametrize("method", ["tools/none", "ping", "initialize", "", "TOOLS/CALL"])
async def test_an_unknown_method_is_404(method: str) -> None:
    error = await House().refused(modern(method, READ), "method.unknown", status=404)
    assert error["code"] == -32601


@pytest.mark.parametrize(
    ("header", "value"),
    [
        (b"mcp-method", b"Tools/Call"),
        (b"mcp-method", b"TOOLS/CALL"),
        (b"mcp-name", b"Files__read"),
        (b"mcp-name", b"=?BASE64?ZmlsZXNfX3JlYWQ=?="),
    ],
)
async def test_the_value_of_a_header_keeps_its_case(header: bytes, value: bytes) -> None:
    arrival = modern("tools/call", READ, headers={header: value})
    error = await House().refused(arrival, "header.mismatch", status=400)
    assert error["code"] == -32020


async def test_a_modern_answer_names_no_session() -> None:
    house = House()
    session = await session_of(house)
    for method, params in (("server/discover", {}), ("tools/list", {}), ("tools/call", READ)):
        headers = {b"mcp-session-id": session.encode()}
        reply = await house.answer(modern(method, params, headers=headers))
        assert reply.status == 200
        assert b"mcp-session-id" not in dict(reply.headers)


@pytest.mark.parametrize(
    "origin", [b"https://evil.example.com", b"null", b"http://gate.example.com"]
)
@pytest.mark.parametrize("stream", [True, False])
async def test_origin_is_judged_on_the_endpoints_of_http_with_sse(
    stream: bool, origin: bytes
) -> None:
    edge = Edge()
    body = b"" if stream else b'{"jsonrpc":"2.0","id":1,"method":"ping"}'
    path = "/sse" if stream else "/messages/handle"

    async def asked(**headers: bytes) -> int:
        if stream:
            exchange = edge.get(path, mcp_session_id=None, **headers)
            await exchange.send()
            exchange.leave()
            return exchange.status
        named = {name.encode(): value for name, value in headers.items()}
        return (await edge.post(path, body=body, headers=named).run()).status

    assert await asked(origin=origin) == 403
    assert edge.standing.conversations == {}
    assert edge.gate.arrived == []
    for good in ({}, {"origin": b"https://app.example.com"}):
        assert await asked(**good) == (200 if stream else 404)  # no such conversation
