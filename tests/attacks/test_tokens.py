"""Tokens that must not open the gate. Each differs from the honest one in one respect."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Final

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import ECKey, RSAKey

from bawn.errors import AUTH_AUDIENCE, AUTH_EXPIRED, AUTH_INVALID, AUTH_MISSING, Reason, Refused
from bawn.identity.embedded import Embedded
from bawn.identity.jwt import accept, parse
from bawn.identity.keys import VerifyKey, from_jwk
from tests.forge import (
    ABSENT,
    BASE,
    EC,
    ISSUER,
    NOW,
    OTHER_EC,
    REMOTE,
    RSA,
    Site,
    claims,
    encode,
    gate,
    header,
    public,
    rules,
    sign,
)

Attack = Callable[[], bytes]
ATTACKS: Final[dict[str, tuple[Attack, Reason]]] = {}

P256_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
ED25519_ORDER: Final = 2**252 + 27742317777372353535851937790883648493


def attack(reason: Reason = AUTH_INVALID) -> Callable[[Attack], Attack]:
    """Adds a forged token to the table under its function's name."""

    def add(make: Attack) -> Attack:
        ATTACKS[make.__name__] = (make, reason)
        return make

    return add


def resigned(token: bytes, signature: bytes) -> bytes:
    """The same token with other signature bytes."""
    return token.rpartition(b".")[0] + b"." + encode(signature)


def halves(token: bytes) -> tuple[int, int]:
    """r and s of an ES256 signature."""
    raw = base64.urlsafe_b64decode(token.rpartition(b".")[2] + b"==")
    return int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")


# ── algorithms ──────────────────────────────────────────────────────────────────────────────────


@attack()
def alg_none_without_signature() -> bytes:
    return encode(header(alg="none")) + b"." + encode(claims()) + b"."


@attack()
def alg_none_with_the_old_signature() -> bytes:
    return sign(head=header(alg="none"))


@attack()
def alg_none_in_other_letters() -> bytes:
    return sign(head=header(alg="nOnE"))


@attack()
def alg_missing() -> bytes:
    return sign(head=header(alg=ABSENT))


@attack()
def alg_is_a_list() -> bytes:
    return sign(head=header(alg=["ES256"]))


@attack()
def alg_in_lower_case() -> bytes:
    return sign(head=header(alg="es256"))


@attack()
def hs256_with_the_public_key_in_pem() -> bytes:
    pem = RSA.public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    # wrapped, as the library itself refuses to take a PEM for a shared secret
    return _hmac(pem, header(alg="HS256", kid="rsa"))


@attack()
def hs256_with_the_public_key_in_der() -> bytes:
    der = RSA.public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return _hmac(der, header(alg="HS256", kid="rsa"))


@attack()
def hs512_with_the_modulus() -> bytes:
    return _hmac(str(RSA.as_dict()["n"]).encode(), header(alg="HS512", kid="rsa"))


def _hmac(secret: bytes, head: dict[str, object]) -> bytes:
    import hashlib
    import hmac

    digest = {"HS256": hashlib.sha256, "HS512": hashlib.sha512}[str(head["alg"])]
    signed = encode(head) + b"." + encode(claims())
    return signed + b"." + encode(hmac.new(secret, signed, digest).digest())


@attack()
def rs256_header_for_the_ec_key() -> bytes:
    return sign(head=header(alg="RS256"))


@attack()
def es256_header_for_the_rsa_key() -> bytes:
    return sign(head=header(kid="rsa"), key=RSA, alg="RS256")


@attack()
def algorithm_outside_the_allow_list() -> bytes:
    return sign(head=header(alg="RS512", kid="rsa"), key=RSA, alg="RS512")


@attack()
def eddsa_header_for_the_ec_key() -> bytes:
    return sign(head=header(alg="EdDSA"))


# ── which key ───────────────────────────────────────────────────────────────────────────────────


@attack()
def signed_by_a_stranger() -> bytes:
    return sign(key=OTHER_EC)


@attack()
def jwk_header_with_the_strangers_key() -> bytes:
    return sign(head=header(jwk=public(OTHER_EC, kid="ec")), key=OTHER_EC)


@attack()
def jwk_header_without_kid() -> bytes:
    return sign(head=header(jwk=public(OTHER_EC), kid=ABSENT), key=OTHER_EC)


@attack()
def jku_header_to_the_strangers_keys() -> bytes:
    return sign(head=header(jku="https://evil.example/keys", kid="evil"), key=OTHER_EC)


@attack()
def x5u_header_to_the_strangers_certificate() -> bytes:
    return sign(head=header(x5u="https://evil.example/cert", kid="evil"), key=OTHER_EC)


@attack()
def x5c_header_with_a_certificate() -> bytes:
    return sign(head=header(x5c=["MIIB"]), key=OTHER_EC)


@attack()
def kid_climbs_to_an_empty_file() -> bytes:
    return _hmac(b"\0", header(alg="HS256", kid="../../../../dev/null"))


@attack()
def kid_with_sql() -> bytes:
    return sign(head=header(kid="x' UNION SELECT 'AA' --"), key=OTHER_EC)


@attack()
def kid_is_a_url() -> bytes:
    return sign(head=header(kid="https://evil.example/keys"), key=OTHER_EC)


@attack()
def kid_is_a_number() -> bytes:
    return sign(head=header(kid=0))


@attack()
def kid_is_null() -> bytes:
    return sign(head=header(kid=None))


@attack()
def kid_is_huge() -> bytes:
    return sign(head=header(kid="k" * 5000))


@attack()
def kid_of_the_other_key() -> bytes:
    return sign(head=header(kid="rsa"))


# ── header ──────────────────────────────────────────────────────────────────────────────────────


@attack()
def crit_with_an_unknown_extension() -> bytes:
    return sign(head=header(crit=["exp"], exp=1))


@attack()
def crit_empty() -> bytes:
    return sign(head=header(crit=[]))


@attack()
def b64_false() -> bytes:
    return sign(head=header(b64=False, crit=["b64"]))


@attack()
def b64_false_that_nobody_must_heed() -> bytes:
    return sign(head=header(b64=False))


@attack()
def b64_true() -> bytes:
    return sign(head=header(b64=True))


@attack()
def typ_of_a_logout_token() -> bytes:
    return sign(head=header(typ="logout+jwt"))


@attack()
def typ_of_a_dpop_proof() -> bytes:
    return sign(head=header(typ="dpop+jwt"))


@attack()
def typ_is_null() -> bytes:
    return sign(head=header(typ=None))


@attack()
def nested_in_another_token() -> bytes:
    return sign(sign(), header(cty="JWT"))


@attack()
def content_type_of_a_nested_token() -> bytes:
    return sign(head=header(cty="JWT"))


@attack()
def nested_without_saying_so() -> bytes:
    return sign(sign())


@attack()
def alg_twice_in_the_header() -> bytes:
    return sign(head=b'{"alg":"none","alg":"ES256","typ":"at+jwt","kid":"ec"}')


@attack()
def encrypted_instead_of_signed() -> bytes:
    return b".".join([encode(header(alg="RSA-OAEP", enc="A256GCM"))] + [encode(b"x" * 32)] * 4)


# ── issuer and audience ─────────────────────────────────────────────────────────────────────────


@attack()
def other_issuer() -> bytes:
    return sign(claims(iss="https://evil.example"))


@attack()
def issuer_with_a_slash_more() -> bytes:
    return sign(claims(iss=ISSUER + "/"))


@attack()
def issuer_in_capitals() -> bytes:
    return sign(claims(iss=ISSUER.upper()))


@attack()
def issuer_as_prefix() -> bytes:
    return sign(claims(iss=ISSUER + ".evil.example"))


@attack()
def issuer_missing() -> bytes:
    return sign(claims(iss=ABSENT))


@attack()
def issuer_in_a_list() -> bytes:
    return sign(claims(iss=[ISSUER]))


@attack()
def issuer_is_the_gate_itself() -> bytes:
    return sign(claims(iss=BASE))


@attack(AUTH_AUDIENCE)
def audience_of_another_resource() -> bytes:
    return sign(claims(aud="https://files.example.com/mcp"))


@attack(AUTH_AUDIENCE)
def audience_is_the_bare_base() -> bytes:
    return sign(claims(aud=BASE))


@attack(AUTH_AUDIENCE)
def audience_with_a_slash_more() -> bytes:
    return sign(claims(aud=f"{BASE}/mcp/"))


@attack(AUTH_AUDIENCE)
def audience_with_our_url_as_prefix() -> bytes:
    return sign(claims(aud=f"{BASE}/mcp.evil.example"))


@attack(AUTH_AUDIENCE)
def audience_in_capitals() -> bytes:
    return sign(claims(aud=f"{BASE}/MCP"))


@attack(AUTH_AUDIENCE)
def audience_with_another_scheme() -> bytes:
    return sign(claims(aud=f"{BASE}/mcp".replace("http:", "https:")))


@attack(AUTH_AUDIENCE)
def audience_with_another_port() -> bytes:
    return sign(claims(aud="http://127.0.0.1:8812/mcp"))


@attack(AUTH_AUDIENCE)
def audience_with_a_query() -> bytes:
    return sign(claims(aud=f"{BASE}/mcp?x"))


@attack(AUTH_AUDIENCE)
def audience_in_one_text_among_others() -> bytes:
    return sign(claims(aud=f"https://a.example {BASE}/mcp"))


@attack(AUTH_AUDIENCE)
def audience_below_a_server() -> bytes:
    return sign(claims(aud=f"{BASE}/mcp/files/x"))


@attack(AUTH_AUDIENCE)
def audience_climbs_out_of_a_server() -> bytes:
    return sign(claims(aud=f"{BASE}/mcp/files/../"))


@attack(AUTH_AUDIENCE)
def audience_of_a_server_in_capitals() -> bytes:
    return sign(claims(aud=f"{BASE}/mcp/FILES"))


@attack(AUTH_AUDIENCE)
def audience_of_a_server_with_a_line_end() -> bytes:
    return sign(claims(aud=f"{BASE}/mcp/files\n"))


@attack(AUTH_AUDIENCE)
def audience_of_two_servers() -> bytes:
    return sign(claims(aud=[f"{BASE}/mcp/files", f"{BASE}/mcp/mail"]))


@attack(AUTH_AUDIENCE)
def audience_missing() -> bytes:
    return sign(claims(aud=ABSENT))


@attack(AUTH_AUDIENCE)
def audience_empty() -> bytes:
    return sign(claims(aud=[]))


@attack()
def audience_is_an_object() -> bytes:
    return sign(claims(aud={f"{BASE}/mcp": True}))


@attack()
def audience_nested_in_a_list() -> bytes:
    return sign(claims(aud=[[f"{BASE}/mcp"]]))


# ── time ────────────────────────────────────────────────────────────────────────────────────────


@attack(AUTH_EXPIRED)
def expired() -> bytes:
    return sign(claims(exp=NOW - 31))


@attack(AUTH_EXPIRED)
def expired_at_this_very_moment() -> bytes:
    return sign(claims(exp=NOW - 30))


@attack(AUTH_EXPIRED)
def expired_at_the_epoch() -> bytes:
    return sign(claims(exp=0))


@attack()
def exp_missing() -> bytes:
    return sign(claims(exp=ABSENT))


@attack()
def exp_is_text() -> bytes:
    return sign(claims(exp=str(NOW + 600)))


@attack()
def exp_is_true() -> bytes:
    return sign(claims(exp=True))


@attack()
def exp_is_null() -> bytes:
    return sign(claims(exp=None))


@attack()
def exp_is_a_list() -> bytes:
    return sign(claims(exp=[NOW + 600]))


@attack()
def exp_is_infinite() -> bytes:
    return sign(json.dumps(claims(exp=float("inf"))).encode())


@attack()
def exp_is_not_a_number() -> bytes:
    return sign(json.dumps(claims(exp=float("nan"))).encode())


@attack()
def exp_overflows_a_double() -> bytes:
    return sign(json.dumps(claims(exp=0)).replace('"exp": 0', '"exp": 1e999').encode())


@attack()
def exp_has_ten_thousand_digits() -> bytes:
    text = json.dumps(claims(exp=0)).replace('"exp": 0', '"exp": ' + "9" * 10_000)
    return sign(text.encode())


@attack()
def exp_is_beyond_all_clocks() -> bytes:
    return sign(claims(exp=10**300))


@attack()
def exp_is_negative() -> bytes:
    return sign(claims(exp=-1))


@attack()
def nbf_in_the_future() -> bytes:
    return sign(claims(nbf=NOW + 31))


@attack()
def iat_in_the_future() -> bytes:
    return sign(claims(iat=NOW + 31))


@attack()
def nbf_is_text() -> bytes:
    return sign(claims(nbf="0"))


# ── subject and kind ────────────────────────────────────────────────────────────────────────────


@attack()
def subject_missing() -> bytes:
    return sign(claims(sub=ABSENT))


@attack()
def subject_empty() -> bytes:
    return sign(claims(sub=""))


@attack()
def subject_is_a_number() -> bytes:
    return sign(claims(sub=1000))


@attack()
def subject_too_long() -> bytes:
    return sign(claims(sub="a" * 513))


@attack()
def subject_breaks_the_log_line() -> bytes:
    return sign(claims(sub="alice\nroot: all is well"))


@attack()
def subject_turns_the_writing_around() -> bytes:
    return sign(claims(sub="alice\u202eecila"))


@attack()
def subject_with_a_lone_surrogate() -> bytes:
    return sign(json.dumps(claims(sub="alice")).replace("alice", "\\ud800").encode())


@attack()
def id_token_by_nonce() -> bytes:
    return sign(claims(nonce="n"), header(typ="JWT"))


@attack()
def id_token_by_at_hash() -> bytes:
    return sign(claims(at_hash="h"), header(typ=ABSENT))


@attack()
def id_token_of_keycloak() -> bytes:
    return sign(claims(typ="ID"), header(typ="JWT"))


@attack()
def id_token_of_cognito() -> bytes:
    return sign(claims(token_use="id"), header(typ=ABSENT))


@attack()
def logout_token_without_its_type() -> bytes:
    return sign(claims(events={}), header(typ="JWT"))


@attack()
def bound_to_a_key_that_nobody_showed() -> bytes:
    return sign(claims(cnf={"jkt": "x"}))


@attack()
def roles_are_an_object() -> bytes:
    return sign(claims(roles={"admin": True}))


@attack()
def roles_hold_a_number() -> bytes:
    return sign(claims(roles=["developer", 1]))


# ── form ────────────────────────────────────────────────────────────────────────────────────────


@attack()
def claims_given_twice() -> bytes:
    return sign(json.dumps(claims())[:-1].encode() + b',"sub":"root"}')


@attack()
def claims_given_twice_further_down() -> bytes:
    return sign(json.dumps(claims())[:-1].encode() + b',"x":{"y":1,"y":2}}')


@attack()
def claims_are_a_list() -> bytes:
    return sign(json.dumps([claims()]).encode())


@attack()
def claims_nested_a_thousand_deep() -> bytes:
    deep = b"[" * 1000 + b"]" * 1000
    return sign(json.dumps(claims())[:-1].encode() + b',"x":' + deep + b"}")


@attack()
def claims_in_utf_16() -> bytes:
    return sign(json.dumps(claims()).encode("utf-16"))


@attack()
def claims_with_a_byte_order_mark() -> bytes:
    return sign(b"\xef\xbb\xbf" + json.dumps(claims()).encode())


@attack()
def claims_followed_by_more() -> bytes:
    return sign(json.dumps(claims()).encode() + b"{}")


@attack()
def larger_than_any_honest_token() -> bytes:
    return sign(claims(x="x" * 13_000))


@attack()
def payload_of_another_token() -> bytes:
    head, _, signature = sign().split(b".")
    return b".".join([head, encode(claims(sub="root")), signature])


@attack()
def header_of_another_token() -> bytes:
    _, payload, signature = sign().split(b".")
    return b".".join([encode(header(typ="JWT")), payload, signature])


@attack()
def signature_missing() -> bytes:
    return sign().rpartition(b".")[0] + b"."


@attack()
def signature_part_cut_off() -> bytes:
    return sign().rpartition(b".")[0]


@attack()
def signature_one_byte_short() -> bytes:
    token = sign()
    raw = base64.urlsafe_b64decode(token.rpartition(b".")[2] + b"==")
    return resigned(token, raw[:-1])


@attack()
def signature_with_a_byte_more() -> bytes:
    token = sign()
    raw = base64.urlsafe_b64decode(token.rpartition(b".")[2] + b"==")
    return resigned(token, raw + b"\0")


@attack()
def signature_of_zeros() -> bytes:
    return resigned(sign(), bytes(64))


@attack()
def signature_of_the_group_order() -> bytes:
    return resigned(sign(), P256_ORDER.to_bytes(32, "big") * 2)


@attack()
def signature_in_der() -> bytes:
    token = sign()
    return resigned(token, encode_dss_signature(*halves(token)))


@attack()
def signature_with_padding() -> bytes:
    return sign() + b"=="


@attack()
def signature_in_the_other_base64() -> bytes:
    head, payload, _ = sign().split(b".")
    return b".".join([head, payload, b"+/" * 43])


@attack()
def signature_with_a_part_more() -> bytes:
    return sign() + b".x"


@attack()
def signature_with_unused_bits_set() -> bytes:
    token = sign()
    alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    last = alphabet.index(token[-1])
    return token[:-1] + alphabet[last + 1 : last + 2]


@pytest.mark.parametrize("name", ATTACKS)
async def test_the_forged_token_is_refused(name: str) -> None:
    make, reason = ATTACKS[name]
    with pytest.raises(Refused) as caught:
        await gate(Site()).verify(b"Bearer " + make(), NOW)
    assert caught.value.reason is reason
    assert 'error="invalid_token"' in str(caught.value.challenge)


@pytest.mark.parametrize("name", ATTACKS)
async def test_the_operator_learns_why_and_the_caller_does_not(name: str) -> None:
    make, reason = ATTACKS[name]
    with pytest.raises(Refused) as caught:
        await gate(Site()).verify(b"Bearer " + make(), NOW)
    assert caught.value.detail
    assert caught.value.detail.isprintable()
    assert len(caught.value.detail) < 400
    assert caught.value.message == reason.message


async def test_the_honest_token_that_they_are_made_of_is_accepted() -> None:
    assert (await gate(Site()).verify(b"Bearer " + sign(), NOW)).subject == "alice"


async def test_the_issuer_is_asked_nowhere_that_a_token_names() -> None:
    site = Site()
    for name in ATTACKS:
        with pytest.raises(Refused):
            await gate(site).verify(b"Bearer " + ATTACKS[name][0](), NOW)
    assert all(url.startswith(ISSUER) for url in site.asked)


# ── how it is presented ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("scheme", [b"Bearer ", b"bearer ", b"BEARER ", b"bEaReR "])
async def test_the_scheme_ignores_case(scheme: bytes) -> None:
    assert (await gate(Site()).verify(scheme + sign(), NOW)).subject == "alice"


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        pytest.param(b"", AUTH_MISSING, id="empty"),
        pytest.param(b"Bearer", AUTH_MISSING, id="scheme alone"),
        pytest.param(sign(), AUTH_MISSING, id="token alone"),
        pytest.param(b"Basic " + sign(), AUTH_MISSING, id="basic"),
        pytest.param(b"DPoP " + sign(), AUTH_MISSING, id="dpop"),
        pytest.param(b"Bearer\t" + sign(), AUTH_MISSING, id="tab"),
        pytest.param(b" Bearer " + sign(), AUTH_MISSING, id="space before"),
        pytest.param(b"Bearer=" + sign(), AUTH_MISSING, id="equals sign"),
        pytest.param(b"Bearer ", AUTH_INVALID, id="nothing behind"),
        pytest.param(b"Bearer  " + sign(), AUTH_INVALID, id="two spaces"),
        pytest.param(b"Bearer " + sign() + b" ", AUTH_INVALID, id="space behind"),
        pytest.param(b"Bearer " + sign() + b" " + sign(), AUTH_INVALID, id="two tokens"),
        pytest.param(b"Bearer " + sign() + b"," + sign(), AUTH_INVALID, id="comma"),
        pytest.param(b"Bearer " + sign() + b"\r\nX: y", AUTH_INVALID, id="line end"),
        pytest.param(b"Bearer " + sign() + b"\0", AUTH_INVALID, id="nul"),
        pytest.param(b'Bearer "' + sign() + b'"', AUTH_INVALID, id="quotes"),
        pytest.param("Bearer tökén".encode(), AUTH_INVALID, id="not ascii"),
        pytest.param(b"Bearer " + b"a" * (16 << 10) + b"a", AUTH_INVALID, id="huge"),
    ],
)
async def test_a_malformed_header_is_refused_by_both_doors(value: bytes, reason: Reason) -> None:
    bearers = gate(Site())
    with pytest.raises(Refused) as caught:
        bearers.recognise(value, REMOTE, NOW)
    assert caught.value.reason is reason
    with pytest.raises(Refused) as caught:
        await bearers.verify(value, NOW)
    assert caught.value.reason is reason


# ── our own tokens ──────────────────────────────────────────────────────────────────────────────

SECRET: Final = bytes(range(32))


def own(base: str = BASE, secret: bytes = SECRET) -> Embedded:
    return Embedded(secret, base, 30.0, clock=lambda: NOW)


async def refused_by_own(token: bytes) -> Reason:
    with pytest.raises(Refused) as caught:
        await own().principal(token, NOW)
    return caught.value.reason


async def test_a_token_of_another_gate_with_the_same_key_is_refused() -> None:
    elsewhere = own(base="http://127.0.0.1:9911").mint("alice", ["admin"], 60).encode()
    assert await refused_by_own(elsewhere) is AUTH_INVALID


async def test_a_token_of_this_name_with_another_key_is_refused() -> None:
    other = own(secret=bytes(32)).mint("alice", ["admin"], 60).encode()
    assert await refused_by_own(other) is AUTH_INVALID


async def test_an_own_token_with_another_type_is_refused() -> None:
    head = header(alg="Ed25519", typ="JWT", kid=own()._public.kid)
    token = sign(claims(iss=BASE), head, key=own()._private, alg="Ed25519")
    assert await refused_by_own(token) is AUTH_INVALID


async def test_an_own_token_signed_by_another_algorithm_is_refused() -> None:
    token = sign(claims(iss=BASE), header(kid=own()._public.kid))
    assert await refused_by_own(token) is AUTH_INVALID


async def test_an_own_signature_has_no_second_form() -> None:
    token = own().mint("alice", ["developer"], 60).encode()
    raw = base64.urlsafe_b64decode(token.rpartition(b".")[2] + b"==")
    scalar = int.from_bytes(raw[32:], "little") + ED25519_ORDER
    assert (await own().principal(token, NOW)).subject == "alice"
    assert await refused_by_own(resigned(token, raw[:32] + scalar.to_bytes(32, "little"))) is (
        AUTH_INVALID
    )


async def test_the_second_form_of_an_ecdsa_signature_grants_nothing_new() -> None:
    """ECDSA has (r, s) and (r, n-s); issuers make both, so both count, and mean the same."""
    token = sign()
    r, s = halves(token)
    twin = resigned(token, r.to_bytes(32, "big") + (P256_ORDER - s).to_bytes(32, "big"))
    bearers = gate(Site())
    honest = await bearers.verify(b"Bearer " + token, NOW)
    assert await bearers.verify(b"Bearer " + twin, NOW) == honest


# ── every byte counts ───────────────────────────────────────────────────────────────────────────


def _public_key(key: ECKey | RSAKey, kid: str) -> VerifyKey:
    found = from_jwk(public(key, kid=kid))
    assert found is not None
    return found


KEYS: Final = {"ES256": _public_key(EC, "ec"), "RS256": _public_key(RSA, "rsa")}
HONEST: Final = {
    "ES256": sign(),
    "RS256": sign(head=header(alg="RS256", kid="rsa"), key=RSA, alg="RS256"),
}


@given(st.sampled_from(sorted(HONEST)), st.integers(0), st.integers(1, 255))
def test_a_token_with_any_single_byte_altered_is_refused(alg: str, at: int, flip: int) -> None:
    token = bytearray(HONEST[alg])
    token[at % len(token)] ^= flip
    with pytest.raises(Refused):
        accept(parse(bytes(token), rules()), KEYS[alg], rules(), NOW)


def test_every_last_character_of_every_part_counts() -> None:
    """Base64 leaves bits unused at the end of a part: setting them must not pass unnoticed."""
    alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    for alg, token in HONEST.items():
        assert accept(parse(token, rules()), KEYS[alg], rules(), NOW).subject == "alice"
        ends = [i - 1 for i, byte in enumerate(token) if byte == ord(".")] + [len(token) - 1]
        for end in ends:
            for other in set(alphabet) - {token[end]}:
                altered = token[:end] + bytes([other]) + token[end + 1 :]
                with pytest.raises(Refused):
                    accept(parse(altered, rules()), KEYS[alg], rules(), NOW)


@given(st.binary(max_size=400))
def test_arbitrary_bytes_are_refused_and_nothing_else_happens(token: bytes) -> None:
    with pytest.raises(Refused):
        parse(token, rules())
