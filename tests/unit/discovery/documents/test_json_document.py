from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.discovery.documents.document import splice
from bawn.discovery.documents.json_document import JsonDocument
from bawn.discovery.documents.spans import Unreadable
from tests.unit.discovery.jsonc_texts import GAPS, VALUES, written

ENTRY = {"command": "/opt/bawn", "args": ["stdio", "--server", "a"]}
KEYS = ("mcpServers",)
NAMES = st.text(max_size=8)


@st.composite
def files(draw: st.DrawFn) -> tuple[dict[str, Any], str]:
    """A client's file with up to four servers, in any layout."""
    servers = draw(st.dictionaries(NAMES, st.dictionaries(NAMES, VALUES, max_size=3), max_size=4))
    others = draw(st.dictionaries(NAMES.filter(lambda n: n != "mcpServers"), VALUES, max_size=3))
    data = {**others, "mcpServers": servers}
    mark = draw(st.sampled_from(["", "\ufeff"]))
    return data, f"{mark}{draw(GAPS)}{draw(written(data))}{draw(GAPS)}"


@given(files(), st.data())
def test_replacing_an_entry_leaves_every_other_byte_and_means_what_it_should(
    file: tuple[dict[str, Any], str], data: st.DataObject
) -> None:
    tree, text = file
    document = JsonDocument(text)
    slots = document.slots(KEYS)
    assert [slot.name for slot in slots] == list(tree["mcpServers"])
    if not slots:
        return
    slot = data.draw(st.sampled_from(slots))
    after = splice(text, [document.replacement(slot, ENTRY)])
    assert after.startswith(text[: slot.start])
    assert after.endswith(text[slot.end :])
    tree["mcpServers"][slot.name] = ENTRY
    assert JsonDocument(after).data == tree


@given(files())
def test_an_added_entry_can_be_taken_out_again(file: tuple[dict[str, Any], str]) -> None:
    tree, text = file
    tree["mcpServers"].pop("bawn", None)
    text = text if '"bawn"' not in text else json.dumps(tree)
    document = JsonDocument(text)
    added = splice(text, [document.insertion(KEYS, "bawn", ENTRY)])
    after = JsonDocument(added)
    assert after.data == {**tree, "mcpServers": {**tree["mcpServers"], "bawn": ENTRY}}
    (slot,) = [slot for slot in after.slots(KEYS) if slot.name == "bawn"]
    assert JsonDocument(splice(added, after.removal(slot))).data == tree


@given(files(), st.data())
def test_any_entry_can_be_taken_out(file: tuple[dict[str, Any], str], data: st.DataObject) -> None:
    tree, text = file
    document = JsonDocument(text)
    slots = document.slots(KEYS)
    if not slots:
        return
    slot = data.draw(st.sampled_from(slots))
    del tree["mcpServers"][slot.name]
    assert JsonDocument(splice(text, document.removal(slot))).data == tree


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{\n\t"s": {\n\t\t"a": {}\n\t}\n}', '{\n\t\t\t"command": "c",\n\t\t\t"n": 1\n\t\t}'),
        ('{\r\n "s": {\r\n  "a": null\r\n }\r\n}', '{\r\n   "command": "c",\r\n   "n": 1\r\n  }'),
        ('{\n    "s": {"a": {}}\n}', '{"command": "c", "n": 1}'),
        ('{"s":{"a":{}}}', '{"command": "c", "n": 1}'),
    ],
)
def test_an_entry_is_written_with_the_files_own_indentation_and_line_ends(
    text: str, expected: str
) -> None:
    document = JsonDocument(text)
    (slot,) = document.slots(("s",))
    assert document.replacement(slot, {"command": "c", "n": 1}).text == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{}", '{"s": {"b": {"x": 1}}}'),
        ("{}\n", '{\n  "s": {\n    "b": {\n      "x": 1\n    }\n  }\n}\n'),
        ('{\n\t"s": {}\n}', '{\n\t"s": {\n\t\t"b": {\n\t\t\t"x": 1\n\t\t}\n\t}\n}'),
        ('{\n "s": {\n }\n}', '{\n "s": {\n  "b": {\n   "x": 1\n  }\n }\n}'),
        (
            '{\n "s": {\n  "a": 1, // last\n }\n}',
            '{\n "s": {\n  "a": 1,\n  "b": {\n   "x": 1\n  }, // last\n }\n}',
        ),
        ('{\n  "t": 1\n}\n', '{\n  "t": 1,\n  "s": {\n    "b": {\n      "x": 1\n    }\n  }\n}\n'),
        ('{"s": {"a": 1}}', '{"s": {"a": 1, "b": {"x": 1}}}'),
    ],
)
def test_an_entry_is_added_where_the_file_would_have_it(text: str, expected: str) -> None:
    document = JsonDocument(text)
    assert splice(text, [document.insertion(("s",), "b", {"x": 1})]) == expected


def test_every_project_of_a_claude_file_is_found() -> None:
    text = (
        '{"projects": {"/a": {"mcpServers": {"x": {}}}, "/b": 1, "/c": {"mcpServers": {"y": {}}}}}'
    )
    slots = JsonDocument(text).slots(("projects", "*", "mcpServers"))
    assert [(slot.keys[1], slot.name) for slot in slots] == [("/a", "x"), ("/c", "y")]


@pytest.mark.parametrize(
    "text",
    [
        '{"s": {"a": {}, "a": {}}}',
        '{"s": {"a": {}}, "s": {"b": {}}}',
        '{"s": {"a": {"command": "safe", "command": "evil"}}}',
        '{"s": {"a": {"env": {"x": "1", "x": "2"}}}}',
    ],
)
def test_keys_that_stand_twice_are_a_problem_of_the_entry(text: str) -> None:
    assert all("twice" in slot.problem for slot in JsonDocument(text).slots(("s",)))


def test_keys_that_stand_twice_elsewhere_are_none() -> None:
    text = '{"x": {"a": 1, "a": 2}, "s": {"a": {}}, "y": {"b": 1, "b": 2}}'
    assert [slot.problem for slot in JsonDocument(text).slots(("s",))] == [""]


def test_entries_know_their_line_and_odd_ones_their_problem() -> None:
    slots = JsonDocument('{"s": {\n"a": {},\n\n"b": "text"}}').slots(("s",))
    assert [(slot.line, slot.problem) for slot in slots] == [(2, ""), (4, "expected an object")]


def test_something_else_than_an_object_is_refused_with_its_place() -> None:
    with pytest.raises(Unreadable, match=r"line 2, column 6: expected an object at `s`"):
        JsonDocument('{\n"s": [1]}').slots(("s",))
    assert JsonDocument('{"s": null}').slots(("s",)) == ()
    assert JsonDocument("[]").slots(("s",)) == ()
    with pytest.raises(Unreadable, match="expected an object to add to"):
        JsonDocument('{"s": 1}').insertion(("s",), "a", {})


def test_more_servers_than_anybody_has_are_refused() -> None:
    text = json.dumps({"s": {str(n): {} for n in range(1001)}})
    with pytest.raises(Unreadable, match="more than 1000 servers"):
        JsonDocument(text).slots(("s",))


def test_lone_surrogates_survive_a_rewrite() -> None:
    document = JsonDocument('{"s": {"a": {"x": "\\ud800"}}}')
    (slot,) = document.slots(("s",))
    text = splice(document.text, [document.replacement(slot, {"x": slot.value["x"]})])
    assert json.loads(text.encode()) == {"s": {"a": {"x": "\ud800"}}}


def test_masks_hide_secrets_in_values_and_comments() -> None:
    text = '{"k": {"password": "hunter2"}, // "old_token": "hunter1"\n "z": 1}'
    document = JsonDocument(text)
    shown = splice(text, document.masks(0, len(text)))
    assert "hunter" not in shown
    assert JsonDocument(shown).data["z"] == 1
