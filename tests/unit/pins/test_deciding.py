from __future__ import annotations

import msgspec
import pytest

from bawn.pins.deciding import approve, hold, reject, release
from bawn.pins.record import WHOLE, Change, Hold, Key, Record
from tests.unit.pins.listings import (
    LATER,
    approved,
    judged,
    listing,
    served,
    tool,
    vote,
    waiting,
)

READ: Key = ("tool", "read")


def _found() -> Record:
    return judged(listing(tool("read", "bad"), tool("new")), approved(tool())).record


def test_one_vote_approves_where_one_is_needed() -> None:
    record, keys = approve(_found(), {READ: waiting(_found())[READ]}, vote(), 1)
    assert keys == (READ,)
    (pin,) = record.pins
    assert (pin.definition, pin.by, pin.approved) == (tool("read", "bad"), ("Ann",), LATER)
    assert list(waiting(record)) == [("tool", "new")]
    assert served(judged(listing(tool("read", "bad")), record)) == [tool("read", "bad")]


def test_two_different_people_approve_where_two_are_needed() -> None:
    found = _found()
    seen = waiting(found)
    record, keys = approve(found, seen, vote("ann"), 2)
    assert keys == ()
    assert record.pins == found.pins
    again, keys = approve(record, seen, vote("ann"), 2)
    assert again is record
    record, keys = approve(record, seen, vote("bob"), 2)
    assert set(keys) == {READ, ("tool", "new")}
    assert {pin.by for pin in record.pins} == {("Ann", "Bob")}
    assert record.waiting == ()


def test_a_person_is_told_by_key_not_by_name() -> None:
    found = _found()
    seen = waiting(found)
    record, _ = approve(found, seen, vote("ann"), 2)
    again, keys = approve(record, seen, msgspec.structs.replace(vote("ann"), shown="Bob"), 2)
    assert (again is record, keys) == (True, ())


@pytest.mark.parametrize("digest", ["", "0" * 64, "BAD"])
def test_a_vote_for_what_was_not_seen_counts_nothing(digest: str) -> None:
    found = _found()
    assert approve(found, {READ: digest}, vote(), 1) == (found, ())
    assert reject(found, {READ: digest}, "Ann") == (found, ())
    assert approve(found, {("prompt", "read"): waiting(found)[READ]}, vote(), 1) == (found, ())


def test_a_change_that_was_replaced_meanwhile_is_not_approved() -> None:
    seen = waiting(_found())
    replaced = judged(listing(tool("read", "worse")), _found()).record
    assert approve(replaced, {READ: seen[READ]}, vote(), 1) == (replaced, ())
    assert reject(replaced, {READ: seen[READ]}, "Ann") == (replaced, ())


def test_what_has_no_digest_can_never_be_approved() -> None:
    record = Record("files", LATER, waiting=(Change("tool", "read", "", {}, LATER),))
    assert approve(record, {READ: ""}, vote(), 1) == (record, ())


def test_also_keeps_what_was_approved() -> None:
    found = _found()
    record, _ = approve(found, {READ: waiting(found)[READ]}, vote(), 1, also=True)
    assert [pin.definition for pin in record.pins] == [tool(), tool("read", "bad")]
    again = judged(listing(tool("read", "worse")), record).record
    record, _ = approve(again, {READ: waiting(again)[READ]}, vote(), 1)
    assert [pin.definition for pin in record.pins] == [tool("read", "worse")]


def test_a_rejection_takes_the_votes_and_can_be_thought_better_of() -> None:
    found = _found()
    seen = {READ: waiting(found)[READ]}
    record, _ = approve(found, seen, vote("ann"), 2)
    record, keys = reject(record, seen, "Bob")
    assert keys == (READ,)
    change = next(each for each in record.waiting if each.key == READ)
    assert (change.rejected, change.votes) == ("Bob", ())
    assert reject(record, seen, "Cy") == (record, ())
    record, keys = approve(record, seen, vote("ann"), 2)
    assert keys == ()
    assert served(judged(listing(tool()), record)) == [tool()]  # rejected until two have said yes
    record, keys = approve(record, seen, vote("bob"), 2)
    assert keys == (READ,)
    assert served(judged(listing(tool("read", "bad")), record)) == [tool("read", "bad")]


def test_holds_are_put_and_lifted_and_the_first_stays() -> None:
    record = approved(tool())
    first = Hold("tool", "read", LATER, "Ann", "odd")
    held = hold(record, first)
    assert (held.holds, held.revision) == ((first,), record.revision + 1)
    assert hold(held, Hold("tool", "read", LATER + 1, "Bob")) is held
    both = hold(held, Hold(WHOLE, "", LATER, "Bob"))
    assert release(both, WHOLE, "").holds == (first,)
    assert release(both, "tool", "read").holds == (Hold(WHOLE, "", LATER, "Bob"),)
    assert release(record, "tool", "read") is record
