from __future__ import annotations

import pytest

from bawn.audit.chain import Chain
from bawn.audit.entries import (
    VERSION,
    Close,
    Outcome,
    Record,
    Recovered,
    Segment,
    hash_of,
    line_of,
    write_of,
)

NAME = "20261122T120000.000000Z-abcd1234-000000.jsonl"


def lines(*writes: Record | list[Record]) -> list[bytes]:
    """The lines of these writes, each of one record or of several."""
    chained, prev = b"", ""
    for records in writes:
        together = records if isinstance(records, list) else [records]
        write = write_of(*map(line_of, together), prev=prev)
        chained += write
        prev = hash_of(write)
    return chained.splitlines()


def begun(name: str = NAME, writer: str = "abcd1234") -> Segment:
    return Segment(v=VERSION, at=1, name=name, writer=writer, pid=1, after={})


def ended(intent: int = 1) -> Outcome:
    return Outcome(at=1, intent=intent, trace="t", status="ok", duration_us=1, size=1)


def close() -> Close:
    return Close(at=1, more=False)


def recovered() -> Recovered:
    return Recovered(at=1, torn=0, lines=0, unknown=0)


def faults(given: list[bytes]) -> list[str]:
    chain = Chain(NAME)
    return [chain.judge(line).fault for line in given]


def test_a_whole_segment_has_no_fault() -> None:
    assert faults(lines(begun(), ended(), ended(2), close())) == [""] * 4


def test_a_changed_line_is_told_by_the_next() -> None:
    given = lines(begun(), ended(), ended(2), close())
    given[1] = given[1].replace(b'"ok"', b'"no"')
    assert ["changed" in fault for fault in faults(given)] == [False, False, True, False]


def test_one_removed_line_is_one_fault() -> None:
    given = lines(begun(), ended(), ended(2), ended(3), close())
    del given[2]
    assert sum(map(bool, faults(given))) == 1


def test_a_line_that_is_no_record_is_a_fault_and_reading_goes_on() -> None:
    given = lines(begun(), ended(), close())
    given[1] = b"noise"
    found = faults(given)
    assert "not an audit record" in found[1]
    assert "does not follow" in found[2]


@pytest.mark.parametrize("line", range(1, 5))
def test_whatever_is_changed_in_a_write_of_several_lines_is_told_by_the_next(line: int) -> None:
    given = lines(begun(), ended(), [ended(2), ended(3), ended(4)], close())
    given[line] = given[line].replace(b'"size":1', b'"size":2')
    found = faults(given)
    assert sum(map(bool, found)) == 1
    assert "changed" in found[2 if line == 1 else 5]


@pytest.mark.parametrize("line", range(1, 6))
def test_a_line_removed_from_a_write_of_several_is_one_fault(line: int) -> None:
    given = lines(begun(), ended(), [ended(2), ended(3), ended(4)], ended(5), close())
    del given[line]
    assert sum(map(bool, faults(given))) == 1


def test_a_write_that_hides_in_the_one_before_it_is_told() -> None:
    given = lines(begun(), [ended(2), ended(3)], close())
    alone = [line_of(ended(4)), line_of(close())]
    given[2:] = [b"{" + line.rstrip("\n").encode() for line in alone]
    assert "does not say what it follows" in faults(given)[3]
    hidden = b"{" + line_of(ended(2)).rstrip("\n").encode()
    assert "does not say what it follows" in faults([given[0], hidden])[1]


def test_nothing_stands_after_the_end() -> None:
    assert "after the end" in faults(lines(begun(), close(), ended()))[2]
    assert "after the end" in faults(lines(begun(), recovered(), ended()))[2]


def test_a_segment_begins_with_its_own_record() -> None:
    assert "does not begin a segment" in faults(lines(ended()))[0]
    assert "copy" in faults(lines(begun(name="other")))[0]
    assert "copy" in faults(lines(begun(writer="ffffffff")))[0]
    assert "within a segment" in faults(lines(begun(), begun()))[1]


def test_of_a_segment_without_a_whole_line_only_its_recovery_is_left() -> None:
    assert faults(lines(recovered())) == [""]
