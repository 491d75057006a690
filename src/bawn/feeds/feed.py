"""One listen at a server, for all of a credential's subscribers: it asks for the union of their wishes.

Source: basic/patterns/subscriptions (2026-07-28).
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from bawn.errors import Refused
from bawn.feeds.mailbox import Mailbox
from bawn.model import Json, Outbound
from bawn.ports import Upstream
from bawn.protocol import asking, listening, outbound
from bawn.protocol.strict import encode
from bawn.protocol.versions import META_CAPABILITIES

log = logging.getLogger("bawn.feeds")

PATIENCE: Final = 5.0
"""Seconds that a subscriber waits for the server to say what it will tell."""

_FIRST: Final = 0.5
_LONGEST: Final = 30.0
_LARGE: Final = 64 << 10
"""Bytes of what is told of a resource: of more, no more than its URI is."""
_ACKNOWLEDGED: Final = "notifications/subscriptions/acknowledged"
_UPDATED: Final = "notifications/resources/updated"
_TASKS: Final = "notifications/tasks"


class Wish(msgspec.Struct, frozen=True):
    """What one subscriber wants to be told of; tasks by the server's own id, with the caller's."""

    uris: frozenset[str] = frozenset()
    tasks: Mapping[str, str] = msgspec.field(default_factory=dict)


class _Stream:
    """One listen under way."""

    def __init__(self, uris: frozenset[str], tasks: frozenset[str]) -> None:
        self.uris, self.tasks = uris, tasks
        self.settled = asyncio.Event()  # acknowledged, or over
        self.honoured: Json | None = None
        self.running: asyncio.Task[Any] | None = None

    @property
    def is_over(self) -> bool:
        return self.running is None or self.running.done()

    def covers(self, uris: frozenset[str], tasks: frozenset[str]) -> bool:
        return uris <= self.uris and tasks <= self.tasks


class Feed:
    """Listens for as long as it has subscribers; a gap in the stream counts as a change of everything.

    `template` is the listen without its filter; `over` is called when the last subscriber has left.
    """

    def __init__(self, upstream: Upstream, template: Outbound, over: Callable[[], None]) -> None:
        self._upstream = upstream
        self._template = template
        self._over = over
        self._wishes: dict[Mailbox, Wish] = {}
        self._stream: _Stream | None = None
        self._opening: _Stream | None = None
        self._grown = asyncio.Event()
        self._begun = self._tried = 0  # attempts to open a stream
        self._progress = asyncio.Condition()
        self._running = asyncio.create_task(self._run())

    async def join(self, mailbox: Mailbox, wish: Wish) -> Wish:
        """Subscribe, in the place of an earlier wish; returns what the server will tell of it."""
        self._wishes[mailbox] = wish
        uris, tasks = wish.uris, frozenset(wish.tasks)
        begun = self._begun
        newest = self._opening or self._stream
        if newest is None or not newest.covers(uris, tasks):
            self._grown.set()

        def known() -> bool:
            # one that is about to be replaced does not count: its successor may know nothing of this
            stream = self._stream if self._opening is None else None
            return self._tried > begun or (stream is not None and stream.covers(uris, tasks))

        try:
            async with asyncio.timeout(PATIENCE), self._progress:
                await self._progress.wait_for(known)
        except TimeoutError:
            pass
        granted = self._granted(wish)
        stream = self._stream
        if stream is not None and not stream.covers(uris, tasks) and mailbox in self._wishes:
            self._wishes[mailbox] = (
                granted  # what the server will not have must not cost others theirs
            )
        return granted

    def leave(self, mailbox: Mailbox) -> None:
        """Subscribe to nothing any more."""
        if self._wishes.pop(mailbox, None) is not None and not self._wishes:
            self._running.cancel()
            self._over()

    async def aclose(self) -> None:
        """Stop listening."""
        self._running.cancel()
        await asyncio.wait({self._running})

    def _granted(self, wish: Wish) -> Wish:
        honoured = (self._stream.honoured if self._stream is not None else None) or {}
        uris = _strings(honoured.get("resourceSubscriptions"))
        tasks = _strings(honoured.get("taskIds"))
        return Wish(wish.uris & uris, {id_: wish.tasks[id_] for id_ in wish.tasks if id_ in tasks})

    # ── the stream ──

    async def _run(self) -> None:
        try:
            await self._keep_listening()
        finally:
            if self._stream is not None and self._stream.running is not None:
                self._stream.running.cancel()

    async def _keep_listening(self) -> None:
        loop = asyncio.get_running_loop()
        wait, gap = _FIRST, False
        while True:
            self._grown.clear()
            stream = await self._opened()
            if stream is not None:
                if gap:
                    self._everything()
                begun = loop.time()
                gap = await self._until_broken_or_grown(stream)
                if not gap:
                    continue
                if loop.time() - begun > _LONGEST:
                    wait = _FIRST
            gap = True
            await asyncio.sleep(wait * random.uniform(0.5, 1.0))  # noqa: S311 - to spread load
            wait = min(2 * wait, _LONGEST)

    async def _opened(self) -> _Stream | None:
        """A new stream for what is wanted now, in the place of the one before; else that one still."""
        self._begun += 1
        attempt, wishes = self._begun, self._wishes.values()
        uris = frozenset().union(*[wish.uris for wish in wishes])
        tasks = frozenset().union(*[wish.tasks.keys() for wish in wishes])
        stream = self._opening = _Stream(uris, tasks)
        stream.running = asyncio.create_task(self._listen(stream))
        try:
            async with asyncio.timeout(PATIENCE):
                await stream.settled.wait()
        except TimeoutError:
            pass
        except asyncio.CancelledError:
            stream.running.cancel()
            raise
        self._opening = None
        before = self._stream
        if stream.honoured is not None or before is None or before.is_over:
            self._stream = stream if stream.honoured is not None else None
        if before is not None and before is not self._stream and before.running is not None:
            before.running.cancel()
        if stream is not self._stream:
            stream.running.cancel()
        async with self._progress:
            self._tried = attempt
            self._progress.notify_all()
        return self._stream

    async def _until_broken_or_grown(self, stream: _Stream) -> bool:
        """Whether the stream broke: what changed until the next one stands is not known."""
        assert stream.running is not None  # noqa: S101 - it was opened
        grown = asyncio.create_task(self._grown.wait())
        try:
            await asyncio.wait({stream.running, grown}, return_when=asyncio.FIRST_COMPLETED)
            return stream.running.done()
        finally:
            grown.cancel()

    async def _listen(self, stream: _Stream) -> None:
        wanted: Json = {}
        if stream.uris:
            wanted["resourceSubscriptions"] = sorted(stream.uris)
        if stream.tasks:
            wanted["taskIds"] = sorted(stream.tasks)
        params = {**self._template.params, "notifications": wanted}

        async def hear(message: Json) -> None:
            self._hear(stream, message)
            await asyncio.sleep(
                0
            )  # each costs as much as there are subscribers: others have their turn

        try:
            leaving = msgspec.structs.replace(self._template, params=params)
            await self._upstream.call(leaving, hear)
        except Refused as refused:
            told = {"server": self._template.server, "detail": str(refused)}
            log.info("a stream of notifications broke", extra=told)
        except Exception:  # it is opened again, whatever broke
            log.exception("a stream failed", extra={"server": self._template.server})
        finally:
            stream.settled.set()

    # ── what it tells ──

    def _hear(self, stream: _Stream, message: Json) -> None:
        method, params = message.get("method"), message.get("params")
        if not isinstance(params, dict) or not isinstance(method, str):
            return
        if method == _ACKNOWLEDGED:
            honoured = params.get("notifications")
            stream.honoured = honoured if isinstance(honoured, dict) else {}
            stream.settled.set()
        elif method == _UPDATED:
            self._updated(params)
        elif method == _TASKS or method.startswith(_TASKS + "/"):
            self._moved(method, params)

    def _updated(self, params: Json) -> None:
        uri = params.get("uri")
        if not isinstance(uri, str) or len(uri) > outbound.LONGEST:
            return
        large = len(encode(params)) > _LARGE  # it is kept until it is read
        for mailbox, wish in self._wishes.items():
            whole = uri if uri in wish.uris else listening.whole(wish.uris, uri)
            if whole is not None:
                thing = f"resource {whole}"
                before = mailbox.waiting(thing)
                # of many parts nobody has read about yet, the last word is that the whole has changed
                many = before is not None and before["params"]["uri"] != uri
                told = {"uri": whole if many else uri} if many or large else params
                mailbox.put(thing, {"method": _UPDATED, "params": told})

    def _moved(self, method: str, params: Json) -> None:
        own, requests = params.get("taskId"), params.get("inputRequests")
        if requests is not None:
            if not self._may_be_asked(requests):
                return  # whoever looks at the task is told why
            params = {**params, "inputRequests": asking.named(requests, self._template.server)}
        for mailbox, wish in self._wishes.items():
            if isinstance(own, str) and own in wish.tasks:
                told = {**params, "taskId": wish.tasks[own]}
                mailbox.put(f"task {own}", {"method": method, "params": told})

    def _may_be_asked(self, requests: Any) -> bool:
        try:
            asking.check_requests(requests)
        except Refused:
            return False
        meta = self._template.params.get("_meta") or {}
        return asking.undeclared(requests, meta.get(META_CAPABILITIES) or {}) is None

    def _everything(self) -> None:
        for wish in tuple(self._wishes.values()):
            for uri in wish.uris:
                self._updated({"uri": uri})


def _strings(value: Any) -> frozenset[str]:
    return (
        frozenset(each for each in value if isinstance(each, str))
        if isinstance(value, list)
        else frozenset()
    )
