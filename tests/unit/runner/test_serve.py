"""The runner's interface, spoken to as an ASGI application."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import pytest

from bawn.errors import UPSTREAM_DIED, Refused
from bawn.model import Answer, Json
from bawn.runner import serve
from bawn.runner.caller import Caller
from bawn.runner.key import Key
from bawn.runner.pool import Pool

REQUEST: Json = {"jsonrpc": "2.0", "id": "i", "method": "tools/call", "params": {"name": "t"}}
Behaviour = Callable[[Json, Caller | None], Awaitable[Answer]]


class FakePool(Pool):
    """Answers by the function it is given."""

    def __init__(self, behaviour: Behaviour) -> None:
        super().__init__()
        self.behaviour = behaviour
        self.keys: list[Key] = []
        self.accounts: list[str] = []

    async def call(
        self,
        key: Key,
        method: str,
        params: Json,
        caller: Caller | None = None,
        account: str = "",
    ) -> Answer:
        self.keys.append(key)
        self.accounts.append(account)
        return await self.behaviour(params, caller)


class Exchange:
    """One HTTP exchange."""

    def __init__(self, behaviour: Behaviour, limit: int = 1_000) -> None:
        self.pool = FakePool(behaviour)
        self.runner = serve.Runner(self.pool, limit)
        self.sent: list[MutableMapping[str, Any]] = []
        self.gone = asyncio.Event()
        self.pieces: list[bytes] = []

    async def _receive(self) -> MutableMapping[str, Any]:
        if self.pieces:
            body = self.pieces.pop(0)
            return {"type": "http.request", "body": body, "more_body": bool(self.pieces)}
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: MutableMapping[str, Any]) -> None:
        self.sent.append(message)

    async def post(
        self,
        *pieces: bytes,
        path: str = "/servers/files",
        method: str = "POST",
        principal: bytes | None = None,
        offers: bytes | None = None,
    ) -> None:
        self.pieces = list(pieces) or [json.dumps(REQUEST).encode()]
        headers = [(b"bawn-isolation", b"who"), (b"bawn-project", b"/a%20b/%C3%BC")]
        if principal is not None:
            headers.append((b"bawn-principal", principal))
        if offers is not None:
            headers.append((b"bawn-offers", offers))
        scope = {"type": "http", "method": method, "path": path, "headers": headers}
        await self.runner(scope, self._receive, self._send)

    @property
    def status(self) -> int:
        status: int = self.sent[0]["status"]
        return status

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent)

    @property
    def answer(self) -> Json:
        answer: Json = json.loads(self.body)
        return answer


async def fine(params: Json, caller: Caller | None) -> Answer:
    return Answer(result={"resultType": "complete", "params": params})


async def test_a_call_is_answered_under_its_own_id() -> None:
    exchange = Exchange(fine)
    await exchange.post()
    assert exchange.status == 200
    result = {"resultType": "complete", "params": {"name": "t"}}
    assert exchange.answer == {"jsonrpc": "2.0", "id": "i", "result": result}
    assert exchange.pool.keys == [Key("files", "who", "/a b/ü")]


async def test_a_process_counts_for_the_principal_or_else_for_the_isolation_key() -> None:
    exchange = Exchange(fine)
    await exchange.post(principal=b"digest")
    await exchange.post()
    assert exchange.pool.accounts == ["digest", "who"]
    assert exchange.pool.keys[0] == exchange.pool.keys[1]


async def test_a_body_in_pieces_is_one_body() -> None:
    exchange = Exchange(fine)
    body = json.dumps(REQUEST).encode()
    await exchange.post(body[:10], body[10:20], body[20:])
    assert "result" in exchange.answer


async def test_a_refusal_carries_its_reason_and_detail() -> None:
    async def dies(params: Json, caller: Caller | None) -> Answer:
        raise Refused(UPSTREAM_DIED, detail="exit code 1")

    exchange = Exchange(dies)
    await exchange.post()
    assert exchange.status == 200
    error = exchange.answer["error"]
    assert error["code"] == UPSTREAM_DIED.code
    assert error["data"] == {"reason": "upstream.died", "detail": "exit code 1"}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"\xff",
        b'{"id":1}',
        b'{"method":"m"}',
        b'{"id":[],"method":"m"}',
        b"[" * 9_000,
    ],
)
async def test_what_is_no_request_is_refused(body: bytes) -> None:
    exchange = Exchange(fine)
    await exchange.post(body)
    assert exchange.answer["error"]["data"]["reason"] == "message.shape"
    assert exchange.pool.keys == []


async def test_a_body_beyond_the_limit_is_refused() -> None:
    exchange = Exchange(fine, limit=10)
    await exchange.post(b"x" * 40_000, b"x" * 40_000, b"x")
    assert exchange.answer["error"]["data"]["reason"] == "http.body"


async def test_a_defect_is_a_refusal_without_its_cause() -> None:
    async def broken(params: Json, caller: Caller | None) -> Answer:
        raise ValueError("hunter2")

    exchange = Exchange(broken)
    await exchange.post()
    assert exchange.answer["error"]["data"]["reason"] == "internal.error"
    assert b"hunter2" not in exchange.body


@pytest.mark.parametrize("data", [{"reason": "auth.missing"}, {"reason": "upstream.died", "x": 1}])
async def test_a_servers_error_is_never_taken_for_the_gates(data: Json) -> None:
    async def impostor(params: Json, caller: Caller | None) -> Answer:
        return Answer(error={"code": 31001, "message": "m", "data": data})

    exchange = Exchange(impostor)
    await exchange.post()
    assert exchange.answer["error"]["data"] == {"server": data}


@pytest.mark.parametrize("data", [None, 3, {"reason": ["auth.missing"]}, {"reason": "own"}])
async def test_other_error_data_stays(data: Any) -> None:
    async def refuses(params: Json, caller: Caller | None) -> Answer:
        return Answer(error={"code": 1, "message": "m", "data": data})

    exchange = Exchange(refuses)
    await exchange.post()
    assert exchange.answer["error"]["data"] == data


async def test_progress_makes_the_reply_a_stream_that_ends_with_the_answer() -> None:
    async def slow(params: Json, caller: Caller | None) -> Answer:
        assert caller is not None
        caller.tell({"n": 1})
        caller.tell({"n": 2})
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        caller.tell({"n": 3})
        return Answer(result={})

    exchange = Exchange(slow)
    await exchange.post()
    assert (b"content-type", b"text/event-stream") in exchange.sent[0]["headers"]
    data = [line[6:] for line in exchange.body.splitlines() if line.startswith(b"data: ")]
    events = [json.loads(line) for line in data]
    assert events == [{"n": 1}, {"n": 2}, {"n": 3}, {"jsonrpc": "2.0", "id": "i", "result": {}}]
    assert [message.get("more_body") for message in exchange.sent[1:]] == [True] * 3 + [False]


async def test_a_caller_who_leaves_cancels_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "WATCH", 0.0)
    cancelled = asyncio.Event()

    async def hangs(params: Json, caller: Caller | None) -> Answer:
        exchange.gone.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise
        raise AssertionError

    exchange = Exchange(hangs)
    await exchange.post()
    assert cancelled.is_set()
    assert exchange.sent == []


async def test_a_quick_call_never_watches_the_connection() -> None:
    exchange = Exchange(fine)
    exchange.gone.set()
    await exchange.post()
    assert "result" in exchange.answer


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/"), ("GET", "/servers/files"), ("POST", "/servers"), ("PUT", "/")],
)
async def test_nothing_else_is_served(method: str, path: str) -> None:
    exchange = Exchange(fine)
    await exchange.post(method=method, path=path)
    assert exchange.status == 404


async def test_the_children_are_shown() -> None:
    exchange = Exchange(fine)
    await exchange.post(path="/servers", method="GET")
    assert exchange.answer == {"servers": {}, "children": []}


async def test_what_a_caller_offers_and_wants_to_read_reaches_the_pool() -> None:
    callers: list[Caller | None] = []

    async def note(params: Json, caller: Caller | None) -> Answer:
        callers.append(caller)
        return Answer(result={})

    exchange = Exchange(note)
    level = {"_meta": {"io.modelcontextprotocol/logLevel": "error"}}
    offers = b'{"roots":{"listChanged":true},"other":{},"sampling":{"tools":{}}}'
    await exchange.post(json.dumps({**REQUEST, "params": level}).encode(), offers=offers)
    (caller,) = callers
    assert caller is not None
    assert caller.offers == {"roots": {}, "sampling": {"tools": {}}}
    assert caller.level == 4


@pytest.mark.parametrize("offers", [b"{", b"\xff"])
async def test_an_offer_that_cannot_be_read_is_refused(offers: bytes) -> None:
    exchange = Exchange(fine)
    await exchange.post(offers=offers)
    assert exchange.answer["error"]["data"]["reason"] == "message.shape"
