from __future__ import annotations

from collections.abc import Callable

import pytest

from bawn.model import Answer, Json, Outbound
from bawn.ports import Arrival, Emit
from tests.gate import META, MODERN, House, arrive, legacy, modern

READ: Json = {"name": "files__read", "arguments": {"path": "/a"}}
VERSION = META + "protocolVersion"
CAPABILITIES = META + "clientCapabilities"


def _told(method: str, version: str | None) -> Arrival:
    headers = {b"mcp-protocol-version": version.encode() if version else None}
    return arrive({"jsonrpc": "2.0", "method": method, "params": READ}, headers)


@pytest.mark.parametrize("version", [MODERN, "2025-11-25", None])
@pytest.mark.parametrize("method", ["tools/call", "tools/list", "notifications/unheard-of"])
async def test_what_has_no_id_is_never_answered_with_a_message(
    method: str, version: str | None
) -> None:
    house = House()
    reply = await house.answer(_told(method, version))
    assert (reply.status, reply.body) == (202, b"")
    assert house.emitted == []
    assert house.sent == []


@pytest.mark.parametrize("method", ["tools/call", "tools/list", "server/discover"])
@pytest.mark.parametrize("missing", [VERSION, CAPABILITIES])
async def test_a_request_without_its_metadata_is_refused_with_400(
    method: str, missing: str
) -> None:
    meta = {VERSION: MODERN, CAPABILITIES: {}}
    del meta[missing]
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": {**READ, "_meta": meta}}
    headers = {
        b"mcp-protocol-version": MODERN.encode(),
        b"mcp-method": method.encode(),
        b"mcp-name": b"files__read",
    }
    error = await House().refused(arrive(body, headers), "message.params", status=400)
    assert error["code"] == -32602


def _calling_itself(name: str, method: str, params: Json) -> Arrival:
    info = {"name": name, "version": "9", "title": "root"}
    return modern(method, params, meta={META + "clientInfo": info})


@pytest.mark.parametrize("name", ["bawn", "files", "inspector", "ada", ""])
async def test_what_a_client_calls_itself_decides_nothing(name: str) -> None:
    plain, named = House(), House()
    for method, params in (("tools/list", {}), ("tools/call", READ), ("server/discover", {})):
        _, expected = await plain.ask(modern(method, params))
        _, found = await named.ask(_calling_itself(name, method, params))
        assert found == expected
    assert [sent.isolation for sent in named.sent] == [sent.isolation for sent in plain.sent]
    assert len(named.sent) == 1


@pytest.mark.parametrize("ask", [modern, legacy])
@pytest.mark.parametrize("method", ["tasks/list", "tasks/result"])
async def test_what_the_extension_dropped_is_not_served(
    ask: Callable[..., Arrival], method: str
) -> None:
    house = House()
    _, body = await house.ask(ask(method))
    assert body["error"]["code"] == -32601
    assert house.journal == []


@pytest.mark.parametrize("code", [-32002, -32042, -32023, -32050, -32099])
@pytest.mark.parametrize("method", ["tools/call", "resources/read"])
async def test_a_modern_caller_never_reads_a_retired_or_undefined_code(
    method: str, code: int
) -> None:
    house = House()

    async def behave(outbound: Outbound, emit: Emit | None) -> Answer:
        return Answer(error={"code": code, "message": "no"})

    house.upstreams["files"].behave = behave
    params = READ if method == "tools/call" else {"uri": "file:///a"}
    _, body = await house.ask(modern(method, params))
    assert body["error"]["code"] not in {-32002, -32042, *range(-32099, -32022)}


@pytest.mark.parametrize(
    "method", ["tools/list", "prompts/list", "resources/list", "resources/templates/list"]
)
async def test_what_the_gate_answers_itself_names_it(method: str) -> None:
    _, body = await House().ask(modern(method))
    assert body["result"]["_meta"][META + "serverInfo"]["name"] == "bawn"


@pytest.mark.parametrize("level", ["loud", "", "INFO", 5, None, ["info"]])
async def test_a_log_level_that_is_none_is_refused(level: object) -> None:
    house = House()
    arrival = modern("tools/call", READ, meta={META + "logLevel": level})
    error = await house.refused(arrival, "message.params", status=400)
    assert error["code"] == -32602


@pytest.mark.parametrize("token", [{"a": 1}, [1], True, 1.5])
async def test_a_progress_token_of_another_type_goes_nowhere(token: object) -> None:
    house = House()
    await house.answer(modern("tools/call", READ, meta={"progressToken": token}))
    assert [sent for sent in house.sent if "progressToken" in sent.params["_meta"]] == []
