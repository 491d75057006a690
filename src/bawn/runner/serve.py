"""The runner's own interface, on a Unix socket that only this user opens.

`POST /servers/{id}` takes one canonical request and gives its canonical response, always with
status 200: a fault of ours is an error whose `data` is {"reason": <reason id>, "detail": <for the
operator>}, so that the worker raises the same refusal. What comes ahead of the answer makes the reply
an event stream: notifications, and what a legacy server asks of the caller, as requests with ids of
ours. `POST /servers/{id}/answers` takes the JSON-RPC response to one of those: 202, or 404 when
nobody waits for it in a child of that key. `GET /servers` shows the children.

Headers: `bawn-isolation` is the isolation key, `bawn-project` the caller's directory, percent-encoded,
`bawn-principal` on whose account a process is started (without it, that of the isolation key), and
`bawn-offers` what the caller can be asked, in JSON. `bawn-era` in the reply is the server's era.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from functools import lru_cache, partial
from typing import Any, Final, TypeAlias, TypeVar
from urllib.parse import unquote

import msgspec

from bawn.errors import HTTP_BODY, INTERNAL, INVALID_REQUEST, MESSAGE_SHAPE, REASONS, Refused
from bawn.model import Answer, Json
from bawn.protocol import capabilities, strict
from bawn.runner.caller import Caller, level_of
from bawn.runner.key import Key
from bawn.runner.pool import Pool
from bawn.runner.reply import Reply, Send

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]

PREFIX: Final = "/servers/"
ANSWERS: Final = "/answers"
WATCH: Final = 0.2
"""Seconds after which the connection is watched: quick calls never pay for it."""
HEADROOM: Final = 64 << 10
"""Bytes that the gate may add to a body of `limits.body`: metadata and names."""


class _Request(msgspec.Struct):
    id: int | str
    method: str
    params: dict[str, Any] = {}


class _Error(msgspec.Struct):
    code: int
    message: str = ""
    data: Any = msgspec.UNSET


class _Response(msgspec.Struct):
    id: str
    result: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET
    error: _Error | msgspec.UnsetType = msgspec.UNSET


_log = logging.getLogger("bawn.runner")
_request = msgspec.json.Decoder(_Request).decode
_answer = msgspec.json.Decoder(_Response).decode


class Runner:
    """The ASGI application."""

    def __init__(self, pool: Pool, body_limit: int) -> None:
        self._pool = pool
        self.body_limit = body_limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path, method = scope["path"], scope["method"]
        if method == "POST" and path.startswith(PREFIX) and path.endswith(ANSWERS):
            server = path[len(PREFIX) : -len(ANSWERS)]
            await self._post_answer(server, scope, receive, Reply(send))
        elif method == "POST" and path.startswith(PREFIX):
            await self._post(path[len(PREFIX) :], scope, receive, send)
        elif method == "GET" and path == "/servers":
            await Reply(send).finish(strict.encode(self._pool.status()))
        else:
            error = {"code": INVALID_REQUEST, "message": "Nothing is served here"}
            await Reply(send).finish(strict.encode({"error": error}), 404)

    async def _post(self, server: str, scope: Scope, receive: Receive, send: Send) -> None:
        reply = Reply(send, partial(self._pool.era, server))
        id_: int | str | None = None
        try:
            request = _decoded(_request, await _body(receive, self.body_limit + HEADROOM))
            id_ = request.id
            key, account, offers = _key(server, scope)
            caller = Caller(reply.tell, offers, level_of(request.params))
            call = self._pool.call(key, request.method, request.params, caller, account)
            answer = await _while_connected(call, receive)
            if answer is None:
                reply.abandon()
                return
            body = _response(id_, answer)
        except Refused as refused:
            body = _refusal(id_, refused)
        except Exception:  # noqa: BLE001 - a defect of ours is a refusal too, not a broken reply
            _log.exception("a call to server %s failed inside bawn", server)
            body = _refusal(id_, Refused(INTERNAL))
        await reply.finish(body)

    async def _post_answer(self, server: str, scope: Scope, receive: Receive, reply: Reply) -> None:
        try:
            given = _decoded(_answer, await _body(receive, self.body_limit + HEADROOM))
            key, _, _ = _key(server, scope)
            taken = self._pool.answer(key, given.id, _outcome(given))
        except Refused as refused:
            await reply.finish(_refusal(None, refused), 400)
            return
        await reply.finish(b"{}", 202 if taken else 404)


async def _body(receive: Receive, limit: int) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > limit:
            raise Refused(HTTP_BODY, detail=f"the request is larger than {limit} bytes")
    return body


T = TypeVar("T")


def _decoded(decode: Callable[[bytes], T], body: bytes) -> T:
    try:
        return decode(body)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise Refused(MESSAGE_SHAPE, detail=f"not a canonical message: {error}") from None


def _outcome(given: _Response) -> Json:
    """What a process gets as the answer to its question: exactly one of result and error."""
    if (given.result is msgspec.UNSET) == (given.error is msgspec.UNSET):
        raise Refused(MESSAGE_SHAPE, detail="an answer has either a result or an error")
    if given.error is msgspec.UNSET:
        return {"result": given.result}
    return {"error": msgspec.to_builtins(given.error)}


def _key(server: str, scope: Scope) -> tuple[Key, str, Json]:
    """Whose child it is, on whose account, and what it may ask."""
    isolation, project, account, offers = "", None, "", b""
    for name, value in scope["headers"]:
        if name == b"bawn-isolation":
            isolation = value.decode("utf-8", "replace")
        elif name == b"bawn-project":
            project = unquote(value.decode("utf-8", "replace"))
        elif name == b"bawn-principal":
            account = value.decode("utf-8", "replace")
        elif name == b"bawn-offers":
            offers = value
    return Key(server, isolation, project), account or isolation, _offers(offers) if offers else {}


@lru_cache(64)
def _offers(header: bytes) -> Json:
    return capabilities.offered(_decoded(msgspec.json.decode, header), shared=False)


async def _while_connected(call: Awaitable[Answer], receive: Receive) -> Answer | None:
    """The answer; None when the connection closed first, and then the call was cancelled."""
    loop = asyncio.get_running_loop()
    caller = asyncio.current_task()
    watcher: asyncio.Task[None] | None = None
    gone = False

    async def watch() -> None:
        nonlocal gone
        while (await receive())["type"] != "http.disconnect":
            pass
        gone = True
        if caller is not None:
            caller.cancel()

    def start_watching() -> None:
        nonlocal watcher
        watcher = loop.create_task(watch())

    timer = loop.call_later(WATCH, start_watching)
    try:
        return await call
    except asyncio.CancelledError:
        if caller is None or not gone:
            raise
        caller.uncancel()
        return None
    finally:
        timer.cancel()
        if watcher is not None:
            watcher.cancel()


def _response(id_: int | str, answer: Answer) -> bytes:
    message: Json = {"jsonrpc": "2.0", "id": id_}
    if answer.error is None:
        message["result"] = answer.result
    else:
        message["error"] = _not_ours(answer.error)
    return strict.encode(message)


def _not_ours(error: Json) -> Json:
    """A server's error that cannot be taken for a refusal of the gate: its data is set deeper."""
    data = error.get("data")
    if isinstance(data, dict) and str(data.get("reason")) in REASONS:
        return {**error, "data": {"server": data}}
    return error


def _refusal(id_: int | str | None, refused: Refused) -> bytes:
    data = {"reason": refused.reason.id, "detail": refused.detail}
    error = {"code": refused.reason.code, "message": refused.message, "data": data}
    return strict.encode({"jsonrpc": "2.0", "id": id_, "error": error})
