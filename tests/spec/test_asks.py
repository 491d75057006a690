from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from bawn.model import Answer, Json, Kind, Outbound
from bawn.ports import Arrival, Emit, Reply
from tests.gate import (
    ADA,
    DONE,
    FILES,
    LEGACY,
    META,
    VIC,
    House,
    Script,
    arrive,
    legacy,
    listing,
    modern,
)

READ: Json = {"name": "files__read"}
FORM: Json = {
    "method": "elicitation/create",
    "params": {"message": "Who?", "requestedSchema": {"type": "object", "properties": {}}},
}
ROOTS: Json = {"method": "roots/list"}


class Legacy:
    """A handshake client in a session, before a server that asks two things."""

    def __init__(self, capabilities: Json) -> None:
        self.house = House()
        self.capabilities = capabilities
        self.told: list[Json] = []
        self.asked = asyncio.Event()
        self.session = ""
        self.house.upstreams["files"].behave = self.serve

    async def serve(self, outbound: Outbound, emit: Emit | None) -> Answer:
        """How the server behaves."""
        if "inputResponses" not in outbound.params:
            asked = {"inputRequests": {"who": FORM, "where": ROOTS}}
            return Answer(result={"resultType": "input_required", **asked})
        self.told.append(outbound.params["inputResponses"])
        return Answer(result={"resultType": "complete", "content": []})

    async def emit(self, message: Json) -> None:
        """Takes what is told on the call's stream."""
        self.house.emitted.append(message)
        if len(self.house.emitted) == 2:
            self.asked.set()

    async def call(self) -> Reply:
        """Begin a session, and call in it."""
        params = {"protocolVersion": LEGACY, "capabilities": self.capabilities}
        begun = await self.house.answer(legacy("initialize", params, version=None))
        self.session = dict(begun.headers)[b"mcp-session-id"].decode()
        arrival = legacy("tools/call", READ, session=self.session, id_=7)
        return await self.house.gateway.answer(arrival, self.emit)

    def answering(self, id_: object, result: Json, **changes: Any) -> Arrival:
        """The response to a question."""
        headers = {
            b"mcp-protocol-version": LEGACY.encode(),
            b"mcp-session-id": self.session.encode(),
        }
        return arrive({"jsonrpc": "2.0", "id": id_, "result": result}, headers, **changes)


BOTH: Json = {"elicitation": {}, "roots": {}}
ANSWERS: Json = {
    "elicitation/create": {"action": "decline"},
    "roots/list": {"roots": [{"uri": "file:///a"}]},
}


async def test_a_legacy_client_is_asked_on_its_own_stream_and_its_answers_go_back() -> None:
    client = Legacy(BOTH)
    call = asyncio.create_task(client.call())
    await client.asked.wait()
    asked = {message["method"]: message["id"] for message in client.house.emitted}
    assert set(asked) == set(ANSWERS)
    assert len(set(asked.values())) == 2
    for method, id_ in asked.items():
        assert client.told == []  # nothing goes on before all is answered
        reply = await client.house.answer(client.answering(id_, ANSWERS[method]))
        assert (reply.status, reply.body) == (202, b"")
    assert (await call).status == 200
    assert client.told == [{"who": ANSWERS["elicitation/create"], "where": ANSWERS["roots/list"]}]


async def test_nobody_else_answers_what_a_client_was_asked() -> None:
    client = Legacy(BOTH)
    call = asyncio.create_task(client.call())
    await client.asked.wait()
    asked = {message["method"]: message["id"] for message in client.house.emitted}
    for method, id_ in asked.items():
        await client.house.answer(client.answering(id_, {"forged": 1}, who=VIC))
        without = {b"mcp-protocol-version": LEGACY.encode()}
        body = {"jsonrpc": "2.0", "id": id_, "result": {"forged": 2}}
        await client.house.answer(arrive(body, without, who=VIC))
        await client.house.answer(client.answering(id_, ANSWERS[method], who=ADA))
    await call
    assert "forged" not in str(client.told)
    assert len(client.told) == 1


@pytest.mark.parametrize("capabilities", [{}, {"roots": {}}, {"sampling": {}}])
async def test_what_a_legacy_client_cannot_answer_is_told_to_its_model(
    capabilities: Json,
) -> None:
    client = Legacy(capabilities)
    reply = await client.call()
    assert reply.status == 200
    assert b'"isError":true' in reply.body
    assert client.house.emitted == []
    assert client.told == []


async def test_a_page_that_a_tool_names_is_read_though_it_is_not_listed() -> None:
    house = House()
    shown: Json = {"name": "read", "_meta": {"ui": {"resourceUri": "ui://files/page"}}}
    house.gateway.swap(house.view(listing("files", {**FILES, Kind.TOOL: (shown,)})))
    for at in ("files", None):
        _, body = await house.ask(modern("resources/read", {"uri": "ui://files/page"}, at=at))
        assert "result" in body


@pytest.mark.parametrize("version", [None, LEGACY])
async def test_a_page_to_be_visited_is_not_visited_by_the_gate(
    monkeypatch: pytest.MonkeyPatch, version: str | None
) -> None:
    reached: list[object] = []

    def reach(*place: object, **_: object) -> None:
        reached.append(place)
        raise OSError("no network")

    for name in ("getaddrinfo", "create_connection"):
        monkeypatch.setattr(socket, name, reach)
    monkeypatch.setattr(socket.socket, "connect", reach)
    monkeypatch.setattr(socket.socket, "connect_ex", reach)
    client = Legacy({"elicitation": {"form": {}, "url": {}}})
    page = {"mode": "url", "message": "Sign in", "url": "https://127.0.0.1:9/sign-in?x=1"}
    asked = {"inputRequests": {"page": {"method": "elicitation/create", "params": page}}}
    Script(client.house, Answer(result={"resultType": "input_required", **asked}), DONE)
    if version is None:
        meta = {META + "clientCapabilities": client.capabilities}
        _, body = await client.house.ask(modern("tools/call", READ, meta=meta))
        shown = body["result"]["inputRequests"]["page"]["params"]
    else:
        call = asyncio.create_task(client.call())
        while not client.house.emitted:
            await asyncio.sleep(0)
        [question] = client.house.emitted
        shown = question["params"]
        await client.house.answer(client.answering(question["id"], {"action": "accept"}))
        assert (await call).status == 200
    assert shown["url"] == page["url"]
    assert reached == []
