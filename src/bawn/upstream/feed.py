"""`subscriptions/listen` at a legacy server: its own stream, and `resources/subscribe` counted by reference.

Sources: basic/patterns/subscriptions (2026-07-28); basic/transports "Listening for Messages from the
Server" and server/resources "Subscriptions" (2025-11-25).
"""

from __future__ import annotations

import asyncio
from collections import Counter
from itertools import count
from typing import Any, Final

from bawn.errors import LIMIT_LISTENS, UPSTREAM_OUTCOME, Refused
from bawn.model import Answer, Json
from bawn.ports import Emit
from bawn.protocol import versions
from bawn.protocol.listening import whole
from bawn.upstream.line import Line, SessionGoneError
from bawn.upstream.sessions import Session

_LISTS: Final = {"tools": "toolsListChanged", "prompts": "promptsListChanged",
                 "resources": "resourcesListChanged"}  # fmt: skip
_UPDATED: Final = "notifications/resources/updated"
_PENDING: Final = 1024
"""Different notifications that may wait for one listener; more break its stream."""


class Feeds:
    """What one server says outside of calls, by session; `most` listens at once."""

    def __init__(self, ids: count[int], most: int) -> None:
        self._ids = ids
        self._most = most
        self._listens = 0
        self._feeds: dict[Session, _Feed] = {}
        self._leaving: set[asyncio.Task[None]] = set()

    async def listen(self, line: Line, session: Session, params: Json, emit: Emit | None) -> Answer:
        """Acknowledge what can be told, and tell it until the stream breaks; it has no end of its own.

        Raises:
            SessionGoneError: the session is not known.
            Refused: limit.listens, or an upstream.* reason.
        """
        if self._listens >= self._most:
            raise Refused(LIMIT_LISTENS, detail=f"{self._most} at one server")
        feed = self._feeds.setdefault(session, _Feed(line, session, self._ids))
        listener = _Listener(params.get("notifications"), session)
        self._listens += 1
        feed.users += 1
        try:
            await feed.join(listener)
            return await listener.tell(next(self._ids), emit or _nobody)
        finally:
            self._listens -= 1
            feed.users -= 1
            task = asyncio.create_task(self._leave(feed, session, listener))
            self._leaving.add(task)
            task.add_done_callback(self._leaving.discard)

    async def aclose(self) -> None:
        """Leave nothing running."""
        for leaving in tuple(self._leaving):
            leaving.cancel()

    async def _leave(self, feed: _Feed, session: Session, listener: _Listener) -> None:
        try:
            await feed.leave(listener)
        finally:
            if not feed.users and self._feeds.get(session) is feed:
                del self._feeds[session]


class _Feed:
    """What is subscribed to in one session, and for how many."""

    def __init__(self, line: Line, session: Session, ids: count[int]) -> None:
        self.users = 0
        self._line = line
        self._session = session
        self._ids = ids
        self._subscribed: Counter[str] = Counter()
        self._changing = asyncio.Lock()

    async def join(self, listener: _Listener) -> None:
        """Tell this one too, of what it wants and the server offers."""
        async with self._changing:
            if not await self._line.hear(self._session, listener):
                listener.honour_nothing()
                return
            wanted, listener.uris = listener.uris, []
            for uri in wanted:
                if await self._subscribe(uri):
                    listener.uris.append(uri)
            listener.subscribed = True

    async def leave(self, listener: _Listener) -> None:
        """Tell this one no more, and the server what is of no interest any longer."""
        self._line.leave(self._session, listener)
        async with self._changing:
            for uri in listener.uris if listener.subscribed else ():
                self._subscribed[uri] -= 1
                if not self._subscribed[uri]:
                    del self._subscribed[uri]
                    await self._ask("resources/unsubscribe", uri)

    async def _subscribe(self, uri: str) -> bool:
        if not self._subscribed[uri] and not await self._ask("resources/subscribe", uri):
            del self._subscribed[uri]
            return False
        self._subscribed[uri] += 1
        return True

    async def _ask(self, method: str, uri: str) -> bool:
        try:
            answer = await self._line.ask(
                self._session, next(self._ids), method, {"uri": uri}, _nobody
            )
        except (Refused, SessionGoneError):
            return False
        return answer.error is None


class _Listener:
    """What one listen is told, the same thing once however often it was said; fills `line.Listener`."""

    def __init__(self, wanted: Any, session: Session) -> None:
        wanted = wanted if isinstance(wanted, dict) else {}
        self.lists = {
            f"notifications/{name}/list_changed": told
            for name, told in _LISTS.items()
            if wanted.get(told) is True
            and (session.declares(name) or {}).get("listChanged") is True
        }
        asked = wanted.get("resourceSubscriptions")
        subscribes = (session.declares("resources") or {}).get("subscribe") is True
        self.uris: list[str] = []
        if subscribes and isinstance(asked, list):
            self.uris = list(dict.fromkeys(uri for uri in asked if isinstance(uri, str)))
        self.subscribed = False
        self._pending: dict[tuple[str, str], Json] = {}
        self._stir = asyncio.Event()
        self._failure: Refused | None = None

    def honour_nothing(self) -> None:
        """The server has no stream on which it could tell anything."""
        self.lists, self.uris = {}, []

    def take(self, message: Json) -> None:
        """Fills `Listener`."""
        method, params = message.get("method"), message.get("params")
        params = params if isinstance(params, dict) else {}
        if method == _UPDATED and self._is_subscribed(params.get("uri")):
            self._pending[method, params["uri"]] = message
        elif isinstance(method, str) and method in self.lists:
            self._pending[method, ""] = message
        else:
            return
        if len(self._pending) > _PENDING:
            self.fail(Refused(UPSTREAM_OUTCOME, detail="more was said than the listener takes"))
        self._stir.set()

    def fail(self, failure: Refused) -> None:
        """Fills `Listener`."""
        self._failure = failure
        self._stir.set()

    async def tell(self, subscription: int, emit: Emit) -> Answer:
        """Acknowledge, then pass on whatever is said.

        Raises:
            Refused: as the stream broke.
        """
        honoured: Json = dict.fromkeys(self.lists.values(), True)
        if self.uris:
            honoured["resourceSubscriptions"] = self.uris
        named = {versions.META_SUBSCRIPTION: subscription}
        told = {"_meta": named, "notifications": honoured}
        method = "notifications/subscriptions/acknowledged"
        await emit({"jsonrpc": "2.0", "method": method, "params": told})
        while True:
            while self._pending:
                message = self._pending.pop(next(iter(self._pending)))
                params = _object(message.get("params"))
                meta = {**_object(params.get("_meta")), **named}
                await emit({**message, "params": {**params, "_meta": meta}})
            if self._failure is not None:
                raise self._failure
            self._stir.clear()
            await self._stir.wait()

    def _is_subscribed(self, uri: Any) -> bool:
        """Whether it is one of ours, or a part of one (server/resources, "Subscriptions")."""
        return isinstance(uri, str) and whole(self.uris, uri) is not None


async def _nobody(message: Json) -> None:
    """There is nobody to tell."""


def _object(value: Any) -> Json:
    """The value if it is an object, else an empty one: a stranger said it."""
    return value if isinstance(value, dict) else {}
