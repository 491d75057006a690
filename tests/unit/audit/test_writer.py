from __future__ import annotations

import asyncio
import errno
import gc
import os
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.audit import commit as commit_module
from bawn.audit import writer as writer_module
from bawn.audit.entries import Context, Dropped, Intent, Outcome, Refusal, Segment
from bawn.audit.recover import recover
from bawn.audit.writer import Writer
from bawn.errors import AUDIT_UNAVAILABLE, Misconfigured, Refused
from bawn.model import Principal
from bawn.ports import Audit
from bawn.storage import StateDirectory
from tests.audited import (
    ADA,
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
    assert (intent.number, intent.trace) == (number, f"{1:032x}")


def test_an_outcome_rides_with_the_next_intent_in_one_write(
    state: StateDirectory, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[bytes] = []
    write = os.write

    def counted(descriptor: int, data: bytes) -> int:
        written.append(data)
        return write(descriptor, data)

    writer.refusal(call(1), "limit.principal", "")  # which makes the key
    writer.flush()
    monkeypatch.setattr(os, "write", counted)
    append(writer, 1)
    append(writer, 2)
    assert [data.count(b"\n") for data in written] == [2, 2]
    assert kinds(state)[2:] == ["context", "intent", "outcome", "intent"]
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
    assert kinds(state) == ["segment", "context", "intent", "outcome", "refusal"]
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
    assert kinds(state) == ["segment", "context", "intent", "outcome", "refusal", "close"]
    assert [one.line for one in found] == [1, 2, 3, 4, 5, 6]
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


@given(st.text(), st.floats(0, 1e6), st.integers(0, 2**40))
def test_an_outcome_written_by_hand_is_read_as_it_was(
    status: str, seconds: float, size: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        state = state_in(Path(folder))
        writer = Writer(state, clock=ticking())
        writer.outcome(7, "ab12", status, seconds, size)
        writer.close()
        (outcome,) = [f.record for f in read(state)[0] if isinstance(f.record, Outcome)]
        assert (outcome.intent, outcome.trace, outcome.status) == (7, "ab12", status)
        assert (outcome.duration_us, outcome.size) == (int(seconds * 1e6), size)


@pytest.mark.parametrize("trace", ['a"b', "a\n", "", "a\\", "a b"])
def test_a_trace_that_is_none_is_not_written(
    state: StateDirectory, writer: Writer, trace: str
) -> None:
    with pytest.raises(Refused):
        writer.intent(call(trace=trace), TOOL, ALLOWED)
    writer.outcome(1, trace, "ok", 1, 1)
    writer.close()
    assert kinds(state) == ["segment", "dropped", "close"]


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


@pytest.mark.parametrize("taken", [0, 1, 100, 250, 300, 400])
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
    assert kinds(state) == ["segment", "context", "intent", "outcome"]
    assert health(writer) == (True, 1)
    writer.close()


def test_a_torn_end_that_cannot_be_repaired_is_left_and_another_segment_begun(
    state: StateDirectory, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise OSError(errno.EIO, "I/O error")

    append(writer, 1)
    with monkeypatch.context() as patch:
        short(patch, 250)
        patch.setattr(os, "ftruncate", fail)
        with pytest.raises(Refused):
            writer.intent(call(2), TOOL, ALLOWED)
    append(writer, 3)
    writer.close()
    assert len(segment_files(state)) == 2
    assert len(recover(state.audit, ticking(2 * 10**18))) == 1
    assert read(state)[1] == []
    assert [(int(one.trace, 16), one.status) for one in calls(state)] == [(1, "ok"), (3, "ok")]


def test_normal_has_nothing_to_wait_for(writer: Writer) -> None:
    assert writer.durable(writer.intent(call(), TOOL, ALLOWED)) is None
    writer.close()


async def test_strict_waits_for_the_disk_without_holding_up_the_loop(
    state: StateDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = Disk(monkeypatch)
    writer = Writer(state, "strict", clock=ticking())
    waits = [durable(writer, number) for number in range(1, 4)]
    await asyncio.to_thread(disk.begun.acquire)
    assert not any(wait.done() for wait in waits)
    waits += [durable(writer, number) for number in range(4, 40)]
    disk.open.set()
    await asyncio.gather(*waits)
    assert disk.syncs == 2  # the first, and one for all who came meanwhile
    writer.close()
    assert read(state)[1] == []


async def test_strict_waits_for_the_full_segment_too(state: StateDirectory) -> None:
    writer = Writer(state, "strict", clock=ticking(), rotate=1000)
    await asyncio.gather(*(durable(writer, number) for number in range(1, 40)))
    assert len(segment_files(state)) > 5
    writer.close()
    assert read(state)[1] == []


async def test_strict_refuses_all_that_the_disk_did_not_confirm(
    state: StateDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = Disk(monkeypatch)
    disk.broken = True
    writer = Writer(state, "strict", clock=ticking())
    waits = [durable(writer, 1)]
    await asyncio.to_thread(disk.begun.acquire)
    waits += [durable(writer, number) for number in (2, 3)]  # the same segment, the next sync
    disk.open.set()
    told = await asyncio.gather(*waits, return_exceptions=True)
    assert [isinstance(one, Refused) and one.reason is AUDIT_UNAVAILABLE for one in told] == [
        True
    ] * 3
    assert writer.healthy is False
    disk.broken = False
    await durable(writer, 4)
    assert health(writer)[0]
    assert len(segment_files(state)) == 2
    writer.close()
    recover(state.audit, ticking(2 * 10**18))
    assert read(state)[1] == []
    assert len(calls(state)) == 4


async def test_a_caller_who_goes_while_the_disk_is_slow_holds_up_nobody(
    state: StateDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = Disk(monkeypatch)
    writer = Writer(state, "strict", clock=ticking())
    gone, stays = durable(writer, 1), durable(writer, 2)
    gone.cancel()
    disk.open.set()
    await stays
    writer.close()


async def test_strict_has_a_new_callers_key_on_the_disk_before_the_call_leaves(
    state: StateDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    fsync = os.fsync

    def noted(descriptor: int) -> None:
        synced.append(Path(f"/proc/self/fd/{descriptor}").readlink().name)
        fsync(descriptor)

    writer = Writer(state, "strict", clock=ticking())
    monkeypatch.setattr(os, "fsync", noted)
    await durable(writer, 1)
    (key,) = (path.name for path in state.subjects.iterdir() if not path.name.startswith("."))
    assert synced[:2] == [key, "subjects"]
    writer.close()


def durable(writer: Writer, number: int) -> asyncio.Future[None]:
    wait = writer.durable(writer.intent(call(number), TOOL, ALLOWED))
    assert isinstance(wait, asyncio.Future)
    return wait


class Disk:
    """A disk whose syncs wait until it is opened, and fail while it is broken."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.begun = threading.Semaphore(0)
        self.open = threading.Event()
        self.broken = False
        self.syncs = 0
        monkeypatch.setattr("bawn.audit.commit._sync", self.sync)

    def sync(self, _: int) -> None:
        self.syncs += 1
        self.begun.release()
        assert self.open.wait(30)
        if self.broken:
            raise OSError(errno.EIO, "I/O error")


def test_a_segment_that_is_removed_is_noticed_within_a_second(
    state: StateDirectory, caplog: pytest.LogCaptureFixture
) -> None:
    now = [10**18]
    writer = Writer(state, clock=lambda: now[0])
    append(writer, 1)
    segment_files(state)[0].unlink()
    now[0] += 2 * 10**9
    append(writer, 2)
    assert len(segment_files(state)) == 1
    assert "was removed or replaced" in caplog.text
    writer.close()
    assert [int(one.trace, 16) for one in calls(state)] == [2]


def test_without_its_directory_it_refuses_until_that_is_back(state: StateDirectory) -> None:
    now = [10**18]
    writer = Writer(state, clock=lambda: now[0])
    state.audit.rename(state.path / "gone")
    now[0] += 2 * 10**9
    with pytest.raises(Refused):
        writer.intent(call(1), TOOL, ALLOWED)
    (state.path / "gone").rename(state.audit)
    append(writer, 2)
    writer.close()
    recover(state.audit, ticking(2 * 10**18))
    assert read(state)[1] == []
    assert [int(one.trace, 16) for one in calls(state)] == [2]


def test_after_a_write_that_failed_the_context_is_told_again(
    state: StateDirectory, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        short(patch, 0)
        with pytest.raises(Refused):
            writer.intent(call(1), TOOL, ALLOWED)
    append(writer, 2)
    writer.close()
    assert kinds(state) == ["segment", "context", "intent", "outcome", "close"]
    contexts = [f.record for f in read(state)[0] if isinstance(f.record, Context)]
    assert [one.name for one in contexts] == ["read_file"]


def test_a_call_leaves_no_cycles_for_the_collector(writer: Writer) -> None:
    append(writer, 1)
    gc.collect()
    gc.disable()
    try:
        for number in range(2, 200):
            append(writer, number)
        assert gc.collect() == 0
    finally:
        gc.enable()
    writer.close()


def test_a_thousand_new_callers_at_once_wait_for_no_disk(
    state: StateDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = threading.Event()

    def slow(_: int) -> None:
        assert held.wait(30)

    writer = Writer(state, clock=ticking())
    monkeypatch.setattr(os, "fsync", slow)
    for number in range(1000):
        one = Principal(f"user-{number}", "https://idp.example.com", frozenset(), 2e9)
        writer.intent(call(number, one), TOOL, ALLOWED)
    held.set()
    writer.close()
    assert len({one.who for one in calls(state)}) == 1000


def test_names_sort_in_the_order_of_beginning_when_the_clock_is_set_back(
    state: StateDirectory,
) -> None:
    day = 86_400 * 10**9
    for offset in (5, 4, 9, 0):
        writer = Writer(state, clock=ticking(10**18 + offset * day), rotate=1000)
        for number in range(1, 8):
            append(writer, number + 100 * offset)
        writer.close()
    assert read(state)[1] == []
    begun = [f.record for f in read(state)[0] if isinstance(f.record, Segment)]
    assert sorted(one.name for one in begun) == [path.name for path in segment_files(state)]
    assert {one.status for one in calls(state)} == {"ok"}
    assert len(calls(state)) == 28


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


@pytest.mark.parametrize("rotate", [1, 10_000_000])
def test_the_last_line_stands_by_itself_whatever_is_owned_up_to(
    state: StateDirectory, rotate: int
) -> None:
    writer = Writer(state, clock=ticking(), rotate=rotate)
    append(writer, 1)
    writer.refusal(call(method="\ud800"), "method.unknown", "")
    append(writer, 2)
    writer.refusal(call(method="\ud800"), "method.unknown", "")
    writer.close()
    assert read(state)[1] == []
    assert sum(kind == "dropped" for kind in kinds(state)) == 2
    assert len(calls(state)) == 2


def test_what_cannot_be_written_at_the_end_leaves_a_segment_that_recovers(
    state: StateDirectory, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(writer, 1)
    write = os.write
    failing = [True]

    def once(descriptor: int, data: bytes) -> int:
        if failing.pop() if failing else False:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(descriptor, data)

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", once)
        writer.close()
    recover(state.audit, ticking(2 * 10**18))
    assert read(state)[1] == []
    assert [one.status for one in calls(state)] == ["unknown"]


def test_a_subject_whose_key_cannot_be_kept_does_not_call(
    state: StateDirectory, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise Misconfigured("No space left on device")

    monkeypatch.setattr("bawn.audit.subjects.create_unsynced", fail)
    with pytest.raises(Refused, match="No space left"):
        writer.intent(call(), TOOL, ALLOWED)
    writer.refusal(call(), "limit.principal", "")
    monkeypatch.undo()
    writer.close()
    assert kinds(state) == ["segment", "dropped", "close"]


def test_an_event_is_written_before_it_takes_effect(state: StateDirectory, writer: Writer) -> None:
    audit: Audit = writer
    audit.event(ADA, "approval.granted", f"{1:032x}", {"approval": "a-secret"})
    assert kinds(state) == ["segment", "event"]
    (one,) = calls(state)
    assert (one.who, one.decision, one.method, one.trace) == (
        ADA.subject, "event", "approval.granted", f"{1:032x}",
    )  # fmt: skip
    assert one.sealed == {"approval": "a-secret"}
    assert b"a-secret" not in segment_files(state)[0].read_bytes()
    assert ADA.subject.encode() not in segment_files(state)[0].read_bytes()


def test_an_event_that_cannot_be_written_is_refused_and_the_next_one_stands(
    state: StateDirectory, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as full:
        short(full, 10)
        with pytest.raises(Refused) as caught:
            writer.event(ADA, "approval.granted", f"{1:032x}", {})
    assert caught.value.reason is AUDIT_UNAVAILABLE
    writer.event(ADA, "approval.denied", f"{1:032x}", {})
    writer.close()
    assert [one.method for one in calls(state)] == ["approval.denied"]
    with pytest.raises(Refused):
        writer.event(ADA, "approval.used", f"{1:032x}", {})


def test_what_waits_is_written_with_an_event_and_before_it(
    state: StateDirectory, writer: Writer
) -> None:
    writer.refusal(call(1), "approval.pending", "")
    writer.event(ADA, "approval.asked", f"{1:032x}", {})
    assert kinds(state) == ["segment", "refusal", "event"]


def test_with_strict_an_event_is_on_the_disk_on_return(
    state: StateDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    sync = commit_module._sync

    def counted(descriptor: int) -> None:
        synced.append(os.fstat(descriptor).st_size)
        sync(descriptor)

    monkeypatch.setattr(commit_module, "_sync", counted)
    writer = Writer(state, "strict", clock=ticking())
    writer.event(ADA, "approval.granted", f"{1:032x}", {})
    assert synced == [segment_files(state)[0].stat().st_size]

    def broken(descriptor: int) -> None:
        raise OSError(errno.EIO, "gone")

    monkeypatch.setattr(commit_module, "_sync", broken)
    with pytest.raises(Refused) as caught:
        writer.event(ADA, "approval.used", f"{1:032x}", {})
    assert caught.value.reason is AUDIT_UNAVAILABLE
    monkeypatch.setattr(commit_module, "_sync", sync)
    writer.event(ADA, "approval.denied", f"{1:032x}", {})
    assert len(segment_files(state)) == 2  # what the disk did not confirm is not relied upon
    writer.close()
