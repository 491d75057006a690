"""YAML is read as plain data, in one way only, and every key keeps its line."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.config.document import dotted, kind_of, read, scalar
from bawn.errors import Misconfigured


def test_every_key_and_item_keeps_its_line() -> None:
    document = read(b"a: 1\n# c\nb:\n  c:\n    - x\n    - y: 1\n      z: 2\n", "f")

    lines = {dotted(path): document.line(path) for path in document.spans}

    assert lines == {
        "a": 1,
        "b": 3,
        "b.c": 4,
        "b.c[0]": 5,
        "b.c[1]": 6,
        "b.c[1].y": 6,
        "b.c[1].z": 7,
    }
    assert document.line(("b", "c", "unknown", 3)) == 4
    assert document.line(("unknown",)) is None


@pytest.mark.parametrize(
    ("block", "last"),
    [
        ("a:\n  b: 1\n\n# c\nz: 0\n", 1),
        ("a:\n  b: |\n    x\n    y\nz: 0\n", 3),
        ("a: [1,\n  2\n  ]\nz: 0\n", 2),
        ('a: "x\n  y"\nz: 0\n', 1),
        ("a: x\n  y\nz: 0\n", 1),
        ("a:\nz: 0\n", 0),
        ("a: {b: {c: 1},\n  d: 2}\nz: 0\n", 1),
    ],
)
def test_a_span_ends_with_the_last_content(block: str, last: int) -> None:
    assert read(block.encode(), "f").spans[("a",)].last == last


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("~", None),
        ("null", None),
        ("true", True),
        ("FALSE", False),
        ("yes", "yes"),
        ("off", "off"),
        ("017", 17),
        ("0o17", 15),
        ("0x1F", 31),
        ("-3", -3),
        ("+3", 3),
        ("1_000", "1_000"),
        ("1.5", 1.5),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("1e999", "1e999"),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("2026-01-01", "2026-01-01"),
        ("1:30", "1:30"),
        ("9" * 19, 1e19),
        ("٣", "٣"),
    ],
)
def test_plain_scalars_mean_what_the_core_schema_says(text: str, value: Any) -> None:
    assert scalar(text) == value
    assert type(scalar(text)) is type(value)


def test_quoted_scalars_are_text() -> None:
    assert read(b"a: \"1\"\nb: 'true'\nc: |\n  2\n", "f").tree == {
        "a": "1",
        "b": "true",
        "c": "2\n",
    }


def test_keys_are_text_as_written() -> None:
    assert read(b"1: a\ntrue: b\n", "f").tree == {"1": "a", "true": "b"}


def test_an_alias_is_a_copy_of_its_own() -> None:
    tree: dict[str, Any] = read(b"a: &a {x: [1]}\nb: *a\n", "f").tree
    tree["b"]["x"].append(2)

    assert tree["a"] == {"x": [1]}


def test_an_alias_within_its_own_anchor_is_refused() -> None:
    with pytest.raises(Misconfigured, match="stands for nothing defined before it"):
        read(b"a: &a [*a]\n", "f")


def test_several_faults_of_form_are_told_together() -> None:
    with pytest.raises(Misconfigured) as caught:
        read(b"a: 1\na: 2\nb: !t 1\n", "f")

    assert len(caught.value.problems) == 2


def test_windows_line_ends_and_a_byte_order_mark_are_read() -> None:
    assert read(b"\xef\xbb\xbfa: 1\r\nb: 2\r\n", "f").tree == {"a": 1, "b": 2}


def test_a_path_is_written_with_dots_and_indices() -> None:
    assert dotted(("servers", "a", "command", 1)) == "servers.a.command[1]"
    assert dotted((0, "a")) == "[0].a"
    assert dotted(("a", "\x1b[2J\u202e")) == "a.'\\x1b[2J\\u202e'"


def test_kinds_are_named_without_the_value() -> None:
    values: tuple[Any, ...] = (None, True, 1, 1.5, "x", [], {})

    assert list(map(kind_of, values)) == [
        "nothing",
        "true or false",
        "a number",
        "a number",
        "text",
        "a list",
        "a mapping",
    ]


@given(st.binary(max_size=120))
def test_any_bytes_are_a_mapping_or_misconfigured(raw: bytes) -> None:
    with suppress(Misconfigured):
        assert isinstance(read(raw, "f").tree, dict)
