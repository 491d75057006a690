from __future__ import annotations

from typing import Any

import pytest

from bawn.model import Json
from bawn.pins.deciding import approve, reject
from bawn.pins.digest import Digests, digest
from bawn.pins.record import Pin, Record
from bawn.pins.verified import note, strangers
from tests.unit.pins.listings import (
    LATER,
    approved,
    judged,
    listing,
    prompt,
    served,
    tool,
    vote,
    waiting,
)

RECORD = approved(tool(), tool("write"), prompts=[prompt()])
BAD = tool("read", "bad")


def _strangers(record: Record, *tools: Json, prompts: tuple[Json, ...] = ()) -> tuple[Any, ...]:
    return strangers({"tool": tools, "prompt": prompts}, record, Digests())


def test_what_is_as_approved_is_no_stranger() -> None:
    same = {**tool(), "inputSchema": {"required": ["b", "a"]}}
    assert _strangers(RECORD, tool(), same, prompts=(prompt(),)) == ()
    assert _strangers(RECORD) == ()


def test_what_differs_is_told_with_its_digest() -> None:
    found = _strangers(RECORD, BAD, tool("write"), prompts=(prompt("ask", "bad"),))
    assert found == (
        ("tool", "read", digest("tool", BAD), BAD),
        ("prompt", "ask", digest("prompt", prompt("ask", "bad")), prompt("ask", "bad")),
    )


def test_what_nobody_can_call_is_ignored() -> None:
    assert _strangers(RECORD, tool("new"), {"name": 7}, {}, prompts=(prompt("read"),)) == ()


def test_of_a_name_listed_twice_the_stranger_is_found() -> None:
    assert [each[3] for each in _strangers(RECORD, tool(), BAD)] == [BAD]


def test_each_of_several_approved_definitions_is_no_stranger() -> None:
    found = judged(listing(BAD), RECORD).record
    both, _ = approve(found, waiting(found), vote(), 1, also=True)
    assert _strangers(both, tool(), BAD) == ()


@pytest.mark.parametrize("value", ["\ud800", float("nan"), [[[]]] * 400_000])
def test_what_cannot_be_pinned_is_a_stranger_that_can_never_be_approved(value: Any) -> None:
    (found,) = _strangers(RECORD, {**tool(), "x": value})
    assert found[:3] == ("tool", "read", "")
    assert note(RECORD, [found], LATER) is RECORD


def test_a_pin_without_a_digest_approves_nothing() -> None:
    record = Record("files", LATER, pins=(Pin("tool", "read", "", tool(), LATER),))
    assert [each[2] for each in _strangers(record, {**tool(), "x": "\ud800"})] == [""]


def test_what_was_found_waits_and_holds_the_item_back_everywhere() -> None:
    record = note(RECORD, _strangers(RECORD, BAD), LATER)
    (change,) = record.waiting
    assert (change.key, change.definition, change.found) == (("tool", "read"), BAD, LATER)
    assert record.revision == RECORD.revision + 1
    assert served(judged(listing(tool(), tool("write")), record)) == [tool("write")]
    assert note(record, _strangers(record, BAD), LATER + 1) is record


def test_a_rejected_one_that_is_found_again_is_not_asked_for_again() -> None:
    record = note(RECORD, _strangers(RECORD, BAD), LATER)
    record, _ = reject(record, waiting(record), "Ann")
    assert note(record, _strangers(record, BAD), LATER + 1) is record


def test_one_that_was_approved_meanwhile_is_none_any_more() -> None:
    found = _strangers(RECORD, BAD)
    record = note(RECORD, found, LATER)
    record, _ = approve(record, waiting(record), vote(), 1)
    assert note(record, found, LATER + 1) is record


def test_nothing_of_a_server_that_was_forgotten_is_noted() -> None:
    bare = Record("files", LATER)
    assert note(bare, _strangers(RECORD, BAD), LATER) is bare
