"""What is signed as it has to be is trusted; the attacks are in tests/attacks/test_signatures*.py."""

from __future__ import annotations

from pathlib import Path

from bawn.signing import canonical, chain, lock, servers
from bawn.signing.envelope import Envelope
from bawn.signing.seen import Seen
from bawn.signing.verify import verify_entry, verify_lock, verify_pins
from tests.signers import (
    LOCK,
    MERKLE,
    NOW,
    ROOT,
    SIGNED,
    Office,
    refused,
    sign,
    signed_entry,
    signed_lock,
    signed_pins,
)


def test_pins_are_vouched_for_by_reviewers_with_the_entry_if_one_is_given() -> None:
    envelope = sign(servers.pins_proposal("files", MERKLE, NOW, entry=b"{}"), "rita", "ruth")
    found = verify_pins("files", MERKLE, envelope, ROOT, NOW, entry=b"{}")
    assert found.value.subjects == {"pins/files": MERKLE, "entry/files": canonical.digest(b"{}")}
    refused("subject", lambda: verify_pins("files", MERKLE, envelope, ROOT, NOW, entry=b"[]"))
    refused("subject", lambda: verify_pins("files", "00" * 32, envelope, ROOT, NOW))
    without = signed_pins("files", "rita", "ruth")
    refused("subject", lambda: verify_pins("files", MERKLE, without, ROOT, NOW, entry=b"{}"))


def test_entries_are_vouched_for_by_publishers_with_their_artifacts() -> None:
    artifacts = {"pkg:npm/x@1.0.0": "11" * 32}
    envelope = sign(servers.entry_proposal("files", b"{}", NOW, artifacts=artifacts), "paul")
    assert verify_entry("files", b"{}", envelope, ROOT, NOW, artifacts=artifacts).signers
    other = {"pkg:npm/x@1.0.0": "22" * 32}
    refused("subject", lambda: verify_entry("files", b"{}", envelope, ROOT, NOW, artifacts=other))
    plain = signed_entry("files", "paul")
    refused("subject", lambda: verify_entry("files", b"{}", plain, ROOT, NOW, artifacts=artifacts))


def test_of_several_good_statements_the_newest_counts() -> None:
    newer = signed_lock("rita", "rob", now=NOW + 10)
    both = [*lock.envelopes(newer), *lock.envelopes(SIGNED)]
    found = verify_lock(lock.content(LOCK), both, ROOT, NOW + 10)
    assert found.value.version == int(NOW) + 10


def test_a_bad_statement_beside_a_good_one_does_no_harm() -> None:
    bad = Envelope(b"junk", "application/vnd.in-toto+json")
    found = verify_lock(lock.content(LOCK), [bad, *lock.envelopes(SIGNED)], ROOT, NOW)
    assert found.value.version == int(NOW)


def test_the_same_lockfile_passes_as_often_as_it_is_looked_at(tmp_path: Path) -> None:
    seen = Seen(tmp_path / "signing.json")
    root = chain.load(Office().content, NOW, seen)
    for _ in range(3):
        assert lock.verify(SIGNED, root, NOW, seen).signers
