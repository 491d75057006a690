"""What has to happen, told from the oracle, the configuration and what happened before: no gateway here."""

from __future__ import annotations

import fnmatch
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import msgspec

from bawn.barrier.edition import Cut, Cuts
from bawn.errors import Refused
from bawn.model import Ask, Call, Client, Decision, Item, Kind, Label, Principal
from bawn.policy.cedar.evaluate import Oracle, Verdict
from bawn.policy.labelling.labels import Labelled
from tests.attacks.choke import rules, world
from tests.attacks.choke.bench import Setting, conversation

Told: TypeAlias = tuple[str, Any]
"""A line of the journal: refusal and its reason, event and what, intent and its rule, send, outcome."""

RETRIED = frozenset({"tools/call", "prompts/get", "resources/read"})
"""The methods to which a caller can come back with a state (basic/patterns/mrtr, 2026-07-28)."""
_STANDING = ("pending", "granted", "denied")
_OWN = frozenset({"_meta", "requestState", "inputResponses"})
_encode = msgspec.json.Encoder(order="deterministic").encode


@dataclass
class Consent:
    """One request for consent, what was said to it, and exactly what it is for."""

    id: str
    subject: tuple[Any, ...]
    who: Principal
    asks: tuple[Ask, ...]
    policy: str
    until: float
    state: str = "pending"
    votes: dict[str, tuple[str, tuple[int, ...]]] = field(default_factory=dict)

    def places(self, decider: Principal) -> tuple[int, ...]:
        """The asks that this person's consent counts for."""
        if decider.key == self.who.key:
            return tuple(n for n, ask in enumerate(self.asks) if ask.confirm)
        if decider.subject == self.who.subject:
            return ()
        return tuple(n for n, ask in enumerate(self.asks) if ask.roles & decider.roles)

    def missing(self) -> list[int]:
        """How many people each ask still needs."""
        given = Counter(
            n for verdict, places in self.votes.values() if verdict == "grant" for n in places
        )
        return [max(ask.count - given[n], 0) for n, ask in enumerate(self.asks)]

    @property
    def confirm(self) -> bool:
        """Whether the caller's own word is wanted."""
        left = self.missing()
        mine = any(left[n] for n in self.places(self.who))
        return self.state == "pending" and mine and self.who.subject not in self.votes

    def vote(self, decider: Principal, verdict: str, now: float) -> None:
        """Count what somebody says who may."""
        self.votes[decider.subject] = (verdict, self.places(decider))
        if verdict == "deny" or not any(self.missing()):
            self.state = "denied" if verdict == "deny" else "granted"
            self.until = now + min(ask.within for ask in self.asks)


@dataclass
class Held:
    """A state that a caller was given, and what it is for."""

    token: str
    call: Call
    item: Item
    expires: float
    approval: str = ""
    consented: frozenset[Ask] = frozenset()  # what it left with
    used: bool = False


@dataclass
class Asked:
    """A request for an item, as the test knows it. `answer` is what its caller says to the gate's question."""

    call: Call
    item: Item | list[Item] | None
    modern: bool
    able: bool
    answer: str = "accept"
    state: Held | None = None
    consented: frozenset[Ask] = frozenset()  # what it left with before


@dataclass
class Expected:
    """What has to happen; `reply` is a reason, `result` or `question`."""

    told: list[Told] = field(default_factory=list)
    reply: str = "result"
    sent: Asked | None = None
    used: Consent | None = None  # what it leaves with
    begun: Consent | None = None  # what it has made wait, still without an id
    question: Consent | None = None  # what its caller is asked about
    consented: frozenset[Ask] = frozenset()  # all that it leaves with
    status: str = "ok"
    replied: bool = False  # it goes on with what its server asked a legacy caller

    def refused(self, reason: str, reply: str | None = None) -> Expected:
        """The end of it."""
        self.told.append(("refusal", reason))
        self.reply = reply or reason
        return self


class Model:
    """What has happened, and what has to happen next."""

    def __init__(self, setting: Setting, clock: Any) -> None:
        self.clock = clock
        self.touched: dict[str, frozenset[Label]] = {}
        self.consents: list[Consent] = []
        self.counted: Counter[tuple[Any, ...]] = Counter()
        self.cuts = Cuts()
        self.enforce(setting)

    def enforce(self, setting: Setting) -> None:
        """Another configuration."""
        self.setting = setting
        ruleset = rules.ruleset(setting.policy)
        self.policy = ruleset.version
        self.uses_flow = any("context.flow" in rule.text for rule in ruleset.rules)
        self.oracle, self.best = (
            Oracle(
                each, setting.roles, clock=self.clock, tenant_of=world.TENANT_OF,
                touched=lambda call: self.touched.get(conversation(call), frozenset()),
            )
            for each in (ruleset, rules.at_best(setting.policy))
        )  # fmt: skip

    def cut(self, *cuts: Cut) -> None:
        """What the operator has switched off."""
        self.cuts = Cuts(cuts)

    # ── who may come in, and see ──

    def admitted(self, who: Principal, at: str | None) -> str | None:
        """Why this caller may not come in here at all."""
        if at is not None and world.TENANT_OF[at] != who.tenant:
            return "http.not_found"
        if who.endpoint is not None and who.endpoint != at:
            return "auth.audience"
        try:
            self.cuts.check_caller(who, at)
        except Refused as refused:
            return refused.reason.id
        return None

    def shown(self, who: Principal, item: Item) -> bool:
        """Whether some call could be allowed."""
        call = Call(1, "use", {}, who, None, Client("2026-07-28"), "")
        return self.setting.observing or self.best.verdict(call, item).allowed

    # ── what policy says ──

    def decision(self, call: Call, item: Item) -> Decision:
        """What the gate has to act on."""
        found = self._verdict(call, item).decision
        if not self.setting.observing or (found.allowed and not found.asks):
            return found
        if found.allowed:
            names = ", ".join(ask.rule for ask in found.asks)
            return Decision(True, f"observed: would ask ({names}; {found.rule})")
        rule = found.rule.partition("; shadow: ")[0]  # not told of where the rest denies for sure
        return Decision(True, f"observed: would deny ({rule})")

    def _verdict(self, call: Call, item: Item) -> Verdict:
        """What the oracle says; of what is denied whatever the call, the engine says no more than that."""
        found = self.oracle.verdict(call, item)
        return found if found.allowed else self._for_sure(call, item) or found

    def _for_sure(self, call: Call, item: Item) -> Verdict | None:
        best = self.best.verdict(call, item)
        return None if best.allowed else best

    def permitted(self, call: Call, item: Item) -> Decision | str:
        """The decision, or the reason why not."""
        decision = self.decision(call, item)
        if not decision.allowed:
            return decision.reason
        who, configured = call.principal, self.setting.scopes
        if configured and who.token:
            held = [rule for scope, rule in configured.items() if scope in who.scopes]
            if not any(world.covers(rule, item) for rule in held):
                return "auth.scope"
        try:
            self.cuts.check_item(item)
        except Refused as refused:
            return refused.reason.id
        return decision

    # ── one request ──

    def expect(self, asked: Asked) -> Expected:
        """What has to happen when this request comes to the path."""
        expected = Expected()
        item = asked.item
        if not isinstance(item, Item):
            return self._not_there(asked, item or [])
        decision = self.permitted(asked.call, item)
        if isinstance(decision, str):
            hidden = decision in ("policy.denied", "policy.error")
            return expected.refused(decision, "target.unknown" if hidden else None)
        consent: Consent | None = None
        if not asked.consented.issuperset(decision.asks):
            consent = self._consent(asked, item, decision, expected)
            if consent is None:
                return expected
        return self._leaves(asked, item, decision, consent, expected)

    def _not_there(self, asked: Asked, claimants: Sequence[Item]) -> Expected:
        if not claimants:
            return Expected().refused("target.unknown")
        visible = any(self.shown(asked.call.principal, item) for item in claimants)
        return Expected().refused("resource.claimed", None if visible else "target.unknown")

    def _leaves(
        self,
        asked: Asked,
        item: Item,
        decision: Decision,
        consent: Consent | None,
        expected: Expected,
    ) -> Expected:
        call, state = asked.call, asked.state
        if not self._counted_in(call, item):
            return expected.refused("limit.rate")
        if state is not None and (consent is None or not state.approval):
            refusal = self._use(state, item)
            if refusal is not None:
                return expected.refused(refusal)
        if consent is not None:
            consent.state, expected.used = "used", consent
            expected.told.append(("event", "approval.used"))
        if self.uses_flow:
            labels = Labelled({}).traits(item).labels
            key = conversation(call)
            self.touched[key] = self.touched.get(key, frozenset()) | labels
        expected.told += [("intent", decision.rule), ("send", item.server)]
        expected.sent = asked
        expected.consented = asked.consented | frozenset(decision.asks)
        return expected

    def _use(self, state: Held, item: Item) -> str | None:
        if (state.item.server, state.item.name) != (item.server, item.name):
            return "state.invalid"
        if state.used:
            return "state.used"
        state.used = True
        return None

    def _counted_in(self, call: Call, item: Item) -> bool:
        for number, quota in enumerate(self.setting.quotas):
            if not any(fnmatch.fnmatchcase(item.server, each) for each in quota.servers):
                continue
            if not any(fnmatch.fnmatchcase(item.name, each) for each in quota.tools):
                continue
            made_up = item.kind is Kind.RESOURCE and not item.definition
            whose = {
                "principal": (call.principal.key,),
                "server": (item.server,),
                "tool": (item.server, item.kind, "" if made_up else item.name),
                "tenant": (),
            }[quota.per]
            key = (repr(quota), number, call.principal.tenant, whose)
            if self.counted[key] >= int((quota.rate or "0").partition("/")[0]):
                return False
            self.counted[key] += 1
        return True

    # ── consent ──

    def _consent(
        self, asked: Asked, item: Item, decision: Decision, expected: Expected
    ) -> Consent | None:
        """The granted consent to this request; None when that is the end of it."""
        if asked.state is not None and asked.state.approval:
            refusal = self._use(asked.state, item)
            if refusal is not None:
                expected.refused(refusal)
                return None
        consent = self._standing(asked.call, item, decision, expected)
        answering = asked.state is not None and asked.state.approval
        if answering:
            if asked.state is not None and consent.id == asked.state.approval:
                self._answered(consent, asked, expected)
        elif (
            consent.state == "pending" and asked.able and (not asked.modern or asked.state is None)
        ):
            if asked.modern and asked.call.method in RETRIED:
                expected.reply, expected.question = "question", consent
                return None
            if not asked.modern:
                self._answered(consent, asked, expected)
        if consent.state == "granted":
            return consent
        expected.refused(f"approval.{consent.state}")
        return None

    def _standing(self, call: Call, item: Item, decision: Decision, expected: Expected) -> Consent:
        subject = self.subject(call, item, decision)
        for consent in self.consents:
            standing = consent.state in _STANDING and consent.until > self.clock()
            if consent.subject == subject and standing:
                return consent
        within = min(ask.within for ask in decision.asks)
        expected.told.append(("event", "approval.asked"))
        made = Consent(
            "", subject, call.principal, decision.asks, self.policy, self.clock() + within
        )
        self.consents.append(made)
        expected.begun = made
        return made

    def subject(self, call: Call, item: Item, decision: Decision) -> tuple[Any, ...]:
        """Exactly what consent is to."""
        by_name = item.kind in (Kind.TOOL, Kind.PROMPT)
        own = _OWN | {"name"} if by_name else _OWN
        asked = {key: value for key, value in call.params.items() if key not in own}
        return (
            call.principal.key, call.principal.agent, item.key, _encode(item.definition),
            call.method, _encode(asked), self.policy, decision.asks,
        )  # fmt: skip

    def _answered(self, consent: Consent, asked: Asked, expected: Expected) -> None:
        """What the caller says to the gate's question."""
        if consent.state != "pending" or not consent.confirm:
            return
        if asked.answer in ("no", "decline"):
            expected.told.append(("event", "approval.denied"))
            consent.vote(consent.who, "deny", self.clock())
        elif asked.answer == "accept":
            expected.told.append(("event", "approval.confirmed"))
            consent.vote(consent.who, "grant", self.clock())

    def decides(self, consent: Consent, decider: Principal, verdict: str) -> bool:
        """Count what somebody decides, if it is theirs to decide."""
        places = consent.places(decider)
        own = decider.key == consent.who.key
        if decider.tenant != consent.who.tenant or not (places or own):
            return False
        said = consent.votes.get(decider.subject)
        if said is not None and said[0] == verdict:
            return True
        live = consent.until > self.clock() and consent.policy == self.policy
        open_ = consent.state == "pending" or (consent.state == "granted" and verdict == "deny")
        if not places or not live or not open_ or (said is not None and verdict == "grant"):
            return False
        consent.vote(decider, verdict, self.clock())
        return True
