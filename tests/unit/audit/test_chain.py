from __future__ import annotations

from bawn.audit.chain import Chain
from bawn.audit.entries import VERSION, Close, Outcome, Record, Recovered, Segment, encode, hash_of

NAME = "20261122T120000.000000Z-abcd1234-000000.jsonl"


def lines(*records: Record) -> list[bytes]:
    chained, prev = [], ""
    for seq, record in enumerate(records, 1):
        record.seq, record.prev = seq, prev
        chained.append(encode(record))
        prev = hash_of(chained[-1])
    return chained


def begun(name: str = NAME, writer: str = "abcd1234") -> Segment:
    return Segment(VERSION, 0, "", 1, name, writer, 1, {})


def ended(intent: int = 1) -> Outcome:
    return Outcome(VERSION, 0, "", 1, intent, "t", "ok", 1, 1)


def close() -> Close:
    return Close(VERSION, 0, "", 1, more=False)


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


def test_a_number_out_of_order_is_a_fault_even_with_a_fitting_hash() -> None:
    first, last = begun(), close()
    first.seq = 1
    line = encode(first)
    last.seq, last.prev = 3, hash_of(line)
    assert faults([line, encode(last)])[1] == "has number 3; expected 2"


def test_nothing_stands_after_the_end() -> None:
    assert "after the end" in faults(lines(begun(), close(), ended()))[2]
    assert (
        "after the end" in faults(lines(begun(), Recovered(VERSION, 0, "", 1, 0, 0, 0), ended()))[2]
    )


def test_a_segment_begins_with_its_own_record() -> None:
    assert "does not begin a segment" in faults(lines(ended()))[0]
    assert "copy" in faults(lines(begun(name="other")))[0]
    assert "copy" in faults(lines(begun(writer="ffffffff")))[0]
    assert "within a segment" in faults(lines(begun(), begun()))[1]


def test_of_a_segment_without_a_whole_line_only_its_recovery_is_left() -> None:
    assert faults(lines(Recovered(VERSION, 0, "", 1, 9, 0, 0))) == [""]
