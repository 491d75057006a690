"""The path of one call. There is no second door: whatever reaches a server goes through `_call`.

    read → who may → record the intent → send → hold and judge the answer → record the outcome

Everything here is synchronous except the wait for the server itself.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from time import perf_counter
from typing import Any, Final, TypeAlias

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
from bawn.ports import Arrival, Audit, Emit, Meter, PolicyEngine, Reply, Upstream
from bawn.protocol import answers, envelope, inbound, lifecycle, outbound, replies, strict, trace
from bawn.protocol.headers import SESSION
from bawn.protocol.inbound import Notification, Request
from bawn.protocol.sessions import Sessions

log = logging.getLogger("bawn.gateway")

ACCEPTED: Final = Reply(202, b"")


@dataclass(frozen=True, slots=True)
class Stages:
    """What the path is made of; `app.py` fills it."""

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
        self._isolation: dict[str, Isolation] = {n: s.isolation for n, s in config.servers.items()}
        self.concurrency = Concurrency(
            config.limits.calls_per_principal, config.limits.calls_per_server
        )
        self._running: dict[_Running, asyncio.Task[Any]] = {}
        self._cancelled: set[asyncio.Task[Any]] = set()
        self._view: View | None = None
        self._verbose = config.log.level == "debug"

    def swap(self, view: View) -> None:
        """Serve this View from the next call on."""
        self._view = view
        self._catalogue.forget()

    async def answer(self, arrival: Arrival, emit: Emit) -> Reply:
        """Answer one message; every failure is a Reply as well."""
        tree: Any = None
        trace_id = ""
        try:
            tree = strict.canonical(arrival.body, self._limits)
            if tree is None:
                tree = await self._read_carefully(arrival.body)
            trace_id = trace.trace_id(_meta(tree), arrival.headers, self._stages.random_bits)
            step = self._read(tree, arrival, trace_id)
            return step if isinstance(step, Reply) else await self._call(*step, emit)
        except Refused as refused:
            reason = refused
        except asyncio.CancelledError:
            if not self._cancelled_by_notification():
                raise
            reason = Refused(CALL_CANCELLED)
        except Exception as error:  # the last rung of fail closed: whatever broke, it is refused
            log.exception("the path of a call failed", extra={"trace": trace_id})
            reason = Refused(INTERNAL, detail=repr(error))
        return self._refused(reason, tree, arrival, trace_id)

    async def _read_carefully(self, body: bytes) -> Any:
        if len(body) <= strict.OFF_LOOP:
            return strict.careful(body, self._limits)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(None, strict.careful, body, self._limits)

    def _read(
        self, tree: Any, arrival: Arrival, trace_id: str
    ) -> Reply | tuple[Call, Request, Item]:
        """What a message asks for: answered from the View, or a call that has to be made."""
        if not serves(arrival.principal, arrival.endpoint):
            challenge = self._stages.challenge(AUTH_AUDIENCE, arrival.endpoint)
            raise Refused(AUTH_AUDIENCE, challenge=challenge)
        session = self._stages.sessions.open(arrival) if SESSION in arrival.headers else None
        asked = inbound.read(tree, arrival.headers, session)
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

    def _may_use_one(self, kind: Kind, asked: Request, call: Call) -> bool:
        """Whether one of the servers that claim a resource offers it to this caller."""
        endpoints = self._view.endpoints.values() if self._view is not None else ()
        found = (self._catalogue.offered(e, kind, asked) for e in endpoints if e.server)
        decide = self._stages.policy.decide
        return any(decide(call.principal, item).allowed for item in found if item is not None)

    def _endpoint(self, arrival: Arrival) -> Endpoint:
        if self._view is None:
            raise Refused(GATE_NOT_READY)
        endpoint = self._view.endpoints.get(arrival.endpoint)
        if endpoint is None:
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
        caller = call.principal.key
        decision = stages.policy.decide(call.principal, item)
        if not decision.allowed:
            stages.audit.refusal(call, "policy.denied", decision.rule)
            stages.meter.refusal("policy.denied")
            raise self._catalogue.unknown(item.kind)
        try:
            self.concurrency.enter(caller, server)
        except Refused as refused:
            stages.audit.refusal(call, refused.reason.id, refused.public)
            raise
        started = perf_counter()
        status, size, intent = "cancelled", 0, -1
        task = None if asked.modern else asyncio.current_task()
        running = (caller, call.endpoint, call.session, call.id)
        if task is not None:  # a notification that names all of these may cancel it
            self._running[running] = task
        try:
            intent = stages.audit.intent(call, item, decision)
            isolation = isolation_key(self._isolation[server], caller, call)
            leaving = outbound.request(call, asked.method, item, isolation)
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
            # a second call of the same id may have taken the place
            if task is not None and self._running.get(running) is task:
                del self._running[running]
            seconds = perf_counter() - started
            if intent >= 0:
                stages.audit.outcome(intent, call.trace, status, seconds, size)
            stages.meter.call(server, call.method, status, seconds)
            if self._verbose:
                # no name: that of a resource may be personal, and the audit has it
                told = {"server": server, "method": call.method, "trace": call.trace}
                log.debug("call", extra={**told, "status": status, "seconds": seconds})

    def _notified(self, told: Notification, arrival: Arrival) -> Reply:
        """Accept a notification; the only one with an effect is a legacy client's cancellation."""
        if not told.modern and told.method == "notifications/cancelled":
            request = told.params.get("requestId")
            if not isinstance(request, str) and type(request) is not int:
                raise Refused(MESSAGE_PARAMS, "`requestId` must be a string or an integer")
            key = (arrival.principal.key, arrival.endpoint, _session_of(arrival), request)
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
        # a body that could not be read carries none
        trace_id = trace_id or trace.trace_id({}, arrival.headers, self._stages.random_bits)
        self._stages.meter.refusal(refused.reason.id)
        modern = inbound.is_modern(_meta(tree), arrival.headers)
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


def isolation_key(isolation: Isolation, caller: str, call: Call) -> str:
    """Whose process or session a call runs in: opaque, and equal only where sharing is configured."""
    match isolation:
        case "principal":
            return _digest(caller, isolation, "")
        case "session":
            return _digest(caller, isolation, call.session or "")
        case "project":
            return _digest(caller, isolation, call.project or "")
        case "shared":
            return "shared"


@lru_cache(4096)
def _digest(principal: str, isolation: str, part: str) -> str:
    return sha256("\0".join((principal, isolation, part)).encode()).hexdigest()[:32]
