"""The trust root, and the type that verification alone makes: what somebody would try with either."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

from bawn.model import Json
from bawn.signing import chain, lock
from bawn.signing.envelope import STATEMENT, Envelope
from bawn.signing.root import PAYLOAD, Root
from bawn.signing.rotation import Changes
from bawn.signing.seen import Seen
from bawn.signing.statement import Statement
from bawn.signing.trusted import Quorum, Trusted, verified
from bawn.signing.verify import verify_entry
from tests.signers import (
    NOW,
    SIGNED,
    Office,
    entry,
    envelope_of,
    person,
    refused,
    sign,
    signed_entry,
    signed_lock,
    verify,
    with_payload,
)


@pytest.fixture
def seen(tmp_path: Path) -> Seen:
    """A gate's record, with its root admitted."""
    made = Seen(tmp_path / "signing.json")
    chain.load(Office().content, NOW, made)
    return made


def test_a_root_signed_by_new_keys_alone() -> None:
    office = Office()
    swap = Changes(
        [("organisation", entry("mallory"))],
        [("organisation", person("olga").public.id), ("organisation", person("otto").public.id)],
        {"organisation": 1},
    )
    office.rotate(swap, "mallory")
    refused("unknown key", office.root)


def test_a_root_signed_by_old_keys_alone() -> None:
    office = Office()
    swap = Changes([("organisation", entry("nina"))], [("organisation", person("olga").public.id)])
    office.rotate(swap, "olga", "otto")
    refused("threshold", office.root)


def test_a_root_signed_by_too_few_of_the_old_keys() -> None:
    office = Office()
    office.rotate(Changes(thresholds={"organisation": 1}), "olga")
    refused("threshold", office.root)


def test_a_root_signed_by_reviewers() -> None:
    office = Office()
    office.rotate(Changes(thresholds={"reviewer": 1}), "rita", "rob", "ruth")
    refused("unknown key", office.root)


def test_a_root_that_leaves_out_a_version() -> None:
    office = Office()
    for _ in range(2):
        office.rotate(Changes(), "olga", "otto")
    del office.line[1]
    refused("rollback", office.root)


def test_a_root_that_comes_twice_or_does_not_begin_at_the_first_version() -> None:
    office = Office()
    office.rotate(Changes(), "olga", "otto")
    refused("rollback", lambda: chain.load(chain.write([*office.line, office.line[1]]), NOW))
    refused("rollback", lambda: chain.load(chain.write(office.line[1:]), NOW))


def test_a_key_that_was_revoked() -> None:
    office = Office()
    assert lock.verify(SIGNED, office.root(), NOW).signers
    office.rotate(Changes(remove=[("reviewer", person("rita").public.id)]), "olga", "otto")
    told = refused("threshold", lambda: lock.verify(SIGNED, office.root(), NOW))
    assert "is not in the root" in told


def test_an_older_root_that_still_has_the_revoked_key(seen: Seen) -> None:
    office = Office()
    office.rotate(Changes(remove=[("reviewer", person("rita").public.id)]), "olga", "otto")
    chain.load(office.content, NOW, seen)
    refused("rollback", lambda: chain.load(Office().content, NOW, seen))


def test_another_second_version_of_the_same_root(seen: Seen) -> None:
    office, fork = Office(), Office()
    office.rotate(Changes(), "olga", "otto")
    fork.rotate(Changes(thresholds={"reviewer": 1}), "olga", "otto")
    fork.rotate(Changes(), "olga", "otto")
    chain.load(office.content, NOW, seen)
    refused("rollback", lambda: chain.load(fork.content, NOW, seen))


def test_another_root_in_the_place_of_the_trusted_one(seen: Seen) -> None:
    other = Office([("organisation", entry("mallory")), ("reviewer", entry("mallory"))], {})
    other.line = [sign(other.line[0], "mallory")]
    assert other.root().signers
    refused("root", lambda: chain.load(other.content, NOW, seen))
    tree = signed_lock("mallory")
    refused("root", lambda: lock.verify(tree, other.root(), NOW, seen))


def test_a_root_by_one_of_the_two_that_it_needs() -> None:
    refused("threshold", lambda: chain.load(chain.write([_unsigned_root("olga")]), NOW))


def test_a_root_that_nobody_signed() -> None:
    refused("threshold", lambda: chain.load(chain.write([_unsigned_root()]), NOW))


def _unsigned_root(*names: str) -> Envelope:
    return sign(Envelope(Office().line[0].payload, PAYLOAD), *names)


def _root_with(change: Callable[[Json], object], *names: str) -> bytes:
    envelope = Office().line[0]
    tree = json.loads(envelope.payload)
    change(tree)
    payload = json.dumps(tree, separators=(",", ":"), sort_keys=True).encode()
    return chain.write([with_payload(envelope, payload, *(names or ("olga", "otto")))])


@pytest.mark.parametrize("threshold", [0, -1, 10**9, 257, 2**64, True, 1.5, "1", None])
def test_a_threshold_that_is_none(threshold: object) -> None:
    content = _root_with(lambda tree: tree["roles"]["reviewer"].update(threshold=threshold))
    refused("malformed", lambda: chain.load(content, NOW))


def test_a_threshold_that_can_never_be_reached() -> None:
    content = _root_with(lambda tree: tree["roles"]["reviewer"].update(threshold=4))
    refused("threshold", lambda: chain.load(content, NOW))
    unreachable = Quorum("reviewer", {}, 0)
    refused("threshold", lambda: unreachable.signers(_unsigned_root("olga")))


def test_a_role_that_lists_a_key_twice() -> None:
    content = _root_with(lambda tree: tree["roles"]["reviewer"]["keyids"].append(
        tree["roles"]["reviewer"]["keyids"][0]))  # fmt: skip
    refused("duplicate", lambda: chain.load(content, NOW))


def test_a_root_that_lists_one_key_under_two_ids() -> None:
    def double(tree: Json) -> None:
        rita = person("rita").public.id
        tree["keys"]["00" * 32] = tree["keys"][rita]
        tree["roles"]["reviewer"]["keyids"].append("00" * 32)

    refused("malformed", lambda: chain.load(_root_with(double), NOW))


def test_a_root_that_lists_a_key_by_the_id_of_another() -> None:
    def swap(tree: Json) -> None:
        tree["keys"][person("rita").public.id]["keyval"] = {
            "public": person("mallory").public.raw.hex()
        }

    refused("malformed", lambda: chain.load(_root_with(swap), NOW))


def test_a_root_with_a_key_in_a_second_writing() -> None:
    def upper(tree: Json) -> None:
        rita = tree["keys"][person("rita").public.id]["keyval"]
        rita["public"] = rita["public"].upper()

    refused("malformed", lambda: chain.load(_root_with(upper), NOW))


@pytest.mark.parametrize("part", [{"scheme": "rsa"}, {"keytype": "none"}, {"scheme": "ed25519ph"}])
def test_a_root_with_a_key_of_another_algorithm(part: Json) -> None:
    rita = person("rita").public.id
    content = _root_with(lambda tree: tree["keys"][rita].update(part))
    refused("malformed", lambda: chain.load(content, NOW))


@pytest.mark.parametrize("name", ["оlga", "olga\u200b", "olga\n", "\x1b[2J", "", "a" * 65])
def test_a_root_with_a_name_that_looks_alike(name: str) -> None:
    rita = person("rita").public.id
    content = _root_with(lambda tree: tree["keys"][rita].update(name=name))
    refused("malformed", lambda: chain.load(content, NOW))


def test_a_root_without_an_organisation_or_with_a_role_that_nobody_knows() -> None:
    content = _root_with(lambda tree: tree["roles"].pop("organisation"))
    refused("malformed", lambda: chain.load(content, NOW))
    content = _root_with(lambda tree: tree["roles"].update(admin=tree["roles"]["reviewer"]))
    refused("malformed", lambda: chain.load(content, NOW))


def test_an_organisation_key_that_could_date_a_root_back() -> None:
    olga = person("olga").public.id
    content = _root_with(lambda tree: tree["keys"][olga].update(expires="2027-01-15T09:00:00Z"))
    refused("malformed", lambda: chain.load(content, NOW))


def test_a_role_that_nobody_has() -> None:
    office = Office([each for each in Office().members if each[0] != "publisher"])
    envelope = signed_entry("files", "paul")
    refused("threshold", lambda: verify_entry("files", b"{}", envelope, office.root(), NOW))


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[]", b'{"roots":[]}', b'{"roots":{}}', b"\xff\xfe"]
)
def test_a_file_that_is_no_root(content: bytes) -> None:
    refused("malformed", lambda: chain.load(content, NOW))


def test_a_trusted_made_by_hand() -> None:
    root = Office().newest
    with pytest.raises(TypeError):
        Trusted(root, frozenset(), object())  # type: ignore[arg-type]  # what is tried
    with pytest.raises(TypeError):
        Trusted(root)  # type: ignore[call-arg]  # what is tried


def test_a_trusted_made_without_its_constructor() -> None:
    hollow: Trusted[Root] = object.__new__(Trusted)
    with pytest.raises(TypeError, match="verification"):
        lock.verify(SIGNED, hollow, NOW)
    object.__setattr__(hollow, "_value", Office().newest)
    with pytest.raises(TypeError, match="verification"):
        lock.verify(SIGNED, hollow, NOW)


def test_a_trusted_that_is_changed_copied_pickled_or_subclassed() -> None:
    trusted = verify(SIGNED)
    for act in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError):
            act(trusted)
    with pytest.raises(TypeError):
        trusted._value = trusted.value
    with pytest.raises(TypeError):
        type("Mine", (Trusted,), {})


def test_verification_by_nobody_is_no_verification() -> None:
    envelope = Envelope.read(envelope_of(SIGNED))
    refused(
        "threshold",
        lambda: verified(envelope, STATEMENT, Statement.read, lambda _: [], lambda _: None),
    )
