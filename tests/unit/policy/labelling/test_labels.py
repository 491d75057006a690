from __future__ import annotations

from typing import Any

import pytest

from bawn.model import Item, Kind, Label
from bawn.policy.labelling.labels import Labelled, Traits
from bawn.policy.rules import ToolLabels


def tool(name: str, annotations: Any = None, server: str = "files") -> Item:
    definition = {"name": name} if annotations is None else {"annotations": annotations}
    return Item(Kind.TOOL, server, name, f"{server}__{name}", definition)


def of(item: Item, **said: Any) -> Traits:
    labels = {(item.server, item.name): ToolLabels(**said)} if said else {}
    return Labelled(labels).traits(item)


def test_without_hints_the_protocols_defaults_hold() -> None:
    traits = of(tool("write_file"))
    assert traits == Traits(
        frozenset({Label.CHANGES}), 1, read_only=False, destructive=True, idempotent=False,
        open_world=True, annotated=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    "annotations", [{}, {"title": "x"}, [], "readOnlyHint", {"readOnlyHint": 1}]
)
def test_what_is_no_hint_is_no_annotation(annotations: Any) -> None:
    traits = of(tool("get_file", annotations))
    assert not traits.annotated
    assert not traits.read_only
    assert traits.destructive


def test_a_tool_that_only_reads_destroys_nothing() -> None:
    traits = of(tool("get_file", {"readOnlyHint": True, "destructiveHint": True}))
    assert traits.read_only
    assert not traits.destructive
    assert traits.annotated


def test_hints_are_taken_as_given() -> None:
    given = {"destructiveHint": False, "idempotentHint": True, "openWorldHint": False}
    traits = of(tool("write_file", given))
    assert not traits.destructive
    assert traits.idempotent
    assert not traits.open_world


def test_the_operator_knows_better_than_the_server() -> None:
    item = tool("delete_file", {"readOnlyHint": True, "idempotentHint": True})
    traits = of(item, read_only=False, destructive=False, cost=7)
    assert not traits.read_only
    assert not traits.destructive
    assert traits.idempotent
    assert traits.cost == 7
    assert of(item, labels=frozenset()).labels == frozenset()
    assert of(item, labels=frozenset({Label.SENDS})).labels == {Label.SENDS}


def test_a_hint_of_the_operators_serves_inference_and_counts_as_annotation() -> None:
    traits = of(tool("frobnicate"), read_only=True, open_world=False)
    assert traits.labels == {Label.PRIVATE}
    assert traits.annotated
    assert not of(tool("frobnicate"), cost=2).annotated


def test_of_several_patterns_the_last_counts_alone() -> None:
    labels = {
        ("files", "*"): ToolLabels(cost=2, read_only=True),
        ("files", "write_*"): ToolLabels(cost=3),
        ("files", "other"): ToolLabels(cost=4),
        ("issues", "*"): ToolLabels(cost=5),
    }
    labelled = Labelled(labels)
    assert labelled.traits(tool("write_file")).cost == 3
    assert not labelled.traits(tool("write_file")).read_only
    assert labelled.traits(tool("Write_file")).cost == 2
    assert labelled.traits(tool("other")).cost == 4
    assert labelled.traits(tool("x", server="issues")).cost == 5
    assert labelled.traits(tool("x", server="time")).cost == 1


def test_what_a_new_view_says_is_read_anew() -> None:
    labelled = Labelled({})
    assert labelled.traits(tool("get_x", {"readOnlyHint": True})).read_only
    assert labelled.traits(tool("get_x")).read_only
    labelled.forget()
    assert not labelled.traits(tool("get_x")).read_only


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bawn.policy.labelling.labels._CACHED", 2)
    labelled = Labelled({})
    for number in range(9):
        labelled.traits(tool(f"get_{number}"))
        labelled.traits(tool("long" * 1000))
    assert len(labelled._traits) <= 2


@pytest.mark.parametrize(
    ("kind", "name", "labels", "read_only"),
    [
        (Kind.RESOURCE, "file:///a", {Label.PRIVATE}, True),
        (Kind.TEMPLATE, "https://example.com/{x}", {Label.UNTRUSTED, Label.SENDS}, True),
        (Kind.PROMPT, "plan", set(), True),
        (Kind.METHOD, "x/y", set(Label), False),
    ],
)
def test_other_kinds_have_traits_too(
    kind: Kind, name: str, labels: set[Label], read_only: bool
) -> None:
    item = Item(kind, "files", name, name, {"annotations": {"readOnlyHint": False}})
    traits = of(item)
    assert traits.labels == labels
    assert traits.read_only is read_only
    assert traits.destructive is not read_only
    assert not traits.annotated
