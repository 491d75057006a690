"""What is signed by whom: forged, moved and borrowed signatures are refused, each with its own reason."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable

import pytest
import rfc8785

from bawn.model import Json
from bawn.signing import chain, lock
from bawn.signing.envelope import STATEMENT, Envelope
from bawn.signing.keys import PublicKey
from bawn.signing.root import PAYLOAD
from bawn.signing.verify import verify_entry
from tests.signers import (
    LOCK,
    NOW,
    ROOT,
    SIGNED,
    Office,
    base64_of,
    changed,
    entry,
    envelope_of,
    payload_tree,
    person,
    refused,
    signed_entry,
    signed_lock,
    verify,
)

ORDER = 2**252 + 27742317777372353535851937790883648493


def test_what_is_honest_passes() -> None:
    trusted = verify(SIGNED)
    assert trusted.signers == {person("rita").public.id, person("rob").public.id}
    assert trusted.value.version == int(NOW)


def test_a_payload_that_was_tampered_with() -> None:
    told = payload_tree()
    told["predicate"]["version"] += 1
    refused("tampered", lambda: verify(changed(payload=base64_of(rfc8785.dumps(told)))))


def test_a_payload_of_another_media_type() -> None:
    refused("type", lambda: verify(changed(payloadType="application/json")))


def test_a_root_that_is_passed_off_as_a_statement() -> None:
    office = Office()
    root = office.line[0]
    disguised = {**LOCK, "signatures": [{**root.json(), "payloadType": STATEMENT}]}
    refused("malformed", lambda: verify(disguised))


def test_a_statement_that_is_passed_off_as_a_root() -> None:
    statement = {**envelope_of(SIGNED), "payloadType": PAYLOAD}
    content = json.dumps({"roots": [statement]}).encode()
    refused("malformed", lambda: chain.load(content, NOW))


def test_lengths_in_the_encoding_keep_type_and_payload_apart() -> None:
    """What is signed as (type, payload) does not fit when a part of the type moves into the payload."""
    moved = Envelope(b"x " + b"y", "a"), Envelope(b"y", "a x")
    assert moved[0].signed != moved[1].signed
    signature = person("rita").sign(moved[0])
    assert not person("rita").public.signed(moved[1].signed, signature.value)


def test_a_signature_over_the_bare_payload() -> None:
    payload = base64.b64decode(envelope_of(SIGNED)["payload"])
    rita = person("rita")
    bare = rita._key.sign(payload)
    signatures = [{"keyid": rita.public.id, "sig": base64_of(bare)}]
    refused("tampered", lambda: verify(changed(signatures=signatures)))


def test_no_signatures_at_all() -> None:
    refused("threshold", lambda: verify(changed(signatures=[])))


def test_no_envelope_at_all() -> None:
    refused("missing", lambda: verify(dict(LOCK)))
    refused("missing", lambda: verify({**LOCK, "signatures": []}))


@pytest.mark.parametrize("signatures", [None, "x", {}, [1], [[]], [{}], [None]])
def test_signatures_of_another_shape(signatures: object) -> None:
    refused("malformed", lambda: verify({**LOCK, "signatures": signatures}))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text[:-1],  # no padding
        lambda text: text + "=",
        lambda text: text + "\n",
        lambda text: " " + text,
        lambda text: text.replace("+", "-").replace("/", "_") + "_",
        lambda text: text[:-3] + chr(ord(text[-3]) + 1) + "==",  # bits that nobody reads
    ],
)
def test_base64_in_a_second_writing(spoil: Callable[[str], str]) -> None:
    sig = envelope_of(SIGNED)["signatures"][0]["sig"]
    assert sig.endswith("==")
    signatures = [{**envelope_of(SIGNED)["signatures"][0], "sig": spoil(sig)}]
    refused("malformed", lambda: verify(changed(signatures=signatures)))


def test_an_envelope_of_more_signatures_than_are_looked_at() -> None:
    signatures = [{"keyid": f"{n:064x}", "sig": base64_of(bytes(64))} for n in range(65)]
    refused("malformed", lambda: verify(changed(signatures=signatures)))


def test_a_huge_envelope() -> None:
    refused("malformed", lambda: verify(changed(payload=base64_of(b" " * (2 << 20)))))
    refused("malformed", lambda: verify(changed(payload=base64_of(b" " * ((1 << 20) + 1)))))


def test_more_envelopes_than_are_looked_at() -> None:
    refused("malformed", lambda: verify({**LOCK, "signatures": [envelope_of(SIGNED)] * 17}))


def test_signatures_of_keys_that_nobody_knows() -> None:
    refused("unknown key", lambda: verify(signed_lock("mallory", "eve")))


def test_a_signature_of_an_unknown_key_makes_up_no_threshold() -> None:
    refused("threshold", lambda: verify(signed_lock("rita", "mallory")))


def test_known_keys_of_another_role() -> None:
    told = refused("unknown key", lambda: verify(signed_lock("olga", "paul")))
    assert "is no reviewer" in told
    told = refused(
        "unknown key",
        lambda: verify_entry("files", b"{}", signed_entry("files", "rita", "rob"), ROOT, NOW),
    )
    assert "is no publisher" in told


def test_a_key_that_is_limited_to_other_servers() -> None:
    refused(
        "unknown key",
        lambda: verify_entry("issues", b"{}", signed_entry("issues", "pia"), ROOT, NOW),
    )
    assert verify_entry("files-x", b"{}", signed_entry("files-x", "pia"), ROOT, NOW).signers


def test_a_key_that_is_limited_to_servers_signs_no_lockfile() -> None:
    limited = Office([*Office().members[:-1], ("reviewer", entry("ruth", limits=("*",)))])
    tree = signed_lock("rita", "ruth")
    refused("threshold", lambda: lock.verify(tree, limited.root(), NOW))


def test_a_threshold_by_the_same_signature_twice() -> None:
    (one,) = envelope_of(signed_lock("rita"))["signatures"]
    refused("threshold", lambda: verify({**LOCK, "signatures": [_signed_by([one, one])]}))


def test_a_threshold_by_one_key_that_claims_two_ids() -> None:
    (one,) = envelope_of(signed_lock("rita"))["signatures"]
    spoofed = {**one, "keyid": person("rob").public.id}
    refused("tampered", lambda: verify({**LOCK, "signatures": [_signed_by([one, spoofed])]}))
    nobody = {**one, "keyid": "00" * 32}
    refused("threshold", lambda: verify({**LOCK, "signatures": [_signed_by([one, nobody])]}))


def test_an_id_in_a_second_writing() -> None:
    one, two = envelope_of(SIGNED)["signatures"]
    upper = {**two, "keyid": two["keyid"].upper()}
    refused("threshold", lambda: verify({**LOCK, "signatures": [_signed_by([one, upper])]}))


def _signed_by(signatures: list[Json]) -> Json:
    return {**envelope_of(signed_lock("rita")), "signatures": signatures}


def test_a_threshold_over_two_statements() -> None:
    """One signed this version, another that one: neither was vouched for by two."""
    one = envelope_of(signed_lock("rita"))
    two = envelope_of(signed_lock("rob", now=NOW + 1))
    refused("threshold", lambda: verify({**LOCK, "signatures": [one, two]}, NOW + 2))


def test_another_signature_from_a_known_one() -> None:
    """RFC 8032 section 5.1.7: S plus the order fits the equation, and is refused."""
    one, two = envelope_of(SIGNED)["signatures"]
    raw = base64.b64decode(two["sig"])
    s = int.from_bytes(raw[32:], "little") + ORDER
    second = {**two, "sig": base64_of(raw[:32] + s.to_bytes(32, "little"))}
    refused("tampered", lambda: verify({**LOCK, "signatures": [_signed_by([one, second])]}))


@pytest.mark.parametrize("size", [0, 1, 63, 65])
def test_a_signature_of_another_length(size: int) -> None:
    one, two = envelope_of(SIGNED)["signatures"]
    short = {**two, "sig": base64_of(bytes(size))}
    refused("tampered", lambda: verify({**LOCK, "signatures": [_signed_by([one, short])]}))


@pytest.mark.parametrize(
    "point",
    [
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        "0100000000000000000000000000000000000000000000000000000000000080",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",  # 1, written as p + 1
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",  # 0, written as p
        "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    ],
)
def test_a_public_key_under_which_anybody_can_sign(point: str) -> None:
    refused("malformed", lambda: PublicKey.read(point))
