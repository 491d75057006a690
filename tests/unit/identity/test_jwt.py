"""What a good token yields. What bad ones meet is in tests/attacks/test_tokens.py."""

from __future__ import annotations

from typing import Any

import pytest
from joserfc.jwk import Key

from bawn.errors import AUTH_AUDIENCE, AUTH_INVALID, Refused
from bawn.identity.jwt import Rules, accept, parse, read_id, token_id
from bawn.identity.keys import from_jwk
from bawn.model import Principal
from tests.forge import ABSENT, BASE, EC, ED, ISSUER, NOW, RSA, claims, header, public, rules, sign


def judge(
    token: bytes | None = None, expected: Rules | None = None, key: Key = EC, **changes: Any
) -> Principal:
    """What becomes of a token, or of one with these claims."""
    expected = expected or rules()
    vouching = from_jwk(public(key))
    assert vouching is not None
    return accept(parse(token or sign(claims(**changes)), expected), vouching, expected, NOW)


def test_an_honest_token_names_its_principal() -> None:
    assert judge(scope="read write") == Principal(
        subject="alice",
        issuer=ISSUER,
        roles=frozenset({"developer"}),
        expires=NOW + 600 + 30,
        endpoint=None,
        scopes=frozenset({"read", "write"}),
        token=token_id(claims(scope="read write")),
    )


def test_a_token_is_known_by_its_jti_and_without_one_by_all_it_claims() -> None:
    assert judge(jti="abc").token == "abc"
    assert judge(jti="").token == judge(jti="").token != ""
    assert judge(jti=7).token not in ("7", "")
    assert judge(jti=7).token != judge(jti=8).token
    assert read_id(sign(claims(jti="abc"))) == "abc"
    for no_token in (b"", b"a.b", b"a.!.c"):
        with pytest.raises(Refused):
            read_id(no_token)


@pytest.mark.parametrize(
    ("key", "alg", "named"),
    [(EC, "ES256", "ES256"), (RSA, "RS256", "RS256"), (RSA, "PS256", "PS256"),
     (ED, "Ed25519", "Ed25519"), (ED, "Ed25519", "EdDSA")],
)  # fmt: skip
def test_each_allowed_algorithm_is_verified(key: Key, alg: str, named: str) -> None:
    token = sign(head=header(alg=named), key=key, alg=alg)
    assert judge(token, key=key).subject == "alice"


def test_an_rsa_key_bound_to_pss_does_not_verify_pkcs1() -> None:
    vouching = from_jwk(public(RSA, alg="PS256"))
    assert vouching is not None
    parsed = parse(sign(head=header(alg="RS256"), key=RSA, alg="RS256"), rules())
    with pytest.raises(Refused, match="signature"):
        accept(parsed, vouching, rules(), NOW)


@pytest.mark.parametrize("typ", ["at+jwt", "AT+JWT", "application/at+jwt", "JWT", "jwt", ABSENT])
def test_access_tokens_are_known_by_their_type(typ: object) -> None:
    assert judge(sign(head=header(typ=typ))).subject == "alice"


def test_a_declared_access_token_may_carry_a_nonce() -> None:
    assert judge(nonce="n").subject == "alice"


def test_headers_that_nobody_must_understand_are_ignored() -> None:
    assert judge(sign(head=header(x5t="abc", vendor=1))).subject == "alice"


@pytest.mark.parametrize(
    ("aud", "endpoint"),
    [
        (f"{BASE}/mcp", None),
        ([f"{BASE}/mcp"], None),
        (["account", f"{BASE}/mcp"], None),
        (f"{BASE}/mcp/files", "files"),
        (["account", f"{BASE}/mcp/files"], "files"),
        ([f"{BASE}/mcp/files", f"{BASE}/mcp/files"], "files"),
        ([f"{BASE}/mcp/files", f"{BASE}/mcp"], None),
        ([f"{BASE}/mcp/files", f"{BASE}/mcp/mail", f"{BASE}/mcp"], None),
        ([f"{BASE}/mcp/files", f"{BASE}/mcp/"], "files"),
    ],
)
def test_the_audience_decides_where_a_token_serves(aud: object, endpoint: str | None) -> None:
    assert judge(aud=aud).endpoint == endpoint


def test_the_configured_audience_serves_everywhere() -> None:
    expected = rules(audience="api://bawn")
    assert judge(None, expected, aud="api://bawn").endpoint is None
    assert judge(None, expected, aud=["api://bawn", f"{BASE}/mcp/files"]).endpoint is None
    with pytest.raises(Refused) as caught:
        judge(None, expected, aud="api://bawn/")
    assert caught.value.reason is AUTH_AUDIENCE


def test_a_base_url_with_a_path_is_compared_whole() -> None:
    expected = rules(base="https://example.com/bawn")
    assert judge(None, expected, aud="https://example.com/bawn/mcp/files").endpoint == "files"
    with pytest.raises(Refused):
        judge(None, expected, aud="https://example.com/mcp")


@pytest.mark.parametrize(
    "changes",
    [{"exp": NOW - 29}, {"nbf": NOW + 30}, {"iat": NOW + 30}, {"iat": ABSENT}, {"nbf": NOW}],
)
def test_times_are_taken_with_leeway(changes: dict[str, Any]) -> None:
    assert judge(**changes).subject == "alice"


def test_a_principal_ends_exactly_when_its_token_would_be_refused() -> None:
    principal = judge(exp=NOW + 1)
    vouching = from_jwk(public(EC))
    assert vouching is not None
    parsed = parse(sign(claims(exp=NOW + 1)), rules())
    accept(parsed, vouching, rules(), principal.expires - 0.001)
    with pytest.raises(Refused):
        accept(parsed, vouching, rules(), principal.expires)


@pytest.mark.parametrize(
    ("claim", "extra", "roles"),
    [
        ("roles", {"roles": ["a", "b"]}, {"a", "b"}),
        ("roles", {"roles": "a  b"}, {"a", "b"}),
        ("roles", {"roles": ""}, set()),
        ("roles", {"roles": []}, set()),
        ("roles", {"roles": None}, set()),
        ("roles", {"roles": ABSENT}, set()),
        ("realm_access.roles", {"realm_access": {"roles": ["a"]}}, {"a"}),
        ("realm_access.roles", {"realm_access": "roles"}, set()),
        ("realm_access.roles", {"realm_access": {}}, set()),
        ("https://example.com/roles", {"https://example.com/roles": ["a"]}, {"a"}),
        ("a.b", {"a.b": ["whole"], "a": {"b": ["nested"]}}, {"whole"}),
    ],
)
def test_roles_are_found_at_their_claim(claim: str, extra: dict[str, Any], roles: set[str]) -> None:
    assert judge(None, rules(roles_claim=claim), **extra).roles == roles


def test_roles_are_mapped_and_unlisted_ones_stand_for_themselves() -> None:
    expected = rules(roles={"grp-42": "operator"})
    assert judge(None, expected, roles=["grp-42", "viewer"]).roles == {"operator", "viewer"}


@pytest.mark.parametrize(
    "extra",
    [{"scope": "a b"}, {"scp": "a b"}, {"scp": ["a", "b"]}, {"scope": "a", "scp": ["b"]}],
)
def test_scopes_are_read_in_both_spellings(extra: dict[str, Any]) -> None:
    assert judge(**extra).scopes == {"a", "b"}


def test_a_scope_of_another_shape_is_refused() -> None:
    with pytest.raises(Refused) as caught:
        judge(scope={"a": 1})
    assert caught.value.reason is AUTH_INVALID


@pytest.mark.parametrize("sub", ["alice", "auth0|12", "CN=Änne Ö, O=x", "a" * 512, "名前"])
def test_subjects_of_all_kinds_are_taken(sub: str) -> None:
    assert judge(sub=sub).subject == sub


def test_unverified_text_reaches_the_log_escaped_and_cut() -> None:
    with pytest.raises(Refused) as caught:
        judge(iss="x\n\x1b[31m" + "y" * 1000)
    assert caught.value.detail.isprintable()
    assert len(caught.value.detail) < 250
