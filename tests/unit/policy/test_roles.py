from __future__ import annotations

import fnmatch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bawn.config import RoleRule
from bawn.model import Item, Kind, Principal
from bawn.policy import roles
from bawn.policy.engine import CedarEngine
from bawn.policy.roles import Granting, may_manage
from tests.policies import roles_only
from tests.unit.policy.house import call

_pattern = st.text("ab*?", max_size=4)
_patterns = st.lists(_pattern, max_size=3).map(tuple)
_name = st.text("abAB\n", max_size=4)
_kind = st.sampled_from(list(Kind))


def _who(*names: str) -> Principal:
    return Principal("ada", "https://idp.example.com", frozenset(names), float("inf"))


def _item(kind: Kind = Kind.TOOL, server: str = "files", name: str = "read") -> Item:
    return Item(kind, server, name, f"{server}__{name}", {})


def _allowed(policy: CedarEngine, principal: Principal, item: Item) -> bool:
    allowed = policy.decide(call(principal), item).allowed
    assert policy.may(principal, item) == allowed
    return allowed


# ── what is built in ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("role", "kinds"),
    [
        ("viewer", {Kind.PROMPT, Kind.RESOURCE, Kind.TEMPLATE}),
        ("developer", set(Kind)),
        ("operator", set()),
        ("auditor", set()),
        ("admin", set(Kind)),
    ],
)
def test_a_built_in_role_may_use_what_its_name_says(role: str, kinds: set[Kind]) -> None:
    policy = roles_only({})
    assert {kind for kind in Kind if _allowed(policy, _who(role), _item(kind))} == kinds


def test_deny_is_the_default() -> None:
    policy = roles_only({})
    for principal in (_who(), _who("unheard-of"), _who("Developer"), _who("")):
        assert not _allowed(policy, principal, _item())


@pytest.mark.parametrize("what", ["status", "metrics"])
def test_details_of_the_gate_are_for_those_who_run_it(what: str) -> None:
    assert {name for name in roles.BUILT_IN if may_manage(_who(name), what)} == {
        "operator",
        "auditor",
        "admin",
    }
    assert not may_manage(_who(), what)


# ── patterns ────────────────────────────────────────────────────────────────────────────────────


@settings(deadline=None)
@given(_patterns, _patterns, _patterns, _patterns, _patterns, _kind, _name, _name)
def test_a_role_allows_what_its_patterns_say_and_nothing_else(
    servers: tuple[str, ...],
    tools: tuple[str, ...],
    prompts: tuple[str, ...],
    resources: tuple[str, ...],
    methods: tuple[str, ...],
    kind: Kind,
    server: str,
    name: str,
) -> None:
    rule = RoleRule(
        servers=servers, tools=tools, prompts=prompts, resources=resources, methods=methods
    )
    apart = {Kind.TOOL: tools, Kind.PROMPT: prompts, Kind.METHOD: methods}
    named = apart.get(kind, resources)
    expected = any(fnmatch.fnmatchcase(server, p) for p in servers) and any(
        fnmatch.fnmatchcase(name, p) for p in named
    )
    item = _item(kind, server, name)
    assert ("r" in Granting({"r": rule}).allows(item)) == expected
    assert _allowed(roles_only({"r": rule}), _who("r"), item) == expected


@settings(deadline=None)
@given(st.sets(st.sampled_from(["a", "b", "c"])), _kind, _name)
def test_a_role_only_ever_adds(held: set[str], kind: Kind, name: str) -> None:
    policy = roles_only(
        {
            "a": RoleRule(tools=("a*",), prompts=("*b",)),
            "b": RoleRule(tools=("*b",), resources=("a?",)),
            "c": RoleRule(servers=("other",), tools=("*",)),
        }
    )
    item = _item(kind, "files", name)
    alone = [_allowed(policy, _who(role), item) for role in held]
    assert _allowed(policy, _who(*held), item) == any(alone)


def test_case_and_line_ends_count() -> None:
    policy = roles_only({"r": RoleRule(tools=("read",))})
    for name in ("Read", "read\n", " read", "read\x00"):
        assert not _allowed(policy, _who("r"), _item(name=name))


def test_a_configured_role_stands_in_the_place_of_a_built_in_one() -> None:
    policy = roles_only({"developer": RoleRule(tools=("read",))})
    assert _allowed(policy, _who("developer"), _item())
    assert not _allowed(policy, _who("developer"), _item(name="write"))
    assert not _allowed(policy, _who("developer"), _item(Kind.PROMPT))


def test_items_of_one_name_are_told_apart_by_kind_and_server() -> None:
    policy = roles_only({"r": RoleRule(servers=("files",), tools=("read",))})
    assert _allowed(policy, _who("r"), _item())
    assert not _allowed(policy, _who("r"), _item(Kind.PROMPT))
    assert not _allowed(policy, _who("r"), _item(server="issues"))


# ── permission sets ─────────────────────────────────────────────────────────────────────────────


def test_principals_who_may_do_the_same_share_their_lists() -> None:
    policy = roles_only({})
    assert policy.permission_set(_who("developer", "x")) == policy.permission_set(_who("developer"))
    assert policy.permission_set(_who("x")) == policy.permission_set(_who())


@settings(deadline=None)
@given(st.sets(st.text(",\"'[] ab", min_size=1, max_size=5), min_size=1, max_size=4), st.data())
def test_principals_with_other_known_roles_never_share(
    known: set[str], data: st.DataObject
) -> None:
    policy = roles_only({role: RoleRule() for role in known})
    some = st.sets(st.sampled_from(sorted(known)))
    one, two = data.draw(some), data.draw(some)
    shared = policy.permission_set(_who(*one)) == policy.permission_set(_who(*two))
    assert shared == (one == two)
