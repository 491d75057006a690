"""Watching before enforcing: what policy would refuse or ask for is told of, and passes.

Only the verdict of policy is lifted. Tenants, scopes, quotas and bounds are no part of it, and a gate
that cannot look up what it has to know refuses as ever.
"""

from __future__ import annotations

from typing import Final

from bawn.errors import MESSAGE_LIMITS, POLICY_DENIED, POLICY_ERROR
from bawn.model import Call, Decision, Item, Label, Principal, View
from bawn.ports import PolicyEngine

_LIFTED: Final = frozenset({POLICY_DENIED.id, POLICY_ERROR.id, MESSAGE_LIMITS.id})


class Observing:
    """An engine whose decisions are told of and not enforced."""

    def __init__(self, engine: PolicyEngine) -> None:
        self._engine = engine

    def decide(self, call: Call, item: Item) -> Decision:
        """Allowed, without asks; the rule says what the engine would have done. Never raises."""
        decision = self._engine.decide(call, item)
        if decision.allowed and not decision.asks:
            return decision
        if decision.allowed:
            asked = ", ".join(ask.rule for ask in decision.asks)
            return Decision(True, f"observed: would ask ({asked}; {decision.rule})")
        if decision.reason not in _LIFTED:
            return decision
        return Decision(True, f"observed: would deny ({decision.rule})")

    def may(self, principal: Principal, item: Item) -> bool:
        """Everything is shown."""
        return True

    def permission_set(self, principal: Principal) -> str:
        """One for all callers of a tenant."""
        return f"observed {principal.tenant}"

    def touches(self, item: Item) -> frozenset[Label]:
        """What a call of this item does to its conversation."""
        return self._engine.touches(item)

    def swap(self, view: View) -> None:
        """Decide by this View's items from now on."""
        self._engine.swap(view)
