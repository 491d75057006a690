"""Which published keys may vouch for a token, and which one is asked."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from bawn.identity.keys import algorithm, choose, from_jwk, from_jwks
from tests.forge import EC, ED, OTHER_EC, RSA, public


@pytest.mark.parametrize(
    ("jwk", "algorithms"),
    [
        (public(EC), {"ES256"}),
        (public(ECKey.generate_key("P-384")), {"ES384"}),
        (public(ECKey.generate_key("P-521")), {"ES512"}),
        (public(ED), {"Ed25519"}),
        (public(RSA), {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}),
    ],
)
def test_a_key_fits_the_algorithms_of_its_own_type_and_curve_only(
    jwk: dict[str, Any], algorithms: set[str]
) -> None:
    key = from_jwk(jwk)
    assert key is not None
    assert key.algorithms == algorithms
    assert key.key.is_private is False


def test_a_key_that_names_its_algorithm_serves_no_other() -> None:
    key = from_jwk(public(RSA, alg="PS256"))
    assert key is not None
    assert key.algorithms == {"PS256"}


def test_eddsa_and_ed25519_are_one_algorithm() -> None:
    key = from_jwk(public(ED, alg="EdDSA"))
    assert key is not None
    assert key.algorithms == {algorithm("EdDSA")} == {"Ed25519"}


@pytest.mark.parametrize(
    "jwk",
    [
        pytest.param(OctKey.generate_key(256).as_dict(), id="symmetric"),
        pytest.param(EC.as_dict(private=True), id="private ec"),
        pytest.param(RSA.as_dict(private=True), id="private rsa"),
        pytest.param(ED.as_dict(private=True), id="private ed25519"),
        pytest.param(public(EC, use="enc"), id="for encryption"),
        pytest.param(public(EC, use=None), id="use is null"),
        pytest.param(public(EC, key_ops=["deriveKey"]), id="for derivation"),
        pytest.param(public(EC, key_ops="verify"), id="key_ops is text"),
        pytest.param(public(EC, alg="RS256"), id="names an algorithm of another type"),
        pytest.param(public(EC, alg="HS256"), id="names a symmetric algorithm"),
        pytest.param(public(EC, alg="none"), id="names none"),
        pytest.param(public(RSA, alg="RSA-OAEP"), id="names an encryption"),
        pytest.param(public(EC, kid=7), id="kid is a number"),
        pytest.param(public(EC, kty="RSA"), id="calls itself rsa"),
        pytest.param(public(EC, kty=["EC"]), id="kty is a list"),
        pytest.param(public(EC, crv="P-384"), id="calls itself another curve"),
        pytest.param(public(EC, x=public(OTHER_EC)["x"]), id="point off the curve"),
        pytest.param(public(EC, x=1), id="coordinate is a number"),
        pytest.param(public(EC, x="!"), id="coordinate is not base64"),
        pytest.param({"kty": "EC", "crv": "P-256"}, id="without coordinates"),
        pytest.param(public(ECKey.generate_key("secp256k1")), id="unknown curve"),
        pytest.param(public(OKPKey.generate_key("X25519")), id="key agreement"),
        pytest.param(public(OKPKey.generate_key("Ed448")), id="ed448"),
        pytest.param({"kty": "AKP", "alg": "ML-DSA-44", "pub": "x"}, id="unknown type"),
        pytest.param({}, id="empty"),
        pytest.param("EC", id="text"),
        pytest.param(None, id="null"),
    ],
)
def test_an_unfit_key_is_left_out(jwk: object) -> None:
    assert from_jwk(jwk) is None


@pytest.mark.filterwarnings("ignore")  # the library warns of the short key, which is our point
def test_rsa_below_2048_bits_is_left_out() -> None:
    from cryptography.hazmat.primitives.asymmetric import rsa

    short = rsa.generate_private_key(65537, 1024).public_key()
    assert from_jwk(public(RSAKey.import_key(short))) is None


def test_an_unfit_key_does_not_spoil_the_set() -> None:
    keys = from_jwks({"keys": [{"kty": "AKP"}, 1, public(EC, kid="a"), public(RSA, use="enc")]})
    assert [key.kid for key in keys] == ["a"]


@pytest.mark.parametrize("document", [{}, {"keys": {}}, {"keys": None}, {"keys": [1] * 101}])
def test_what_is_no_key_set_is_an_error(document: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="keys"):
        from_jwks(document)


def test_a_key_is_chosen_by_its_id() -> None:
    keys = from_jwks({"keys": [public(EC, kid="a"), public(OTHER_EC, kid="b")]})
    chosen = choose(keys, "b", "ES256")
    assert chosen is not None
    assert chosen.thumbprint == OTHER_EC.thumbprint()


def test_an_id_is_matched_whole_and_only_with_a_fitting_algorithm() -> None:
    keys = from_jwks({"keys": [public(EC, kid="a")]})
    assert choose(keys, "A", "ES256") is None
    assert choose(keys, "", "ES256") is None
    assert choose(keys, "a", "RS256") is None


def test_without_an_id_the_only_fitting_key_is_chosen() -> None:
    keys = from_jwks({"keys": [public(EC, kid="a"), public(RSA, kid="b")]})
    chosen = choose(keys, None, "ES256")
    assert chosen is not None
    assert chosen.kid == "a"


def test_without_an_id_two_fitting_keys_are_one_too_many() -> None:
    keys = from_jwks({"keys": [public(EC, kid="a"), public(OTHER_EC, kid="b")]})
    assert choose(keys, None, "ES256") is None


def test_two_keys_under_one_id_are_never_guessed_between() -> None:
    keys = from_jwks({"keys": [public(EC, kid="a"), public(OTHER_EC, kid="a")]})
    assert choose(keys, "a", "ES256") is None


def test_a_key_published_twice_is_one_key() -> None:
    keys = from_jwks({"keys": [public(EC, kid="a"), public(EC, kid="a", x5t="x")]})
    assert choose(keys, "a", "ES256") is not None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(st.sampled_from(["kty", "crv", "x", "y", "use", "key_ops", "alg", "kid"]), json_values)
def test_no_member_of_a_key_can_break_the_reading(name: str, value: object) -> None:
    key = from_jwk(public(EC, **{name: value}))
    assert key is None or key.algorithms == {"ES256"}
