"""Every text is found, at its place, and known for what may be done with it."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.inspection.outputs.blobs import LOOKED_AT
from bawn.inspection.outputs.draft import Draft
from bawn.inspection.outputs.leaves import KEY, NODES, Kind, escaped, of_message, of_values, parts
from bawn.model import Json


def b64(text: str) -> str:
    return b64encode(text.encode()).decode()


def kinds(tree: Any) -> dict[str, tuple[str, Kind]]:
    return {leaf.place: (leaf.text, leaf.kind) for leaf in of_message(tree)}


CONTENT: Json = {
    "resultType": "complete",
    "content": [
        {"type": "text", "text": "prose", "annotations": {"audience": ["user"]}},
        {"type": "image", "data": b64("\x89PNG\0"), "mimeType": "image/png"},
        {"type": "audio", "data": b64("RIFF\0"), "mimeType": "audio/wav"},
        {"type": "image", "data": b64("<svg>hi</svg>"), "mimeType": "image/svg+xml"},
        {"type": "resource_link", "uri": "file:///a", "name": "n", "description": "what"},
        {"type": "resource", "resource": {"uri": "file:///b", "text": "embedded"}},
        {"type": "resource", "resource": {"uri": "u", "blob": b64("plain"), "mimeType": "text/x"}},
        {"type": "hologram", "beam": {"deep": ["unknown words"]}},
    ],
    "structuredContent": {"a/b": {"c~": ["x", 1, None]}},
    "_meta": {"own": "note"},
    "isError": False,
}


def test_texts_of_a_tools_result() -> None:
    found = kinds(CONTENT)
    assert found["/content/0/text"] == ("prose", Kind.TEXT)
    assert found["/content/0/annotations/audience/0"] == ("user", Kind.FIXED)
    assert "/content/1/data" not in found
    assert "/content/2/data" not in found
    assert found["/content/3/data"] == ("<svg>hi</svg>", Kind.BLOB)
    assert found["/content/4/uri"] == ("file:///a", Kind.VALUE)
    assert found["/content/4/description"] == ("what", Kind.TEXT)
    assert found["/content/5/resource/text"] == ("embedded", Kind.TEXT)
    assert found["/content/6/resource/blob"] == ("plain", Kind.BLOB)
    assert found["/content/7/beam/deep/0"] == ("unknown words", Kind.VALUE)
    assert found["/structuredContent/a~1b/c~0/0"] == ("x", Kind.VALUE)
    assert found["key:/structuredContent/a~1b"] == ("a/b", Kind.KEY)
    assert found["key:/structuredContent/a~1b/c~0"] == ("c~", Kind.KEY)
    assert found["/_meta/own"] == ("note", Kind.VALUE)
    assert found["/resultType"] == ("complete", Kind.FIXED)


@pytest.mark.parametrize(
    ("tree", "place", "kind"),
    [
        ({"messages": [{"role": "user", "content": {"type": "text", "text": "x"}}]},
         "/messages/0/content/text", Kind.TEXT),
        ({"messages": [{"role": "x", "content": {}}]}, "/messages/0/role", Kind.FIXED),
        ({"contents": [{"uri": "u", "text": "x"}]}, "/contents/0/text", Kind.TEXT),
        ({"completion": {"values": ["x"]}}, "/completion/values/0", Kind.VALUE),
        ({"inputRequests": {"k": {"params": {"message": "x"}}}},
         "/inputRequests/k/params/message", Kind.TEXT),
        ({"inputRequests": {"k": {"params": {"systemPrompt": "x"}}}},
         "/inputRequests/k/params/systemPrompt", Kind.TEXT),
        ({"inputRequests": {"k": {"params": {"requestedSchema": {"title": "x"}}}}},
         "/inputRequests/k/params/requestedSchema/title", Kind.VALUE),
        ({"inputRequests": {"k": {"params": {"messages": [
            {"content": [{"type": "tool_use", "input": {"a": "x"}}]}]}}}},
         "/inputRequests/k/params/messages/0/content/0/input/a", Kind.VALUE),
        ({"taskId": "t", "result": {"content": [{"type": "text", "text": "x"}]}},
         "/result/content/0/text", Kind.TEXT),
        ({"statusMessage": "x"}, "/statusMessage", Kind.TEXT),
        ({"progress": 1, "message": "x"}, "/message", Kind.TEXT),
        ({"level": "info", "data": "x"}, "/data", Kind.TEXT),
        ({"level": "info", "data": {"text": "x"}}, "/data/text", Kind.VALUE),
        ({"code": -1, "message": "x", "data": ["y"]}, "/data/0", Kind.VALUE),
    ],
)  # fmt: skip
def test_texts_of_other_messages(tree: Json, place: str, kind: Kind) -> None:
    assert kinds(tree)[place][1] is kind


@pytest.mark.parametrize("key", ["requestState", "taskId", "nextCursor"])
def test_handles_are_left_alone(key: str) -> None:
    assert kinds({key: "opaque"}) == {}


def test_arguments_are_values_with_their_keys() -> None:
    found = {leaf.place: leaf.kind for leaf in of_values({"text": ["x"]}, "/arguments")}
    assert found == {"key:/arguments/text": Kind.KEY, "/arguments/text/0": Kind.VALUE}


def test_texts_come_in_the_order_in_which_they_stand() -> None:
    tree = {"content": [{"text": "1"}, {"text": "2", "x": {"y": ["3", "4"]}}], "z": "5"}
    assert [leaf.text for leaf in of_message(tree)] == ["1", "2", "3", "4", "5"]


def test_no_nesting_is_too_deep() -> None:
    deep: Any = "bottom"
    for _ in range(50_000):
        deep = [deep]
    (leaf,) = of_message(deep)
    assert leaf.text == "bottom"


def test_too_much_is_said_to_be() -> None:
    exact = of_message(["x"] * (NODES - 1))
    assert (exact.whole, len(exact.found)) == (True, NODES - 1)
    more = of_message(["x"] * NODES)
    assert (more.whole, len(more.found)) == (False, NODES)


def test_a_blob_that_is_looked_at_in_part_is_said_to_be() -> None:
    def of(content: str) -> bool:
        blob = {"uri": "u", "mimeType": "text/plain", "blob": b64(content)}
        return of_message({"contents": [blob]}).whole

    assert (of("x" * 1_000), of("x" * (LOOKED_AT + 10))) == (True, False)


@given(st.text())
def test_a_key_is_read_back_from_its_place(key: str) -> None:
    assert parts(f"/{escaped(key)}") == [key]


_TREES = st.recursive(
    st.none() | st.integers() | st.text(),
    lambda below: st.lists(below) | st.dictionaries(st.text(), below),
    max_leaves=20,
)


@given(_TREES)
def test_each_text_stands_at_its_place_and_none_is_left_out(tree: Any) -> None:
    leaves = of_values(tree)
    places = [leaf.place for leaf in leaves]
    assert len(places) == len(set(places))
    for leaf in leaves:
        if leaf.kind is Kind.KEY:
            assert parts(leaf.place.removeprefix(KEY))[-1] == leaf.text
        else:
            assert Draft(tree).at(leaf.place) == leaf.text
    assert sorted(leaf.text for leaf in leaves) == sorted(_texts(tree))


def _texts(tree: Any) -> list[str]:
    if isinstance(tree, str):
        return [tree]
    if isinstance(tree, list):
        return [text for each in tree for text in _texts(each)]
    if isinstance(tree, dict):
        return [*tree, *(text for each in tree.values() for text in _texts(each))]
    return []
