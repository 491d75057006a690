"""What policy approves without anybody, and what it never does."""

from __future__ import annotations

import pytest

from bawn.model import Json
from bawn.pins.deciding import approve, reject
from bawn.pins.record import Aspect
from tests.unit.pins.listings import (
    DRIFT,
    LATER,
    UNAPPROVED,
    approved,
    judged,
    listing,
    reasons,
    served,
    tool,
    vote,
    waiting,
)

# automatic approval


def _cosmetic(before: Json | None, after: Json, aspect: Aspect) -> str:
    if before is None:
        return "added"
    return "cosmetic" if str(after["description"]).lower() == "good" else "widened"


def test_a_change_of_a_class_that_needs_nobody_takes_the_place_of_the_pin() -> None:
    again = judged(
        listing(tool("read", "Good")), approved(tool()), auto=["cosmetic"], judge=_cosmetic
    )
    assert served(again) == [tool("read", "Good")]
    (pin,) = again.record.pins
    assert (pin.by, pin.approved) == (("automatic: cosmetic",), LATER)
    assert again.pinned == (pin,)
    assert again.found == ()


@pytest.mark.parametrize(
    ("description", "auto"), [("bad", ["cosmetic"]), ("Good", []), ("Good", ["narrowed"])]
)
def test_any_other_class_waits(description: str, auto: list[str]) -> None:
    again = judged(listing(tool("read", description)), approved(tool()), auto=auto, judge=_cosmetic)
    assert reasons(again) == {"read": DRIFT}


def test_what_is_new_serves_at_once_only_where_that_is_set() -> None:
    record = approved(tool())
    both = listing(tool(), tool("new"))
    assert served(judged(both, record, auto=["added"], judge=_cosmetic)) == [tool(), tool("new")]
    assert reasons(judged(both, record, auto=["cosmetic"], judge=_cosmetic)) == {"new": UNAPPROVED}


def test_while_a_change_waits_nothing_of_its_key_is_approved_without_anybody() -> None:
    found = judged(listing(tool("read", "bad")), approved(tool())).record
    again = judged(listing(tool("read", "Good")), found, auto=["cosmetic"], judge=_cosmetic)
    assert reasons(again) == {"read": DRIFT}
    assert again.record.pins == found.pins


def test_after_a_rejection_a_harmless_change_is_approved_and_the_rejection_stands() -> None:
    found = judged(listing(tool("read", "bad")), approved(tool())).record
    record, _ = reject(found, waiting(found), "Ann")
    again = judged(listing(tool("read", "Good")), record, auto=["cosmetic"], judge=_cosmetic)
    assert served(again) == [tool("read", "Good")]
    assert again.record.waiting == record.waiting


def test_what_was_rejected_is_not_approved_by_its_class_later() -> None:
    found = judged(listing(tool("read", "Good")), approved(tool())).record
    record, _ = reject(found, waiting(found), "Ann")
    again = judged(listing(tool("read", "Good")), record, auto=["cosmetic"], judge=_cosmetic)
    assert reasons(again) == {"read": DRIFT}
    assert again.record is record


def test_what_no_judge_can_judge_waits() -> None:
    def broken(before: Json | None, after: Json, aspect: Aspect) -> str:
        raise RecursionError

    again = judged(
        listing(tool("read", "bad")), approved(tool()), auto=["cosmetic", ""], judge=broken
    )
    assert reasons(again) == {"read": DRIFT}


def test_of_several_approved_definitions_a_change_has_to_be_harmless_to_each() -> None:
    found = judged(listing(tool("read", "theirs")), approved(tool())).record
    record, _ = approve(found, waiting(found), vote(), 1, also=True)

    def near(before: Json | None, after: Json, aspect: Aspect) -> str:
        return "cosmetic" if before == tool() else "widened"

    again = judged(listing(tool("read", "Good")), record, auto=["cosmetic"], judge=near)
    assert reasons(again) == {"read": DRIFT}
    assert again.record.pins == record.pins
