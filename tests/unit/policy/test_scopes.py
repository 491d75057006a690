from __future__ import annotations

import re
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.config import RoleRule
from bawn.errors import AUTH_SCOPE, Refused
from bawn.identity.metadata import Resources
from bawn.model import Item, Kind, Principal
from bawn.policy import scopes
from bawn.policy.scopes import Scopes

BASE = "https://gate.example.com"
CONFIGURED = {
    "all": RoleRule(tools=("*",), prompts=("*",), resources=("*",), methods=("*",)),
    "files:write": RoleRule(servers=("files",), tools=("*",)),
    "files:read": RoleRule(servers=("files",), tools=("read_*",), resources=("file:///*",)),
    "issues": RoleRule(servers=("issues",), tools=("*",)),
}
READ = Item(Kind.TOOL, "files", "read_file", "files__read_file", {})
WRITE = Item(Kind.TOOL, "files", "write_file", "files__write_file", {})
PAGE = Item(Kind.RESOURCE, "wiki", "wiki:home", "wiki:home", {})


def _scopes(configured: Mapping[str, RoleRule] = CONFIGURED) -> Scopes:
    return Scopes(configured, Resources(BASE, ()).insufficient_scope)


def _with(*held: str, token: str = "t1") -> Principal:
    issuer = "https://idp.example.com"
    return Principal("ada", issuer, frozenset(), 2e9, scopes=frozenset(held), token=token)


def _refused(checking: Scopes, who: Principal, item: Item, endpoint: str | None = None) -> Refused:
    with pytest.raises(Refused) as caught:
        checking.check(who, item, endpoint)
    assert caught.value.reason is AUTH_SCOPE
    return caught.value


@pytest.mark.parametrize(
    ("held", "item"),
    [
        ("files:read", READ),
        ("files:write", READ),
        ("all", READ),
        ("files:write", WRITE),
        ("all", PAGE),
    ],
)
def test_a_scope_that_covers_the_item_lets_it_pass(held: str, item: Item) -> None:
    checking = _scopes()
    for _ in range(2):  # the second time from the cache
        checking.check(_with(held, "openid"), item)


@pytest.mark.parametrize(
    "held", ["", "Files:Read", "files:read ", "files:*", "*", "files", "files:read files:write"]
)
def test_a_scope_counts_by_its_exact_name(held: str) -> None:
    checking = _scopes()
    checking.check(_with("files:read"), READ)
    _refused(checking, _with(held), READ)


def test_a_refusal_is_not_lifted_by_what_others_may() -> None:
    checking = _scopes()
    checking.check(_with("files:write"), WRITE)
    for _ in range(2):
        _refused(checking, _with("files:read"), WRITE)
        _refused(checking, _with(), WRITE)


def test_where_no_scope_is_configured_none_is_needed() -> None:
    _scopes({}).check(_with(), READ)


def test_who_came_without_a_token_needs_none() -> None:
    _scopes().check(_with(token=""), WRITE)


def test_the_challenge_names_what_is_held_and_the_narrowest_that_would_do() -> None:
    refused = _refused(_scopes(), _with("issues", "files:read", "openid"), WRITE)
    assert refused.challenge == (
        'Bearer error="insufficient_scope", scope="files:read issues files:write", '
        f'resource_metadata="{BASE}/.well-known/oauth-protected-resource/mcp"'
    )
    assert "openid" not in refused.message
    assert "files:write" in refused.message


def test_the_challenge_is_of_the_endpoint_that_was_called() -> None:
    challenge = _refused(_scopes(), _with(), WRITE, "files").challenge
    assert challenge is not None
    assert challenge.endswith('oauth-protected-resource/mcp/files"')


@pytest.mark.parametrize(
    ("item", "narrowest"), [(READ, "files:read"), (WRITE, "files:write"), (PAGE, "all")]
)
def test_the_narrowest_opens_the_least(item: Item, narrowest: str) -> None:
    assert f'scope="{narrowest}"' in str(_refused(_scopes(), _with(), item).challenge)


def test_where_no_scope_would_do_none_is_asked_for() -> None:
    only = _scopes({"files:read": CONFIGURED["files:read"]})
    refused = _refused(only, _with("files:read"), PAGE)
    assert refused.challenge is None
    assert "wiki:home" in refused.detail
    assert "wiki" not in refused.message


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scopes, "_CACHED", 10)
    checking = _scopes()
    for number in range(100):
        item = Item(Kind.TOOL, "files", f"read_{number}", f"files__read_{number}", {})
        checking.check(_with("files:read"), item)
        _refused(checking, _with(f"s{number}"), item)
    assert sum(map(len, checking._covered.values())) <= 10
    long = Item(Kind.RESOURCE, "files", "file:///" + "x" * 600, "", {})
    checking.check(_with("files:read"), long)
    assert long.key not in checking._covered[frozenset({"files:read"})]


_rule = st.builds(
    RoleRule,
    servers=st.sampled_from([("*",), ("a",), ("a", "b"), ()]),
    tools=st.lists(st.sampled_from(["*", "x*", "x", "y"]), max_size=2).map(tuple),
)


@given(
    st.dictionaries(st.sampled_from("pqrs"), _rule, max_size=4),
    st.frozensets(st.sampled_from("pqrst"), max_size=4),
    st.sampled_from("ab"),
    st.sampled_from(["x", "xx", "y"]),
)
def test_what_the_challenge_asks_for_would_do(
    configured: dict[str, RoleRule], held: frozenset[str], server: str, name: str
) -> None:
    item, checking = Item(Kind.TOOL, server, name, name, {}), _scopes(configured)
    try:
        checking.check(_with(*held), item)
    except Refused as refused:
        challenge = refused.challenge
    else:
        return
    if challenge is None:
        _refused(checking, _with(*configured), item)
        return
    asked = re.search(r'scope="([^"]*)"', challenge)
    assert asked is not None
    named = asked[1].split()
    assert set(named) - {named[-1]} == held & configured.keys()
    checking.check(_with(*named), item)
    checking.check(_with(named[-1]), item)
