from __future__ import annotations

from typing import Any

import msgspec
import pytest

from bawn.model import Json
from bawn.pins.canonical import Uncanonical
from bawn.pins.deciding import approve, reject
from bawn.pins.launch import admit_launch, launch_waits
from bawn.pins.record import Pin, Record
from tests.unit.pins.listings import FIRST, LATER, judged, listing, served, tool, vote, waiting

PACKAGE: Json = {"ecosystem": "npm", "name": "files", "version": "1.0.0", "digest": "aa"}
START: Json = {"command": ["files"], "cwd": "/srv", "env": ["TOKEN"], "package": PACKAGE}
OTHER_PACKAGE: Json = {**START, "package": {**PACKAGE, "digest": "bb"}}


def _looked(
    definition: Json, record: Record | None, *, review: bool = False, consented: bool = False
) -> Record:
    return admit_launch("files", definition, record, review=review, consented=consented, now=LATER)


def _first() -> Record:
    return _looked(START, None)


def test_the_first_launch_is_approved() -> None:
    record = _first()
    (pin,) = record.pins
    assert (pin.key, pin.definition, pin.by) == (("launch", ""), START, ("first use",))
    assert not launch_waits(record)
    assert _looked(START, record) is record
    assert _looked(dict(reversed(START.items())), record) is record


def test_a_launch_on_record_does_not_end_the_first_use_of_the_lists() -> None:
    first = judged(listing(tool()), _first(), now=LATER + 86_400)
    assert served(first) == [tool()]
    assert first.record.first == LATER + 86_400


def test_a_server_that_gets_a_launch_of_its_own_has_it_approved_as_the_first() -> None:
    record = _looked(START, judged(listing(tool()), None, now=FIRST).record)
    assert {pin.aspect for pin in record.pins} == {"tool", "launch"}


def test_under_review_a_launch_waits() -> None:
    record = _looked(START, None, review=True, consented=True)
    assert launch_waits(record)
    assert record.pins == ()
    assert _looked(START, record, review=True) is record
    assert _looked(START, record) is record
    record, _ = approve(record, waiting(record), vote(), 1)
    assert not launch_waits(record)


@pytest.mark.parametrize(
    "change", [{"command": ["files", "-v"]}, {"cwd": "/"}, {"env": ["TOKEN", "PATH"]}, {"x": 1}]
)
def test_the_owner_may_change_how_it_is_started_by_consent(change: Json) -> None:
    changed = {**START, **change}
    record = _looked(changed, _first(), consented=True)
    (pin,) = record.pins
    assert (pin.definition, pin.by) == (changed, ("the owner's configuration",))
    assert not launch_waits(record)
    assert launch_waits(_looked(changed, _first()))
    assert launch_waits(_looked(changed, _first(), review=True, consented=True))


@pytest.mark.parametrize("package", [OTHER_PACKAGE["package"], None, {**PACKAGE, "version": "2"}])
def test_another_package_waits_whoever_consents(package: Any) -> None:
    record = _looked({**START, "package": package}, _first(), consented=True)
    assert launch_waits(record)
    assert record.pins == _first().pins
    without = {name: value for name, value in START.items() if name != "package"}
    assert launch_waits(_looked(without, _first(), consented=True))


def test_a_package_that_shows_itself_again_does_not_end_the_wait() -> None:
    record = _looked(OTHER_PACKAGE, _first())
    assert _looked(START, record) is record
    assert launch_waits(record)


def test_a_wait_ends_when_the_owner_takes_it_back_or_somebody_rejected_it() -> None:
    record = _looked(OTHER_PACKAGE, _first())
    assert not launch_waits(_looked(START, record, consented=True))
    rejected, _ = reject(record, waiting(record), "Ann")
    assert launch_waits(rejected)
    assert not launch_waits(_looked(START, rejected))


def test_consent_does_not_undo_a_rejection() -> None:
    changed = {**START, "cwd": "/"}
    found = _looked(changed, _first())
    rejected, _ = reject(found, waiting(found), "Ann")
    assert _looked(changed, rejected, consented=True) is rejected


def test_a_launch_that_cannot_be_pinned_is_refused() -> None:
    with pytest.raises(Uncanonical):
        _looked({**START, "cwd": "/srv/\udcff"}, None)


def test_a_damaged_pin_approves_no_launch() -> None:
    damaged = Pin("launch", "", "0" * 64, START, FIRST)
    record = msgspec.structs.replace(_first(), pins=(damaged,))
    assert launch_waits(_looked(START, record))
