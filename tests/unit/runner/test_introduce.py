"""Which era a process speaks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from bawn.errors import Refused
from bawn.model import Json
from bawn.runner.dialogue import Dialogue
from bawn.runner.introduce import Era, Introduction, introduce
from bawn.runner.journal import Journal

Answerer = Callable[[Json], Json | None]

MODERN: Json = {"result": {"supportedVersions": ["2026-07-28"], "capabilities": {}}}
INITIALISED: Json = {"result": {"protocolVersion": "2025-03-26", "capabilities": {}}}
NOT_FOUND: Json = {"error": {"code": -32601, "message": "Method not found"}}
MODERN_ONLY: Json = {
    "error": {"code": -32022, "message": "v", "data": {"supported": ["2026-07-28"]}}
}


class Server:
    """Answers each method with the next of its prepared answers; None is silence."""

    def __init__(self, **answers: list[Json | None]) -> None:
        self.answers = answers
        self.heard: list[str] = []
        self.offered: Json = {}
        self.dialogue = Dialogue(self._hear, Journal("files"), lambda method: None)

    def _hear(self, data: bytes) -> None:
        message = json.loads(data)
        method = message["method"].rpartition("/")[2]
        self.heard.append(method)
        self.offered = message.get("params", {}).get("capabilities", self.offered)
        prepared = self.answers.get(method)
        answer: Any = prepared.pop(0) if prepared and "id" in message else None
        if answer is not None:
            line = json.dumps({"jsonrpc": "2.0", "id": message["id"], **answer}).encode()
            asyncio.get_running_loop().call_soon(self.dialogue.hear, line)

    async def introduced(self, known: Era | None = None, start: float = 10.0) -> Introduction:
        return await introduce(self.dialogue, known, start)


async def test_a_modern_server_is_known_by_its_discovery() -> None:
    server = Server(discover=[MODERN])
    found = await server.introduced()
    assert found == Introduction(Era.MODERN, "2026-07-28", MODERN["result"])
    assert server.heard == ["discover"]


@pytest.mark.parametrize("code", [-32601, -32602, -32600, -32000, 0, 12345])
async def test_any_other_error_leads_to_the_handshake(code: int) -> None:
    refused = {"error": {"code": code, "message": ""}}
    server = Server(discover=[refused], initialize=[INITIALISED])
    found = await server.introduced()
    assert (found.era, found.version) == (Era.LEGACY, "2025-03-26")
    assert found.discovered is not None
    assert found.discovered["supportedVersions"] == ["2025-03-26"]
    assert server.heard == ["discover", "initialize", "initialized"]
    assert server.dialogue.batches


async def test_silence_leads_to_the_handshake() -> None:
    server = Server(discover=[None], initialize=[INITIALISED])
    assert (await server.introduced(start=0.05)).era is Era.LEGACY


async def test_a_server_known_to_be_legacy_is_not_probed() -> None:
    server = Server(initialize=[INITIALISED])
    await server.introduced(Era.LEGACY)
    assert server.heard == ["initialize", "initialized"]


async def test_a_modern_server_that_was_slow_is_recognised_at_the_handshake() -> None:
    server = Server(discover=[None, MODERN], initialize=[MODERN_ONLY])
    assert (await server.introduced(start=0.2)).era is Era.MODERN
    assert server.heard == ["discover", "initialize", "discover"]


async def test_who_refuses_both_is_refused_with_what_it_said() -> None:
    no = {"error": {"code": -32603, "message": "not today"}}
    server = Server(discover=[NOT_FOUND], initialize=[no])
    with pytest.raises(Refused, match="not today") as refused:
        await server.introduced()
    assert refused.value.reason.id == "upstream.not_started"


async def test_a_version_nobody_speaks_is_invalid() -> None:
    strange = {"result": {"protocolVersion": "1999-01-01", "capabilities": {}}}
    server = Server(discover=[NOT_FOUND], initialize=[strange])
    with pytest.raises(Refused, match="1999-01-01") as refused:
        await server.introduced()
    assert refused.value.reason.id == "upstream.invalid"
    assert server.heard == ["discover", "initialize"]


async def test_a_legacy_server_is_offered_what_it_may_ask_and_nothing_by_default() -> None:
    sets: list[Json | None] = [None, {"roots": {}}]
    for offers in sets:
        server = Server(initialize=[INITIALISED])
        await introduce(server.dialogue, Era.LEGACY, 10.0, offers)
        assert server.offered == server.dialogue.asks.offered == (offers or {})
