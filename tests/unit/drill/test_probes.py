"""The callers of a drill tell an answer, a refusal, a broken connection and silence apart."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest

from bawn.drill.probes import AT_THE_GATE, Attempt, Callers, Fate, Probe, errors
from bawn.model import Json

Handler = Callable[[httpx2.Request], httpx2.Response]


def answered(message: Json) -> Handler:
    """Always this JSON-RPC message."""
    return lambda request: httpx2.Response(200, json={"jsonrpc": "2.0", "id": 1, **message})


def broken(error: Exception) -> Handler:
    """Never an answer."""

    def handle(request: httpx2.Request) -> httpx2.Response:
        raise error

    return handle


async def called(
    handler: Handler, monkeypatch: pytest.MonkeyPatch, *probes: Probe, number: int = 1
) -> list[Attempt]:
    """The first calls of callers of a gate that answers so."""
    monkeypatch.setattr(httpx2, "AsyncHTTPTransport", lambda uds: httpx2.MockTransport(handler))
    wanted = max(2, len(probes)) * number
    async with Callers(Path("/gate.sock"), probes or AT_THE_GATE, number) as callers:
        async with asyncio.timeout(30):
            while len(callers.attempts) < wanted:
                await asyncio.sleep(0)
        return list(callers.attempts)


@pytest.mark.parametrize(
    ("handler", "fate", "reason"),
    [
        (answered({"result": {}}), Fate.ANSWERED, ""),
        (answered({"error": {"code": -32000, "message": "the server's"}}), Fate.ANSWERED, ""),
        (
            answered({"error": {"code": 31003, "data": {"reason": "upstream.died"}}}),
            Fate.ERROR,
            "upstream.died",
        ),
        (lambda request: httpx2.Response(500, text="Internal Server Error"), Fate.ERROR, "HTTP 500"),
        (broken(httpx2.ReadError("reset")), Fate.RESET, ""),
        (broken(httpx2.RemoteProtocolError("it ended")), Fate.RESET, ""),
        (broken(httpx2.ReadTimeout("silence")), Fate.UNANSWERED, ""),
    ],
)  # fmt: skip
async def test_what_came_of_a_call_is_told(
    handler: Handler, fate: Fate, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for attempt in await called(handler, monkeypatch):
        assert (attempt.fate, attempt.reason) == (fate, reason)


async def test_the_end_of_a_stream_is_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    events = 'data: {"method": "notifications/progress"}\n\ndata: {"id": 1, "result": {}}\n\n'
    kind = {"content-type": "text/event-stream"}

    def handle(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, text=events, headers=kind)

    assert {attempt.fate for attempt in await called(handle, monkeypatch)} == {Fate.ANSWERED}


async def test_requests_are_modern_and_their_headers_repeat_the_body(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    heard: list[tuple[Json, httpx2.Headers]] = []

    def handle(request: httpx2.Request) -> httpx2.Response:
        heard.append((json.loads(request.content), request.headers))
        return httpx2.Response(200, json={"result": {}})

    tool = Probe("tools/call", {"name": "files__read", "arguments": {"x": 1}})
    await called(handle, monkeypatch, tool, AT_THE_GATE[0])
    (asked, headers), (listing, _) = heard[:2]
    assert asked["params"]["name"] == headers["mcp-name"] == "files__read"
    assert asked["method"] == headers["mcp-method"] == "tools/call"
    assert asked["params"]["arguments"] == {"x": 1}
    assert headers["mcp-protocol-version"] == "2026-07-28"
    assert listing["method"] == "tools/list"
    assert listing["id"] != asked["id"]


async def test_every_caller_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    attempts = await called(answered({"result": {}}), monkeypatch, number=3)
    assert {attempt.caller for attempt in attempts} == {0, 1, 2}


def test_a_probe_knows_whether_it_reaches_a_server() -> None:
    assert Probe("tools/call", {"name": "files__read"}).server == "files"
    assert [probe.server for probe in AT_THE_GATE] == [None, None]


def test_refusals_are_counted_by_reason() -> None:
    attempts = [
        Attempt(0, 0, 1, Fate.ERROR, "upstream.died"),
        Attempt(0, 0, 1, Fate.ERROR, "upstream.died"),
        Attempt(0, 0, 1, Fate.ANSWERED),
        Attempt(0, 0, 1, Fate.RESET),
    ]
    assert errors(attempts) == {"upstream.died": 2}
