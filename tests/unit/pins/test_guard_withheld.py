"""Quarantines, launches that wait, and what cannot be judged."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from bawn.model import Json
from bawn.pins.canonical import LARGEST
from bawn.pins.deciding import hold, release
from bawn.pins.record import WHOLE, Change, Hold
from tests.unit.pins.listings import (
    DRIFT,
    FIRST,
    LATER,
    QUARANTINED,
    RESOURCE,
    UNAPPROVED,
    approved,
    judged,
    listing,
    prompt,
    reasons,
    served,
    template,
    tool,
    whole,
)

# quarantine


def test_an_item_in_quarantine_is_withheld_and_the_rest_serves() -> None:
    held = Hold("tool", "read", LATER, "Ann")
    record = hold(approved(tool(), tool("write")), held)
    again = judged(listing(tool(), tool("write")), record)
    assert served(again) == [tool("write")]
    assert reasons(again) == {"read": QUARANTINED}
    assert served(judged(listing(tool()), release(record, "tool", "read"))) == [tool()]


def test_a_whole_server_in_quarantine_serves_nothing_and_nothing_is_approved_meanwhile() -> None:
    first = judged(whole(), None, now=FIRST).record
    record = hold(first, Hold(WHOLE, "", FIRST, "Ann"))
    heard = listing(
        tool(),
        tool("new"),
        prompts=[prompt()],
        templates=[template()],
        resources=[RESOURCE],
        instructions="Be kind.",
    )
    again = judged(heard, record, now=FIRST + 1, auto=["added"], judge=lambda *_: "added")
    assert not any(again.listing.definitions.values())
    assert again.listing.instructions == ""
    assert set(reasons(again).values()) == {QUARANTINED}
    assert len(reasons(again)) == 5
    assert again.record.pins == record.pins
    freed = judged(heard, release(again.record, WHOLE, ""))
    assert reasons(freed) == {"new": UNAPPROVED}
    assert freed.listing.instructions == "Be kind."


def test_what_is_held_is_not_approved_by_first_use() -> None:
    record = hold(approved(), Hold("tool", "read", FIRST, "Ann"))
    soon = judged(listing(tool()), record, now=FIRST + 1)
    assert reasons(soon) == {"read": QUARANTINED}
    freed = judged(listing(tool()), release(soon.record, "tool", "read"), now=FIRST + 2)
    assert reasons(freed) == {"read": UNAPPROVED}


def test_while_the_launch_waits_nothing_of_the_server_serves() -> None:
    record = judged(whole(), None, now=FIRST).record
    change = Change("launch", "", "0" * 64, {"command": ["x"]}, LATER)
    record = msgspec.structs.replace(record, waiting=(change,))
    again = judged(whole(), record)
    assert not any(again.listing.definitions.values())
    assert again.listing.instructions == ""
    assert set(reasons(again).values()) == {"integrity.launch"}
    assert again.record is record


# what cannot be judged


@pytest.mark.parametrize(
    "bad", [{"x": "\ud800"}, {"x": float("nan")}, {"x": "a" * LARGEST}, {"x": {1: 2}}]
)
def test_what_cannot_be_pinned_is_left_out_alone(bad: Json) -> None:
    record = approved(tool(), tool("write"))
    again = judged(listing({**tool(), **bad}, {**tool("new"), **bad}, tool("write")), record)
    assert served(again) == [tool("write")]
    assert reasons(again) == {"read": DRIFT}
    assert again.record is record
    assert [text.partition(":")[0] for text in again.problems] == ["tool 'read'", "tool 'new'"]


@pytest.mark.parametrize("name", [None, 7, "", ["read"], {"a": 1}])
def test_what_has_no_name_is_left_out_alone(name: Any) -> None:
    again = judged(listing({**tool(), "name": name}, {"description": "x"}, tool()), None)
    assert served(again) == [tool()]
    assert again.problems == ("a tool has no name", "a tool has no name")


def test_problems_are_told_in_few_and_short_lines() -> None:
    names = ["\n" * 5_000 + str(n) for n in range(100)]
    again = judged(listing(*[{**tool(name), "x": float("nan")} for name in names]), None)
    assert len(again.problems) == 20
    assert all(text.isprintable() and len(text) < 400 for text in again.problems)
