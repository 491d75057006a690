"""Policies at random, made of what rules can look at; and what they could allow whatever the call is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from hypothesis import strategies as st

from bawn.config import RoleRule
from bawn.config.policy import Quota
from bawn.model import Json
from bawn.policy.files.statements import Piece, rule
from bawn.policy.rules import Rule, RuleSet

WITHIN: Final = 900.0
ENTITIES: Final[tuple[Json, ...]] = (
    {"uid": {"type": "User", "id": "ada"}, "attrs": {}, "parents": [{"type": "Group", "id": "g"}]},
    {"uid": {"type": "Role", "id": "dev"}, "attrs": {}, "parents": [{"type": "Group", "id": "h"}]},
)

_PRINCIPALS: Final = (
    'principal in Role::"dev"', 'principal == User::"ada"', 'principal in Group::"g"',
    'principal in Group::"h"', "principal is Agent", 'principal in Tenant::"acme"',
)  # fmt: skip
_ACTIONS: Final = (
    'action in Action::"tools/call"', 'action == Action::"call files/write"',
    'action == Action::"resources/subscribe"', 'action == Action::"tasks/get"',
    'action in [Action::"tools/call", Action::"prompts/get", Action::"resources/read"]',
    'action in [Action::"completion/complete", Action::"tasks/update"]',
    'action == Action::"extension"', 'action in Action::"use"',
)  # fmt: skip
_RESOURCES: Final = (
    'resource in Server::"files"', 'resource in Tenant::"acme"', "resource is Tool",
    'resource == Tool::"files/read"', 'resource == Tool::"mail/send_message"',
    'resource == Resource::"files/file:///a"', "resource is Resource in Server::\"mail\"",
)  # fmt: skip
_SETTLED: Final = (
    'principal.roles.contains("dev")', 'principal.roles.containsAny(["ops", "viewer"])',
    "principal.roles.containsAny(resource.allows)", 'principal.scopes.contains("read")',
    'principal.subject == "eve"', 'principal.agent == "bot"', 'principal.issuer like "*other*"',
    'principal.tenant == "acme"', 'resource.server == "files"', 'resource.name like "*r*"',
    'resource.labels.contains("private")', 'resource.labels.contains("changes")',
    "resource has readOnly && resource.readOnly", "resource has annotated && !resource.annotated",
    "resource is Prompt", "resource.destructive",  # of tools alone: an error of others
)  # fmt: skip
_OPEN: Final = (
    "context.hour < 13", 'context.method == "tools/call"', "context.arguments has n",
    "context.arguments has n && context.arguments.n == 1", "context.arguments.n == 1",
    "context.flow.private", "context.flow.untrusted && context.flow.changes",
    'context.client.name == "good"', 'context.endpoint == "files"', 'context.endpoint == ""',
    'context.agent == "bot"',
)  # fmt: skip
_CONSENTS: Final = (
    '@ask("self")', '@ask("ops") @within("5m")', '@ask("ops") @approvals("2")',
    '@ask("ops, self") @within("60s")', '@ask("viewer")',
)  # fmt: skip


@dataclass(frozen=True)
class Drawn:
    """A rule in its parts: what its callers and items settle, and what only a call can tell."""

    effect: str
    scope: str
    settled: tuple[str, ...]
    open: tuple[str, ...]
    annotation: str = ""
    tenant: str = ""

    def written(self, number: int) -> Rule:
        """The rule as it would be read from a file."""
        conditions = " ".join(f"{each}" for each in (*self.settled, *self.open))
        text = f'@id("r{number}") {self.annotation} {self.effect}({self.scope}) {conditions};'
        return rule(Piece(text, number + 1), "a.cedar", self.tenant, WITHIN)

    def at_best(self) -> Drawn:
        """The rule as the best of calls meets it: a forbid that need not hold can only fail."""
        may_not_hold = self.open and self.effect == "forbid"
        return replace(self, open=("when { false }",) if may_not_hold else ())


def _scope(one: str, at: int) -> str:
    parts = ["principal", "action", "resource"]
    parts[at] = one
    return ", ".join(parts)


_scopes = st.one_of(
    st.just("principal, action, resource"),
    st.sampled_from(_PRINCIPALS).map(lambda one: _scope(one, 0)),
    st.sampled_from(_ACTIONS).map(lambda one: _scope(one, 1)),
    st.sampled_from(_RESOURCES).map(lambda one: _scope(one, 2)),
)


def _conditions(atoms: tuple[str, ...]) -> st.SearchStrategy[tuple[str, ...]]:
    atom = st.sampled_from(atoms)
    one = st.tuples(st.sampled_from(["when", "when", "unless"]), atom)
    several = st.lists(one.map(lambda pair: f"{pair[0]} {{ {pair[1]} }}"), max_size=2)
    return st.one_of(st.just(()), several.map(tuple))


_tenants = st.sampled_from(["", "", "", "acme"])
_permits = st.builds(
    Drawn, st.just("permit"), _scopes, _conditions(_SETTLED), _conditions(_OPEN),
    st.sampled_from(["", "", "", "@shadow"]), _tenants,
)  # fmt: skip
_forbids = st.builds(
    Drawn, st.just("forbid"), _scopes, _conditions(_SETTLED), _conditions(_OPEN),
    st.sampled_from(["", "@shadow", *_CONSENTS, *_CONSENTS]), _tenants,
)  # fmt: skip
ALL: Final = Drawn("permit", "principal, action, resource", (), ())
_asking = st.builds(
    Drawn, st.just("forbid"), st.sampled_from(["principal, action, resource", _scope(_ACTIONS[0], 1)]),
    st.just(()), st.one_of(st.just(()), _conditions(_OPEN)), st.sampled_from(_CONSENTS),
)  # fmt: skip
policies = st.tuples(
    st.sampled_from([(ALL,), (ALL,), (ALL,), ()]),
    st.lists(_permits, max_size=2).map(tuple),
    st.one_of(st.lists(_forbids, max_size=3), st.lists(_asking, min_size=1, max_size=2)).map(tuple),
).map(lambda parts: (*parts[0], *parts[1], *parts[2]))
"""Several rules, of which one often permits everything, so that the others decide."""


def ruleset(drawn: tuple[Drawn, ...]) -> RuleSet:
    """The set of these rules; its version is what it says."""
    rules = tuple(each.written(number) for number, each in enumerate(drawn))
    return RuleSet(repr([each.text for each in rules]), rules, ENTITIES)


def at_best(drawn: tuple[Drawn, ...]) -> RuleSet:
    """What the best of calls meets: allowed by this is what a caller may be shown."""
    return ruleset(tuple(each.at_best() for each in drawn))


# ── besides policy ────────────────────────────────────────────────────────────────────────────────

role_rules = st.builds(
    RoleRule,
    servers=st.sampled_from([("*",), ("files",), ("issues", "bare", "mail"), ()]),
    tools=st.sampled_from([("*",), ("read",), ("w*", "echo"), ()]),
    prompts=st.sampled_from([("*",), ("s*",), ()]),
    resources=st.sampled_from([("*",), ("file:///*",), ("common://doc",), ()]),
    methods=st.sampled_from([("*",), ()]),
)
_EVERYTHING: Final = RoleRule(
    servers=("*",), tools=("*",), prompts=("*",), resources=("*",), methods=("*",)
)
roles: st.SearchStrategy[dict[str, RoleRule]] = st.one_of(
    st.just({}), st.fixed_dictionaries({"dev": role_rules, "viewer": role_rules})
)
scopes: st.SearchStrategy[dict[str, RoleRule]] = st.one_of(
    st.just({}),
    st.just({}),
    st.fixed_dictionaries({"read": role_rules, "all": st.just(_EVERYTHING)}),
)
quotas: st.SearchStrategy[tuple[Quota, ...]] = st.one_of(
    st.just(()),
    st.just(()),
    st.builds(
        Quota,
        per=st.sampled_from(["principal", "server", "tool", "tenant"]),
        servers=st.sampled_from([("*",), ("files",)]),
        tools=st.sampled_from([("*",), ("read",)]),
        rate=st.sampled_from(["1/day", "2/day"]),
    ).map(lambda quota: (quota,)),
)
