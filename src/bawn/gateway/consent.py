"""Calls that policy asks about: they leave when people have consented, each time anew.

Who may consent to its own call is asked in the client's own way. For somebody else's decision the
caller is shown where it is taken. A client that can be asked neither way is told at once, with the
approval's id, and comes again with the same call.

Sources: basic/patterns/mrtr, client/elicitation (2026-07-28, 2025-11-25, 2025-06-18).
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable
from hashlib import sha256
from typing import Final

import msgspec

from bawn.config import Config
from bawn.errors import (
    APPROVAL_DENIED,
    APPROVAL_PENDING,
    INPUT_FAILED,
    INPUT_UNDECLARED,
    LIMIT_PARKED,
    STATE_INVALID,
    Refused,
)
from bawn.gateway.stages import Stages
from bawn.gateway.step import Step
from bawn.model import Answer, Approval, Ask, Call, Decision, Json
from bawn.policy.isolation import account
from bawn.ports import Emit, Reply
from bawn.protocol import asking, legacy_client, replies, rounds
from bawn.protocol.strict import encode
from bawn.telemetry.text import printable

KEY: Final = f"{asking.RESERVED}approval"
"""The key of the gate's question among `inputRequests`."""

_ANSWER: Final = "approve"
_SHOWN: Final = 1_000  # characters of arguments in a question
_LOOK: Final = 0.5  # seconds between looks at what others decide
_FORM: Final[Json] = {
    "type": "object",
    "properties": {
        _ANSWER: {
            "type": "boolean",
            "title": "Let this call pass, once",
            "description": "Only if you want exactly this to be done.",
        }
    },
    "required": [_ANSWER],
}


class Consents:
    """Sees to it that a call which policy asks about has its consent before it leaves."""

    def __init__(self, config: Config, stages: Stages) -> None:
        self._stages = stages
        self._wait = config.approvals.wait
        self._page = f"{config.base_url}/approvals/"
        self._most = config.limits.parked
        self._waiting: Counter[str] = Counter()  # calls, by whose they are
        self.view = ""

    async def seek(self, step: Step, decision: Decision, emit: Emit) -> Approval | Reply:
        """The approval under which this call may leave, still to be used; or the question for its caller.

        Raises:
            Refused: approval.pending, approval.denied, approval.unknown; limit.approvals,
                limit.parked, state.used, store.unavailable, audit.unavailable.
        """
        call, item, approvals = step.call, step.item, self._stages.approvals
        if step.state is not None and step.state.approval:
            self._stages.rounds.use(step.state, item)
            return await self._answered(step, decision, step.state.approval, _response(step))
        approval = approvals.ask(call, item, decision)
        if approval.state == "pending" and (step.state is None or not step.modern):
            question = self._question(step, approval)
            if question is not None and step.modern and step.method.asks:
                return self._asked(step, approval, question)
            if question is not None and not step.modern:
                answer = await self._ask(call, question, emit)
                if answer is not None:
                    return await self._answered(step, decision, approval.id, answer)
        return _settled(approval)

    async def _answered(
        self, step: Step, decision: Decision, id_: str, response: Json
    ) -> Approval | Reply:
        """What a caller's answer comes to."""
        call, item, approvals = step.call, step.item, self._stages.approvals
        approval = approvals.ask(call, item, decision)
        if approval.id != id_ or approval.state != "pending":
            return _settled(approval)
        if response.get("action") != "accept":
            if approval.confirm and response.get("action") == "decline":
                approvals.refuse(id_, call, item, decision)
                raise Refused(APPROVAL_DENIED, "the caller declined")
            return _settled(approval)
        content = response.get("content")
        if approval.confirm and isinstance(content, dict) and _ANSWER in content:
            if content[_ANSWER] is not True:
                approvals.refuse(id_, call, item, decision)
                raise Refused(APPROVAL_DENIED, "the caller declined")
            approval = approvals.confirm(id_, call, item, decision)
        if approval.state == "pending":
            approval = await self._decided(call, decision, approval)
        return _settled(approval)

    async def _decided(self, call: Call, decision: Decision, approval: Approval) -> Approval:
        """The approval once others have decided it, or as it stands when that takes too long."""
        whose, loop = account(call.principal), asyncio.get_running_loop()
        if self._waiting[whose] >= self._most:
            return approval
        self._waiting[whose] += 1
        try:
            give_up = loop.time() + self._wait
            while approval.state == "pending" and loop.time() < give_up:
                await asyncio.sleep(_LOOK)
                approval = self._stages.approvals.look(approval.id, call, decision)
            return approval
        finally:
            self._waiting -= Counter({whose: 1})  # whoever has none is forgotten

    # ── the question ──

    def _question(self, step: Step, approval: Approval) -> Json | None:
        """How this caller can be asked; None when it cannot be."""
        declared = (
            dict(step.call.client.capabilities)
            if step.modern
            else legacy_client.capabilities(step.call.client)
        )
        for request in self._requests(step, approval):
            if asking.undeclared({KEY: request}, declared) is None:
                return request
        return None

    def _requests(self, step: Step, approval: Approval) -> list[Json]:
        what = _described(step)
        found: list[Json] = []
        if approval.confirm:
            message = f"[bawn] {what} Policy wants your consent to this one call."
            params: Json = {"mode": "form", "message": message, "requestedSchema": _FORM}
            found.append({"method": asking.ELICITATION, "params": params})
        message = f"[bawn] {what} It waits for approval ({approval.needs}), as {approval.id}."
        params = {"mode": "url", "message": message, "url": self._page + approval.id}
        found.append({"method": asking.ELICITATION, "params": params})
        return found

    def _asked(self, step: Step, approval: Approval, question: Json) -> Reply:
        call, item = step.call, step.item
        state = self._stages.rounds.state(call, item, Answer(), self.view, approval=approval.id)
        result: Json = {
            "resultType": "input_required",
            "inputRequests": {KEY: question},
            rounds.STATE: state,
        }
        return replies.answer(call.id, call.method, Answer(result=result), call.client.version)

    async def _ask(self, call: Call, question: Json, emit: Emit) -> Json | None:
        """What a legacy caller answers; None when it does not, or says that it cannot."""
        try:
            found = await self._stages.asks.ask(call, {KEY: question}, emit, self._wait)
        except Refused as refused:
            if refused.reason in (INPUT_FAILED, INPUT_UNDECLARED, LIMIT_PARKED):
                return None
            raise
        response = found.responses.get(KEY)
        return response if isinstance(response, dict) else None


def keys(asks: Iterable[Ask]) -> frozenset[str]:
    """What names these asks: another rule, more people or other roles are others."""
    named = ((ask.rule, sorted(ask.roles), ask.confirm, ask.count) for ask in asks)
    return frozenset(sha256(repr(each).encode()).hexdigest()[:16] for each in named)


def check_reserved(responses: Json) -> None:
    """Refuse answers to questions of the gate's that it did not ask.

    Raises:
        Refused: state.invalid.
    """
    if any(key.startswith(asking.RESERVED) for key in responses):
        raise Refused(STATE_INVALID, detail=f"a response begins with `{asking.RESERVED}`")


def without(step: Step, decision: Decision) -> Step:
    """The step as its server gets it: with what was consented to, without what was said to the gate alone."""
    if decision.asks:
        step = msgspec.structs.replace(step, consented=step.consented | keys(decision.asks))
    if step.state is None or not step.state.approval:
        return step
    params = {k: v for k, v in step.params.items() if k not in (rounds.STATE, rounds.RESPONSES)}
    return msgspec.structs.replace(step, params=params, state=None)


def _response(step: Step) -> Json:
    responses = step.call.params.get(rounds.RESPONSES)
    response = responses.get(KEY) if isinstance(responses, dict) else None
    return response if isinstance(response, dict) else {}


def _settled(approval: Approval) -> Approval:
    """The approval, if it lets its call pass.

    Raises:
        Refused: approval.pending, approval.denied.
    """
    if approval.state == "granted":
        return approval
    told: Json = {"approval": approval.id, "expires": int(approval.expires)}
    if approval.state == "denied":
        raise Refused(APPROVAL_DENIED, data=told)
    told |= {"needs": approval.needs, "retry": "the same call, after it was approved"}
    raise Refused(
        APPROVAL_PENDING,
        f"{approval.needs}; make the same call again once {approval.id} is approved",
        data=told,
    )


def _described(step: Step) -> str:
    """The call in one line for a person; what could mislead the eye is escaped."""
    item, params = step.item, step.call.params
    arguments = params.get("arguments")
    shown = encode(arguments).decode() if arguments else ""
    if len(shown) > _SHOWN:
        shown = f"{shown[:_SHOWN]}… ({len(shown)} characters)"
    name = item.name if len(item.name) <= _SHOWN else f"{item.name[:_SHOWN]}…"
    text = f"{step.call.method} at server {item.server}: {name}"
    return printable(f"{text} with {shown}" if shown else text) + "."
