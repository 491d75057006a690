"""The engine: rules decided once for whatever they cannot tell apart, then looked up.

Three layers, each bounded: what is settled of each class of callers and items, what that comes to for
each class of callers and item, and the entities of those whose decision depends on the call itself.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import lru_cache
from hashlib import sha256
from types import MappingProxyType
from typing import Final

import cedarpy
import msgspec

from bawn.config import RoleRule
from bawn.errors import POLICY_ERROR, Refused
from bawn.model import Call, Decision, Item, Label, Principal, View
from bawn.policy import actions
from bawn.policy.cedar.classes import Key
from bawn.policy.cedar.conditions import whatever_the_arguments
from bawn.policy.cedar.context import Moment, Shape, context
from bawn.policy.cedar.entities import Attribute, Facts, World, action_facts
from bawn.policy.cedar.evaluate import WITHIN, known, of_tenant
from bawn.policy.cedar.settling import Outcome, Settling
from bawn.policy.rules import RuleSet

log = logging.getLogger("bawn.policy")

_CALLERS: Final = 4096
_RULINGS: Final = 65_536
_OUTCOMES: Final = 65_536
_ENTITIES: Final = 1024
_AT_ONCE: Final = 256  # classes of items that a new class of callers is settled for
_LONGEST_KEY: Final = 512
_NONE: Final[frozenset[Label]] = frozenset()


class _Known(msgspec.Struct, frozen=True, eq=False):
    """An item with what is made of it once."""

    item: Item
    facts: Facts
    action: Facts
    shape: Shape


class _Ruling(msgspec.Struct, frozen=True, eq=False):
    """What one class of callers has of an item. `decision` is None where it depends on the call."""

    item: Item
    decision: Decision | None
    known: _Known
    outcome: Outcome


class _Tenancy:
    """The rules of one tenant's callers: for a use, and for a use that only has to be possible."""

    def __init__(
        self, ruleset: RuleSet, tenant: str, grants: frozenset[str], within: float
    ) -> None:
        rules = of_tenant(ruleset.rules, tenant)
        self.tenant = tenant
        self.use = Settling(rules, grants, within)
        self.possible = Settling(whatever_the_arguments(rules), grants, within)
        self.outcomes: dict[tuple[bool, Key], dict[Key, Outcome]] = {}


class _Caller:
    """A principal with what is made of it once."""

    __slots__ = ("classed", "facts", "permissions", "principal", "rulings", "tenancy")

    def __init__(self, principal: Principal, facts: Facts, tenancy: _Tenancy) -> None:
        self.principal = principal
        self.facts = facts
        self.tenancy = tenancy
        self.classed = tenancy.use.classes.principal(facts)
        seen = repr((principal.tenant, self.classed)).encode("utf-8", "backslashreplace")
        self.permissions = sha256(seen).hexdigest()[:32]
        self.rulings: dict[str, _Ruling] = {}  # by item, and shared by all of its class


class CedarEngine:
    """Decides by a set of rules. `within` is in seconds: how long consent may take, by default.

    `touched` says what a call's conversation has touched, and is asked only for rules that look at it.
    `tenant_of` is by server.

    Raises:
        ValueError: a rule is not a static Cedar policy.
    """

    def __init__(
        self,
        ruleset: RuleSet,
        roles: Mapping[str, RoleRule],
        *,
        clock: Callable[[], float],
        touched: Callable[[Call], frozenset[Label]] = lambda call: frozenset(),
        within: float = WITHIN,
        tenant_of: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._world = World(ruleset, roles, tenant_of)
        self._clock = clock
        self._touched = touched
        tenants = {"", *(rule.tenant for rule in ruleset.rules)}
        self._tenancies = {
            tenant: _Tenancy(ruleset, tenant, self._world.grants, within) for tenant in tenants
        }
        self._items: dict[str, _Known] = {}
        self._outcomes = 0
        self._forget()
        self.uses_flow = any(each.use.uses_flow for each in self._tenancies.values())
        """Whether any rule looks at what conversations have touched."""

    def swap(self, view: View) -> None:
        """Decide by this View's items from now on."""
        self._forget()
        self._items = {
            item.key: self._make(item)
            for endpoint in (*view.endpoints.values(), *view.aggregates.values())
            for items in endpoint.items.values()
            for item in items.values()
        }

    def decide(self, call: Call, item: Item) -> Decision:
        """What the rules say of this call of this item. Never raises."""
        try:
            caller = self._callers.get(call.principal) or self._seat(call.principal)
            ruling = caller.rulings.get(item.key)
            if ruling is None or ruling.item is not item:
                ruling = self._rule(caller, item)
            own = actions.accompanying(call.method)
            if own is None:
                return ruling.decision or self._judge(
                    call, caller, ruling.known, caller.tenancy.use, ruling.outcome
                )
            return self._accompany(call, caller, ruling.known, own)
        except Refused as refused:
            return Decision(False, refused.message, reason=refused.reason.id)
        except Exception as error:  # noqa: BLE001  # whatever it is, it denies
            # no more than the type: a message may repeat arguments
            log.error("a decision failed", extra={"detail": type(error).__name__})
            return Decision(
                False, f"the engine failed: {type(error).__name__}", (), POLICY_ERROR.id
            )

    def may(self, principal: Principal, item: Item) -> bool:
        """Whether some call of this item could be allowed, asked for or not."""
        caller = self._callers.get(principal) or self._seat(principal)
        ruling = caller.rulings.get(item.key)
        if ruling is None or ruling.item is not item:
            ruling = self._rule(caller, item)
        return ruling.outcome.possible

    def permission_set(self, principal: Principal) -> str:
        """A digest of the caller's class and tenant: whom policies cannot tell apart may do the same."""
        return (self._callers.get(principal) or self._seat(principal)).permissions

    def touches(self, item: Item) -> frozenset[Label]:
        """The labels of an item; none where no rule looks at what conversations have touched."""
        if not self.uses_flow:
            return _NONE
        made = self._items.get(item.key)
        facts = made.facts if made is not None and made.item is item else self._world.item(item)
        return _labels(facts.attributes["labels"])

    def _forget(self) -> None:
        self._callers: dict[Principal, _Caller] = {}
        self._classes: dict[tuple[str, Key], dict[str, _Ruling]] = {}
        self._rulings = 0
        self._entities: dict[tuple[Principal, str, str], tuple[Item, cedarpy.Entities]] = {}

    def _make(self, item: Item) -> _Known:
        action = action_facts(actions.main(item))
        return _Known(item, self._world.item(item), action, Shape.of(item))

    def _seat(self, principal: Principal) -> _Caller:
        """Take up a caller; the first of its class is settled for the whole View.

        So that the first guess at a hidden name takes no longer than any other.
        """
        tenancy = self._tenancies.get(principal.tenant) or self._tenancies[""]
        caller = _Caller(principal, self._world.principal(principal), tenancy)
        if len(self._callers) >= _CALLERS:
            self._callers.clear()
            self._classes.clear()
            self._rulings = 0
        shared = self._classes.get((tenancy.tenant, caller.classed))
        if shared is None:
            self._classes[tenancy.tenant, caller.classed] = caller.rulings
            self._settle(caller)
        else:
            caller.rulings = shared
        self._callers[principal] = caller
        return caller

    def _settle(self, caller: _Caller) -> None:
        """Decide for this caller's class what the View's items come to, as far as is bounded."""
        classes = caller.tenancy.use.classes
        seen: dict[Key, Outcome] = {}
        for each in self._items.values():
            what = classes.item(each.facts, each.action)
            outcome = seen.get(what)
            if outcome is None:
                if len(seen) >= _AT_ONCE:
                    break
                outcome = seen[what] = self._outcome(caller, each, each.action, use=True)
            self._ruled(caller, _Ruling(each.item, outcome.decision, each, outcome))

    def _rule(self, caller: _Caller, item: Item) -> _Ruling:
        found = caller.rulings.get(item.key)
        if found is not None and found.item.definition == item.definition:
            return found  # what no list has is made anew for each call
        mine = self._items.get(item.key)
        if mine is None or (mine.item is not item and mine.item.definition != item.definition):
            mine = self._make(item)
        outcome = self._outcome(caller, mine, mine.action, use=True)
        return self._ruled(caller, _Ruling(item, outcome.decision, mine, outcome))

    def _ruled(self, caller: _Caller, ruling: _Ruling) -> _Ruling:
        key = ruling.item.key
        if len(key) <= _LONGEST_KEY:  # a caller may ask for any URI: what stays must be small
            if self._rulings >= _RULINGS:
                for each in self._classes.values():
                    each.clear()
                self._rulings = 0
            self._rulings += 1
            caller.rulings[key] = ruling
        return ruling

    def _outcome(self, caller: _Caller, item: _Known, action: Facts, *, use: bool) -> Outcome:
        tenancy = caller.tenancy
        settling = tenancy.use if use else tenancy.possible
        whose = caller.classed if use else settling.classes.principal(caller.facts)
        what = settling.classes.item(item.facts, action)
        settled = tenancy.outcomes.get((use, whose))
        found = settled.get(what) if settled is not None else None
        if found is None:
            found = settling.outcome(caller.facts, action, item.facts)
            if len(item.item.key) <= _LONGEST_KEY:
                self._keep(tenancy, (use, whose), what, found)
        return found

    def _keep(self, tenancy: _Tenancy, whose: tuple[bool, Key], what: Key, found: Outcome) -> None:
        if self._outcomes >= _OUTCOMES:
            for each in self._tenancies.values():
                each.outcomes.clear()
            self._outcomes = 0
        self._outcomes += 1
        tenancy.outcomes.setdefault(whose, {})[what] = found

    def _accompany(self, call: Call, caller: _Caller, item: _Known, own: str) -> Decision:
        """A method that only accompanies a use: that must be possible, and the method allowed."""
        tenancy = caller.tenancy
        outcome = self._outcome(caller, item, item.action, use=False)
        use = outcome.decision or self._judge(call, caller, item, tenancy.possible, outcome)
        if not use.allowed:
            return use
        action = action_facts(own)
        outcome = self._outcome(caller, item, action, use=True)
        return outcome.decision or self._judge(call, caller, item, tenancy.use, outcome, action)

    def _judge(
        self,
        call: Call,
        caller: _Caller,
        item: _Known,
        settling: Settling,
        outcome: Outcome,
        action: Facts | None = None,
    ) -> Decision:
        """Evaluate what is left open, with all that this call brings."""
        action = action or item.action
        left = settling.left(outcome)
        touched = self._touched(call) if "flow" in left.parts else frozenset()
        moment = Moment(call, self._clock(), touched, item.shape, left.looked)
        facts = context(moment, left.parts)
        entities = self._known(caller, action, item)
        return settling.decide(outcome, caller.facts, action, item.facts, facts, entities)

    def _known(self, caller: _Caller, action: Facts, item: _Known) -> cedarpy.Entities:
        key = (caller.principal, action.uid.id, item.item.key)
        found = self._entities.get(key)
        if found is not None and found[0] is item.item:
            return found[1]
        made = known(caller.facts, action, item.facts)
        if len(item.item.key) <= _LONGEST_KEY:
            if len(self._entities) >= _ENTITIES:
                self._entities.clear()
            self._entities[key] = (item.item, made)
        return made


@lru_cache(64)
def _labels(names: Attribute) -> frozenset[Label]:
    return frozenset(map(Label, names)) if isinstance(names, frozenset) else _NONE
