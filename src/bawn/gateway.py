"""The path of one call. There is no second door: whatever reaches a server goes through `_call`.

    read → who may → record the intent → send → hold and judge the answer → record the outcome

Everything here is synchronous except the wait for the server itself.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Final, TypeAlias

from bawn.barrier.edition import Cuts
from bawn.catalogue import Catalogue
from bawn.config import Config, Isolation
from bawn.errors import (
    AUTH_AUDIENCE,
    CALL_CANCELLED,
    GATE_NOT_READY,
    INTERNAL,
    MESSAGE_PARAMS,
    METHOD_UNKNOWN,
    RESOURCE_CLAIMED,
    SERVER_UNAVAILABLE,
    Reason,
    Refused,
)
from bawn.identity.metadata import serves
from bawn.model import Call, Endpoint, Item, Kind, View
from bawn.policy.concurrency import Concurrency
from bawn.policy.isolation import account, isolation_key
from bawn.ports import (
    Arrival,
    Audit,
    Barrier,
    Elsewhere,
    Emit,
    Meter,
    PolicyEngine,
    Reply,
    Upstream,
)
from bawn.protocol import answers, envelope, inbound, lifecycle, outbound, replies, strict, trace
from bawn.protocol.familiar import Familiar
from bawn.protocol.headers import SESSION
from bawn.protocol.inbound import Notification, Request
from bawn.protocol.sessions import Sessions

log = logging.getLogger("bawn.gateway")

ACCEPTED: Final = Reply(202, b"")


@dataclass(frozen=True, slots=True)
class Stages:
    """What the path is made of; `app.py` fills it."""

    barrier: Barrier
    policy: PolicyEngine
    audit: Audit
    meter: Meter
    sessions: Sessions
    upstreams: Mapping[str, Upstream]
    random_bits: Callable[[], int]
    challenge: Callable[[Reason, str | None], str | None]


_Running: TypeAlias = tuple[str, str | None, str | None, str | int]
"""Whose call, at which endpoint, in which session, under which id."""


class Gateway:
    """Answers messages against the current View; a call keeps the View that it started with."""

    def __init__(self, config: Config, stages: Stages, catalogue: Catalogue) -> None:
        self._stages = stages
        self._catalogue = catalogue
        self._limits = strict.JsonLimits(config.limits.json_depth, config.limits.json_nodes)
        self._familiar = Familiar(self._limits)
        self._isolation: dict[str, Isolation] = {n: s.isolation for n, s in config.servers.items()}
        self.concurrency = Concurrency(
            config.limits.calls_per_principal, config.limits.calls_per_server
        )
        self._running: dict[_Running, asyncio.Task[Any]] = {}
        self._cancelled: set[asyncio.Task[Any]] = set()
        self._endpoints: Mapping[str | None, Endpoint] = {}  # none before the first View
        self._cuts: Cuts | None = None
        self._verbose = config.log.level == "debug"

    def swap(self, view: View) -> None:
        """Serve this View from the next call on."""
        self._endpoints = view.endpoints
        self._catalogue.forget()

    def cut(self, cuts: Cuts) -> None:
        """Refuse what the operator has switched off, from the next call on."""
        # None when there are none: the usual case costs one comparison
        self._cuts = cuts if cuts.any else None

    def end(self, arrival: Arrival) -> Reply:
        """End the session that a legacy client is done with (2025-11-25, "Session Management").

        Raises:
            Elsewhere: another worker answers it.
        """
        try:
            self._admit(arrival)
            self._stages.sessions.end(arrival)
        except Refused as refused:
            return self._refused(refused, None, arrival, "")
        return Reply(200, b"")

    async def answer(self, arrival: Arrival, emit: Emit) -> Reply:
        """Answer one message; every failure is a Reply as well.

        Raises:
            Elsewhere: another worker answers it; nothing was done.
        """
        asked: Request | Notification | None = None
        tree: Any = None
        trace_id = ""
        try:
            asked = self._familiar.read(arrival.body, arrival.headers)
            if asked is None:
                tree = strict.canonical(arrival.body, self._limits)
                if tree is None:
                    tree = await self._read_carefully(arrival.body)
            self._admit(arrival)
            if asked is None:
                asked = self._judge(tree, arrival)
            meta = asked.params.get("_meta") or {}
            trace_id = trace.trace_id(meta, arrival.headers, self._stages.random_bits)
            step = self._read(asked, arrival, trace_id)
            return step if isinstance(step, Reply) else await self._call(*step, emit)
        except Refused as refused:
            reason = refused
        except asyncio.CancelledError:
            if not self._cancelled_by_notification():
                raise
            reason = Refused(CALL_CANCELLED)
        except Elsewhere:
            raise
        except Exception as error:  # the last rung of fail closed: whatever broke, it is refused
            log.exception("the path of a call failed", extra={"trace": trace_id})
            reason = Refused(INTERNAL, detail=repr(error))
        if tree is None and isinstance(asked, Request):
            tree = {"id": asked.id, "method": asked.method.name, "params": asked.params}
        return self._refused(reason, tree, arrival, trace_id)

    async def _read_carefully(self, body: bytes) -> Any:
        if len(body) <= strict.OFF_LOOP:
            return strict.careful(body, self._limits)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(None, strict.careful, body, self._limits)

    def _judge(self, tree: Any, arrival: Arrival) -> Request | Notification:
        """What a decoded body says, held against its headers and its session."""
        message = envelope.read(tree)
        session = self._stages.sessions.open(arrival) if SESSION in arrival.headers else None
        asked = inbound.read(message, arrival.headers, session)
        self._familiar.remember(arrival.body, arrival.headers, asked)
        return asked

    def _read(
        self, asked: Request | Notification, arrival: Arrival, trace_id: str
    ) -> Reply | tuple[Call, Request, Item]:
        """What a message asks for: answered from the View, or a call that has to be made."""
        if isinstance(asked, Notification):
            return self._notified(asked, arrival)
        kind = asked.method.kind
        if kind is None:
            return self._lifecycle(asked, arrival)
        endpoint = self._endpoint(arrival)
        if asked.method.lists:
            return self._catalogue.page(endpoint, kind, asked, arrival.principal)
        call = Call(
            asked.id, asked.method.name, asked.params, arrival.principal, arrival.endpoint,
            asked.client, trace_id, None if asked.modern else _session_of(arrival), arrival.project,
        )  # fmt: skip
        try:
            return call, asked, self._catalogue.find(endpoint, kind, asked)
        except Refused as refused:
            self._stages.audit.refusal(call, refused.reason.id, refused.public)
            if refused.reason is RESOURCE_CLAIMED and not self._may_use_one(kind, asked, call):
                raise self._catalogue.unknown(kind) from None
            raise

    def _admit(self, arrival: Arrival) -> None:
        """Let in who is served here, under what is in force at this moment."""
        barrier = self._stages.barrier
        if barrier.behind() and not barrier.catch_up():
            if arrival.settled:
                raise Refused(GATE_NOT_READY)
            raise Elsewhere(self._stages.sessions.owner(arrival))
        principal = arrival.principal
        if not serves(principal, arrival.endpoint):
            challenge = self._stages.challenge(AUTH_AUDIENCE, arrival.endpoint)
            raise Refused(AUTH_AUDIENCE, challenge=challenge)
        if self._cuts is not None:
            self._cuts.check_caller(principal, arrival.endpoint)

    def _still(self, call: Call, item: Item) -> None:
        """Judge a call again by what came into force while it waited for the disk."""
        barrier = self._stages.barrier
        if barrier.behind() and not barrier.catch_up():
            raise Refused(GATE_NOT_READY)
        if self._cuts is not None:
            self._cuts.check_caller(call.principal, call.endpoint)
            self._cuts.check_item(item)

    def _may_use_one(self, kind: Kind, asked: Request, call: Call) -> bool:
        """Whether one of the servers that claim a resource offers it to this caller."""
        endpoints = [each for each in self._endpoints.values() if each.server]
        found = (self._catalogue.offered(each, kind, asked) for each in endpoints)
        decide = self._stages.policy.decide
        return any(decide(call.principal, item).allowed for item in found if item is not None)

    def _endpoint(self, arrival: Arrival) -> Endpoint:
        endpoint = self._endpoints.get(arrival.endpoint)
        if endpoint is None:
            if not self._endpoints:
                raise Refused(GATE_NOT_READY)
            raise Refused(SERVER_UNAVAILABLE, f"{arrival.endpoint} has not been listed yet")
        return endpoint

    def _lifecycle(self, asked: Request, arrival: Arrival) -> Reply:
        """The methods that concern the gate itself."""
        match asked.method.name:
            case "ping":
                return Reply(200, envelope.result(asked.id, {}))
            case "initialize":
                return self._begin(asked, arrival, self._endpoint(arrival))
            case "server/discover":
                endpoint = self._endpoint(arrival)
                told = self._catalogue.instructions(endpoint, arrival.principal)
                found = lifecycle.discover(endpoint, told)
                return Reply(200, envelope.result(asked.id, found))
        raise Refused(METHOD_UNKNOWN)

    def _begin(self, asked: Request, arrival: Arrival, endpoint: Endpoint) -> Reply:
        client = lifecycle.handshake(asked.params)
        session = self._stages.sessions.begin(client, arrival)
        told = self._catalogue.instructions(endpoint, arrival.principal)
        body = envelope.result(asked.id, lifecycle.initialize(client, endpoint, told))
        return Reply(200, body, (replies.JSON_TYPE, (b"mcp-session-id", session.encode())))

    async def _call(self, call: Call, asked: Request, item: Item, emit: Emit) -> Reply:
        """Decide, record, send, judge, record: the only way to a server."""
        stages, server = self._stages, item.server
        audit, caller = stages.audit, account(call.principal)
        decision = stages.policy.decide(call.principal, item)
        if not decision.allowed:
            audit.refusal(call, "policy.denied", decision.rule)
            stages.meter.refusal("policy.denied")
            raise self._catalogue.unknown(item.kind)
        try:
            if self._cuts is not None:
                self._cuts.check_item(item)
            self.concurrency.enter(caller, server)
        except Refused as refused:
            audit.refusal(call, refused.reason.id, refused.public)
            raise
        started = perf_counter()
        status, size, intent = "cancelled", 0, -1
        running = None if asked.modern else self._cancellable(call)
        try:
            intent = audit.intent(call, item, decision)
            durable = audit.durable(intent)
            if durable is not None:
                await durable
                self._still(call, item)
            isolation = isolation_key(self._isolation[server], call)
            leaving = outbound.request(call, asked.method, item, isolation, caller)
            answer = answers.complete(await stages.upstreams[server].call(leaving, emit))
            if asked.method.cacheable:
                answer = answers.private(answer)
            reply = replies.answer(call.id, call.method, answer, modern=asked.modern)
            status, size = "error" if answer.error else "ok", len(reply.body)
            return reply
        except Refused as refused:
            status = refused.reason.id
            raise
        except Exception:
            status = INTERNAL.id
            raise
        finally:
            self.concurrency.leave(caller, server)
            if running is not None:
                self._over(*running)
            seconds = perf_counter() - started
            if intent >= 0:
                audit.outcome(intent, call.trace, status, seconds, size)
            stages.meter.call(server, call.method, status, seconds)
            if self._verbose:
                # no name: that of a resource may be personal, and the audit has it
                told = {"server": server, "method": call.method, "trace": call.trace}
                log.debug("call", extra={**told, "status": status, "seconds": seconds})

    def _cancellable(self, call: Call) -> tuple[_Running, asyncio.Task[Any]] | None:
        """Remember the task of a legacy call: a notification that names all of this may cancel it."""
        task = asyncio.current_task()
        if task is None:
            return None
        running = (account(call.principal), call.endpoint, call.session, call.id)
        self._running[running] = task
        return running, task

    def _over(self, running: _Running, task: asyncio.Task[Any]) -> None:
        # a second call of the same id may have taken the place
        if self._running.get(running) is task:
            del self._running[running]

    def _notified(self, told: Notification, arrival: Arrival) -> Reply:
        """Accept a notification; the only one with an effect is a legacy client's cancellation."""
        if not told.modern and told.method == "notifications/cancelled":
            request = told.params.get("requestId")
            if not isinstance(request, str) and type(request) is not int:
                raise Refused(MESSAGE_PARAMS, "`requestId` must be a string or an integer")
            key = (account(arrival.principal), arrival.endpoint, _session_of(arrival), request)
            task = self._running.pop(key, None)
            if task is not None:
                self._cancelled.add(task)
                task.cancel()
        return ACCEPTED

    def _cancelled_by_notification(self) -> bool:
        """Whether `_notified` cancelled this task; else the transport did, since the caller is gone."""
        task = asyncio.current_task()
        if task is None or task not in self._cancelled:
            return False
        self._cancelled.discard(task)
        task.uncancel()
        return True

    def _refused(self, refused: Refused, tree: Any, arrival: Arrival, trace_id: str) -> Reply:
        meta = _meta(tree)
        trace_id = trace_id or trace.trace_id(meta, arrival.headers, self._stages.random_bits)
        self._stages.meter.refusal(refused.reason.id)
        modern = inbound.is_modern(meta, arrival.headers)
        method = str(tree.get("method", "")) if isinstance(tree, dict) else ""
        log.info(
            "refused",
            extra={"reason": refused.reason.id, "detail": refused.detail, "trace": trace_id},
        )
        id_ = envelope.identifier(tree)
        return replies.refusal(refused, id_=id_, trace=trace_id, method=method, modern=modern)


def _meta(tree: Any) -> dict[str, Any]:
    params = tree.get("params") if isinstance(tree, dict) else None
    meta = params.get("_meta") if isinstance(params, dict) else None
    return meta if isinstance(meta, dict) else {}


def _session_of(arrival: Arrival) -> str | None:
    session = arrival.headers.get(SESSION)
    return session.decode("latin-1") if session is not None else None
