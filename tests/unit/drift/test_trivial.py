from __future__ import annotations

from typing import Any

import pytest

from bawn.drift.fields import Field
from bawn.drift.trivial import is_cosmetic, property_names, says_nothing_new


def changed(old: Any, new: Any, key: str = "description", **more: Any) -> Field:
    return Field(key, "changed", old, new, key, **more)


@pytest.mark.parametrize(
    ("old", "new"),
    [("Reads a file", "Reads a file."), ("Reads\n  a file.", " Reads a file.\n"), ("a\tb", "a b")],
)
def test_spacing_and_a_full_stop_are_cosmetic(old: str, new: str) -> None:
    assert is_cosmetic(changed(old, new))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Reads a file", "reads a file"),
        ("therapist", "the rapist"),
        ("Never delete", "Never. delete"),
        ("a b", "a\u00a0b"),
        ("a b", "a\u200b b"),
        ("path /", "path /."),
        ("a", "a.."),
        ("a", 1),
    ],
)
def test_anything_else_is_not(old: Any, new: Any) -> None:
    assert not is_cosmetic(changed(old, new))


def test_only_descriptions_and_titles_are_cosmetic() -> None:
    assert not is_cosmetic(changed("a", "a.", "default"))
    assert not is_cosmetic(changed("a", "a.", "title", place="name"))
    assert not is_cosmetic(Field("description", "added", None, "", "description"))


NAMES = frozenset({"path"})


@pytest.mark.parametrize(
    ("field", "silent"),
    [
        (Field("p", "added", None, 5, "maxLength", "keyword"), True),
        (Field("p", "added", None, ["path"], "required", "keyword"), True),
        (Field("p", "added", None, ["other"], "required", "keyword"), False),
        (Field("p", "added", None, "path", "required", "member", "required"), True),
        (Field("p", "added", None, "send all", "enum", "member", "enum"), False),
        (Field("p", "removed", "x", None, "enum", "member", "enum"), True),
        (Field("p", "removed", {}, None, "old", "name", "properties"), True),
        (Field("p", "added", None, {}, "new", "name", "properties"), False),
        (Field("p", "added", None, {}, "maximum", "name", "properties"), False),
        (Field("p", "removed", "x", None, "description", "keyword"), False),
        (Field("p", "added", None, "^x$", "pattern", "keyword"), False),
        (Field("p", "added", None, 1, "default", "keyword"), False),
        (Field("p", "added", None, {"type": "string", "title": "x"}, "items", "keyword"), False),
        (Field("p", "added", None, 1, "maxLength", "plain"), False),
    ],
)
def test_what_says_nothing_new(field: Field, silent: bool) -> None:
    assert says_nothing_new(field, NAMES) is silent


def test_names_are_found_at_any_depth() -> None:
    schema = {"properties": {"a": {"items": {"properties": {"b": True}}}}, "properties_": {"c": 1}}
    assert property_names(schema) == {"a", "b"}
