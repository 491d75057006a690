"""What was approved serves, as it was approved; what was not waits."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from bawn.model import Kind
from bawn.pins.deciding import approve, reject
from bawn.pins.digest import digest
from bawn.pins.ledger import MOST
from bawn.pins.record import Change, Record
from tests.unit.pins.listings import (
    DRIFT,
    FIRST,
    LATER,
    READ,
    UNAPPROVED,
    approved,
    judged,
    listing,
    prompt,
    reasons,
    served,
    template,
    tool,
    vote,
    waiting,
    whole,
)

# first use


def test_at_first_use_everything_is_approved_and_serves_as_it_is() -> None:
    first = judged(whole(), None, now=FIRST)
    assert first.listing == whole()
    assert {(pin.aspect, pin.name) for pin in first.record.pins} == {
        READ,
        ("tool", "write"),
        ("prompt", "ask"),
        ("template", "file:///{path}"),
        ("instructions", ""),
    }
    for pin in first.record.pins:
        assert pin.digest == digest(pin.aspect, pin.definition)
        assert (pin.by, pin.approved) == (("first use",), FIRST)
    assert first.pinned == first.record.pins
    assert (first.record.first, first.record.revision) == (FIRST, 1)
    assert (first.found, first.problems, first.record.waiting) == ((), (), ())


def test_what_alarms_is_not_trusted_at_first_use_and_waits() -> None:
    first = judged(
        whole(), None, now=FIRST, alarming=lambda definition, _: definition.get("name") == "read"
    )
    again = judged(whole(), first.record, now=LATER, alarming=lambda *_: False)

    assert set(waiting(first.record)) == {READ}
    assert reasons(first) == {"read": UNAPPROVED}
    assert set(waiting(again.record)) == {READ}


def test_what_cannot_be_judged_at_first_use_alarms() -> None:
    def broken(*_: object) -> bool:
        raise ZeroDivisionError

    first = judged(whole(), None, now=FIRST, alarming=broken)

    assert first.record.pins == ()


def test_under_review_nothing_serves_until_it_is_approved() -> None:
    first = judged(whole(), None, now=FIRST, review=True, auto=["widened"])
    assert {kind: len(each) for kind, each in first.listing.definitions.items()} == {
        Kind.TOOL: 0,
        Kind.PROMPT: 0,
        Kind.RESOURCE: 1,
        Kind.TEMPLATE: 0,
    }
    assert first.listing.instructions == ""
    assert set(reasons(first).values()) == {UNAPPROVED}
    assert len(reasons(first)) == 4
    assert first.record.pins == ()
    assert first.found == first.record.waiting
    assert len(first.found) == 5
    record, keys = approve(first.record, waiting(first.record), vote(), 1)
    assert len(keys) == 5
    assert judged(whole(), record, review=True).listing == whole()


def test_what_a_server_adds_soon_after_counts_as_first_seen() -> None:
    record = approved(tool())
    soon = judged(listing(tool(), tool("new"), instructions="Be kind."), record, now=FIRST + 60.0)
    assert served(soon) == [tool(), tool("new")]
    assert soon.listing.instructions == "Be kind."
    assert {pin.by for pin in soon.record.pins} == {("first use",)}


@pytest.mark.parametrize("now", [FIRST + 60.1, FIRST - 1.0])
def test_what_it_adds_later_or_with_the_clock_set_back_waits(now: float) -> None:
    later = judged(listing(tool(), tool("new"), instructions="x"), approved(tool()), now=now)
    assert served(later) == [tool()]
    assert later.listing.instructions == ""
    assert reasons(later) == {"new": UNAPPROVED}
    assert {change.key for change in later.found} == {("tool", "new"), ("instructions", "")}


def test_what_changes_is_drift_from_the_first_second() -> None:
    soon = judged(listing(tool("read", "bad")), approved(tool()), now=FIRST)
    assert served(soon) == []
    assert reasons(soon) == {"read": DRIFT}


def test_a_server_that_was_never_listed_is_at_its_first_use_however_old_its_record() -> None:
    first = judged(listing(tool()), Record("files", 0.0, revision=4), now=LATER)
    assert served(first) == [tool()]
    assert (first.record.first, first.record.revision) == (LATER, 5)


def test_a_server_that_offered_nothing_at_first_has_had_its_first_use() -> None:
    record = judged(listing(), None, now=FIRST).record
    assert (record.first, record.revision) == (FIRST, 1)
    assert reasons(judged(listing(tool()), record)) == {"read": UNAPPROVED}


# what is as approved


def test_nothing_new_leaves_the_very_same_record() -> None:
    record = judged(whole(), None, now=FIRST).record
    for heard in (whole(), listing(tool()), listing(instructions="Be kind.")):
        again = judged(heard, record)
        if heard.instructions:
            assert again.record is record
        assert again.pinned == ()
    assert judged(whole(), record).listing == whole()


def test_what_means_the_same_serves_as_it_was_approved_value_for_value() -> None:
    record = approved(tool())
    other = {
        "inputSchema": {"required": ["b", "a", "b"]},
        "description": "good",
        "name": "read",
    }
    again = judged(listing(other), record)
    assert again.record is record
    assert served(again)[0] is record.pins[0].definition
    assert msgspec.json.encode(served(again)) == msgspec.json.encode([tool()])


def test_only_what_has_changed_is_withheld_with_the_approved_definition() -> None:
    record = approved(tool(), tool("write"), prompts=[prompt()], templates=[template()])
    again = judged(
        listing(
            tool("read", "bad"),
            tool("write"),
            prompts=[prompt("ask", "bad")],
            templates=[template("file:///{path}", "bad")],
        ),
        record,
    )
    assert served(again) == [tool("write")]
    assert served(again, Kind.PROMPT) == served(again, Kind.TEMPLATE) == []
    assert reasons(again) == {"read": DRIFT, "ask": DRIFT, "file:///{path}": DRIFT}
    assert again.listing.withheld[Kind.TOOL][0].definition == tool()
    assert again.record.pins == record.pins
    assert [change.definition["description"] for change in again.found] == ["bad"] * 3
    assert again.record.revision == record.revision + 1


_PLACES: list[tuple[str, Any]] = [
    ("title", "Read"),
    ("description", "bad"),
    ("inputSchema", {"required": ["a"]}),
    ("outputSchema", {"type": "object"}),
    ("annotations", {"readOnlyHint": True}),
    ("icons", [{"src": "https://example.com/a.png"}]),
    ("_meta", {"com.example/x": 1}),
    ("execution", {"taskSupport": "optional"}),
    ("unheardOf", None),
]


@pytest.mark.parametrize(("member", "value"), _PLACES)
def test_a_change_of_any_member_is_drift(member: str, value: Any) -> None:
    changed = {**tool(), member: value}
    assert reasons(judged(listing(changed), approved(tool()))) == {"read": DRIFT}
    assert reasons(judged(listing(tool()), approved(changed))) == {"read": DRIFT}


def test_what_is_missing_is_just_not_there_and_stays_approved() -> None:
    record = approved(tool(), tool("write"))
    less = judged(listing(tool()), record)
    assert (served(less), reasons(less)) == ([tool()], {})
    assert less.record is record
    assert served(judged(listing(tool(), tool("write")), record)) == [tool(), tool("write")]


def test_each_of_several_approved_definitions_serves() -> None:
    found = judged(listing(tool("read", "theirs")), approved(tool())).record
    record, _ = approve(found, waiting(found), vote(), 1, also=True)
    for description in ("good", "theirs"):
        again = judged(listing(tool("read", description)), record)
        assert served(again) == [tool("read", description)]
    assert reasons(judged(listing(tool("read", "bad")), record)) == {"read": DRIFT}


def test_a_pin_that_was_damaged_on_record_approves_nothing() -> None:
    record = approved(tool())
    damaged = msgspec.structs.replace(record.pins[0], definition=tool("read", "bad"))
    record = msgspec.structs.replace(record, pins=(damaged,))
    for description in ("good", "bad"):
        again = judged(listing(tool("read", description)), record)
        assert reasons(again) == {"read": DRIFT}
        assert again.record.waiting


# what waits


def test_what_waits_is_withheld_even_if_the_server_takes_it_back() -> None:
    found = judged(listing(tool("read", "bad")), approved(tool())).record
    back = judged(listing(tool()), found)
    assert reasons(back) == {"read": DRIFT}
    assert back.record is found


def test_what_somebody_else_found_is_withheld_too() -> None:
    record = approved(tool())
    bad = Change("tool", "read", digest("tool", tool("read", "bad")), tool("read", "bad"), LATER)
    record = msgspec.structs.replace(record, waiting=(bad,))
    again = judged(listing(tool()), record)
    assert (served(again), reasons(again)) == ([], {"read": DRIFT})


def test_the_same_change_found_again_keeps_its_votes() -> None:
    found = judged(listing(tool("read", "bad")), approved(tool())).record
    voted, _ = approve(found, waiting(found), vote(), 2)
    again = judged(listing(tool("read", "bad")), voted, now=LATER + 9)
    assert again.record is voted
    assert again.found == ()
    assert again.record.waiting[0].votes == (vote(),)


def test_another_change_takes_its_place_and_its_votes_are_gone() -> None:
    found = judged(listing(tool("read", "bad")), approved(tool())).record
    voted, _ = approve(found, waiting(found), vote(), 2)
    again = judged(listing(tool("read", "worse")), voted, now=LATER + 9)
    (change,) = again.record.waiting
    assert (change.definition, change.votes) == (tool("read", "worse"), ())
    assert again.found == (change,)


def test_a_rejected_change_stays_away_and_the_approved_definition_serves_again() -> None:
    found = judged(listing(tool("read", "bad")), approved(tool())).record
    record, _ = reject(found, waiting(found), "Ann")
    still = judged(listing(tool("read", "bad")), record)
    assert reasons(still) == {"read": DRIFT}
    assert still.record is record
    back = judged(listing(tool()), record)
    assert served(back) == [tool()]
    assert back.record is record


def test_a_new_item_that_was_rejected_is_not_asked_for_again_nor_approved_in_disguise() -> None:
    found = judged(listing(tool()), approved()).record
    record, _ = reject(found, waiting(found), "Ann")
    still = judged(listing(tool()), record, auto=["added"], judge=lambda *_: "added")
    assert (reasons(still), still.found) == ({"read": UNAPPROVED}, ())
    other = judged(listing(tool("read", "other")), record, auto=["added"], judge=lambda *_: "added")
    assert reasons(other) == {"read": UNAPPROVED}
    assert other.record.pins == ()


def test_what_is_new_and_is_listed_no_more_is_forgotten_if_nobody_said_anything_of_it() -> None:
    found = judged(listing(tool("a"), tool("b"), tool("c"), tool("d")), approved(tool("d"))).record
    record, _ = reject(found, {("tool", "a"): waiting(found)["tool", "a"]}, "Ann")
    record, _ = approve(record, {("tool", "b"): waiting(found)["tool", "b"]}, vote(), 2)
    record = judged(listing(tool("d", "bad")), record).record
    gone = judged(listing(), record).record
    assert {key[1] for key in waiting(gone)} == {"a", "b", "d"}


def test_within_the_time_of_first_use_what_waits_is_not_forgotten() -> None:
    record = judged(listing(tool(), tool("read", "bad")), None, now=FIRST).record
    record = judged(listing(), record, now=FIRST + 1).record
    again = judged(listing(tool("read", "bad")), record, now=FIRST + 2)
    assert reasons(again) == {"read": UNAPPROVED}


def test_there_is_an_end_to_what_is_on_record() -> None:
    many = tuple(
        Change("tool", str(n), "0" * 64, {"name": str(n)}, FIRST, (vote(),)) for n in range(MOST)
    )
    record = Record("files", FIRST, waiting=many)
    more = judged(listing(tool("new"), tool("7")), record, now=FIRST)
    assert reasons(more) == {"new": UNAPPROVED, "7": UNAPPROVED}
    assert [change.name for change in more.found] == ["7"]
    assert more.problems == ("tool 'new': there is no room on record for more",)


# a name that is listed twice


@pytest.mark.parametrize("order", [1, -1])
def test_a_name_listed_twice_with_two_definitions_is_not_served(order: int) -> None:
    record = approved(tool(), tool("write"))
    twice = [tool(), tool("read", "bad")][::order]
    again = judged(listing(*twice, tool("write")), record)
    assert served(again) == [tool("write")]
    assert reasons(again) == {"read": DRIFT}
    assert [change.definition for change in again.found] == [tool("read", "bad")]
    assert again.problems == ("tool 'read': listed more than once, with different definitions",)


def test_at_first_use_such_a_name_waits() -> None:
    first = judged(listing(tool(), tool("read", "bad"), tool("write")), None, now=FIRST)
    assert served(first) == [tool("write")]
    assert reasons(first) == {"read": UNAPPROVED}


def test_even_if_both_were_approved_once() -> None:
    found = judged(listing(tool("read", "theirs")), approved(tool())).record
    record, _ = approve(found, waiting(found), vote(), 1, also=True)
    again = judged(listing(tool(), tool("read", "theirs")), record)
    assert reasons(again) == {"read": DRIFT}
    assert again.record is record


def test_a_name_listed_twice_with_one_definition_serves_once() -> None:
    again = judged(listing(tool(), tool()), approved(tool()))
    assert served(again) == [tool()]
    assert again.problems == ()


# instructions


def test_instructions_that_changed_or_vanished_or_appeared_wait() -> None:
    record = judged(listing(instructions="Be kind."), None, now=FIRST).record
    for text in ("Be cruel.", ""):
        again = judged(listing(instructions=text), record)
        assert again.listing.instructions == ""
        (change,) = again.found
        assert (change.key, change.definition) == (("instructions", ""), {"text": text})
        sticky = judged(listing(instructions="Be kind."), again.record)
        assert sticky.listing.instructions == ""
    appeared = judged(listing(tool(), instructions="Be cruel."), approved(tool()))
    assert (appeared.listing.instructions, served(appeared)) == ("", [tool()])
    assert [change.key for change in appeared.found] == [("instructions", "")]


def test_that_instructions_are_gone_can_be_approved() -> None:
    record = judged(listing(instructions="Be kind."), None, now=FIRST).record
    found = judged(listing(), record).record
    record, _ = approve(found, waiting(found), vote(), 1)
    assert judged(listing(), record).record is record
    back = judged(listing(instructions="Be kind."), record)
    assert back.listing.instructions == ""
    assert back.found


def test_no_instructions_are_nothing_to_approve() -> None:
    assert approved(tool()).pins[0].key == READ
    assert len(approved(tool()).pins) == 1
