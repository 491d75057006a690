from __future__ import annotations

import msgspec

from bawn.approvals.viewed import Said, said
from bawn.protocol.sealing import Sealer
from bawn.storage.approvals import Vote


def test_a_vote_is_read_for_its_own_approval_and_person_alone() -> None:
    sealer = Sealer([b"k" * 32], lambda: b"n" * 12)
    words = Said("bob", "grant", 1.0, "fine")
    vote = Vote("b", "grant", (0,), 1.0, sealer.seal("vote a b", msgspec.to_builtins(words)))
    assert said(sealer, "a", vote) == words
    assert said(sealer, "x", vote) == Said("", "grant", 1.0)
    stolen = msgspec.structs.replace(vote, approver="c")
    assert said(sealer, "a", stolen) == Said("", "grant", 1.0)
