"""What claims say of a caller. What dishonest ones meet is in tests/attacks/test_tenants.py."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.config.policy import TENANT
from bawn.errors import AUTH_INVALID, Refused
from bawn.identity import claims as says
from bawn.model import Json

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)


@pytest.mark.parametrize("name", ["alice", "auth0|12", "CN=Änne Ö, O=x", "a" * 512, "名前"])
def test_names_of_all_kinds_are_taken(name: str) -> None:
    assert says.name_problem(name, "sub") is None


@pytest.mark.parametrize(
    "name",
    [" alice", "alice ", "a\tb", "a\u200bb", "a\x00", "\x7f", "a\n", "", "a" * 513, None, 1, ["a"]],
)
def test_names_that_would_deceive_a_reader_are_not(name: object) -> None:
    assert str(says.name_problem(name, "azp")).startswith("azp: expected")


@pytest.mark.parametrize(
    ("claims", "agent"),
    [
        ({}, ""),
        ({"client_id": "claude-code"}, "claude-code"),
        ({"azp": "inspector"}, "inspector"),
        ({"client_id": "a", "azp": "b"}, "a"),
        ({"client_id": "https://a.example.com/c.json"}, "https://a.example.com/c.json"),
    ],
)
def test_the_agent_is_the_client_that_the_issuer_names(claims: Json, agent: str) -> None:
    assert says.agent(claims) == agent


@pytest.mark.parametrize("claim", ["client_id", "azp"])
@pytest.mark.parametrize("value", [None, "", 5, True, ["a"], {"id": "a"}, "a\n", " a", "a" * 513])
def test_an_agent_of_another_shape_is_refused(claim: str, value: object) -> None:
    with pytest.raises(Refused) as caught:
        says.agent({claim: value})
    assert caught.value.reason is AUTH_INVALID
    assert claim in caught.value.detail


def test_an_odd_client_id_is_not_made_good_by_azp() -> None:
    with pytest.raises(Refused):
        says.agent({"client_id": None, "azp": "inspector"})


@pytest.mark.parametrize(
    ("claim", "claims"),
    [
        ("tenant", {"tenant": "acme"}),
        ("org.tenant", {"org": {"tenant": "acme"}}),
        ("https://example.com/tenant", {"https://example.com/tenant": "acme"}),
        ("org.tenant", {"org.tenant": "acme"}),
        ("org.tenant", {"org.tenant": "acme", "org": {"tenant": "acme"}}),
        ("a.b.c", {"a": {"b": {"c": "acme"}}}),
    ],
)
def test_the_tenant_is_found_at_its_claim(claim: str, claims: Json) -> None:
    assert says.tenant(claims, claim, required=True) == "acme"


def test_without_a_claim_to_look_at_nobody_has_a_tenant() -> None:
    assert says.tenant({"tenant": "acme"}, None, required=True) == ""


def test_only_where_a_tenant_is_not_required_may_it_be_left_out() -> None:
    assert says.tenant({}, "tenant", required=False) == ""
    with pytest.raises(Refused):
        says.tenant({}, "tenant", required=True)
    with pytest.raises(Refused):
        says.tenant({"tenant": ""}, "tenant", required=False)


@given(JSON, st.sampled_from(["t", "a.t", "a"]))
def test_whatever_a_claim_holds_it_is_one_good_name_or_refused(value: Any, claim: str) -> None:
    for claims in ({claim: value}, {"a": {"t": value}}, {"a": value}):
        with suppress(Refused):
            tenant = says.tenant(claims, claim, required=True)
            assert tenant
            assert TENANT.fullmatch(tenant)


@pytest.mark.parametrize(
    ("claims", "scopes"),
    [
        ({}, set()),
        ({"scope": "a b"}, {"a", "b"}),
        ({"scope": "  a   b "}, {"a", "b"}),
        ({"scope": None}, set()),
        ({"scp": ["a", "b"]}, {"a", "b"}),
        ({"scope": "a", "scp": "b"}, {"a", "b"}),
        ({"scp": ["a b"]}, {"a b"}),  # one scope, and none that can be configured
        ({"scope": "a\tb\nc"}, {"a\tb\nc"}),
        ({"scope": "a\u00a0b"}, {"a\u00a0b"}),
        ({"scope": "Admin"}, {"Admin"}),
    ],
)
def test_scopes_are_parted_by_spaces_alone(claims: Json, scopes: set[str]) -> None:
    assert says.scopes(claims) == scopes


@pytest.mark.parametrize("value", [5, True, {"a": True}, ["a", 5], [["a"]]])
@pytest.mark.parametrize("claim", ["scope", "scp"])
def test_scopes_of_another_shape_are_refused(claim: str, value: object) -> None:
    with pytest.raises(Refused):
        says.scopes({claim: value})


@pytest.mark.parametrize("scope", ["files:read", "a", "!", "~", "https://example.com/read"])
def test_scopes_of_the_standard_are_taken(scope: str) -> None:
    assert says.scope_problem(scope) is None


@pytest.mark.parametrize("scope", ["", "a b", 'a"b', "a\\b", "a\n", "ä", "a\x7f", "a" * 513])
def test_scopes_that_could_not_stand_in_a_challenge_are_not(scope: str) -> None:
    assert str(says.scope_problem(scope)).startswith("scope: expected")
