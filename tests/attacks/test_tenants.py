"""Tokens by which a caller would pass for somebody of another tenant, or of none."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bawn.errors import AUTH_INVALID, Refused
from bawn.identity.embedded import Embedded
from bawn.model import Principal
from tests.forge import ABSENT, BASE, NOW, Site, claims, gate, header, sign


async def judged(at: str = "tenant", **changes: Any) -> Principal:
    """Whom a gate takes the bearer of these claims for, that reads the tenant `at` a claim."""
    bearers = gate(Site(), tenant_claim=at)
    return await bearers.verify(b"Bearer " + sign(claims(**changes)), NOW)


async def test_the_honest_token_that_they_are_made_of_is_accepted() -> None:
    principal = await judged(tenant="acme")
    assert principal.tenant == "acme"
    assert principal.key == (await judged(tenant="acme", jti="another")).key
    assert principal.key != (await judged(tenant="other")).key


@pytest.mark.parametrize(
    "value",
    [
        ABSENT,
        None,
        "",
        " ",
        "acme ",
        " acme",
        "acme\n",
        "acme\x00",
        "\nacme",
        "Acme",
        "ACME",
        "acmé",
        "acme\u200b",
        "\uff41cme",  # fullwidth a: NFKC would make it acme
        "\u0430cme",  # Cyrillic
        "acme,other",
        "acme other",
        "acme.other",
        "acme/other",
        "acme|other",
        "*",
        "..",
        "a" * 33,
        0,
        1,
        True,
        ["acme"],
        ["acme", "other"],
        [],
        {"acme": True},
        {"name": "acme"},
        {},
    ],
)
async def test_what_is_not_the_name_of_one_tenant_is_refused(value: object) -> None:
    with pytest.raises(Refused) as caught:
        await judged(tenant=value)
    assert caught.value.reason is AUTH_INVALID
    assert caught.value.detail.startswith("tenant: ")
    assert "acme" not in caught.value.message


@pytest.mark.parametrize(
    "changes",
    [
        {"org.tenant": "victim", "org": {"tenant": "acme"}},
        {"org.tenant": "acme", "org": {"tenant": "victim"}},
        {"org.tenant": "acme", "org": {"tenant": None}},
        {"org.tenant": None, "org": {"tenant": "acme"}},
        {"org": "tenant"},
        {"org": ["tenant"]},
        {"org": {"tenant": {"": "acme"}}},
        {"org": [{"tenant": "acme"}]},
        {"org": {"tenant.": "acme"}},
        {"ORG": {"tenant": "acme"}},
        {"org": {"Tenant": "acme"}},
        {"tenant": "acme"},
        {"org": {"org": {"tenant": "acme"}}},
    ],
)
async def test_a_claim_beside_the_one_that_counts_names_nobodys_tenant(
    changes: dict[str, Any],
) -> None:
    with pytest.raises(Refused) as caught:
        await judged("org.tenant", **changes)
    assert caught.value.reason is AUTH_INVALID


async def test_a_claim_given_twice_is_refused() -> None:
    twice = b'{"tenant": "acme", "tenant": "victim", ' + json.dumps(claims()).encode()[1:]
    with pytest.raises(Refused) as caught:
        await gate(Site(), tenant_claim="tenant").verify(b"Bearer " + sign(twice), NOW)
    assert caught.value.reason is AUTH_INVALID


async def test_two_people_of_one_name_in_two_tenants_are_two() -> None:
    one, other = await judged(tenant="acme", sub="a"), await judged(tenant="acm", sub="e|a")
    assert one.key != other.key


async def test_no_subject_can_be_made_to_read_as_another_tenants() -> None:
    with pytest.raises(Refused):
        await judged(tenant="acme", sub="victim\nhttps://idp.example.com|alice")


@pytest.mark.parametrize("claim", ["client_id", "azp"])
@pytest.mark.parametrize("value", [None, "", 7, True, ["trusted"], {"id": "trusted"}, "trusted\n"])
async def test_an_agent_that_is_no_text_is_refused(claim: str, value: object) -> None:
    said: dict[str, Any] = {"tenant": "acme", claim: value}
    with pytest.raises(Refused) as caught:
        await judged(**said)
    assert caught.value.reason is AUTH_INVALID


async def test_an_own_token_can_name_no_tenant_that_could_not_be_configured() -> None:
    own = Embedded(bytes(range(32)), BASE, 30.0)
    head = header(alg="Ed25519", kid=own._public.kid)
    for tenant in ("", "Acme", "acme\n", ["acme"], None, 5):
        token = sign(claims(iss=BASE, tenant=tenant), head, key=own._private, alg="Ed25519")
        with pytest.raises(Refused) as caught:
            await own.principal(token, NOW)
        assert caught.value.reason is AUTH_INVALID
