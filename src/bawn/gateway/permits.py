"""Whether a call may leave: tenant, policy, scopes, cuts; and a place for it, when it does.

What says no is recorded here or, from `enter` on, by whoever asked.
"""

from __future__ import annotations

from typing import Final

import msgspec

from bawn.barrier.edition import Cuts
from bawn.config import Config
from bawn.errors import (
    APPROVAL_PENDING,
    GATE_NOT_READY,
    INTEGRITY_CHECKING,
    POLICY_DENIED,
    POLICY_ERROR,
    REASONS,
    Refused,
)
from bawn.gateway.doubts import Doubts
from bawn.gateway.stages import Stages
from bawn.gateway.step import Step
from bawn.model import Approval, Call, Decision, Item, View
from bawn.protocol import outbound

_HIDDEN: Final = frozenset({POLICY_DENIED.id, POLICY_ERROR.id})
"""Reasons for which an item is as if it were not there."""


class Permits:
    """Asks everything that may say no; `cuts` is None while nothing is switched off or in doubt: the
    usual case costs one comparison."""

    def __init__(self, config: Config, stages: Stages) -> None:
        self._stages = stages
        self._scopes = stages.scopes if config.scopes else None  # the usual case costs no call
        self._tenant_of = config.tenants
        self.cuts: Cuts | None = None
        self._doubts = Doubts(stages.barrier)
        self.view: View | None = None

    def obey(self, cuts: Cuts) -> None:
        """Refuse what is switched off, and hold back what is in doubt, from the next call on."""
        self.cuts = cuts if cuts.any else None
        self._doubts.servers = cuts.doubted

    def permit(self, call: Call, item: Item) -> Decision:
        """The decision that lets a caller use an item, once it has the consent that this asks for.

        Raises:
            Refused: policy.denied or policy.error as what is not there, auth.scope,
                store.unavailable, gate.cut, integrity.*; recorded.
        """
        stages = self._stages
        decision = self._decide(call, item)
        if not decision.allowed:
            stages.audit.refusal(call, decision.reason, decision.rule)
            stages.meter.refusal(decision.reason)
            if decision.reason in _HIDDEN:
                raise outbound.unknown(item.kind)
            raise Refused(REASONS[decision.reason])
        try:
            if self._scopes is not None:
                self._scopes.check(call.principal, item, call.endpoint)
            if item.withheld:
                raise Refused(REASONS[item.withheld])
            self._check_served(
                item
            )  # it may be of a View from before its caller was asked something
            if self.cuts is not None:
                self.cuts.check_item(item)
        except Refused as refused:
            stages.audit.refusal(call, refused.reason.id, refused.detail or refused.public)
            raise
        return decision

    def permit_now(self, call: Call, item: Item) -> Decision:
        """The decision that lets a caller use an item, where nobody can be asked first.

        Raises:
            Refused: as `permit`; approval.pending, recorded.
        """
        decision = self.permit(call, item)
        if decision.asks:
            self._stages.audit.refusal(call, APPROVAL_PENDING.id, decision.rule)
            raise Refused(APPROVAL_PENDING, "and nobody can be asked here")
        return decision

    def allows(self, call: Call, item: Item) -> bool:
        """Whether a caller may use an item now; nothing is recorded of it."""
        if item.withheld:
            return False
        try:
            if self.cuts is not None:
                self.cuts.check_item(item)
            if self._scopes is not None:
                self._scopes.check(call.principal, item)
        except Refused:
            return False
        decision = self._decide(call, item)
        return decision.allowed and not decision.asks

    def _decide(self, call: Call, item: Item) -> Decision:
        if self._tenant_of.get(item.server) != call.principal.tenant:  # whatever policy says
            return Decision(False, "it belongs to another tenant")
        return self._stages.policy.decide(call, item)

    def still(self, call: Call, item: Item) -> None:
        """Judge a call again by what came into force while it waited for the disk."""
        barrier = self._stages.barrier
        if barrier.behind() and not barrier.catch_up():
            raise Refused(GATE_NOT_READY)
        if self.cuts is not None:
            self.cuts.check_caller(call.principal, call.endpoint)
            self.cuts.check_item(item)
        if self.in_doubt(item):
            raise Refused(INTEGRITY_CHECKING)
        self._check_served(item)

    def in_doubt(self, item: Item) -> bool:
        """Whether an item's server says that it has changed, and nobody has looked yet."""
        return self.cuts is not None and item.server in self.cuts.doubted

    async def settled(self, call: Call, item: Item) -> None:
        """Wait until somebody has looked at the server of an item, and judge the call by what is so then.

        Raises:
            Refused: integrity.checking when that takes too long; integrity.* by what was found; gate.*.
        """
        await self._doubts.over(item.server)
        self.still(call, item)

    def _check_served(self, item: Item) -> None:
        """Refuse what was withheld since its call began."""
        single = self.view.endpoints.get(item.server) if self.view is not None else None
        if single is None or not single.withheld:
            return
        found = single.withheld.get(item.kind, {}).get(item.name)
        if found is not None:
            raise Refused(REASONS[found.withheld])

    def enter(self, step: Step, approval: Approval | None) -> object:
        """Find a place for a call; then use up what its caller came back with, and what consent it has.

        From here on its conversation has touched what the call touches.

        Raises:
            Refused: limit.*, state.*, approval.pending, store.unavailable; nothing is in flight then.
        """
        stages, call, item = self._stages, step.call, step.item
        labels = stages.policy.touches(item)
        conversation = stages.conversation(call) if labels or stages.quotas.by_conversation else ""
        entered = stages.quotas.enter(call, item, conversation)
        try:
            if step.state is not None:
                stages.rounds.use(step.state, item)
            if approval is not None and not stages.approvals.use(approval):
                raise Refused(APPROVAL_PENDING, "the approval was used by another call")
            if labels:
                stages.flows.touch(conversation, labels)
        except BaseException:
            stages.quotas.leave(entered, 0)
            raise
        return entered

    def touch(self, call: Call, item: Item) -> None:
        """Remember that a conversation reads of an item what no call of it brings.

        Raises:
            Refused: store.unavailable.
        """
        labels = self._stages.policy.touches(item)
        if labels:
            self._stages.flows.touch(self._stages.conversation(call), labels)

    def agreed(self, call: Call, item: Item, before: Decision, approval: Approval) -> Decision:
        """The decision by which an approved call leaves: what was asked for must not have grown."""
        self.still(call, item)
        decision = self._decide(call, item)
        if decision != before:
            raise Refused(APPROVAL_PENDING, "what policy says of this call has changed meanwhile")
        rule = f"{decision.rule}; approval {approval.id}"
        return msgspec.structs.replace(decision, rule=rule)
