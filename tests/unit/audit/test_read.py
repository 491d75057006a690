from __future__ import annotations

from pathlib import Path

import pytest

from bawn.audit.entries import Context, Intent, Outcome
from bawn.audit.read import Found, Problem, Reader
from bawn.audit.recover import recover
from bawn.audit.writer import Writer
from bawn.storage import StateDirectory
from tests.audited import ALLOWED, TOOL, call, calls, die, read, segment_files, state_in, ticking


@pytest.fixture
def state(tmp_path: Path) -> StateDirectory:
    return state_in(tmp_path)


def traces(items: list[Found | Problem]) -> list[int]:
    records = [item.record for item in items if isinstance(item, Found)]
    return [int(record.trace, 16) for record in records if isinstance(record, Intent)]


def problems(items: list[Found | Problem]) -> list[Problem]:
    return [item for item in items if isinstance(item, Problem)]


def test_an_empty_directory_holds_nothing(state: StateDirectory) -> None:
    assert read(state) == ([], [])


def test_records_of_several_writers_come_in_the_order_of_time(state: StateDirectory) -> None:
    clock = ticking()
    one, other = Writer(state, clock=clock), Writer(state, clock=clock)
    for number in range(1, 20):
        (one if number % 3 else other).intent(call(number), TOOL, ALLOWED)
    one.close()
    other.close()
    late = Writer(state, clock=clock)
    late.intent(call(20), TOOL, ALLOWED)
    late.close()
    found, wrong = read(state)
    assert wrong == []
    assert traces(list(found)) == list(range(1, 21))
    times = [one.record.at for one in found]
    assert times == sorted(times)


def test_a_record_tells_where_it_stands(state: StateDirectory) -> None:
    writer = Writer(state, clock=ticking())
    writer.intent(call(), TOOL, ALLOWED)
    writer.close()
    name = segment_files(state)[0].name
    assert [(found.segment, found.line) for found in read(state)[0]] == [
        (name, 1),
        (name, 2),
        (name, 3),
        (name, 4),
    ]


def test_reading_goes_on_where_it_ended_over_rotation_and_restart(state: StateDirectory) -> None:
    clock = ticking()
    writer = Writer(state, clock=clock, rotate=2000)
    reader = Reader(state.audit)
    seen: list[int] = []
    for number in range(1, 30):
        writer.intent(call(number), TOOL, ALLOWED)
        new = list(reader.poll())
        assert problems(new) == []
        assert traces(new) == [number]
        seen += traces(new)
    assert len(segment_files(state)) > 5
    writer.close()
    writer = Writer(state, clock=clock)
    writer.intent(call(30), TOOL, ALLOWED)
    assert traces(list(reader.poll())) == [30]
    assert list(reader.poll()) == []
    writer.close()
    assert problems(list(reader.poll())) == []


def test_a_line_in_the_making_is_read_when_it_is_whole(state: StateDirectory) -> None:
    writer = Writer(state, clock=ticking())
    (path,) = segment_files(state)
    reader = Reader(state.audit)
    assert len(list(reader.poll())) == 1
    writer.intent(call(), TOOL, ALLOWED)
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    (context,) = list(reader.poll())
    assert isinstance(context, Found)
    assert isinstance(context.record, Context)
    assert list(reader.poll()) == []
    path.write_bytes(whole)
    assert traces(list(reader.poll())) == [1]
    writer.close()


def test_the_newest_segments_can_be_read_alone(state: StateDirectory) -> None:
    clock = ticking()
    for number in range(1, 5):
        writer = Writer(state, clock=clock)
        writer.intent(call(number), TOOL, ALLOWED)
        writer.close()
    reader = Reader(state.audit, newest=2)
    found = list(reader.poll())
    assert (traces(found), problems(found), reader.complete) == ([3, 4], [], False)
    assert Reader(state.audit, newest=9).complete


def test_a_segment_whose_writer_died_is_told_once_and_read_on_after_recovery(
    state: StateDirectory,
) -> None:
    writer = Writer(state, clock=ticking())
    writer.intent(call(), TOOL, ALLOWED)
    reader = Reader(state.audit)
    assert problems(list(reader.poll())) == []
    die(writer)
    (problem,) = list(reader.poll())
    assert "has no end" in str(problem)
    assert list(reader.poll()) == []
    recover(state.audit)
    (ending,) = list(reader.poll())
    assert isinstance(ending, Found)
    assert list(reader.poll()) == []


def test_a_segment_that_shrinks_or_goes_while_it_is_read_is_a_problem(
    state: StateDirectory,
) -> None:
    writer = Writer(state, clock=ticking())
    writer.intent(call(), TOOL, ALLOWED)
    (path,) = segment_files(state)
    reader = Reader(state.audit)
    list(reader.poll())
    path.write_bytes(b"")
    (shrunk,) = list(reader.poll())
    assert "lost lines" in str(shrunk)
    path.unlink()
    (gone,) = list(reader.poll())
    assert "was removed" in str(gone)
    writer.close()


def test_a_segment_that_cannot_be_opened_is_a_problem_and_the_rest_is_read(
    state: StateDirectory,
) -> None:
    writer = Writer(state, clock=ticking())
    writer.intent(call(), TOOL, ALLOWED)
    writer.close()
    (state.audit / "20200101T000000.000000Z-ffffffff-000000.jsonl").mkdir()
    found, (problem,) = read(state)
    assert traces(list(found)) == [1]
    assert "cannot be read" in str(problem)


def test_a_clock_set_back_by_a_day_parts_no_intent_from_its_outcome(state: StateDirectory) -> None:
    day, now = 86_400 * 10**9, [1_795_348_800_000_000_000]

    def clock() -> int:
        now[0] += 1000
        return now[0]

    one, other = (Writer(state, clock=clock, rotate=1500) for _ in range(2))
    for number in range(1, 40):
        now[0] += {15: -day, 30: 2 * day}.get(number, 0)
        writer = one if number % 2 else other
        intent = writer.intent(call(number), TOOL, ALLOWED)
        writer.outcome(intent, f"{number:032x}", "ok", 0.1, 1)
    one.close()
    other.close()
    found, wrong = read(state)
    assert wrong == []
    assert {one.status for one in calls(state)} == {"ok"}
    assert len(calls(state)) == 39
    for parity in (0, 1):
        assert [n for n in traces(list(found)) if n % 2 == parity] == [
            n for n in range(1, 40) if n % 2 == parity
        ]


def test_what_is_young_waits_one_poll_for_what_other_writers_write_late(
    state: StateDirectory,
) -> None:
    clock = ticking()
    one, other = Writer(state, clock=clock), Writer(state, clock=clock)
    reader = Reader(state.audit)
    list(reader.poll())
    intent = one.intent(call(1), TOOL, ALLOWED)
    one.outcome(intent, f"{1:032x}", "ok", 0.1, 1)  # older than the next, and written after it
    other.intent(call(2), TOOL, ALLOWED)
    settled = clock() - 2500
    first = [item.record for item in reader.poll(settled) if isinstance(item, Found)]
    one.flush()
    second = [item.record for item in reader.poll(clock()) if isinstance(item, Found)]
    assert [type(record) for record in first] == [Context, Intent]
    assert [type(record) for record in second] == [Outcome, Context, Intent]
    assert list(reader.poll(0)) == []
    one.close()
    other.close()


def test_an_intent_whose_context_is_gone_is_a_problem(state: StateDirectory) -> None:
    writer = Writer(state, clock=ticking())
    writer.intent(call(1), TOOL, ALLOWED)
    writer.close()
    (path,) = segment_files(state)
    path.write_bytes(path.read_bytes().replace(b'"context":0', b'"context":9'))
    found, wrong = read(state)
    assert any("has context 9" in problem.text for problem in wrong)
    assert traces(list(found)) == [1]
    assert [one.server for one in calls(state)] == [""]
