"""Running the test cases of a policy directory against its rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import inf

from bawn.config import RoleRule
from bawn.model import Call, Client, Label, Principal
from bawn.policy.cedar.evaluate import WITHIN, Oracle, Verdict
from bawn.policy.rules import Rule, RuleSet
from bawn.review.trials.case_file import CaseEntry, Outcome
from bawn.review.trials.cases import Case, Cases


@dataclass(frozen=True, slots=True)
class Result:
    """How a case went; it passed when `failures` is empty. `tenants` are those of the file's servers."""

    case: Case
    verdict: Verdict
    failures: tuple[str, ...]
    tenants: Mapping[str, str] | None


@dataclass(frozen=True, slots=True)
class Report:
    """How all cases went, and which rules none of them made speak."""

    results: tuple[Result, ...]
    unused: tuple[Rule, ...]

    @property
    def failed(self) -> tuple[Result, ...]:
        """The cases that did not go as expected."""
        return tuple(result for result in self.results if result.failures)


def run(
    ruleset: RuleSet,
    roles: Mapping[str, RoleRule],
    files: Iterable[Cases],
    *,
    within: float = WITHIN,
) -> Report:
    """Decide every case; `roles` are the configured ones, `within` is `approvals.within`."""
    results: list[Result] = []
    for file in files:
        bench = _Bench(ruleset, roles, within, file.tenants)
        results += (bench.result(case) for case in file.cases)
    spoke = {id_ for result in results for id_ in _spoke(result.verdict)}
    return Report(tuple(results), tuple(rule for rule in ruleset.rules if rule.id not in spoke))


def outcome(verdict: Verdict) -> Outcome:
    """A verdict in one word."""
    if not verdict.allowed:
        return "deny"
    return "ask" if verdict.asks else "allow"


def call_of(entry: CaseEntry) -> Call:
    """The call that a case tells of."""
    who, call, given = entry.caller, entry.call, entry.given
    principal = Principal(
        who.subject, who.issuer, frozenset(who.roles), inf,
        scopes=frozenset(who.scopes), agent=who.agent, tenant=who.tenant,
    )  # fmt: skip
    params = {"arguments": call.arguments}
    client = Client(given.client.version, given.client.name)
    return Call(0, call.called, params, principal, given.endpoint, client, "")


class _Bench:
    """One oracle for the cases of a file, each with its own time and flow."""

    def __init__(
        self,
        ruleset: RuleSet,
        roles: Mapping[str, RoleRule],
        within: float,
        tenants: Mapping[str, str] | None,
    ) -> None:
        self._now = 0.0
        self._touched: frozenset[Label] = frozenset()
        self._tenants = tenants
        self._shadow = {rule.id for rule in ruleset.rules if rule.shadow}
        self._oracle = Oracle(
            ruleset, roles, clock=lambda: self._now, touched=lambda _: self._touched,
            within=within, tenant_of=tenants or {},
        )  # fmt: skip

    def result(self, case: Case) -> Result:
        given = case.entry.given
        self._now, self._touched = given.instant, frozenset(given.flow)
        call = call_of(case.entry)
        if self._tenants is not None and self._tenants[case.item.server] != call.principal.tenant:
            verdict = Verdict(False, "it belongs to another tenant")  # whatever policy says
        else:
            verdict = self._oracle.verdict(call, case.item)
        return Result(case, verdict, tuple(self._failures(case.entry, verdict)), self._tenants)

    def _failures(self, entry: CaseEntry, verdict: Verdict) -> Iterable[str]:
        came = outcome(verdict)
        if came != entry.expect:
            yield f"expected {entry.expect}, came {came}: {verdict.rule}"
            return
        decided = _decided(verdict) - self._shadow
        if entry.rule is not None and entry.rule not in decided:
            yield f"expected rule {entry.rule}, came {', '.join(sorted(decided)) or 'none'}"
        if entry.asks is not None:
            asked = {role for ask in verdict.asks for role in ask.roles}
            asked |= {"self"} if any(ask.confirm for ask in verdict.asks) else set()
            if asked != set(entry.asks):
                yield f"expected to ask {_listed(entry.asks)}, came {_listed(asked)}"


def _decided(verdict: Verdict) -> set[str]:
    """The rules that made a verdict what it is."""
    if not verdict.allowed:
        return {*verdict.forbids, *verdict.errors}
    return {ask.rule for ask in verdict.asks} if verdict.asks else set(verdict.permits)


def _spoke(verdict: Verdict) -> set[str]:
    return {*verdict.permits, *verdict.forbids, *verdict.errors}


def _listed(roles: Iterable[str]) -> str:
    return ", ".join(sorted(roles)) or "nobody"
