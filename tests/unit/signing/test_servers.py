"""What is signed about one server names it, and joins what says the same."""

from __future__ import annotations

from bawn.signing import canonical, servers
from bawn.signing.statement import Statement
from tests.signers import MERKLE, NOW, refused, sign


def test_pins_and_entry_are_subjects_of_their_server() -> None:
    found = Statement.read(servers.pins_proposal("files", MERKLE, NOW, entry=b"{}").payload)
    assert found.kind == "urn:bawn:pins:1"
    assert found.server == "files"
    assert found.subjects == {"pins/files": MERKLE, "entry/files": canonical.digest(b"{}")}


def test_an_entry_and_its_artifacts_are_subjects() -> None:
    artifacts = {"pkg:npm/x@1.0.0": "11" * 32}
    found = Statement.read(servers.entry_proposal("files", b"{}", NOW, artifacts=artifacts).payload)
    assert found.kind == "urn:bawn:entry:1"
    assert found.subjects == {"entry/files": canonical.digest(b"{}"), **artifacts}


def test_the_signatures_that_are_there_stay_if_it_says_the_same() -> None:
    first = sign(servers.pins_proposal("files", MERKLE, NOW), "rita")
    assert servers.pins_proposal("files", MERKLE, NOW + 1, before=first) == first
    assert servers.pins_proposal("files", "00" * 32, NOW + 1, before=first).signatures == ()
    assert servers.pins_proposal("issues", MERKLE, NOW + 1, before=first).signatures == ()


def test_a_root_that_is_no_digest_is_refused() -> None:
    refused("malformed", lambda: servers.pins_proposal("files", "root", NOW))
