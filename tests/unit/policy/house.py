"""A small world for the tests of policy: callers, items, rules from text, and random ones of each."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Final

import cedarpy
from hypothesis import strategies as st

from bawn.model import Call, Client, Endpoint, Item, Json, Kind, Label, Principal, View
from bawn.policy.rules import Consent, Rule, RuleSet

NOON: Final = 1_792_584_000.0  # Wednesday, 2026-10-21T12:00:00Z
TENANT_OF: Final = {"files": "", "mail": "acme"}
ENTITIES: Final = (
    {"uid": {"type": "User", "id": "ada"}, "attrs": {}, "parents": [{"type": "Group", "id": "g"}]},
    {
        "uid": {"__entity": {"type": "Agent", "id": "bot"}},
        "attrs": {},
        "parents": [{"__entity": {"type": "Role", "id": "dev"}}],
    },
    {"uid": {"type": "Role", "id": "dev"}, "attrs": {}, "parents": [{"type": "Group", "id": "g"}]},
    {"uid": {"type": "Group", "id": "g"}, "attrs": {}, "parents": [{"type": "Group", "id": "top"}]},
)


def rules(*texts: str, **fields: object) -> list[Rule]:
    """One rule for each text, called r0, r1, …; `fields` are what all of them have besides."""
    found = []
    for number, text in enumerate(texts):
        ast = json.loads(cedarpy.policies_to_json_str(text))["staticPolicies"]["policy0"]
        rule = Rule(f"r{number}", ast["effect"], "a.cedar", number + 1, text, ast)
        found.append(replace(rule, **fields))  # type: ignore[arg-type]  # as the caller says
    return found


def ruleset(*texts: str, entities: tuple[Json, ...] = ENTITIES) -> RuleSet:
    """These rules as a set."""
    return RuleSet("v", tuple(rules(*texts)), entities)


def asking(rule: Rule, *roles: str, within: float | None = 60.0) -> Rule:
    """The forbid, lifted by the consent of one of these roles."""
    return replace(rule, consent=Consent(frozenset(roles), "self" in roles, 1, within))


def who(
    subject: str = "ada", *roles: str, agent: str = "", tenant: str = "", issuer: str = "b"
) -> Principal:
    """A caller."""
    return Principal(
        subject, issuer, frozenset(roles), float("inf"), agent=agent, tenant=tenant,
        scopes=frozenset({"s"}) if roles else frozenset(),
    )  # fmt: skip


def item(name: str = "read", server: str = "files", kind: Kind = Kind.TOOL, **said: object) -> Item:
    """What is called; `said` is its definition besides the name."""
    return Item(kind, server, name, f"{server}__{name}", {"name": name, **said})


def call(principal: Principal, arguments: Json | None = None, method: str = "tools/call") -> Call:
    """A call with these arguments."""
    params = {} if arguments is None else {"arguments": arguments}
    return Call(1, method, params, principal, None, Client("2026-07-28", "c"), "0" * 32)


def view(*items: Item) -> View:
    """A View of these."""
    served: dict[Kind, dict[str, Item]] = {kind: {} for kind in Kind}
    for each in items:
        served[each.kind][each.shown] = each
    return View("v", {None: Endpoint(None, served, frozenset(), {}, {}, 0)})


def touched(call: Call) -> frozenset[Label]:
    """What the conversations of these callers have touched."""
    return frozenset({Label.UNTRUSTED}) if call.principal.subject == "ada" else frozenset()


# ── at random ───────────────────────────────────────────────────────────────────────────────────

PRINCIPALS: Final = (
    who(),
    who("ada", "dev"),
    who("ada", "dev", tenant="acme"),
    who("eve", "dev", "unheard-of"),
    who("eve", "viewer", issuer="c"),
    who("eve", tenant="acme"),
    who("bot", agent="bot"),
    who("ada", "ops", agent="bot"),
)
ITEMS: Final = (
    item(inputSchema={"properties": {"n": {"type": "number"}}}),
    item("ada", annotations={"readOnlyHint": True}),
    item("send", "mail", annotations={"destructiveHint": True}),
    item("ada", "mail", Kind.PROMPT),
    item("file:///a", "files", Kind.RESOURCE),
)
MAIN: Final = {
    Kind.TOOL: "tools/call",
    Kind.PROMPT: "prompts/get",
    Kind.RESOURCE: "resources/read",
}
ACCOMPANYING: Final = ("tasks/get", "completion/complete", "subscriptions/listen")

_PRINCIPALS: Final = (
    'principal == User::"ada"', 'principal in Role::"dev"', 'principal in Group::"top"',
    "principal is Agent", 'principal is User in Group::"g"', 'principal in Tenant::"acme"',
)  # fmt: skip
_ACTIONS: Final = (
    'action in Action::"use"', 'action in Action::"tools/call"', 'action == Action::"tasks/get"',
    'action == Action::"call files/read"',
    'action in [Action::"tools/call", Action::"prompts/get", Action::"tasks/get"]',
)  # fmt: skip
_RESOURCES: Final = (
    'resource == Tool::"files/read"', 'resource in Server::"files"', "resource is Tool",
    'resource in Tenant::"acme"', 'resource is Prompt in Server::"mail"',
)  # fmt: skip
SCOPES: Final = (
    *(f"{principal}, action, resource" for principal in _PRINCIPALS),
    *(f"principal, {action}, resource" for action in _ACTIONS),
    *(f"principal, action, {resource}" for resource in _RESOURCES),
)
_principals = st.sampled_from(["principal"] * 4 + list(_PRINCIPALS))
_actions = st.sampled_from(["action"] * 4 + list(_ACTIONS))
_resources = st.sampled_from(["resource"] * 4 + list(_RESOURCES))
ATOMS: Final = (
    "true", "false", 'principal.roles.contains("dev")', 'principal.roles.containsAll(["dev"])',
    "principal.roles.containsAny(resource.allows)", 'principal.roles.containsAny(["ops", "x"])',
    'principal.roles == ["dev"]', '{a: principal.roles} == {a: ["dev"]}',
    'principal.subject == "ada"', "principal.subject == resource.name", "principal has missing",
    "principal.missing == 1", 'principal.issuer like "*b*"', 'principal.tenant == "acme"',
    'principal in [Group::"g", Role::"ops"]', '[principal, resource].contains(User::"eve")',
    'Role::"dev" in Group::"top"', 'User::"ada" has subject', "principal == resource",
    'principal.agent == ""', "principal.scopes.isEmpty()", "principal is User",
    "resource.readOnly", "resource has readOnly", "resource has destructive && resource.destructive",
    'resource.labels.contains("sends")', 'resource.server == "mail"', 'resource in Server::"mail"',
    'resource in Tenant::"acme"', 'action == Action::"tasks/get"', 'action in Action::"tools/call"',
    "context.arguments.n == 1", "context.arguments has n", 'context.arguments["n"] like "x*"',
    "context.arguments.who == principal.subject", "context.hour < 12", "context has nope",
    "context.flow.untrusted", 'context.method == "tools/call"', "context == {}",
    "(if context.hour > 3 then principal else resource) has readOnly",
    'principal.agent == context.agent', 'context.client.name == "c"', "context.risk.isEmpty()",
    'context.now < datetime("2027-01-01")', "context.weekday == 3",
    'context.arguments.n.lessThan(decimal("2.0"))',
)  # fmt: skip
_expressions = st.recursive(
    st.sampled_from(ATOMS),
    lambda some: st.one_of(
        st.tuples(some, st.sampled_from(["&&", "||"]), some).map(lambda t: f"({' '.join(t)})"),
        some.map(lambda one: f"!({one})"),
        st.tuples(some, some, some).map(lambda t: f"(if {t[0]} then {t[1]} else {t[2]})"),
    ),
    max_leaves=5,
)
_conditions = st.lists(
    st.tuples(st.sampled_from(["when", "unless"]), _expressions).map(
        lambda t: f"{t[0]} {{{t[1]}}}"
    ),
    max_size=3,
).map(" ".join)
_texts = st.tuples(
    st.sampled_from(["permit", "permit", "forbid"]), _principals, _actions, _resources, _conditions
).map(lambda t: f"{t[0]}({t[1]}, {t[2]}, {t[3]}) {t[4]};")


@st.composite
def _rule(draw: st.DrawFn) -> Rule:
    rule = rules(draw(_texts))[0]
    if rule.effect == "forbid" and draw(st.booleans()):
        rule = asking(rule, "ops", within=draw(st.sampled_from([None, 60.0])))
    shadow = draw(st.sampled_from([False, False, True]))
    return replace(rule, shadow=shadow, tenant=draw(st.sampled_from(["", "", "acme"])))


def _numbered(drawn: list[Rule]) -> RuleSet:
    named = tuple(replace(rule, id=f"r{n}") for n, rule in enumerate(drawn))
    return RuleSet("v", named, ENTITIES)


rulesets = st.lists(_rule(), max_size=6).map(_numbered)
arguments: st.SearchStrategy[Json] = st.sampled_from(
    [{}, {"n": 1}, {"n": 1.5}, {"n": "xy"}, {"who": "ada"}, {"n": None}]
)
