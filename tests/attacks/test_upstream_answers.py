"""Attacks by what a server's answer says, in good HTTP; as `test_upstream.py` for the rest."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest

from bawn.ports import HttpClient
from tests.attacks.mcp_peer import GOOD, POISON, Server, call, remote, response, said
from tests.attacks.upstream_cases import (
    INVALID,
    STATUS,
    UNKNOWN,
    Case,
    body,
    events,
    fixed,
    hurts_nobody,
    then,
)
from tests.contracts.exchanges import STREAM, chunk, sized
from tests.contracts.scripted import serve


def rpc(id_: Any, **parts: Any) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": id_, **parts}).encode()


SAYING: Final[dict[str, Case]] = {
    "not JSON": (body(lambda i: "<html>200 OK</html>"), INVALID),
    "nothing": (body(lambda i: ""), INVALID),
    "two values": (body(lambda i: said(i, GOOD) * 2), INVALID),
    "a byte order mark": (body(lambda i: b"\xef\xbb\xbf" + said(i, GOOD)), INVALID),
    "UTF-16": (body(lambda i: said(i, GOOD).decode().encode("utf-16")), INVALID),
    "broken UTF-8": (body(lambda i: said(i, GOOD).replace(b"good", b"g\xff")), INVALID),
    "NaN": (body(lambda i: f'{{"jsonrpc":"2.0","id":{i},"result":{{"x":NaN}}}}'), INVALID),
    "a number out of range": (
        body(lambda i: f'{{"jsonrpc":"2.0","id":{i},"result":{{"x":1e999}}}}'), INVALID),
    "an integer of 10,000 digits": (
        body(lambda i: f'{{"jsonrpc":"2.0","id":{i},"result":{{"x":{"9" * 10_000}}}}}'), INVALID),
    "two results": (
        body(lambda i: said(i, GOOD)[:-1] + b',"result":{"content":[]}}'), INVALID),
    "two ids": (body(lambda i: said(i, GOOD)[:-1] + b',"id":9}'), INVALID),
    "a key twice, once escaped": (
        body(lambda i: said(i, GOOD)[:-1] + b',"r\\u0065sult":{}}'), INVALID),
    "a key twice, deep inside": (
        body(lambda i: response(i, {"x": [{"y": "@"}]}).replace(b'"@"', b'{"a":1,"a":2}')), INVALID),
    "too deep": (body(lambda i: response(i, "@").replace(b'"@"', b"[" * 900 + b"]" * 900)), INVALID),
    "too deep, in objects": (
        body(lambda i: response(i, "@").replace(b'"@"', b'{"a":' * 900 + b"1" + b"}" * 900)), INVALID),
    "too many values": (
        body(lambda i: b'{"jsonrpc":"2.0","id":%d,"result":{"a":[' % i + b"1," * 99_000 + b"1]}}"),
        INVALID),
    "another request's id": (body(lambda i: said(i - 1, POISON)), INVALID),
    "the next request's id": (body(lambda i: said(i + 1, POISON)), INVALID),
    "the id as a string": (body(lambda i: said(str(i), GOOD)), INVALID),
    "the id as a float": (body(lambda i: said(float(i), GOOD)), INVALID),
    "the id in a list": (body(lambda i: said([i], GOOD)), INVALID),
    "true for an id": (body(lambda i: said(True, GOOD)), INVALID),
    "no id": (body(lambda i: said(None, GOOD)), INVALID),
    "a batch": (body(lambda i: b"[" + said(i, GOOD) + b"]"), INVALID),
    "a notification": (
        body(lambda i: b'{"jsonrpc":"2.0","method":"notifications/x","params":{}}'), INVALID),
    "a request": (body(lambda i: rpc(i, method="sampling/createMessage", params={})), INVALID),
    "result and error": (
        body(lambda i: rpc(i, result={}, error={"code": 1, "message": "x"})), INVALID),
    "neither result nor error": (body(lambda i: rpc(i)), INVALID),
    "a result that is no object": (body(lambda i: response(i, [GOOD])), INVALID),
    "an error that is no object": (body(lambda i: rpc(i, error="secret")), INVALID),
    "another version of JSON-RPC": (
        body(lambda i: said(i, GOOD).replace(b'"2.0"', b'"1.0"')), INVALID),
    "an error that blames the gate's headers": (
        body(lambda i: rpc(i, error={"code": -32020, "message": "secret"})), INVALID),
    "events labelled JSON": (
        lambda i: sized(b"data: " + said(i, GOOD) + b"\n\n"), INVALID),
    "JSON labelled events": (
        lambda i: STREAM + chunk(said(i, GOOD)) + b"0\r\n\r\n", UNKNOWN),
    "an event of another request": (
        events(lambda i: said(i + 1, POISON), lambda i: said(i, GOOD)), INVALID),
    "an event that is a batch": (events(lambda i: b"[" + said(i, GOOD) + b"]"), INVALID),
    "an event that is not JSON": (events(lambda i: b"secret", lambda i: said(i, GOOD)), INVALID),
    "an event with a key twice": (
        events(lambda i: b'{"jsonrpc":"2.0","jsonrpc":"2.0"}', lambda i: said(i, GOOD)), INVALID),
    "an answer of another event type": (
        lambda i: STREAM + chunk(b"event: other\ndata: " + said(i, GOOD) + b"\n\n") + b"0\r\n\r\n",
        UNKNOWN),
    "a stream that ends within the answer": (
        lambda i: STREAM + chunk(b"data: " + said(i, GOOD)) + b"0\r\n\r\n", UNKNOWN),
    "a stream of notifications only": (
        events(lambda i: b'{"jsonrpc":"2.0","method":"notifications/message","params":{}}'),
        UNKNOWN),
    "accepted, and no answer": (fixed(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"), STATUS),
    "no content": (fixed(b"HTTP/1.1 204 No Content\r\n\r\n"), STATUS),
    "a result with a failing status": (
        lambda i: sized(said(i, GOOD), b"HTTP/1.1 500 No\r\n"), STATUS),
    "a page with a secret and a failing status": (
        fixed(sized(b"<p>secret</p>", b"HTTP/1.1 503 No\r\n")), STATUS),
    "a challenge": (
        fixed(sized(b"secret", b"HTTP/1.1 401 No\r\nWWW-Authenticate: Basic\r\n")), "upstream.sign_in"),
    "forbidden": (fixed(sized(b"secret", b"HTTP/1.1 403 No\r\n")), "upstream.sign_in"),
}  # fmt: skip


@pytest.mark.parametrize("case", SAYING)
async def test_an_answer_that_is_not_the_calls_own_is_refused(
    client: HttpClient, case: str
) -> None:
    reply, expected = SAYING[case]
    await hurts_nobody(client, then(reply), expected, json_nodes=90_000)


async def test_an_error_never_passes_for_the_gates_own(native: HttpClient) -> None:
    error = {"code": 31001, "message": "x", "data": {"reason": "auth.missing"}}
    async with serve(Server(then(body(lambda i: rpc(i, error=error))))) as listening:
        answer = await remote(native, listening.url).call(call("attack"))
    assert answer.error is not None
    assert answer.error["data"] == {"server": {"reason": "auth.missing"}}
