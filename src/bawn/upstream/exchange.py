"""One JSON-RPC request to a server over HTTP, and its answer: JSON or the end of an event stream.

What comes back is a stranger's: it is bounded, decoded strictly and matched to the request before
anything else looks at it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from math import inf
from typing import Any, Final

from bawn.config import Limits
from bawn.errors import (
    UPSTREAM_INVALID,
    UPSTREAM_OUTCOME,
    UPSTREAM_SIGN_IN,
    UPSTREAM_STATUS,
    UPSTREAM_TOTAL,
    Refused,
)
from bawn.model import Answer, Json
from bawn.ports import Emit, HttpClient, HttpReply, HttpRequest
from bawn.protocol import answers, strict, versions
from bawn.upstream.events import close
from bawn.upstream.resuming import Reopen, resumed

log = logging.getLogger("bawn.upstream")

_STANDARD: Final = (
    (b"content-type", b"application/json"),
    (b"accept", b"application/json, text/event-stream"),
)

Headers = tuple[tuple[bytes, bytes], ...]
OnMessage = Callable[[Json], Awaitable[None]]


class Wire:
    """Where a server is and how it is spoken to; `headers` carry the gate's credential, if any."""

    def __init__(
        self, server: str, client: HttpClient, url: str, headers: Headers, limits: Limits
    ) -> None:
        self.server = server
        self.client = client
        self.url = url
        self.headers = headers
        self.limits = limits
        self._always = (*_STANDARD, *headers)
        self._deadlines = (limits.first_byte, limits.total, limits.result)
        self._json = strict.JsonLimits(limits.json_depth, limits.json_nodes)
        # one thread for each server: however much it sends, the others have theirs
        self._thread = ThreadPoolExecutor(1, f"json-{server}")

    async def post(self, body: bytes, headers: Headers) -> HttpReply:
        """Send a message that has no answer of its own.

        Raises:
            Refused: an upstream.* reason of the client.
        """
        reply = await self.client.send(self._message(body, headers))
        await let_go(reply)
        return reply

    async def ask(
        self,
        id_: int,
        method: str,
        params: Json,
        headers: Headers,
        on_message: OnMessage,
        *,
        lasting: bool = False,
    ) -> Answer:
        """Send a request and hold its answer; other messages on the way go to `on_message`.

        With `lasting`, an answer by event stream takes as long as it takes.

        Raises:
            Refused: an upstream.* reason.
        """
        request = self.request(id_, method, params, headers, lasting=lasting)
        reply = await self.client.send(request)
        return self._at_once(reply, id_) or await self._in_time(
            reply, id_, on_message, None, lasting
        )

    async def follow(
        self, headers: Headers, last_id: bytes = b"", *, lasting: bool = True
    ) -> HttpReply:
        """GET an event stream: the server's own, or what follows an event of one that broke.

        Raises:
            Refused: an upstream.* reason of the client.
        """
        first_byte, total, most = self._deadlines
        asked = ((b"accept", b"text/event-stream"), *self.headers, *headers)
        if last_id:
            asked += ((b"last-event-id", last_id),)
        end = inf if lasting else total
        return await self.client.send(
            HttpRequest("GET", self.url, asked, b"", first_byte, end, most)
        )

    def request(
        self,
        id_: int,
        method: str,
        params: Json,
        headers: Headers,
        most: int | None = None,
        *,
        lasting: bool = False,
    ) -> HttpRequest:
        """A JSON-RPC request on its way to this server; its answer is of `most` bytes."""
        body = strict.encode({"jsonrpc": "2.0", "id": id_, "method": method, "params": params})
        first_byte, total, result = self._deadlines
        return HttpRequest(
            "POST",
            self.url,
            self._always + headers,
            body,
            first_byte,
            inf if lasting else total,
            result if most is None else min(most, result),
        )

    def _message(self, body: bytes, headers: Headers) -> HttpRequest:
        return HttpRequest("POST", self.url, self._always + headers, body, *self._deadlines)

    async def read(
        self,
        reply: HttpReply,
        id_: int,
        on_message: OnMessage,
        reopen: Reopen | None = None,
        *,
        lasting: bool = False,
    ) -> Answer:
        """The answer that a reply carries, as JSON or as the end of an event stream; then let go of it.

        A stream that breaks is taken up again by `reopen`, if its events had ids.

        Raises:
            Refused: an upstream.* reason.
        """
        return self._at_once(reply, id_) or await self._in_time(
            reply, id_, on_message, reopen, lasting
        )

    def _at_once(self, reply: HttpReply, id_: int) -> Answer | None:
        """The answer when it is JSON as we would write it, as nearly all are; else None."""
        if reply.status != 200 or reply.events is not None:
            return None
        tree = strict.canonical(reply.body, self._json)
        if tree is None:
            return None
        if reply.release is not None:
            reply.release()
        return answers.canonical_response(tree, id_, reply.body)

    async def _in_time(
        self,
        reply: HttpReply,
        id_: int,
        on_message: OnMessage,
        reopen: Reopen | None,
        lasting: bool,
    ) -> Answer:
        """The answer when there is something to wait for: events, a thread, or an error's stream."""
        try:
            if reply.status != 200:
                return await self._error(reply, id_)
            if reply.events is not None:
                events = reply.events if reopen is None else resumed(reply.events, reopen)
                return await self._last(events, id_, on_message, lasting)
            return answers.response(await self._carefully(reply.body), id_)
        finally:
            if reply.release is not None:
                reply.release()

    async def _error(self, reply: HttpReply, id_: int) -> Answer:
        """The JSON-RPC error that goes with an HTTP status; without one, the status is the refusal."""
        if reply.events is not None:
            await close(reply.events)
        if reply.status in (401, 403):
            raise Refused(UPSTREAM_SIGN_IN, detail=f"HTTP {reply.status}")
        try:
            answer = answers.response(await self.tree(reply.body), id_)
        except Refused:
            answer = Answer()
        if reply.status < 400 or answer.error is None:
            raise Refused(UPSTREAM_STATUS, detail=f"HTTP {reply.status}")
        return answer

    async def _last(
        self, events: AsyncIterator[bytes], id_: int, on_message: OnMessage, lasting: bool
    ) -> Answer:
        try:
            # the client bounds the wait for the server; here it is a caller that does not read
            async with asyncio.timeout(None if lasting else self.limits.total):
                async for data in events:
                    tree = await self.tree(data)
                    if answers.is_response(tree):
                        return answers.response(tree, id_)
                    await on_message(message(tree))
        except TimeoutError:
            raise Refused(UPSTREAM_TOTAL, detail="the stream was not read out in time") from None
        finally:
            await close(events)
        raise Refused(UPSTREAM_OUTCOME, detail="the event stream ended before the answer")

    async def tree(self, body: bytes) -> Any:
        """What a body or the data of an event says, in JSON.

        Raises:
            Refused: upstream.invalid; upstream.total when too much waits to be read.
        """
        tree = strict.canonical(body, self._json)
        return await self._carefully(body) if tree is None else tree

    async def _carefully(self, body: bytes) -> Any:
        careful = partial(strict.careful, body, self._json, mend=True)
        try:
            if len(body) <= strict.OFF_LOOP:
                return careful()
            work = asyncio.get_running_loop().run_in_executor(self._thread, careful)
            return await asyncio.wait_for(work, self.limits.total)
        except TimeoutError:
            detail = "too many large answers of this server wait to be read"
            raise Refused(UPSTREAM_TOTAL, detail=detail) from None
        except Refused as refused:
            raise Refused(UPSTREAM_INVALID, detail=f"its JSON: {refused.message}") from refused


def message(tree: Any) -> Json:
    """The message that an event is.

    Raises:
        Refused: upstream.invalid.
    """
    if not isinstance(tree, dict):
        raise Refused(UPSTREAM_INVALID, detail="an event is not one JSON-RPC message")
    return tree


async def let_go(reply: HttpReply) -> None:
    """Give up whatever of a reply has not been read."""
    if reply.events is not None:
        await close(reply.events)
    if reply.release is not None:
        reply.release()


class Relay:
    """Notifications of one call on their way to the caller, under the caller's own progress token."""

    __slots__ = ("_emit", "_last", "_level", "_ours", "_theirs", "params")

    def __init__(self, params: Json, token: int, emit: Emit | None) -> None:
        meta = params.get("_meta") or {}
        self.params = params
        self._theirs = meta.get("progressToken")
        self._level = meta.get(versions.META_LOG_LEVEL)
        self._ours = token
        self._emit = emit
        self._last: float = -inf
        if self._theirs is not None:
            self.params = {**params, "_meta": {**meta, "progressToken": token}}

    @property
    def wants_log(self) -> bool:
        """Whether the caller asked for log messages of any level."""
        return self._emit is not None and self._level in versions.LEVELS

    async def __call__(self, message: Json) -> None:
        """Pass on what belongs to this call; anything else is dropped."""
        method, told = message.get("method"), message.get("params")
        if self._emit is None or "id" in message or not isinstance(told, dict):
            return
        if message.get("jsonrpc") != "2.0":
            return
        if method == "notifications/message" and self._is_wanted(told):
            await self._emit(message)
        elif method == "notifications/progress" and self._advances(told):
            await self._emit({**message, "params": {**told, "progressToken": self._theirs}})

    def _is_wanted(self, told: Json) -> bool:
        """Whether the caller asked for log messages of this level (server/utilities/logging)."""
        level = told.get("level")
        if self._level not in versions.LEVELS or level not in versions.LEVELS:
            return False
        return versions.LEVELS.index(level) >= versions.LEVELS.index(self._level)

    def _advances(self, told: Json) -> bool:
        """Progress of this call that goes up, as it must (basic/utilities/progress)."""
        progress = told.get("progress")
        if self._theirs is None or told.get("progressToken") != self._ours:
            return False
        if not isinstance(progress, int | float) or isinstance(progress, bool):
            return False
        if progress <= self._last:
            return False
        self._last = progress
        return True
