from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from bawn.discovery.shadow.probe import LIMITS, Target, probe
from bawn.discovery.shadow.sighting import Sighting
from bawn.discovery.shadow.sockets import Endpoint
from bawn.discovery.shadow.targets import of_networks

HERE, THERE = Endpoint("127.0.0.1", 8080), Endpoint("10.1.2.3", 8080)
FAST = LIMITS._replace(timeout=0.5, rate=10_000.0)


class _Once(httpx2.AsyncByteStream):
    def __init__(self, content: bytes) -> None:
        self._content = content

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._content


async def _probe(
    handler: Any, *targets: Endpoint, own: tuple[Endpoint, ...] = ()
) -> tuple[Sighting, ...]:
    def streamed(request: httpx2.Request) -> httpx2.Response:
        made: httpx2.Response = handler(request)
        return httpx2.Response(made.status_code, headers=made.headers, stream=_Once(made.content))

    transport = httpx2.MockTransport(streamed)
    found = await probe(map(Target, targets), own=own, limits=FAST, transport=transport)
    return found.sightings


def _rpc(request: httpx2.Request, **answer: Any) -> httpx2.Response:
    return httpx2.Response(200, json={"jsonrpc": "2.0", "id": 1, **answer})


def modern(request: httpx2.Request) -> httpx2.Response:
    body = json.loads(request.content)
    assert body["method"] == "server/discover"
    assert "authorization" not in request.headers
    meta = {"io.modelcontextprotocol/serverInfo": {"name": "web\x1b[1m"}}
    return _rpc(request, result={"supportedVersions": ["2026-07-28"], "_meta": meta})


async def test_a_modern_server_is_told_and_open_to_others_is_a_finding() -> None:
    here, there = await _probe(modern, HERE, THERE, own=(HERE,))
    assert (here.name, here.access, here.ours, here.url) == (
        "web\ufffd[1m", "open", True, "http://127.0.0.1:8080/mcp",
    )  # fmt: skip
    assert not there.ours
    assert "open to anybody" in there.evidence[-1]
    assert "open to anybody" not in here.evidence[-1]


async def test_a_session_that_was_begun_is_ended_and_nothing_else_is_asked() -> None:
    asked: list[tuple[str, str]] = []

    def legacy(request: httpx2.Request) -> httpx2.Response:
        method = json.loads(request.content)["method"] if request.content else ""
        asked.append((request.method, method or request.headers["mcp-session-id"]))
        if method == "initialize":
            result = {
                "protocolVersion": "2025-06-18",
                "capabilities": {},
                "serverInfo": {"name": "old"},
            }
            answer = {"jsonrpc": "2.0", "id": 1, "result": result}
            event = f"event: message\ndata: {json.dumps(answer)}\n\n"
            kind = {"Content-Type": "text/event-stream", "Mcp-Session-Id": "s1"}
            return httpx2.Response(200, text=event, headers=kind)
        return httpx2.Response(400, text="no session")

    (found,) = await _probe(legacy, HERE)
    assert (found.name, found.what, found.access) == ("old", "http", "open")
    assert asked == [("POST", "server/discover"), ("POST", "initialize"), ("DELETE", "s1")]


async def test_a_server_that_asks_for_a_token_is_guarded() -> None:
    def guarded(request: httpx2.Request) -> httpx2.Response:
        challenge = 'Bearer resource_metadata="https://x/.well-known/oauth-protected-resource"'
        return httpx2.Response(401, headers={"WWW-Authenticate": challenge})

    (found,) = await _probe(guarded, THERE)
    assert found.access == "guarded"


async def test_the_transport_of_2024_is_found_at_sse() -> None:
    def sse(request: httpx2.Request) -> httpx2.Response:
        if request.url.path != "/sse":
            return httpx2.Response(404)
        kind = {"Content-Type": "text/event-stream"}
        return httpx2.Response(200, text="event: endpoint\ndata: /messages?id=1\n\n", headers=kind)

    (found,) = await _probe(sse, HERE)
    assert (found.what, found.url) == ("sse", "http://127.0.0.1:8080/sse")


@pytest.mark.parametrize(
    "answer",
    [
        httpx2.Response(200, text="<html>hello</html>"),
        httpx2.Response(
            200, json={"jsonrpc": "2.0", "id": 1, "error": {"code": -32601, "message": "no"}}
        ),
        httpx2.Response(307, headers={"Location": "http://169.254.169.254/"}),
        httpx2.Response(401, headers={"WWW-Authenticate": "Basic"}),
        httpx2.Response(200, json=[1]),
        httpx2.Response(200, json={"result": {"supportedVersions": []}}),
    ],
)
async def test_what_is_not_mcp_is_not_told(answer: httpx2.Response) -> None:
    hosts: set[str] = set()

    def other(request: httpx2.Request) -> httpx2.Response:
        hosts.add(request.url.host)
        return answer

    assert await _probe(other, HERE) == ()
    assert hosts == {"127.0.0.1"}


def test_networks_are_asked_port_by_port() -> None:
    found = [str(target.endpoint) for target in of_networks(["10.0.0.0/30"], [3000, 443])]
    assert found == ["10.0.0.1:3000", "10.0.0.2:3000", "10.0.0.1:443", "10.0.0.2:443"]
