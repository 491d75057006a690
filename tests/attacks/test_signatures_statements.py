"""What signatures are over: swapped, mixed, ambiguous, out of date; refused, each with its own reason."""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Callable

import msgspec
import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from bawn.model import Json
from bawn.signing import canonical, chain, lock, rotation
from bawn.signing.envelope import STATEMENT, Envelope, Signature
from bawn.signing.root import Entry, Root
from bawn.signing.statement import LOCK as LOCK_KIND
from bawn.signing.statement import Statement
from bawn.signing.unverified import Unverified
from bawn.signing.verify import verify_entry, verify_lock, verify_pins
from tests.signers import (
    DAY,
    LOCK,
    MERKLE,
    NOW,
    ROOT,
    SIGNED,
    Office,
    entry,
    envelope_of,
    payload_tree,
    refused,
    resigned,
    sign,
    signed_lock,
    signed_pins,
    verify,
)


def test_a_lockfile_that_was_changed_after_it_was_signed() -> None:
    tree = copy.deepcopy(SIGNED)
    tree["servers"]["files"]["root"] = "ef" * 32
    refused("subject", lambda: verify(tree))


def test_servers_of_two_signed_lockfiles_mixed() -> None:
    newer = copy.deepcopy(LOCK)
    newer["servers"] = {"files": {"root": "11" * 32}, "issues": {"root": "22" * 32}}
    other = signed_lock("rita", "rob", tree=newer, now=NOW + 1)
    mixed = {**SIGNED["servers"], "files": newer["servers"]["files"]}
    both = [envelope_of(SIGNED), envelope_of(other)]
    tree = {**LOCK, "servers": mixed, "signatures": both}
    refused("subject", lambda: verify(tree, NOW + 1))


def test_a_server_taken_out_of_or_put_into_a_signed_lockfile() -> None:
    fewer = {**SIGNED, "servers": {"files": SIGNED["servers"]["files"]}}
    more = {**SIGNED, "servers": {**SIGNED["servers"], "evil": {"root": MERKLE}}}
    refused("subject", lambda: verify(fewer))
    refused("subject", lambda: verify(more))


def test_the_signatures_of_another_lockfile() -> None:
    other = signed_lock("rita", "rob", tree={"version": 1, "servers": {}})
    refused("subject", lambda: verify({**LOCK, "signatures": other["signatures"]}))


def test_the_pins_of_one_server_passed_off_as_those_of_another() -> None:
    envelope = signed_pins("files", "rita", "rob")
    assert verify_pins("files", MERKLE, envelope, ROOT, NOW).signers
    refused("subject", lambda: verify_pins("issues", MERKLE, envelope, ROOT, NOW))


def test_a_statement_on_one_server_whose_subject_is_another() -> None:
    told = Statement("urn:bawn:pins:1", {"pins/files": MERKLE}, 1, NOW, NOW + DAY, "issues")
    envelope = sign(Envelope(told.payload(), STATEMENT), "rita", "rob")
    refused("subject", lambda: verify_pins("issues", MERKLE, envelope, ROOT, NOW))
    refused("subject", lambda: verify_pins("files", MERKLE, envelope, ROOT, NOW))


def test_pins_that_are_passed_off_as_an_entry_or_a_lockfile() -> None:
    envelope = signed_pins("files", "rita", "rob", "paul")
    refused("type", lambda: verify_entry("files", b"{}", envelope, ROOT, NOW))
    refused("type", lambda: verify_lock(b"{}", [envelope], ROOT, NOW))


@pytest.mark.parametrize(
    "digest",
    [
        {"sha1": "00" * 20},
        {"md5": "00" * 16, "sha256": MERKLE},
        {"sha256": MERKLE, "sha512": "00" * 64},
        {"sha256": MERKLE.upper()},
        {"sha256": MERKLE[:-2]},
        {"sha256": ""},
        {},
    ],
)
def test_a_weaker_digest_or_one_beside_it(digest: Json) -> None:
    told = payload_tree()
    told["subject"][0]["digest"] = digest
    refused("malformed", lambda: verify(resigned(told)))


def test_a_subject_that_is_named_twice() -> None:
    told = payload_tree()
    told["subject"].append({"name": "bawn.lock", "digest": {"sha256": MERKLE}})
    refused("duplicate", lambda: verify(resigned(told)))


@pytest.mark.parametrize(
    "name", ["bawn.loсk", "bawn.lock ", "bawn.lock\u200b", "BAWN.LOCK", "bawn․lock"]
)
def test_a_subject_whose_name_looks_alike(name: str) -> None:
    told = payload_tree()
    told["subject"][0]["name"] = name
    with pytest.raises(Unverified, match=r"malformed|subject"):
        verify(resigned(told))


@pytest.mark.parametrize(
    "server", ["fi1es", "FILES", "fіles", "files\n", "files\u200b", "../files"]
)
def test_a_server_whose_name_looks_alike(server: str) -> None:
    with pytest.raises(Unverified, match=r"malformed|subject"):
        verify_pins("files", MERKLE, signed_pins(server, "rita", "rob"), ROOT, NOW)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text.replace(b'"version":', b'"version":1,"version":'),
        lambda text: text + b" ",
        lambda text: text + b"{}",
        lambda text: b"\xef\xbb\xbf" + text,
        lambda text: text.replace(b'":"', b'": "', 1),
        lambda text: text[:-1],
        lambda text: text.replace(b"bawn.lock", b"bawn.\\u006cock"),
        lambda text: text.replace(b"bawn.lock", b"bawn.\xff"),
        lambda text: text.replace(b'"version":', b'"version":1.0e0,"x":'),
        lambda text: b"",
        lambda text: b"[]",
        lambda text: b"null",
    ],
)
def test_a_statement_that_can_be_read_in_two_ways(spoil: Callable[[bytes], bytes]) -> None:
    payload = spoil(rfc8785.dumps(payload_tree()))
    refused("malformed", lambda: verify(resigned(None, payload=payload)))


@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
def test_a_statement_or_lockfile_that_is_nested_deeply(opening: bytes) -> None:
    bomb = opening * 100_000
    refused("malformed", lambda: verify(resigned(None, payload=bomb)))
    refused("malformed", lambda: lock.read(bomb))
    refused("malformed", lambda: chain.load(bomb, NOW))


@pytest.mark.parametrize("version", [0, -1, 2**53, True, "1", 1.5, None])
def test_a_version_that_is_no_version(version: object) -> None:
    told = payload_tree()
    told["predicate"]["version"] = version
    payload = json.dumps(told, separators=(",", ":"), sort_keys=True).encode()
    refused("malformed", lambda: verify(resigned(None, payload=payload)))


def test_a_statement_with_members_that_nobody_knows() -> None:
    told = payload_tree()
    told["predicate"]["also"] = "trust everything"
    refused("malformed", lambda: verify(resigned(told)))


@pytest.mark.parametrize("cut", [1, 40, 200])
def test_a_truncated_lockfile(cut: int) -> None:
    refused("malformed", lambda: lock.read(json.dumps(SIGNED).encode()[:-cut]))


def test_a_lockfile_with_a_member_twice() -> None:
    content = json.dumps(SIGNED).encode()
    doubled = content[:-1] + b',"servers":{}}'
    refused("malformed", lambda: lock.read(doubled))


def test_a_statement_that_has_expired() -> None:
    refused("expired", lambda: verify(SIGNED, NOW + 90 * DAY))
    assert verify(SIGNED, NOW + 90 * DAY - 1).signers


def test_a_statement_of_the_future() -> None:
    refused("future", lambda: verify(SIGNED, NOW - 301))
    assert verify(SIGNED, NOW - 299).signers


@pytest.mark.parametrize(
    "text",
    ["2027-01-15T08:00:00+00:00", "2027-1-15T08:00:00Z", "9999999999", "", "2027-02-30T00:00:00Z",
     "٢٠27-01-15T08:00:00Z"],
)  # fmt: skip
def test_a_time_in_a_second_writing(text: str) -> None:
    told = payload_tree()
    told["predicate"]["expires"] = text
    refused("malformed", lambda: verify(resigned(told)))


def test_a_statement_that_ends_before_it_begins() -> None:
    told = payload_tree()
    told["predicate"]["expires"] = told["predicate"]["issued"]
    refused("malformed", lambda: verify(resigned(told)))


def test_a_root_that_has_expired_vouches_for_nothing() -> None:
    office = Office(lifetime=DAY)
    tree = signed_lock("rita", "rob")
    root = office.root()
    refused("expired", lambda: lock.verify(tree, root, NOW + DAY))
    refused("expired", lambda: office.root(NOW + DAY))


def test_a_root_of_the_future() -> None:
    refused("future", lambda: Office().root(NOW - 301))


def test_a_key_that_has_expired() -> None:
    members = [*Office().members[:-1], ("reviewer", entry("ruth", "2027-01-15T09:00:00Z"))]
    root = Office(members).root()
    tree = signed_lock("rita", "ruth")
    assert lock.verify(tree, root, NOW).signers
    refused("expired", lambda: lock.verify(tree, root, NOW + 3600))


PAYLOAD_BYTES = base64.b64decode(envelope_of(SIGNED)["payload"])
CONTENT = lock.content(SIGNED)
ENVELOPE = Envelope.read(envelope_of(SIGNED))


def flip(content: bytes, place: int, bits: int) -> bytes:
    at = place % len(content)
    return content[:at] + bytes([content[at] ^ bits]) + content[at + 1 :]


@settings(max_examples=300)
@given(st.integers(0, 1 << 20), st.integers(1, 255), st.sampled_from(["payload", "sig", "content"]))
def test_no_single_byte_can_be_changed(place: int, bits: int, part: str) -> None:
    envelope, content = ENVELOPE, CONTENT
    if part == "payload":
        envelope = Envelope(flip(PAYLOAD_BYTES, place, bits), STATEMENT, ENVELOPE.signatures)
    elif part == "sig":
        chosen = ENVELOPE.signatures[place % 2]
        spoiled = Signature(chosen.key, flip(chosen.value, place // 2, bits))
        others = tuple(each for each in ENVELOPE.signatures if each is not chosen)
        envelope = Envelope(PAYLOAD_BYTES, STATEMENT, (*others, spoiled))
    else:
        content = flip(CONTENT, place, bits)
    with pytest.raises(Unverified):
        verify_lock(content, [envelope], ROOT, NOW)


@settings(max_examples=200)
@given(st.integers(0, 1 << 20), st.integers(1, 255))
def test_a_file_with_another_byte_is_refused_or_means_the_same(place: int, bits: int) -> None:
    """Such as a blank for a blank; what is not signed, and means nothing."""
    spoiled = flip(json.dumps(SIGNED, indent=1).encode(), place, bits)
    try:
        tree = lock.read(spoiled)
        lock.verify(tree, ROOT, NOW)
    except Unverified:
        return
    assert lock.content(tree) == CONTENT


@settings(max_examples=150)
@given(st.binary(max_size=200))
def test_no_bytes_break_the_readers(content: bytes) -> None:
    for reader in (lock.read, chain.read, Statement.read, Root.read):
        with pytest.raises(Unverified, match=r"malformed|duplicate|threshold"):
            reader(content + b"\0")  # no JSON, whatever comes before


def test_the_kinds_of_statement_are_signed_in_one_writing() -> None:
    told = Statement(LOCK_KIND, {"bawn.lock": MERKLE}, 1, NOW, NOW + DAY)
    assert rfc8785.dumps(msgspec.json.decode(told.payload())) == told.payload()
    assert canonical.digest(told.payload()) == Statement.read(told.payload()).digest
    assert isinstance(entry("rita"), Entry)
    assert rotation.LIFETIME == 365 * DAY
