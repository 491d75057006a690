from __future__ import annotations

import pytest

from bawn.model import Json
from tests.gate import House, arrive, legacy

CALL: Json = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "files__read"}}


@pytest.mark.parametrize("version", ["2099-01-01", "2024-10-07", "2025-11-26", "latest"])
async def test_a_version_that_is_not_served_gets_400(version: str) -> None:
    arrival = legacy("tools/call", CALL["params"], version=version)
    await House().refused(arrival, "version.unsupported", status=400)


@pytest.mark.parametrize("version", ["2025-11-25", "2025-06-18"])
@pytest.mark.parametrize("batch", [[CALL], [CALL, {**CALL, "id": 2}], []])
async def test_batches_are_refused_from_2025_06_18_on(version: str, batch: list[Json]) -> None:
    house = House()
    reply, body = await house.ask(arrive(batch, {b"mcp-protocol-version": version.encode()}))
    assert reply.status == 400
    assert body["error"]["code"] == -32600
    assert house.journal == []
