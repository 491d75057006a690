from __future__ import annotations

import fnmatch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.config import RoleRule
from bawn.model import Item, Kind
from bawn.policy.patterns import compiled

_patterns = st.lists(st.text("ab*?[]", max_size=4), max_size=3).map(tuple)
_name = st.text("abAB\n", max_size=4)
_MEMBER = {
    Kind.TOOL: "tools",
    Kind.PROMPT: "prompts",
    Kind.RESOURCE: "resources",
    Kind.TEMPLATE: "resources",
    Kind.METHOD: "methods",
}


def _item(kind: Kind = Kind.TOOL, server: str = "files", name: str = "read") -> Item:
    return Item(kind, server, name, f"{server}__{name}", {})


@pytest.mark.parametrize("kind", list(Kind))
def test_each_list_covers_its_own_kinds_alone(kind: Kind) -> None:
    rule = compiled(RoleRule(**{_MEMBER[kind]: ("read",)}))
    covered = {other for other in Kind if rule.match(_item(other))}
    assert covered == {other for other in Kind if _MEMBER[other] == _MEMBER[kind]}


def test_no_pattern_covers_nothing_not_even_what_has_no_name() -> None:
    assert not compiled(RoleRule()).match(_item(name=""))
    assert not compiled(RoleRule(servers=(), tools=("*",))).match(_item())


@given(_patterns, _patterns, _name, _name)
def test_it_matches_as_the_shell_does_in_whole_and_with_case(
    servers: tuple[str, ...], tools: tuple[str, ...], server: str, name: str
) -> None:
    rule = compiled(RoleRule(servers=servers, tools=tools))
    expected = any(fnmatch.fnmatchcase(server, p) for p in servers) and any(
        fnmatch.fnmatchcase(name, p) for p in tools
    )
    assert rule.match(_item(server=server, name=name)) is expected
