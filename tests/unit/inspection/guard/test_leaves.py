"""Everything in arguments that may name something."""

from __future__ import annotations

from bawn.inspection.guard.leaves import Joined, Leaf, Words, walk


def test_every_text_is_told_with_its_place() -> None:
    found = list(walk({"a": {"b/c": ["x", {"d": "y"}]}}))
    leaves = {
        (one.pointer, one.dotted, one.text)
        for one in found
        if isinstance(one, Leaf) and not one.names
    }
    assert leaves == {("/a/b~1c/0", "a.b/c", "x"), ("/a/b~1c/1/d", "a.b/c.d", "y")}


def test_keys_are_told_as_well() -> None:
    assert "k" in {one.text for one in walk({"k": 1}) if isinstance(one, Leaf) and one.names}


def test_paths_in_parts_are_joined() -> None:
    joined = {
        one.text
        for one in walk({"folder": "d", "name": "n", "extension": ".e", "files": [{"path": "p"}]})
        if isinstance(one, Joined)
    }
    assert {"d/n", "n.e", "d/n.e", "d/p"} <= joined


def test_lists_of_words_are_told_whole() -> None:
    words = [one for one in walk({"args": ["a", "b"]}) if isinstance(one, Words)]
    assert words[0].words == ["a", "b"]


def test_the_walk_is_bounded() -> None:
    deep: dict[str, object] = {}
    inner = deep
    for _ in range(500):
        after: dict[str, object] = {}
        inner["a"] = after
        inner = after
    assert len(list(walk(deep))) < 500
    assert len(list(walk({"a": ["x"] * 100_000}))) <= 20_000
