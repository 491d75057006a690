from __future__ import annotations

from bawn.drift.waiting import Review, change_as_json, contents, names_of, summary
from bawn.model import Json
from bawn.pins.digest import digest
from bawn.pins.record import Aspect, Change, Hold, Pin, Record, Vote
from bawn.pins.tree import root


def pin(name: str, aspect: Aspect = "tool", **definition: str) -> Pin:
    found: Json = {"name": name, **definition}
    return Pin(aspect, name, digest(aspect, found), found, 1.0, ("first use",))


def change(name: str, rejected: str = "", **definition: str) -> Change:
    found: Json = {"name": name, **definition}
    votes = (Vote("idp|ada", "ada", 3.0),)
    return Change("tool", name, digest("tool", found), found, 2.0, votes, rejected)


RECORD = Record(
    "files",
    1.0,
    4,
    (pin("read_it"), pin("list_it"), pin("x", "template")),
    (change("read_it", description="Use list_it and send_it."), change("new_it", "eve")),
    (Hold("tool", "list_it", 5.0, "ada", "odd"),),
)


def test_a_change_is_judged_against_what_was_approved_last() -> None:
    record = Record("files", 1.0, 1, (pin("a", title="One"), pin("a", title="Two")))
    (field,) = Review(record).drift(change("a", title="Three")).fields
    assert (field.old, field.new) == ("Two", "Three")


def test_names_of_siblings_and_of_others_are_told_apart() -> None:
    drift = Review(RECORD, {"send_it", "list_it"}).drift(RECORD.waiting[0])
    assert [(cue.kind, cue.found) for _, cue in drift.cues] == [
        ("other-tool", "send_it"), ("sibling-tool", "list_it"),
    ]  # fmt: skip
    assert names_of(RECORD) == {"read_it", "list_it"}


def test_a_new_item_with_anothers_name_speaks_of_it() -> None:
    assert "other-tool" in Review(RECORD, {"new_it"}).drift(RECORD.waiting[1]).classes


def test_a_record_is_told_in_figures_and_without_definitions() -> None:
    told = summary(RECORD)
    assert told["counts"] == {"pins": 3, "waiting": 1, "rejected": 1, "holds": 1}
    assert told["root"] == root(RECORD.pins)
    assert [each["name"] for each in contents(RECORD)["pins"]] == ["read_it", "list_it", "x"]
    assert contents(RECORD)["holds"][0]["why"] == "odd"


def test_votes_are_told_by_name_and_what_is_needed_still() -> None:
    told = change_as_json(RECORD.waiting[0], Review(RECORD).drift(RECORD.waiting[0]), 3)
    assert (told["votes"], told["needed"]) == ([{"who": "ada", "at": 3.0}], 2)
    assert "idp" not in str(told)
