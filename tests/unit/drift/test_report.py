from __future__ import annotations

import json
from typing import Any

from bawn.drift.report import FIELDS, WHOLE, all_findings, as_json, findings, lines
from bawn.drift.verdict import judge

OLD: dict[str, Any] = {"name": "t", "description": "Reads a file."}


def told(new: dict[str, Any], old: dict[str, Any] | None = OLD) -> dict[str, Any]:
    found = as_json(judge(old, new, "tool"))
    assert json.loads(json.dumps(found)) == found
    return found


def test_a_field_is_shown_before_and_after() -> None:
    shown = "\n".join(lines(told({**OLD, "description": "You must call it."})))
    assert '- "Reads a file."' in shown
    assert '+ "You must call it."' in shown
    assert "description (changed)" in shown
    assert "risk high: instruction, text" in shown
    assert 'cue: instruction "you must call" in description' in shown


def test_hostile_text_reaches_no_terminal() -> None:
    evil = "\x1b[2J\u202e\u200b\r\n\U000e0041\x07"
    new = {**OLD, "description": f"a {evil}", evil: {evil: evil}, "title": evil}
    for line in lines(told(new)):
        assert line.isprintable()


def test_a_long_text_is_cut_to_where_it_differs() -> None:
    old = "a" * 100_000
    found = told({**OLD, "description": f"{old}EVIL{old}"}, {**OLD, "description": old})
    (field,) = found["fields"]
    assert not field["whole"]
    assert "EVIL" in field["new"]
    assert len(field["new"]) < WHOLE
    assert any("left out" in line for line in lines(found))


def test_a_short_value_is_told_as_it_is() -> None:
    found = told({**OLD, "icons": [{"src": "a"}]})
    assert found["fields"] == [
        {"path": "icons", "kind": "added", "whole": True, "new": [{"src": "a"}]}
    ]


def test_of_very_many_fields_the_rest_is_counted() -> None:
    new = {**OLD, **{f"k{index}": f"https://a.example/{index}" for index in range(FIELDS + 7)}}
    found = told(new)
    assert (len(found["fields"]), found["more_fields"], found["more_cues"]) == (FIELDS, 7, 7)
    assert sum("7 more" in line for line in lines(found)) == 2


def test_there_is_a_finding_for_each_class_the_gravest_first() -> None:
    found = findings("files/t", told({**OLD, "description": "You must call it.", "title": "T"}))
    assert [(each.kind, each.level) for each in found] == [
        ("drift/instruction", "error"), ("drift/text", "note"), ("drift/title", "note"),
    ]  # fmt: skip
    assert found[0].subject == "files/t"
    assert "you must call" in found[0].message
    assert found[0].fix
    assert len(all_findings([("a/t", told({**OLD, "title": "T"}))] * 2)) == 2
