"""The path of one call. There is no second door: whatever reaches a server goes through `_once`.

    who may → what is in it → record the intent → send → hold, inspect and judge the answer → record
    the outcome

Everything here is synchronous except the wait for the server itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Sequence
from time import perf_counter

import msgspec

from bawn.config import Config
from bawn.errors import (
    INPUT_FAILED,
    INPUT_ROUNDS,
    INTERNAL,
    UPSTREAM,
    Refused,
)
from bawn.gateway.asks import instead
from bawn.gateway.consent import Consents, keys, without
from bawn.gateway.flight import Flight
from bawn.gateway.inspecting import Inspecting
from bawn.gateway.judge import INPUT, Judge, Question
from bawn.gateway.permits import Permits
from bawn.gateway.stages import Stages
from bawn.gateway.step import Step
from bawn.model import (
    Answer,
    Ask,
    Call,
    Client,
    Decision,
    Endpoint,
    Item,
    Json,
    Outbound,
    Principal,
)
from bawn.policy.isolation import account, isolation_key
from bawn.ports import Elsewhere, Emit, Placed, Reply
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
        self.permits = Permits(config, stages)
        self.consents = Consents(config, stages)
        self.inspecting = Inspecting(stages)
        self.judge = Judge(stages, self._isolation)
        self.flight = Flight()
        self._ending: set[asyncio.Task[None]] = set()
        self._verbose = config.log.level == "debug"

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
                    step = msgspec.structs.replace(step, consented=question.consented)
                except Refused as refused:
                    if step.parked and refused.reason.code != UPSTREAM:  # its server still waits
                        self._let_go(step, _asked_in(step))
                    raise
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
        permits = self.permits
        decision = permits.permit(call, item)
        if permits.in_doubt(item):  # only who may use it waits
            decision = await self._settled(call, item)
        try:
            found = await self._agreed(step, decision, emit, last=last)
            if isinstance(found, Reply):
                return found
            step, decision, entered = found
        except Refused as refused:
            audit.refusal(call, refused.reason.id, refused.detail or refused.public)
            raise
        started = perf_counter()
        status, size, intent = "cancelled", 0, -1
        try:
            intent = audit.intent(call, item, decision)
            durable = audit.durable(intent)
            if durable is not None:
                await durable
                permits.still(call, item)
            leaving = self._leaving(step, caller)
            heard = self.inspecting.heard(step, emit)
            answer = answers.judged(await stages.upstreams[server].call(leaving, heard))
            judging = stages.judges.ask("outputs", call, item, answer.result or answer.error or {})
            more = () if judging is None else await self._said(step, answer, judging, last=last)
            reply = self._judged(step, answer, more, last=last)
            status, size = _status(answer), len(reply.body)
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
            stages.quotas.leave(entered, size)
            seconds = perf_counter() - started
            if intent >= 0:
                audit.outcome(intent, call.trace, status, seconds, size)
            stages.meter.call(server, call.method, status, seconds)
            if self._verbose:
                _tell(call, server, status, seconds)

    async def _agreed(
        self, step: Step, decision: Decision, emit: Emit, *, last: bool
    ) -> Reply | tuple[Step, Decision, object]:
        """A call as it may leave, by which decision, and what was counted for it; or what its caller is asked."""
        permits, approval = self.permits, None
        judging = self._stages.judges.ask("arguments", step.call, step.item, step.params)
        step, asks = self.inspecting.leaving(step, () if judging is None else await judging)
        asked = _also(decision, asks)
        if asked.asks and not last and not keys(asked.asks) <= step.consented:
            found = await self.consents.seek(step, asked, emit)
            if isinstance(found, Reply):
                return found
            approval, step = found, without(step, asked)
            decision = permits.agreed(step.call, step.item, decision, approval)
        entered = permits.enter(step, approval)
        # it may have been asked about before, and no more
        return step if step.state is None else without(step, asked), decision, entered

    async def _settled(self, call: Call, item: Item) -> Decision:
        """Wait until a server that says that it has changed was looked at; what is decided then."""
        try:
            await self.permits.settled(call, item)
        except Refused as refused:
            self._stages.audit.refusal(call, refused.reason.id, refused.public)
            raise
        return self.permits.permit(call, item)

    async def _said(
        self, step: Step, answer: Answer, judging: Awaitable[Sequence[Placed]], *, last: bool
    ) -> Sequence[Placed]:
        """What judges say of an answer; without them its call, if it is parked, waits for nobody."""
        try:
            return await judging
        except BaseException:
            if answer.parked and not last:
                self._let_go(step, answer.result or {})
            raise

    def _judged(self, step: Step, answer: Answer, more: Sequence[Placed], *, last: bool) -> Reply:
        """What an answer means; a call whose question cannot be put to its caller waits for nobody."""
        try:
            return self.judge.judged(step, self.inspecting.returning(step, answer, more))
        except Refused:
            if answer.parked and not last:
                self._let_go(step, answer.result or {})
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
                self.permits.still(call, item)
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


def _asked_in(step: Step) -> Json:
    """What a server had asked, as far as a step that brings its answers tells."""
    answered = (*step.params.get(rounds.RESPONSES, ()), *step.declined)
    return {rounds.STATE: step.params.get(rounds.STATE), "inputRequests": dict.fromkeys(answered)}


def _also(decision: Decision, asks: tuple[Ask, ...]) -> Decision:
    """The decision with what inspection wants consent for."""
    return msgspec.structs.replace(decision, asks=decision.asks + asks) if asks else decision


def _status(answer: Answer) -> str:
    if answer.result is None:
        return "error"
    return INPUT if answer.result["resultType"] == INPUT else "ok"


def _tell(call: Call, server: str, status: str, seconds: float) -> None:
    # no name: that of a resource may be personal, and the audit has it
    told = {"server": server, "method": call.method, "trace": call.trace}
    log.debug("call", extra={**told, "status": status, "seconds": seconds})
