"""The path of one call. There is no second door: whatever reaches a server goes through `_once`.

    who may → record the intent → send → hold and judge the answer → record the outcome

Everything here is synchronous except the wait for the server itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable
from time import perf_counter

import msgspec

from bawn.barrier.edition import Cuts
from bawn.config import Config
from bawn.errors import GATE_NOT_READY, INPUT_FAILED, INPUT_ROUNDS, INTERNAL, Refused
from bawn.gateway.asks import instead
from bawn.gateway.flight import Flight
from bawn.gateway.judge import INPUT, Judge, Question
from bawn.gateway.stages import Stages
from bawn.gateway.step import Step
from bawn.model import (
    Answer,
    Call,
    Client,
    Decision,
    Endpoint,
    Item,
    Json,
    Outbound,
    Principal,
)
from bawn.policy.concurrency import Concurrency
from bawn.policy.isolation import account, isolation_key
from bawn.ports import Elsewhere, Emit, Reply
from bawn.protocol import answers, outbound, rounds
from bawn.protocol.legacy_client import capabilities

log = logging.getLogger("bawn.gateway")


class Path:
    """Takes calls to servers and their answers back."""

    def __init__(self, config: Config, stages: Stages) -> None:
        self._stages = stages
        self._isolation = {name: server.isolation for name, server in config.servers.items()}
        self._baggage = frozenset(n for n, server in config.servers.items() if server.baggage)
        self._rounds = config.limits.rounds
        self.concurrency = Concurrency(
            config.limits.calls_per_principal, config.limits.calls_per_server
        )
        self.judge = Judge(stages, self._isolation)
        self.flight = Flight()
        self._ending: set[asyncio.Task[None]] = set()
        self.cuts: Cuts | None = None
        self._verbose = config.log.level == "debug"

    def permit(self, call: Call, item: Item) -> Decision:
        """The decision that lets a caller use an item.

        Raises:
            Refused: policy.denied, gate.cut; recorded.
        """
        decision = self._stages.policy.decide(call.principal, item)
        if not decision.allowed:
            self._stages.audit.refusal(call, "policy.denied", decision.rule)
            self._stages.meter.refusal("policy.denied")
            raise outbound.unknown(item.kind)
        if self.cuts is not None:
            try:
                self.cuts.check_item(item)
            except Refused as refused:
                self._stages.audit.refusal(call, refused.reason.id, refused.public)
                raise
        return decision

    def allows(self, call: Call, item: Item) -> bool:
        """Whether a caller may use an item now; nothing is recorded of it."""
        if self.cuts is not None:
            try:
                self.cuts.check_item(item)
            except Refused:
                return False
        return self._stages.policy.decide(call.principal, item).allowed

    def check_home(self, step: Step) -> None:
        """See that a call comes to its caller's worker, where its server needs that.

        Raises:
            Elsewhere: to that one.
        """
        call, server = step.call, step.item.server
        declared = call.client.capabilities if step.modern else capabilities(call.client)
        shared = self._isolation[server] == "shared"
        if not step.parked and self._stages.upstreams[server].stays(declared, shared=shared):
            self.go_home(call)

    def owner_for(self, client: Client, endpoint: Endpoint, principal: Principal) -> int | None:
        """The worker that should have a new session: the caller's, where a server may need that."""
        if not self._stages.homes.many:
            return None
        declared = capabilities(client)
        for server in self._isolation if endpoint.server is None else (endpoint.server,):
            shared = self._isolation[server] == "shared"
            if self._stages.upstreams[server].stays(declared, shared=shared):
                return self._stages.homes.home(principal)
        return None

    def go_home(self, call: Call) -> None:
        """See that this is the caller's worker.

        Raises:
            Elsewhere: to that one.
        """
        slot = self._stages.homes.away(call.principal) if self._stages.homes.many else None
        if slot is not None:
            self.flight.passed(call, slot)
            raise Elsewhere(slot)

    def call(self, step: Step, emit: Emit) -> Awaitable[Reply]:
        """Have a server answer; to be awaited at once.

        Raises:
            Refused: whatever stands in the way.
        """
        return self._once(step, emit) if step.modern else self._conversation(step, emit)

    async def _conversation(self, step: Step, emit: Emit) -> Reply:
        """A call of a legacy client, who is asked here what the server asks on the way."""
        task = self.flight.begin(step.call)
        try:
            for left in range(self._rounds, -1, -1):
                try:
                    return await self._once(step, emit)
                except Question as question:
                    asked = question.answer
                if left:
                    step = await self._ask(step, asked, emit)
            if asked.parked:
                self._let_go(step, asked.result or {})
            raise Refused(INPUT_ROUNDS)
        finally:
            self.flight.over(step.call, task)

    async def _once(self, step: Step, emit: Emit, *, last: bool = False) -> Reply:
        """Decide, record, send, judge, record: the only way to a server. `last`: nobody waits for it.

        Raises:
            Question: what the server asks of a legacy caller.
        """
        stages, call, item = self._stages, step.call, step.item
        server, audit, caller = item.server, stages.audit, account(call.principal)
        decision = self.permit(call, item)
        try:
            self.concurrency.enter(caller, server)
            if step.state is not None:
                self._use_up(step, caller)
        except Refused as refused:
            audit.refusal(call, refused.reason.id, refused.public)
            raise
        started = perf_counter()
        status, size, intent = "cancelled", 0, -1
        try:
            intent = audit.intent(call, item, decision)
            durable = audit.durable(intent)
            if durable is not None:
                await durable
                self._still(call, item)
            leaving = self._leaving(step, caller)
            answer = answers.judged(await stages.upstreams[server].call(leaving, emit))
            reply = self._judged(step, answer, last=last)
            status, size = "ok", len(reply.body)
            if answer.result is None:
                status = "error"
            elif answer.result["resultType"] == INPUT:
                status = INPUT
            return reply
        except Question:
            status = INPUT
            raise
        except Refused as refused:
            status = refused.reason.id
            raise
        except Exception:
            status = INTERNAL.id
            raise
        finally:
            self.concurrency.leave(caller, server)
            seconds = perf_counter() - started
            if intent >= 0:
                audit.outcome(intent, call.trace, status, seconds, size)
            stages.meter.call(server, call.method, status, seconds)
            if self._verbose:
                # no name: that of a resource may be personal, and the audit has it
                told = {"server": server, "method": call.method, "trace": call.trace}
                log.debug("call", extra={**told, "status": status, "seconds": seconds})

    def _judged(self, step: Step, answer: Answer, *, last: bool) -> Reply:
        """What an answer means; a call whose question cannot be put to its caller waits for nobody."""
        try:
            return self.judge.judged(step, answer)
        except Refused:
            if answer.parked and not last:
                self._let_go(step, answer.result or {})
            raise

    def _use_up(self, step: Step, caller: str) -> None:
        """Use up what the caller came back with, now that there is a place for the call."""
        try:
            if step.state is not None:
                self._stages.rounds.use(step.state, step.item)
        except BaseException:
            self.concurrency.leave(caller, step.item.server)
            raise

    async def intent(self, call: Call, item: Item, decision: Decision) -> int:
        """Record that something is about to be asked of a server, as durably as is configured.

        Raises:
            Refused: audit.unavailable; gate.cut, gate.not_ready by what came into force meanwhile.
        """
        audit = self._stages.audit
        intent = audit.intent(call, item, decision)
        try:
            durable = audit.durable(intent)
            if durable is not None:
                await durable
                self._still(call, item)
        except Refused as refused:
            audit.outcome(intent, call.trace, refused.reason.id, 0.0, 0)
            raise
        return intent

    def listen(self, call: Call, server: str) -> Outbound:
        """A listen at this server on behalf of a caller, without its filter."""
        isolation = isolation_key(self._isolation[server], call)
        whose = account(call.principal)
        away = self._stages.homes.many and self._stages.homes.away(call.principal) is not None
        listen = outbound.request(
            "subscriptions/listen", {"_meta": call.params.get("_meta") or {}}, call,
            server, isolation, whose,
        )  # fmt: skip
        return msgspec.structs.replace(listen, apart=self._stages.homes.name) if away else listen

    def _still(self, call: Call, item: Item) -> None:
        """Judge a call again by what came into force while it waited for the disk."""
        barrier = self._stages.barrier
        if barrier.behind() and not barrier.catch_up():
            raise Refused(GATE_NOT_READY)
        if self.cuts is not None:
            self.cuts.check_caller(call.principal, call.endpoint)
            self.cuts.check_item(item)

    def _leaving(self, step: Step, caller: str) -> Outbound:
        call, server = step.call, step.item.server
        level = None if step.modern else self._stages.notes.level(call)
        shared_by = self._isolation[server]
        isolation = caller if shared_by == "principal" else isolation_key(shared_by, call)
        if step.task is not None:
            isolation = step.task.isolation
        return outbound.request(
            step.method.name, step.params, call, server, isolation, caller, step.name, step.headers,
            parked=step.parked, declined=step.declined, level=level, baggage=server in self._baggage,
        )  # fmt: skip

    # ── what a server asks a legacy caller ──

    async def _ask(self, step: Step, asked: Answer, emit: Emit) -> Step:
        """Ask a legacy caller; the step that goes on with its answers."""
        result, parked = asked.result or {}, asked.parked
        requests = result.get("inputRequests") or {}
        try:
            found = await self._stages.asks.ask(step.call, requests, emit)
        except BaseException:
            if parked:
                self._let_go(step, result)
            raise
        params = rounds.unwrapped(step.params, result.get(rounds.STATE))
        params[rounds.RESPONSES] = found.responses
        if found.declined and not parked:  # its protocol has no errors here
            params[rounds.RESPONSES] = {**found.responses, **instead(result, found.declined)}
        return msgspec.structs.replace(
            step, params=params, parked=parked, declined=found.declined if parked else {}
        )

    def _let_go(self, step: Step, result: Json) -> None:
        """Tell the server of a parked call that nobody answers, so that the call can end there."""
        params = rounds.unwrapped(step.params, result.get(rounds.STATE))
        params[rounds.RESPONSES] = {}
        error = {"code": INPUT_FAILED.code, "message": INPUT_FAILED.message}
        declined = dict.fromkeys(result.get("inputRequests") or {}, error)
        last = msgspec.structs.replace(
            step, params=params, state=None, parked=True, declined=declined
        )
        ending = asyncio.create_task(self._end(last))
        self._ending.add(ending)
        ending.add_done_callback(self._ending.discard)

    async def _end(self, step: Step) -> None:
        async def unheard(message: Json) -> None:
            """The caller has gone."""

        with contextlib.suppress(Refused, Question):
            await self._once(step, unheard, last=True)
