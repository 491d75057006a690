from __future__ import annotations

from bawn.pins.ledger import MOST, Ledger
from bawn.pins.record import Change, Hold, Pin, Record

PIN = Pin("tool", "read", "aa", {"name": "read"}, 1.0)
CHANGE = Change("tool", "read", "bb", {"name": "read", "title": "x"}, 2.0)
RECORD = Record("files", 1.0, 7, (PIN,), (CHANGE,), (Hold("tool", "read", 1.0, "Ann"),))


def test_untouched_it_gives_the_very_same_record_back() -> None:
    ledger = Ledger(RECORD)
    assert not ledger.wait(CHANGE)
    ledger.hold(Hold("tool", "read", 9.0, "Bob"))
    ledger.forget(("tool", "other"))
    ledger.release(("tool", "other"))
    assert ledger.close() is RECORD


def test_each_change_is_of_the_next_revision_and_leaves_the_rest() -> None:
    ledger = Ledger(RECORD)
    ledger.forget(CHANGE.key)
    closed = ledger.close()
    assert (closed.revision, closed.waiting) == (8, ())
    assert (closed.pins, closed.holds, closed.first) == (RECORD.pins, RECORD.holds, 1.0)
    assert RECORD.waiting == (CHANGE,)


def test_a_pin_takes_the_place_of_the_old_one_where_that_stood() -> None:
    other = Pin("tool", "write", "cc", {}, 1.0)
    ledger = Ledger(Record("files", 1.0, pins=(PIN, other)))
    new = Pin("tool", "read", "dd", {}, 2.0)
    ledger.pin(new)
    assert ledger.close().pins == (new, other)
    ledger.pin(PIN, also=True)
    ledger.pin(PIN, also=True)
    assert ledger.close().pins == (new, PIN, other)


def test_it_is_full_when_there_are_too_many_keys() -> None:
    pins = tuple(Pin("tool", str(n), "aa", {}, 1.0) for n in range(MOST - 1))
    ledger = Ledger(Record("files", 1.0, pins=pins))
    assert not ledger.full
    ledger.wait(CHANGE)
    assert ledger.full
