"""entities.json and labels.yaml are read strictly, with the place of every problem."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.errors import Misconfigured
from bawn.model import Label
from bawn.policy.files.declared import entities, labels
from bawn.policy.rules import ToolLabels


def one(type_: str, id_: str, *parents: tuple[str, str], **more: Any) -> dict[str, Any]:
    listed = [{"type": each, "id": name} for each, name in parents]
    return {"uid": {"type": type_, "id": id_}, "attrs": {}, "parents": listed, **more}


def refused(text: str) -> str:
    with pytest.raises(Misconfigured) as problem:
        entities(text)
    return str(problem.value)


def told(*entries: Any) -> str:
    return refused(json.dumps(entries))


def test_people_groups_and_roles_are_what_is_declared() -> None:
    written = [
        one("User", "ann", ("Group", "ops"), ("Role", "lead")),
        one("Role", "lead", ("Role", "developer")),
        one("Agent", "bot"),
        one("Group", "ops", ("Group", "all")),
    ]
    assert list(entities(json.dumps(written))) == written
    assert entities('[{"uid": {"type": "User", "id": "a"}}]') == (one("User", "a"),)


def test_an_entity_is_declared_once() -> None:
    assert 'entry 2: User::"a" stands here a second time' in told(
        one("User", "a"), one("User", "a")
    )


def test_circles_are_refused_with_their_members() -> None:
    circle = one("Group", "a", ("Role", "b")), one("Role", "b", ("Group", "a"))
    assert "that is a circle" in told(*circle)
    assert 'Group::"a" in Group::"a": that is a circle' in told(one("Group", "a", ("Group", "a")))


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (one("Tool", "a/b"), "the type 'Tool' is not expected here"),
        (one("Rolle", "a"), "did you mean Role?"),
        (one("User", "a", ("Server", "x")), "the type 'Server' is not expected here"),
        (one("User", "a", ("User", "b")), "expected one of Group, Role"),
        (one("User", "a", ("Role", "b"), ("Role", "b")), "names a parent twice"),
        (one("User", ""), "expected a type and an id"),
        (one("User", "a\n"), "do not print"),
        (one("User", "a", attrs={"age": 5}), "has attributes; expected none"),
        (one("User", "a", tags={}), "expected `uid`, `attrs` and `parents` alone"),
        ({**one("User", "a"), "parents": {}}, "expected a list of parents"),
        ({"uid": {"__entity": {"type": "User", "id": "a"}}}, "expected a type and an id"),
        ("User", "expected `uid`"),
        (None, "expected `uid`"),
    ],
)
def test_entities_of_another_shape_are_refused(entry: Any, expected: str) -> None:
    assert told(entry).startswith("entities.json: entry 1: ")
    assert expected in told(entry)


def test_what_is_no_list_of_json_is_refused() -> None:
    assert "expected a list" in refused("{}")
    assert refused("[\n{,").startswith("entities.json:2: not valid JSON")
    assert "stands twice" in refused('[{"uid": 1, "uid": 2}]')
    assert "nested too deeply" in refused("[" * 100_000)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(("uid", "attrs", "parents", "type", "id", "x")), inner
            )
        ),
    )
)
def test_any_json_is_taken_or_refused_in_words(value: Any) -> None:
    try:
        entities(json.dumps(value))
    except Misconfigured as problem:
        told = problem.problems
    else:
        told = ("fine",)
    assert told


def test_labels_are_by_server_and_pattern_in_the_order_of_the_file() -> None:
    text = """
servers:
  files:
    tools:
      "*": {labels: []}
      read_*: {labels: [private, untrusted], cost: 5, readOnly: true}
  mail: {tools: {send: {destructive: false, idempotent: true, openWorld: true}}}
"""
    assert list(labels(text).items()) == [
        (("files", "*"), ToolLabels(frozenset())),
        (
            ("files", "read_*"),
            ToolLabels(frozenset({Label.PRIVATE, Label.UNTRUSTED}), 5, read_only=True),
        ),
        (
            ("mail", "send"),
            ToolLabels(destructive=False, idempotent=True, open_world=True),
        ),
    ]
    assert labels("") == labels("servers:\n") == {}


@pytest.mark.parametrize(
    ("tool", "expected"),
    [
        ("{labels: [send]}", "labels[0]: not known here (did you mean sends?)"),
        ("{labels: sends}", "labels: expected a list"),
        ("{labels: [1]}", "labels[0]: not known here"),
        ("{readonly: true}", "readonly: not known here (did you mean readOnly?)"),
        ("{readOnly: yes}", "readOnly: expected true or false, got text"),
        ("{cost: -1}", "cost: expected a whole number from 0"),
        ("{cost: true}", "cost: expected a whole number from 0"),
        ("{cost: 1.5}", "cost: expected a whole number from 0"),
        ("{readOnly: true, destructive: true}", "exclude each other"),
        ("sends", "expected a mapping such as"),
        ("", "expected a mapping such as"),
    ],
)
def test_labels_that_are_not_understood_are_refused_with_their_line(
    tool: str, expected: str
) -> None:
    with pytest.raises(Misconfigured) as problem:
        labels(f"servers:\n  files:\n    tools:\n      read: {tool}\n")
    assert str(problem.value).startswith("labels.yaml:4: servers.files.tools.read")
    assert expected in str(problem.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("server: {}", "labels.yaml:1: server: not known here (did you mean servers?)"),
        ("servers: []", "labels.yaml:1: servers: expected a mapping, got a list"),
        ("servers: {Files: {}}", "servers.Files: expected the id of a server"),
        ("servers: {files: []}", "servers.files: expected `tools:`, got a list"),
        ("servers: {files: {tool: {}}}", "servers.files.tool: not known here"),
        ("servers: {a: {}, a: {}}", "stands here a second time"),
        ("[1", "not valid YAML"),
    ],
)
def test_labels_of_another_shape_are_refused(text: str, expected: str) -> None:
    with pytest.raises(Misconfigured) as problem:
        labels(text)
    assert expected in str(problem.value)
