from __future__ import annotations

import pytest

from bawn.assurance.trust import approved
from bawn.pins.record import WHOLE, Change, Hold, Pin, Record


def pin(by: str, name: str = "read", aspect: str = "tool") -> Pin:
    return Pin(aspect, name, "0" * 64, {}, 1.0, (by,))  # type: ignore[arg-type]  # one of them


def change(rejected: str = "") -> Change:
    return Change("tool", "write", "1" * 64, {}, 1.0, rejected=rejected)


@pytest.mark.parametrize("by", ["ada", "lock"])
def test_what_people_or_the_lockfile_approved_is_verified(by: str) -> None:
    found = approved.pin(Record("a", 1.0, pins=(pin(by),)), 5.0)
    assert (found.verdict, found.detail) == ("verified", f"1 definition approved by {by}")


@pytest.mark.parametrize(
    ("record", "detail"),
    [
        (None, "nothing"),
        (Record("a", 1.0), "nothing"),
        (Record("a", 1.0, pins=(pin("first use"),)), "pinned on first use, reviewed by nobody"),
        (Record("a", 1.0, pins=(pin("ada", "x"), pin("first use"))), "1 of 2 pinned on first use"),
        (Record("a", 1.0, pins=(pin("automatic: added"),)), "approved by rule"),
        (Record("a", 1.0, pins=(pin("ada"),), waiting=(change(),)), "still to be reviewed"),
    ],
)
def test_what_nobody_reviewed_is_unmeasured(record: Record | None, detail: str) -> None:
    found = approved.pin(record, 5.0)
    assert found.verdict == "unmeasured"
    assert detail in found.detail


def test_the_launch_is_the_owners_own_writing() -> None:
    record = Record("a", 1.0, pins=(pin("ada"), pin("first use", "", "launch")))
    assert approved.pin(record, 5.0).verdict == "verified"


@pytest.mark.parametrize(
    ("record", "detail"),
    [
        (Record("a", 1.0, waiting=(change(),)), "1 change waiting (tool write)"),
        (Record("a", 1.0, holds=(Hold(WHOLE, "", 1.0, "ada"),)), "1 quarantine in force"),
    ],
)
def test_what_differs_or_is_held_is_drift(record: Record, detail: str) -> None:
    found = approved.drift(record, 5.0)
    assert found.verdict == "failed"
    assert detail in found.detail
    assert len(found.findings) == 1
    assert approved.listed(found, 0.0) is found


def test_what_no_gate_has_listed_is_unmeasured() -> None:
    found = approved.drift(Record("a", 1.0, pins=(pin("ada"),)), 5.0)
    assert approved.listed(found, 0.0).verdict == "unmeasured"
    assert approved.listed(found, 4.0).at == 4.0
    assert approved.drift(None, 5.0).verdict == "unmeasured"


def test_what_was_rejected_is_told_and_is_no_drift_for_it_does_not_serve() -> None:
    found = approved.drift(Record("a", 1.0, waiting=(change("ada"),)), 5.0)
    assert found.verdict == "verified"
    assert "1 change rejected" in found.detail
