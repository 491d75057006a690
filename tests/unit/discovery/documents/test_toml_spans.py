from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.discovery.documents.spans import Array, Object, Scalar, Unreadable, Value
from bawn.discovery.documents.toml_spans import scan

TEXT = '''\
# head
title = "a # b" # comment
[a.'b.c'."d\\u00e9"]   # table
list = [ 1, # one
  [2, "]"],
]
inline = { x.y = 'l', "z" = """two
lines""" }
when = 1979-05-27 07:32:00
many = \'\'\'it's'\'\'\'

[[rows]]
n = 0x1F
'''


def _strings(value: Value) -> list[str]:
    if isinstance(value, Scalar):
        return [value.value]
    if isinstance(value, Array):
        return [text for item in value.items for text in _strings(item)]
    assert isinstance(value, Object)
    return [text for member in value.members for text in _strings(member.value)]


def test_statements_have_their_whole_path_and_their_place() -> None:
    found = scan(TEXT).statements
    assert [s.path for s in found] == [
        ("title",),
        ("a", "b.c", "dé"),
        ("a", "b.c", "dé", "list"),
        ("a", "b.c", "dé", "inline"),
        ("a", "b.c", "dé", "when"),
        ("a", "b.c", "dé", "many"),
        ("rows",),
        ("rows", "n"),
    ]
    assert [TEXT[s.start : s.end] for s in found if s.value is None] == [
        "[a.'b.c'.\"d\\u00e9\"]",
        "[[rows]]",
    ]
    for statement in found:
        if statement.value is not None:
            assert TEXT[statement.value.start : statement.value.end].strip()
            assert statement.end == statement.value.end


def test_values_are_understood_as_far_as_strings_go() -> None:
    values = {s.path[-1]: s.value for s in scan(TEXT).statements}
    assert values["title"] is not None
    assert values["inline"] is not None
    assert values["many"] is not None
    assert _strings(values["title"]) == ["a # b"]
    assert _strings(values["inline"]) == ["l", "two\nlines"]
    assert _strings(values["many"]) == ["it's'"]


def test_comments_are_reported_and_strings_are_not_comments() -> None:
    assert [TEXT[a:b] for a, b in scan(TEXT).comments] == [
        "# head",
        "# comment",
        "# table",
        "# one",
    ]


KEYS = st.text(min_size=1, max_size=6)
LEAVES = st.booleans() | st.integers(-(2**40), 2**40) | st.text(max_size=12)


def _quoted(text: str) -> str:
    return '"' + "".join(f"\\U{ord(c):08x}" for c in text) + '"'


@given(st.dictionaries(KEYS.filter(str.isprintable), LEAVES, max_size=6))
def test_every_key_of_a_valid_document_is_found_in_order(pairs: dict[str, Any]) -> None:
    lines = [
        f"{_quoted(key)} = {_quoted(v) if isinstance(v, str) else str(v).lower()}"
        for key, v in pairs.items()
    ]
    text = "\n".join(lines)
    assert list(tomllib.loads(text)) == [s.path[0] for s in scan(text).statements]


@given(st.text(alphabet="[]{}='\"\\#.,\n\r ab1", max_size=40))
def test_nothing_but_its_own_error_is_raised(text: str) -> None:
    try:
        scan(text)
        place = (1, 1)
    except Unreadable as error:
        place = (error.line, error.column)
    assert min(place) >= 1


@given(st.text(alphabet="[]{}='\"\\#.,\n ab1", max_size=24))
def test_whatever_the_standard_library_accepts_is_scanned(text: str) -> None:
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    scan(text)


@pytest.mark.parametrize("text", ["a = " + "[" * 10_000, ".".join(["a"] * 10_000) + " = 1"])
def test_nesting_is_limited(text: str) -> None:
    with pytest.raises(Unreadable, match=r"nested deeper|key of more than"):
        scan(text)
