"""What only legacy clients ask: log levels and subscriptions of a session, and its stream.

Sources: server/utilities/logging, server/resources and basic/transports (2025-11-25).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final

from bawn.errors import MESSAGE_PARAMS, METHOD_UNKNOWN, SERVER_UNAVAILABLE, SESSION_UNKNOWN, Refused
from bawn.gateway.notes import Note, Notes, named
from bawn.gateway.streams import LISTS, Stream, Streams
from bawn.gateway.subscriptions import Subscriptions
from bawn.model import Call, Endpoint, Json
from bawn.ports import Emit, Reply
from bawn.protocol import envelope, legacy_client, versions
from bawn.protocol.inbound import Request

_LONGEST: Final = 32 << 10
"""Characters of all URIs of one session: they are remembered, and written whenever that changes."""
LINGER: Final = 300.0
"""Seconds that a session's subscriptions stand while nobody reads its stream."""


class LegacySessions:
    """Serves the sessions of legacy clients, as far as they have something to remember."""

    def __init__(
        self, notes: Notes, streams: Streams, subscriptions: Subscriptions, most: int
    ) -> None:
        self._notes = notes
        self._streams = streams
        self._subscriptions = subscriptions
        self._most = most
        self._open: dict[str, Stream] = {}
        self._followers: dict[str, asyncio.Task[None]] = {}
        self._lingering: dict[str, asyncio.TimerHandle] = {}

    def set_level(self, call: Call, asked: Request) -> Reply:
        """Remember from which level on this session wants log messages.

        Raises:
            Refused: message.params, session.unknown, store.unavailable.
        """
        level = asked.params.get("level")
        if level not in versions.LEVELS:
            raise Refused(MESSAGE_PARAMS, f"`level` must be one of {', '.join(versions.LEVELS)}")
        _check_session(call)
        note = self._notes.of(call)
        note.level = str(level)
        self._notes.keep(call, note)
        return Reply(200, envelope.result(call.id, {}))

    async def subscribe(self, endpoint: Endpoint, call: Call, asked: Request) -> Reply:
        """Tell this session when a resource changes.

        Raises:
            Refused: message.params, method.unknown, target.unknown, server.unavailable, limit.listens.
        """
        uri = _uri(endpoint, asked)
        _check_session(call)
        note = self._notes.of(call)
        self._check_room(note, uri)
        stream = self._stream(call)
        self._subscriptions.check(endpoint, call, asked, uri)
        if uri not in await self._subscriptions.subscribe(stream, endpoint, call, asked, [uri]):
            raise Refused(SERVER_UNAVAILABLE, "it does not tell of changes to this resource")
        if uri not in note.uris:
            try:
                self._check_room(note, uri)  # others may have been quicker
            except Refused:
                await self._subscriptions.joined(stream, call, stream.items.pop(uri).server)
                raise
            note.uris.append(uri)
            self._notes.keep(call, note)
        return Reply(200, envelope.result(call.id, {}))

    def _check_room(self, note: Note, uri: str) -> None:
        if uri in note.uris:
            return
        if len(note.uris) >= self._most:
            raise Refused(MESSAGE_PARAMS, f"a session subscribes to {self._most} resources at most")
        if sum(map(len, note.uris)) + len(uri) > _LONGEST:
            raise Refused(MESSAGE_PARAMS, "the URIs of a session's resources are too long together")

    async def unsubscribe(self, endpoint: Endpoint, call: Call, asked: Request) -> Reply:
        """Tell it no more.

        Raises:
            Refused: message.params, method.unknown, session.unknown, store.unavailable.
        """
        uri = _uri(endpoint, asked)
        _check_session(call)
        note = self._notes.of(call)
        if uri in note.uris:
            note.uris.remove(uri)
            self._notes.keep(call, note)
        stream = self._open.get(_key(call))
        item = stream.items.pop(uri, None) if stream is not None else None
        if stream is not None and item is not None:
            await self._subscriptions.joined(stream, call, item.server)
        return Reply(200, envelope.result(call.id, {}))

    async def follow(self, endpoint: Endpoint, call: Call, asked: Request, emit: Emit) -> Reply:
        """Tell a session's newest stream what changes, until the session or the stream ends.

        Raises:
            Refused: limit.listens.
        """
        key = _key(call)
        stream = self._stream(call)
        missing = [uri for uri in self._notes.of(call).uris if uri not in stream.items]
        if missing:
            await self._subscriptions.subscribe(stream, endpoint, call, asked, missing)
        before = self._followers.get(key)
        if before is not None:
            before.cancel()
        self._stay(key)

        def stamped(told: Json) -> Json:
            return _plain(self._subscriptions.readable(stream, call, told))

        pouring = asyncio.create_task(self._streams.pour(stream, emit, stamped))
        self._followers[key] = pouring
        try:
            await asyncio.wait({pouring})
        finally:
            pouring.cancel()
            if self._followers.get(key) is pouring:
                del self._followers[key]
                self._linger(key)
        if not pouring.cancelled():
            pouring.result()
        return Reply(200, b"")

    def ended(self, call_key: str) -> None:
        """The session has ended, and with it what it subscribed to."""
        self._end(call_key)
        self._notes.forget(call_key)

    def _stream(self, call: Call) -> Stream:
        key = _key(call)
        stream = self._open.get(key)
        if stream is None or stream.over:
            lists = frozenset(LISTS)
            stream = self._open[key] = self._streams.begin(call.principal, call.endpoint, lists)
        if key not in self._followers:
            self._linger(key)
        return stream

    def _linger(self, key: str) -> None:
        """End the stream of a session unless somebody reads it before long."""
        self._stay(key)
        loop = asyncio.get_running_loop()
        self._lingering[key] = loop.call_later(LINGER, self._end, key)

    def _stay(self, key: str) -> None:
        timer = self._lingering.pop(key, None)
        if timer is not None:
            timer.cancel()

    def _end(self, key: str) -> None:
        self._stay(key)
        stream = self._open.pop(key, None)
        if stream is not None:
            self._streams.end(stream)


def _key(call: Call) -> str:
    return named(call.principal, call.endpoint, call.session or "")


def _check_session(call: Call) -> None:
    if call.session is None:
        raise Refused(SESSION_UNKNOWN, detail="this belongs to a session")


def _uri(endpoint: Endpoint, asked: Request) -> str:
    resources: Mapping[str, Json] = endpoint.capabilities.get("resources") or {}
    if not resources.get("subscribe"):
        raise Refused(METHOD_UNKNOWN)
    uri = asked.params.get("uri")
    if not isinstance(uri, str):
        raise Refused(MESSAGE_PARAMS, "`uri` must be a string")
    return uri


def _plain(told: Json) -> Json:
    return legacy_client.notification({"jsonrpc": "2.0", **told})
