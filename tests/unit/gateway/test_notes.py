from __future__ import annotations

from typing import Any

import pytest

from bawn.errors import STORE_UNAVAILABLE, Refused
from bawn.gateway import notes
from bawn.gateway.notes import Note, Notes, named
from bawn.model import Call, Client, Principal
from bawn.protocol.sessions import LIFETIME
from tests.fakes import Clock, FakeNotes, counting_sealer
from tests.gate import ADA, LEGACY, VIC


def _call(session: str | None = "s", who: Principal = ADA, at: str | None = None) -> Call:
    return Call(1, "tools/call", {}, who, at, Client(LEGACY), "t", session)


@pytest.fixture
def store() -> FakeNotes:
    return FakeNotes()


def _notes(store: FakeNotes, **more: Any) -> Notes:
    return Notes(store, more.get("sealer", counting_sealer()), Clock())


def test_a_session_that_told_nothing_has_told_nothing(store: FakeNotes) -> None:
    assert _notes(store).of(_call()) == Note()
    assert _notes(store).level(_call()) is None
    assert store.kept == {}


def test_a_call_without_a_session_has_no_level_and_asks_no_store(store: FakeNotes) -> None:
    store.failing = Refused(STORE_UNAVAILABLE)
    found = _notes(store)
    assert found.level(_call(None)) is None
    assert not found._notes


def test_another_worker_reads_what_a_session_told(store: FakeNotes) -> None:
    _notes(store).keep(_call(), Note("error", ["file:///a"]))
    adopted = _notes(store)
    assert adopted.of(_call()) == Note("error", ["file:///a"])
    assert adopted.level(_call()) == "error"


def test_a_note_lasts_as_long_as_its_session_may() -> None:
    untils: list[float] = []

    class Store(FakeNotes):
        def keep(self, session: str, until: float, note: str) -> None:
            untils.append(until)

    clock = Clock()
    Notes(Store(), counting_sealer(), clock).keep(_call(), Note("debug"))
    assert untils == [clock.now + LIFETIME]


def test_a_note_is_that_of_one_session_of_one_caller_at_one_endpoint(store: FakeNotes) -> None:
    found = _notes(store)
    found.keep(_call(), Note("error"))
    for other in (_call("t"), _call(who=VIC), _call(at="files")):
        assert found.level(other) is None
    assert len({named(ADA, None, "s"), named(ADA, "files", "s"), named(VIC, None, "s")}) == 3


def test_what_is_kept_says_nothing_to_who_reads_the_store(store: FakeNotes) -> None:
    _notes(store).keep(_call("s3cr3t-session"), Note("error", ["file:///s3cr3t"]))
    [(key, kept)] = store.kept.items()
    assert "s3cr3t" not in key + kept
    assert ADA.subject not in key


@pytest.mark.parametrize("kept", ["", "nonsense", "é"])
def test_what_cannot_be_read_counts_as_nothing_told(store: FakeNotes, kept: str) -> None:
    store.kept[named(ADA, None, "s")] = kept
    assert _notes(store).of(_call()) == Note()


def test_a_note_of_another_gate_or_kind_counts_as_nothing_told(store: FakeNotes) -> None:
    _notes(store, sealer=counting_sealer(b"x" * 32)).keep(_call(), Note("error"))
    assert _notes(store).level(_call()) is None
    sealer = counting_sealer()
    for purpose, content in (("note", {"level": 5}), ("session", {"level": "error"})):
        store.kept[named(ADA, None, "s")] = sealer.seal(purpose, content)
        assert _notes(store).level(_call()) is None


def test_a_store_that_fails_hides_a_note_and_refuses_to_keep_one(store: FakeNotes) -> None:
    found = _notes(store)
    store.failing = Refused(STORE_UNAVAILABLE)
    assert found.level(_call()) is None
    with pytest.raises(Refused) as caught:
        found.keep(_call(), Note("error"))
    assert caught.value.reason is STORE_UNAVAILABLE
    assert found.level(_call()) == "error"  # in this worker


def test_what_is_remembered_is_bounded(store: FakeNotes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notes, "_REMEMBERED", 3)
    found = _notes(store)
    found.keep(_call("first"), Note("error"))
    for number in range(10):
        found.of(_call(f"{number}"))
        if number < 2:
            found.of(_call("first"))
    assert len(found._notes) == 3
    assert found.level(_call("first")) == "error"  # from the store again
