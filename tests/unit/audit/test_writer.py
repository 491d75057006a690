from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bawn.audit import writer as writer_module
from bawn.audit.entries import Dropped, Intent, Outcome, Refusal, Segment
from bawn.audit.recover import recover
from bawn.audit.writer import Writer
from bawn.errors import AUDIT_UNAVAILABLE, Refused
from bawn.ports import Audit
from bawn.storage import StateDirectory
from tests.audited import (
    ALLOWED,
    TOOL,
    call,
    calls,
    die,
    kinds,
    read,
    segment_files,
    state_in,
    ticking,
)


@pytest.fixture
def state(tmp_path: Path) -> StateDirectory:
    return state_in(tmp_path)


@pytest.fixture
def writer(state: StateDirectory) -> Writer:
    return Writer(state, clock=ticking())


def append(writer: Writer, number: int = 1, status: str = "ok") -> int:
    intent = writer.intent(call(number), TOOL, ALLOWED)
    writer.outcome(intent, f"{number:032x}", status, 0.0015, 42)
    return intent


def health(writer: Writer) -> tuple[bool, int]:
    return writer.healthy, writer.failures


def short(monkeypatch: pytest.MonkeyPatch, taken: int) -> None:
    """Let every write take this many bytes, then none: a disk that is full."""
    write, left = os.write, [taken]

    def limited(descriptor: int, data: bytes) -> int:
        if not left[0]:
            raise OSError(errno.ENOSPC, "No space left on device")
        part = data[: left[0]]
        left[0] -= len(part)
        return write(descriptor, part)

    monkeypatch.setattr(os, "write", limited)


class Timer:
    """A loop's `call_later`: keeps what was asked for until it is run."""

    def __init__(self) -> None:
        self.waiting: list[tuple[float, Callable[[], None]]] = []

    def __call__(self, seconds: float, callback: Callable[[], None]) -> None:
        self.waiting.append((seconds, callback))

    def run(self) -> None:
        waiting, self.waiting = self.waiting, []
        for _, callback in waiting:
            callback()


def test_it_is_an_audit(writer: Writer) -> None:
    audit: Audit = writer
    assert audit is writer
    writer.close()


def test_an_intent_stands_in_the_file_when_it_returns(
    state: StateDirectory, writer: Writer
) -> None:
    number = writer.intent(call(), TOOL, ALLOWED)
    die(writer)
    (intent,) = [f.record for f in read(state)[0] if isinstance(f.record, Intent)]
    assert (intent.seq, intent.trace) == (number, f"{1:032x}")


def test_an_outcome_rides_with_the_next_intent_in_one_write(
    state: StateDirectory, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[bytes] = []
    write = os.write

    def counted(descriptor: int, data: bytes) -> int:
        written.append(data)
        return write(descriptor, data)

    monkeypatch.setattr(os, "write", counted)
    append(writer, 1)
    append(writer, 2)
    assert [data.count(b"\n") for data in written] == [1, 2]
    assert kinds(state) == ["segment", "intent", "outcome", "intent"]
    writer.close()


def test_an_outcome_is_written_within_five_milliseconds_without_traffic(
    state: StateDirectory,
) -> None:
    timer = Timer()
    writer = Writer(state, clock=ticking(), schedule=timer)
    append(writer)
    writer.refusal(call(2), "policy.denied", "")
    assert [seconds for seconds, _ in timer.waiting] == [0.005]
    timer.run()
    assert kinds(state) == ["segment", "intent", "outcome", "refusal"]
    assert timer.waiting == []
    writer.close()


def test_closing_writes_what_is_pending_and_ends_the_chain(
    state: StateDirectory, writer: Writer
) -> None:
    append(writer)
    writer.refusal(call(2), "policy.denied", "no role allows it")
    writer.close()
    writer.close()
    found, problems = read(state)
    assert problems == []
    assert kinds(state) == ["segment", "intent", "outcome", "refusal", "close"]
    assert [one.record.seq for one in found] == [1, 2, 3, 4, 5]
    assert writer.records == 5


def test_after_closing_nothing_is_let_through(writer: Writer) -> None:
    writer.close()
    with pytest.raises(Refused) as caught:
        writer.intent(call(), TOOL, ALLOWED)
    assert caught.value.reason is AUDIT_UNAVAILABLE
    writer.outcome(1, "t", "ok", 1, 1)
    writer.flush()


def test_what_an_outcome_tells(state: StateDirectory, writer: Writer) -> None:
    intent = append(writer, status="upstream.died")
    writer.close()
    (outcome,) = [f.record for f in read(state)[0] if isinstance(f.record, Outcome)]
    assert (outcome.intent, outcome.status, outcome.duration_us, outcome.size) == (
        intent, "upstream.died", 1500, 42,
    )  # fmt: skip


def test_a_second_start_follows_the_first(state: StateDirectory, writer: Writer) -> None:
    writer.close()
    again = Writer(state, clock=ticking(2 * 10**18))
    again.close()
    assert read(state)[1] == []
    begun = [f.record for f in read(state)[0] if isinstance(f.record, Segment)]
    assert [list(one.after) for one in begun] == [[], [segment_files(state)[0].name]]


def test_a_start_after_a_kill_ends_the_segment_and_follows_it(
    state: StateDirectory, writer: Writer
) -> None:
    append(writer, 1)
    die(writer)
    again = Writer(state, clock=ticking(2 * 10**18))
    append(again, 2)
    again.close()
    assert read(state)[1] == []
    assert "recovered" in kinds(state)
    begun = [f.record for f in read(state)[0] if isinstance(f.record, Segment)]
    assert list(begun[1].after) == [segment_files(state)[0].name]


def test_writers_of_one_directory_do_not_meet(state: StateDirectory, writer: Writer) -> None:
    other = Writer(state, clock=ticking())
    for number in range(1, 4):
        append(writer, number)
        append(other, number + 10)
    writer.close()
    other.close()
    assert read(state)[1] == []
    assert sorted(int(one.trace, 16) for one in calls(state)) == [1, 2, 3, 11, 12, 13]


def test_a_full_segment_is_ended_and_another_follows_it(state: StateDirectory) -> None:
    writer = Writer(state, clock=ticking(), rotate=4096)
    for number in range(1, 40):
        append(writer, number)
    writer.close()
    assert len(segment_files(state)) > 3
    assert read(state)[1] == []
    assert [one.status for one in calls(state)] == ["ok"] * 39
    assert max(path.stat().st_size for path in segment_files(state)) < 8192


def test_with_its_next_segment_it_lets_go_of_erased_keys(state: StateDirectory) -> None:
    writer = Writer(state, clock=ticking(), rotate=1000)
    append(writer, 1)
    (key,) = (path for path in state.subjects.iterdir() if not path.name.startswith("."))
    key.unlink()
    append(writer, 2)
    append(writer, 3)
    append(writer, 4)
    writer.close()
    assert [one.who for one in calls(state)][::3] == ["erased", "ada@example.com"]
    assert read(state)[1] == []


def test_a_segment_of_a_clock_that_does_not_move_is_still_another(state: StateDirectory) -> None:
    writer = Writer(state, clock=lambda: 10**18, rotate=1)
    for number in range(1, 5):
        append(writer, number)
    writer.close()
    assert read(state)[1] == []
    assert len(calls(state)) == 4


@pytest.mark.parametrize("taken", [0, 1, 200, 300, 700, 800])
def test_an_intent_that_is_not_wholly_written_is_refused_and_the_file_stays_whole(
    state: StateDirectory, writer: Writer, monkeypatch: pytest.MonkeyPatch, taken: int
) -> None:
    append(writer, 1)
    with monkeypatch.context() as patch:
        short(patch, taken)
        with pytest.raises(Refused) as caught:
            writer.intent(call(2), TOOL, ALLOWED)
        assert caught.value.reason is AUDIT_UNAVAILABLE
        assert health(writer) == (False, 1)
    append(writer, 3)
    assert health(writer) == (True, 1)
    writer.close()
    assert read(state)[1] == []
    assert [(int(one.trace, 16), one.status) for one in calls(state)] == [(1, "ok"), (3, "ok")]
    assert len(segment_files(state)) == 1


def test_outcomes_wait_until_the_disk_has_room_again(
    state: StateDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    timer = Timer()
    writer = Writer(state, clock=ticking(), schedule=timer)
    append(writer)
    with monkeypatch.context() as patch:
        short(patch, 0)
        timer.run()
        assert [seconds for seconds, _ in timer.waiting] == [1.0]
        assert health(writer) == (False, 1)
    timer.run()
    assert kinds(state) == ["segment", "intent", "outcome"]
    assert health(writer) == (True, 1)
    writer.close()


def test_a_torn_end_that_cannot_be_repaired_is_left_and_another_segment_begun(
    state: StateDirectory, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise OSError(errno.EIO, "I/O error")

    append(writer, 1)
    with monkeypatch.context() as patch:
        short(patch, 300)
        patch.setattr(os, "ftruncate", fail)
        with pytest.raises(Refused):
            writer.intent(call(2), TOOL, ALLOWED)
    append(writer, 3)
    writer.close()
    assert len(segment_files(state)) == 2
    assert len(recover(state.audit, ticking(2 * 10**18))) == 1
    assert read(state)[1] == []
    assert [(int(one.trace, 16), one.status) for one in calls(state)] == [(1, "ok"), (3, "ok")]


def test_strict_waits_for_the_disk_before_the_intent_returns(
    state: StateDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    monkeypatch.setattr("bawn.audit.segment._sync", synced.append)
    writer = Writer(state, "strict", clock=ticking())
    begun = len(synced)
    writer.intent(call(), TOOL, ALLOWED)
    assert len(synced) == begun + 1
    writer.close()
    Writer(state, clock=ticking(2 * 10**18)).close()
    assert len(synced) == begun + 2


def test_strict_refuses_what_the_disk_did_not_confirm(
    state: StateDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: int) -> None:
        raise OSError(errno.EIO, "I/O error")

    writer = Writer(state, "strict", clock=ticking())
    append(writer, 1)
    with monkeypatch.context() as patch:
        patch.setattr("bawn.audit.segment._sync", fail)
        with pytest.raises(Refused):
            writer.intent(call(2), TOOL, ALLOWED)
    append(writer, 3)
    writer.close()
    recover(state.audit, ticking(2 * 10**18))
    assert read(state)[1] == []
    told = {int(one.trace, 16): one.status for one in calls(state)}
    assert (told[1], told[3]) == ("ok", "ok")


def test_without_room_for_its_first_segment_it_does_not_start(
    state: StateDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "write", lambda *_: 0)
    with pytest.raises(Refused) as caught:
        Writer(state)
    assert caught.value.reason is AUDIT_UNAVAILABLE
    assert list(state.audit.iterdir()) == []


def test_params_that_cannot_be_encoded_are_a_refusal_and_stand_in_nobodys_way(
    state: StateDirectory, writer: Writer
) -> None:
    with pytest.raises(Refused):
        writer.intent(call(params={"arguments": {"a": "\ud800"}}), TOOL, ALLOWED)
    writer.refusal(call(method="\ud800"), "method.unknown", "")
    writer.outcome(1, "t", "ok", float("nan"), 1)
    append(writer, 2)
    writer.close()
    assert [one.status for one in calls(state)] == ["ok"]
    assert read(state)[1] == []


def test_a_record_that_is_lost_is_owned_up_to(
    state: StateDirectory, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer_module, "MAX_PENDING", 3)
    for number in range(8):
        writer.refusal(call(number), "limit.principal", "")
    writer.close()
    records = [found.record for found in read(state)[0]]
    assert sum(isinstance(record, Refusal) for record in records) == 3
    assert [record.count for record in records if isinstance(record, Dropped)] == [5]
    assert writer.failures == 5


def test_a_subject_whose_key_cannot_be_kept_does_not_call(
    state: StateDirectory, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("bawn.storage.directory.replace", fail)
    with pytest.raises(Refused, match="No space left"):
        writer.intent(call(), TOOL, ALLOWED)
    writer.refusal(call(), "limit.principal", "")
    monkeypatch.undo()
    writer.close()
    assert kinds(state) == ["segment", "dropped", "close"]
