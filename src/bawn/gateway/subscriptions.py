"""Subscribing callers to resources and tasks: decided and recorded as calls are.

Source: basic/patterns/subscriptions (2026-07-28).
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Final

import msgspec

from bawn.errors import INPUT_UNDECLARED, Refused
from bawn.feeds.feed import Wish
from bawn.gateway.path import Path
from bawn.gateway.streams import Stream, Streams, lists_of
from bawn.gateway.targets import Targets
from bawn.model import Call, Endpoint, Item, Json, Kind
from bawn.ports import Audit, Emit, Reply
from bawn.protocol import envelope, lifecycle, listening, tasks, versions
from bawn.protocol.inbound import Request
from bawn.protocol.listening import Filter

_GRANTED: Final = "ok"
_NOT_GRANTED: Final = "not granted"


class Subscriptions:
    """Answers `subscriptions/listen`, and subscribes the streams of legacy sessions."""

    def __init__(
        self, path: Path, targets: Targets, streams: Streams, audit: Audit, most: int
    ) -> None:
        self._path = path
        self._targets = targets
        self._streams = streams
        self._audit = audit
        self._most = most

    async def listen(self, endpoint: Endpoint, call: Call, asked: Request, emit: Emit) -> Reply:
        """Tell a modern caller what it wants to hear, until the stream ends.

        Raises:
            Refused: message.params, input.undeclared, limit.listens, audit.unavailable.
        """
        wanted = listening.read(asked.params, self._most)
        if wanted.tasks and versions.TASKS not in lifecycle.extensions(call.client.capabilities):
            raise Refused(INPUT_UNDECLARED, data={"requiredCapabilities": tasks.REQUIRED})
        offered = frozenset(name for name in lists_of(wanted) if name in endpoint.capabilities)
        stream = self._streams.begin(call.principal, call.endpoint, offered)
        try:
            uris = await self.subscribe(stream, endpoint, call, asked, wanted.uris)
            followed = await self._follow(stream, call, wanted.tasks)
            granted = Filter(
                "tools" in offered, "prompts" in offered, "resources" in offered, uris, followed
            )
            await emit(listening.acknowledged(granted, call.id))

            def stamped(told: Json) -> Json | None:
                told = self.readable(stream, call, told)
                task = told["params"].get("taskId")
                if isinstance(task, str) and task in stream.started:  # it may bring the result
                    self._path.permits.touch(call, stream.started[task])
                    seen = self._path.inspecting.told(call, stream.started[task], told)
                    if seen is None:
                        return None
                    told = seen
                return listening.notification(told["method"], told["params"], call.id)

            await self._streams.pour(stream, emit, stamped)
            return Reply(200, envelope.result(call.id, listening.ended(call.id)))
        finally:
            self._streams.end(stream)

    async def subscribe(
        self, stream: Stream, endpoint: Endpoint, call: Call, asked: Request, uris: Iterable[str]
    ) -> tuple[str, ...]:
        """Subscribe a stream to these resources as well; returns those that will be told of.

        What is not there, or not for this caller, is left out.

        Raises:
            Refused: audit.unavailable.
        """
        found: dict[str, Item] = {}
        for uri in uris:
            await asyncio.sleep(0)  # to find it takes as long as there are templates
            try:
                found[uri] = self._targets.find(endpoint, Kind.RESOURCE, asked, call, uri)
            except Refused:
                continue
        intents: dict[str, int] = {}
        granted: set[str] = set()
        try:
            for uri, item in found.items():
                try:
                    decision = self._path.permits.permit_now(call, item)
                except Refused:
                    continue
                intents[uri] = await self._path.intent(call, item, decision)
                stream.items[uri] = item
            for server in {found[uri].server for uri in intents}:
                granted |= await self.joined(stream, call, server)
        finally:
            for uri, intent in intents.items():
                status = _GRANTED if uri in granted else _NOT_GRANTED
                self._audit.outcome(intent, call.trace, status, 0.0, 0)
                if uri not in granted:
                    stream.items.pop(uri, None)
        return tuple(uri for uri in found if uri in granted)

    def check(self, endpoint: Endpoint, call: Call, asked: Request, uri: str) -> None:
        """See to it that a caller may subscribe to a resource.

        Raises:
            Refused: target.unknown, resource.claimed, policy.denied, approval.pending, gate.cut.
        """
        self._path.permits.permit_now(
            call, self._targets.find(endpoint, Kind.RESOURCE, asked, call, uri)
        )

    def readable(self, stream: Stream, call: Call, told: Json) -> Json:
        """What this caller is told: of a part that it may not read, that the whole has changed."""
        uri = told["params"].get("uri")
        whole = listening.whole(stream.items, uri) if isinstance(uri, str) else None
        if whole is None or whole == uri:
            return told
        part = Item(Kind.RESOURCE, stream.items[whole].server, uri, uri, {})
        if self._path.permits.allows(call, part):
            return told
        return {"method": told["method"], "params": {"uri": whole}}

    async def joined(self, stream: Stream, call: Call, server: str) -> frozenset[str]:
        """Have a server tell what the stream subscribed to there; returns what it grants."""
        uris = frozenset(uri for uri, item in stream.items.items() if item.server == server)
        listen = self._path.listen(call, server)
        return (await self._streams.board.join(listen, stream.mailbox, Wish(uris))).uris

    async def _follow(self, stream: Stream, call: Call, ids: Collection[str]) -> tuple[str, ...]:
        """Have servers tell how these tasks go on; what is not a task of this caller is left out."""
        wishes: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
        granted: list[str] = []
        for id_ in ids:
            try:
                task = self._targets.task(call, id_)
                item = self._targets.started(task)
                intent = await self._path.intent(
                    call, item, self._path.permits.permit_now(call, item)
                )
            except Refused:
                continue
            self._audit.outcome(intent, call.trace, _GRANTED, 0.0, 0)
            stream.started[id_] = item
            wishes[task.server, task.isolation][task.task] = id_
        for (server, isolation), wished in wishes.items():
            granted += await self._tasks(stream, call, server, isolation, wished)
        return tuple(id_ for id_ in ids if id_ in granted)

    async def _tasks(
        self, stream: Stream, call: Call, server: str, isolation: str, tasks: Mapping[str, str]
    ) -> Iterable[str]:
        listen = msgspec.structs.replace(self._path.listen(call, server), isolation=isolation)
        uris = frozenset(uri for uri, item in stream.items.items() if item.server == server)
        granted = await self._streams.board.join(listen, stream.mailbox, Wish(uris, tasks))
        return granted.tasks.values()
