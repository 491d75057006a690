"""The door: what a message is, whether it may come in, and which part of the house answers it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec

from bawn.barrier.edition import Cuts
from bawn.catalogue import Catalogue
from bawn.config import Config
from bawn.errors import (
    AUTH_AUDIENCE,
    CALL_CANCELLED,
    GATE_NOT_READY,
    HTTP_NOT_FOUND,
    INTERNAL,
    MESSAGE_PARAMS,
    MESSAGE_SHAPE,
    SERVER_UNAVAILABLE,
    SESSION_UNKNOWN,
    Reason,
    Refused,
)
from bawn.gateway import own
from bawn.gateway.legacy import LegacySessions
from bawn.gateway.notes import named
from bawn.gateway.own import Own
from bawn.gateway.path import Path
from bawn.gateway.stages import Stages
from bawn.gateway.step import Step
from bawn.gateway.streams import Streams
from bawn.gateway.subscriptions import Subscriptions
from bawn.gateway.targets import Targets
from bawn.identity.metadata import serves
from bawn.model import Call, Client, Endpoint, Json, Principal, View
from bawn.policy.isolation import account
from bawn.ports import Arrival, Elsewhere, Emit, Reply
from bawn.protocol import envelope, inbound, replies, strict, trace, versions
from bawn.protocol.familiar import Familiar
from bawn.protocol.headers import SESSION
from bawn.protocol.inbound import Notification, Request
from bawn.protocol.sessions import Sessions
from bawn.protocol.versions import LIST_METHODS

log = logging.getLogger("bawn.gateway")

ACCEPTED: Final = Reply(202, b"")

_UNREACHED: Final = "the worker that asked cannot be reached"

NOTHING: Final = Endpoint(None, {kind: {} for kind in LIST_METHODS}, frozenset(), {}, {}, 0)
"""What a tenant without servers is served."""


class Gateway:
    """Answers messages against the current View; a call keeps the View that it started with."""

    def __init__(
        self,
        config: Config,
        stages: Stages,
        catalogue: Catalogue,
        sessions: Sessions,
        streams: Streams,
        random_bits: Callable[[], int],
        challenge: Callable[[Reason, str | None], str | None],
    ) -> None:
        self._stages = stages
        self._catalogue = catalogue
        self._sessions = sessions
        self._random_bits = random_bits
        self._challenge = challenge
        self._limits = strict.JsonLimits(config.limits.json_depth, config.limits.json_nodes)
        self._batch = config.limits.batch
        self._familiar = Familiar(self._limits)
        self._path = path = Path(config, stages)
        self._tenant_of = config.tenants
        self._targets = Targets(catalogue, stages, self._tenant_of)
        self._streams = streams
        most = config.limits.subscriptions
        subscriptions = Subscriptions(path, self._targets, streams, stages.audit, most)
        self._legacy = LegacySessions(stages.notes, streams, subscriptions, most)
        self._own = Own(path, catalogue, sessions, self._legacy, subscriptions)

    # ── what is in force ──

    def swap(self, view: View) -> None:
        """Serve this View from the next call on."""
        self._targets.view = self._path.permits.view = view
        self._path.judge.view = self._path.consents.view = view.version
        self._stages.policy.swap(view)
        self._stages.inspector.swap(view)
        self._catalogue.forget()
        self._streams.swap(view)

    def cut(self, cuts: Cuts) -> None:
        """Refuse what the operator has switched off, from the next call on."""
        self._path.permits.obey(cuts)
        if cuts.any:
            self._streams.cut(cuts)

    def retire(self) -> None:
        """End the streams: this worker goes away."""
        self._streams.retire()

    def usable(self, principal: Principal) -> frozenset[str]:
        """The servers of which this principal may use something at all."""
        return self._targets.usable(principal)

    # ── the ways in ──

    async def answer(self, arrival: Arrival, emit: Emit) -> Reply:
        """Answer one message, or a batch of them; every failure is a Reply as well.

        Raises:
            Elsewhere: another worker answers it; nothing was done.
        """
        tree: Any = None
        asked: Request | Notification | None = None
        try:
            asked = self._familiar.read(arrival.body, arrival.headers)
            if asked is None:
                tree = strict.canonical(arrival.body, self._limits)
                if tree is None:
                    tree = await self._read_carefully(arrival.body)
            self._admit(arrival)
            if asked is None and type(tree) is list:
                return await self._all(tree, arrival, emit)
        except Refused as refused:
            return self._refused(refused, tree or _tree(asked), arrival, "")
        except Elsewhere:
            raise
        except Exception as error:  # fail closed, whatever breaks
            log.exception("a message could not be admitted")
            internal = Refused(INTERNAL, detail=repr(error))
            return self._refused(internal, tree or _tree(asked), arrival, "")
        return await self._message(asked, tree, arrival, emit)

    def open(self, arrival: Arrival) -> None:
        """Fills `ports.Gate`."""
        self._client(arrival)

    async def follow(self, arrival: Arrival, emit: Emit) -> Reply:
        """Fills `ports.Gate`."""
        try:
            client = self._client(arrival)
            endpoint = self._endpoint(arrival)
            method = versions.METHODS["resources/subscribe"]
            asked = Request("stream", method, {}, client, modern=False)
            call = self._asked(asked, arrival, "")
            return await self._legacy.follow(endpoint, call, asked, emit)
        except Refused as refused:
            return self._refused(refused, None, arrival, "")

    def end(self, arrival: Arrival) -> Reply:
        """End the session that a legacy client is done with (2025-11-25, "Session Management").

        Raises:
            Elsewhere: another worker answers it.
        """
        try:
            self._admit(arrival)
            self._sessions.end(arrival)
        except Refused as refused:
            return self._refused(refused, None, arrival, "")
        session = _session_of(arrival) or ""
        self._legacy.ended(named(arrival.principal, arrival.endpoint, session))
        self._path.flight.end(account(arrival.principal), arrival.endpoint, session)
        return Reply(200, b"")

    async def aclose(self) -> None:
        """End what lasts."""
        await self._streams.aclose()

    # ── who may come in ──

    def _admit(self, arrival: Arrival) -> None:
        """Let in who is served here, under what is in force at this moment."""
        barrier = self._stages.barrier
        if barrier.behind() and not barrier.catch_up():
            if arrival.settled:
                raise Refused(GATE_NOT_READY)
            raise Elsewhere(self._sessions.owner(arrival))
        principal, server = arrival.principal, arrival.endpoint
        if server is not None and self._tenant_of.get(server) != principal.tenant:
            raise Refused(HTTP_NOT_FOUND, detail="it is another tenant's")
        if not serves(principal, arrival.endpoint):
            raise Refused(AUTH_AUDIENCE, challenge=self._challenge(AUTH_AUDIENCE, arrival.endpoint))
        if self._path.permits.cuts is not None:
            self._path.permits.cuts.check_caller(principal, arrival.endpoint)

    def _client(self, arrival: Arrival) -> Client:
        """Who the session of a legacy arrival belongs to."""
        self._admit(arrival)
        client = self._sessions.open(arrival) if SESSION in arrival.headers else None
        if client is None:
            raise Refused(SESSION_UNKNOWN, detail="no session is named")
        return client

    def _endpoint(self, arrival: Arrival) -> Endpoint:
        view = self._targets.view
        if view is None:
            raise Refused(GATE_NOT_READY)
        endpoint = view.served(arrival.endpoint, arrival.principal.tenant)
        if endpoint is None:
            if arrival.endpoint is None:
                return NOTHING
            raise Refused(SERVER_UNAVAILABLE, f"{arrival.endpoint} has not been listed yet")
        return endpoint

    # ── what a message is ──

    async def _read_carefully(self, body: bytes) -> Any:
        if len(body) <= strict.OFF_LOOP:
            return strict.careful(body, self._limits)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(None, strict.careful, body, self._limits)

    async def _message(
        self, asked: Request | Notification | None, tree: Any, arrival: Arrival, emit: Emit,
        *, alone: bool = True,
    ) -> Reply:  # fmt: skip
        """Answer one message that was let in."""
        trace_id = ""
        try:
            if asked is None:
                if envelope.is_response(tree):
                    return self._answered(tree, arrival)
                asked = self._judge(tree, arrival, alone=alone)
            meta = asked.params.get("_meta") or {}
            trace_id = trace.trace_id(meta, arrival.headers, self._random_bits)
            step = self._step(asked, arrival, trace_id, emit)
            if isinstance(step, Step):
                return await self._path.call(step, emit)
            return step if isinstance(step, Reply) else await step
        except Refused as refused:
            reason = refused
        except asyncio.CancelledError:
            if not self._path.flight.was_cancelled():
                raise
            reason = Refused(CALL_CANCELLED)
        except Elsewhere:
            raise
        except Exception as error:  # the last rung of fail closed: whatever broke, it is refused
            log.exception("the path of a call failed", extra={"trace": trace_id})
            reason = Refused(INTERNAL, detail=repr(error))
        return self._refused(reason, tree or _tree(asked), arrival, trace_id)

    def _judge(self, tree: Any, arrival: Arrival, *, alone: bool) -> Request | Notification:
        """What a decoded body says, held against its headers and its session."""
        message = envelope.read(tree)
        session = self._sessions.open(arrival) if SESSION in arrival.headers else None
        asked = inbound.read(message, arrival.headers, session)
        if alone:
            self._familiar.remember(arrival.body, arrival.headers, asked)
        elif asked.modern or message.method == "initialize":
            raise Refused(MESSAGE_SHAPE, "this must not be part of a batch")
        return asked

    async def _all(self, trees: list[Any], arrival: Arrival, emit: Emit) -> Reply:
        """Answer a batch, which one version has (basic/index, 2025-03-26).

        Raises:
            Refused: message.shape.
            Elsewhere: another worker answers it; nothing was done.
        """
        modern = inbound.is_modern({}, arrival.headers)
        session = self._sessions.open(arrival) if SESSION in arrival.headers else None
        version = session.version if session is not None else None
        if modern or (version or inbound.spoken(arrival.headers)) != versions.BATCHES:
            raise Refused(MESSAGE_SHAPE, "only a client of 2025-03-26 may send a batch")
        if not 0 < len(trees) <= self._batch:
            raise Refused(MESSAGE_SHAPE, f"a batch has between 1 and {self._batch} messages")
        # before anything is done
        answers = [tree.get("id") for tree in trees if envelope.is_response(tree)]
        asked_at = {self._stages.asks.elsewhere(id_) for id_ in answers}
        if len(asked_at) > 1:
            raise Refused(MESSAGE_SHAPE, "answers to questions of different calls must come apart")
        slot = asked_at.pop() if asked_at else None
        if slot is not None:
            raise Refused(GATE_NOT_READY, _UNREACHED) if arrival.settled else Elsewhere(slot)
        # all of it is answered here from now: what one message has done must not be done again elsewhere
        arrival = msgspec.structs.replace(arrival, settled=True)
        # one after another as far as nothing waits; what waits, waits side by side
        made = await asyncio.gather(
            *[self._message(None, tree, arrival, emit, alone=False) for tree in trees]
        )
        bodies = [reply.body for reply in made if reply.body]
        return Reply(200, b"[%b]" % b",".join(bodies)) if bodies else ACCEPTED

    def _answered(self, tree: Any, arrival: Arrival) -> Reply:
        """Take a legacy client's answer to what a server asked."""
        response = envelope.response(tree)
        slot = self._stages.asks.elsewhere(response.id)
        if slot is not None:
            # settled, it came here for another reason or because nobody was there: it must not be lost
            raise Refused(GATE_NOT_READY, _UNREACHED) if arrival.settled else Elsewhere(slot)
        # whoever has the session: it was asked here
        self._client(arrival if arrival.settled else msgspec.structs.replace(arrival, settled=True))
        self._stages.asks.answered(arrival, _session_of(arrival), response)
        return ACCEPTED

    def _notified(self, told: Notification, arrival: Arrival) -> Reply:
        """Accept a notification; the only one with an effect is a legacy client's cancellation."""
        if not told.modern and told.method == "notifications/cancelled":
            request = told.params.get("requestId")
            if not isinstance(request, str) and type(request) is not int:
                raise Refused(MESSAGE_PARAMS, "`requestId` must be a string or an integer")
            whose = account(arrival.principal)
            named = (whose, arrival.endpoint, _session_of(arrival), request)
            slot = self._path.flight.cancel(*named)
            if slot is not None and not arrival.settled:
                raise Elsewhere(slot)
        return ACCEPTED

    # ── who answers it ──

    def _step(
        self, asked: Request | Notification, arrival: Arrival, trace_id: str, emit: Emit
    ) -> Reply | Step | Awaitable[Reply]:
        """What a message comes down to: answered at once, a call to a server, or the gate's own work."""
        if isinstance(asked, Notification):
            return self._notified(asked, arrival)
        method = asked.method
        if method.lists and method.kind is not None:
            return self._catalogue.page(
                self._endpoint(arrival), method.kind, asked, arrival.principal
            )
        if method.name == "ping":
            return Reply(200, envelope.result(asked.id, {}))
        endpoint, call = self._endpoint(arrival), self._asked(asked, arrival, trace_id)
        if method.kind is None and method.name in own.METHODS:
            if method.name == "subscriptions/listen" and not arrival.settled:
                self._path.go_home(call)
            return self._own.answer(call, asked, arrival, endpoint, emit)
        step = self._targets.step(endpoint, call, asked, arrival)
        if self._stages.homes.many and not arrival.settled:
            self._path.check_home(step)
        return step

    def _asked(self, asked: Request, arrival: Arrival, trace_id: str) -> Call:
        headers = arrival.headers
        meta = asked.params.get("_meta") or {}
        params, parent = asked.params, None
        if "traceparent" in meta or b"traceparent" in headers:
            parent = trace.child(meta, headers, lambda: self._random_bits() >> 64)
            params = {**params, "_meta": trace.gathered(meta, headers)}
        return Call(
            asked.id, asked.method.name, params, arrival.principal, arrival.endpoint,
            asked.client, trace_id, None if asked.modern else _session_of(arrival),
            arrival.project, parent,
        )  # fmt: skip

    def _refused(self, refused: Refused, tree: Any, arrival: Arrival, trace_id: str) -> Reply:
        meta = _meta(tree)
        trace_id = trace_id or trace.trace_id(meta, arrival.headers, self._random_bits)
        self._stages.meter.refusal(refused.reason.id)
        modern = inbound.is_modern(meta, arrival.headers)
        method = str(tree.get("method", "")) if isinstance(tree, dict) else ""
        told = {"reason": refused.reason.id, "detail": refused.detail, "trace": trace_id}
        log.info("refused", extra=told)
        id_ = envelope.identifier(tree)
        return replies.refusal(refused, id_=id_, trace=trace_id, method=method, modern=modern)


def _tree(asked: Request | Notification | None) -> Json | None:
    """The message again, as far as a refusal needs it, of a call that was recognised."""
    if not isinstance(asked, Request):
        return None
    return {"id": asked.id, "method": asked.method.name, "params": asked.params}


def _meta(tree: Any) -> dict[str, Any]:
    params = tree.get("params") if isinstance(tree, dict) else None
    meta = params.get("_meta") if isinstance(params, dict) else None
    return meta if isinstance(meta, dict) else {}


def _session_of(arrival: Arrival) -> str | None:
    session = arrival.headers.get(SESSION)
    return session.decode("latin-1") if session is not None else None
