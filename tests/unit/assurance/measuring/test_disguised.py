"""A row is disguised where its surface is, and stays the same elsewhere."""

from __future__ import annotations

from typing import Any

import pytest

from bawn.assurance.measuring.disguised import disguises
from bawn.assurance.measuring.rows import Row
from bawn.assurance.measuring.transforms import SPLIT, TRANSFORMS
from bawn.model import Json

TOOL: Json = {
    "name": "send",
    "title": "Send it",
    "description": "Sends a mail.",
    "annotations": {"title": "Send mail", "readOnlyHint": False},
    "inputSchema": {
        "type": "object",
        "properties": {
            "to_whom": {
                "type": "string",
                "description": "Where to.",
                "default": "some one",
                "enum": ["some one", "any one"],
                "examples": ["no one"],
            }
        },
        "required": ["to_whom"],
        "$defs": {"who": {"type": "string", "description": "A person."}},
    },
    "outputSchema": {"type": "object", "properties": {"id": {"description": "Its number."}}},
}


def row(surface: str, tool: Any = TOOL) -> Row:
    return Row(id="a", label="attack", surface=surface, tool=tool)


def upper(surface: str) -> Any:
    return dict(disguises("tools", row(surface)))["upper_case"].tool


@pytest.mark.parametrize(
    ("surface", "path", "said"),
    [
        ("description", ("description",), "SENDS A MAIL."),
        ("title", ("title",), "SEND IT"),
        ("annotations", ("annotations", "title"), "SEND MAIL"),
        (
            "param_description",
            ("inputSchema", "properties", "to_whom", "description"),
            "WHERE TO.",
        ),
        ("default", ("inputSchema", "properties", "to_whom", "default"), "SOME ONE"),
        ("enum", ("inputSchema", "properties", "to_whom", "enum", 1), "ANY ONE"),
        ("examples", ("inputSchema", "properties", "to_whom", "examples", 0), "NO ONE"),
        ("defs", ("inputSchema", "$defs", "who", "description"), "A PERSON."),
        ("output_schema", ("outputSchema", "properties", "id", "description"), "ITS NUMBER."),
        ("param_name", ("inputSchema", "required", 0), "TO_WHOM"),
    ],
)
def test_what_stands_at_the_surface_is_disguised_and_nothing_else(
    surface: str, path: tuple[str | int, ...], said: str
) -> None:
    found = upper(surface)
    at: Any = found
    for step in path:
        at = at[step]
    assert at == said
    assert sum(
        1 for before, after in zip(_strings(TOOL), _strings(found), strict=True) if before != after
    ) in {1, 2}


def _strings(node: Any) -> list[str]:
    if isinstance(node, str):
        return [node]
    if isinstance(node, dict):
        return [text for key, value in node.items() for text in (key, *_strings(value))]
    return [text for each in node for text in _strings(each)] if isinstance(node, list) else []


def test_without_a_known_surface_all_prose_is_disguised() -> None:
    found = upper("purpose")
    assert found["description"] == "SENDS A MAIL."
    assert found["inputSchema"]["properties"]["to_whom"]["description"] == "WHERE TO."
    assert found["name"] == "send"


def test_what_is_split_is_all_there() -> None:
    found = dict(disguises("tools", row("description")))[SPLIT].tool
    assert isinstance(found, dict)
    assert found["description"] == "Sends"
    assert found["inputSchema"]["properties"]["more"]["description"] == "a mail."
    named = dict(disguises("tools", row("param_name")))[SPLIT].tool
    assert isinstance(named, dict)
    assert {"to", "whom"} <= named["inputSchema"]["properties"].keys()


def test_an_output_is_split_into_blocks() -> None:
    found = dict(disguises("outputs", Row(id="a", label="attack", text="do this now")))
    assert found.keys() == {*TRANSFORMS, SPLIT}
    assert found[SPLIT].text == "do this\x1f now"


def test_the_row_itself_stays_as_it_was() -> None:
    upper("purpose")
    assert TOOL["description"] == "Sends a mail."


@pytest.mark.parametrize("track", ["arguments", "launch", "secrets", "drift"])
def test_what_no_model_reads_is_not_disguised(track: str) -> None:
    assert not list(disguises(track, Row(id="a", label="attack", text="t")))


@pytest.mark.parametrize("tool", ["name", {"name": "x"}, {"name": "x", "inputSchema": True}])
@pytest.mark.parametrize("surface", ["", "enum", "defs", "param_name", "output_schema", "title"])
def test_a_tool_of_an_odd_shape_is_no_problem(tool: Any, surface: str) -> None:
    assert not [
        name
        for name, _ in disguises("tools", row(surface, tool))
        if name not in {*TRANSFORMS, SPLIT}
    ]
