from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.discovery.documents.jsonc import parse
from bawn.discovery.documents.spans import MAX_DEPTH, Array, Object, Unreadable, Value, plain
from tests.unit.discovery.jsonc_texts import VALUES, documents


def _all(value: Value) -> Iterator[Value]:
    yield value
    inner = [m.value for m in value.members] if isinstance(value, Object) else []
    for item in [*inner, *(value.items if isinstance(value, Array) else ())]:
        yield from _all(item)


@given(VALUES)
def test_plain_json_reads_as_the_standard_library_reads_it(value: Any) -> None:
    text = json.dumps(value, indent=2)
    assert plain(parse(text).root) == json.loads(text)


@given(documents())
def test_comments_trailing_commas_and_a_mark_change_nothing(document: tuple[Any, str]) -> None:
    value, text = document
    assert plain(parse(text).root) == value


@given(documents())
def test_every_span_holds_exactly_its_value(document: tuple[Any, str]) -> None:
    _, text = document
    for value in _all(parse(text).root):
        assert plain(parse(text[value.start : value.end]).root) == plain(value)
        if isinstance(value, Object):
            for member in value.members:
                assert text[member.start] == '"'
                assert member.comma < 0 or text[member.comma] == ","


@given(st.text(alphabet='{}[]",:/*\\ue0 1-.tfn\n\r\ufeff', max_size=40))
def test_nothing_but_its_own_error_is_raised(text: str) -> None:
    try:
        parse(text)
        place = (1, 1)
    except Unreadable as error:
        place = (error.line, error.column)
    assert min(place) >= 1


@pytest.mark.parametrize(
    ("text", "line", "column", "what"),
    [
        ("", 1, 1, "the file is empty"),
        (" \n ", 2, 2, "the file is empty"),
        ('{\n  "a": }', 2, 8, "expected a value, found '}'"),
        ('{\n  "a" 1}', 2, 7, "expected `:`"),
        ('{"a": 1 "b": 2}', 1, 9, "expected `,` or `}`"),
        ("{'a': 1}", 1, 2, "expected a key in double quotes"),
        ('{"a": "x\ny"}', 1, 7, "does not end"),
        ('["\\x"]', 1, 3, "escape"),
        ("[1, 2", 1, 6, "expected `,` or `]`"),
        ("{} {}", 1, 4, "more text"),
        ("[/* open", 1, 2, "comment does not end"),
        ("[NaN]", 1, 2, "expected a value"),
        ("[01]", 1, 3, "expected `,`"),
        ("[,]", 1, 2, "expected a value"),
        ("/", 1, 1, "found `/`"),
    ],
)
def test_a_broken_file_is_refused_with_line_and_column(
    text: str, line: int, column: int, what: str
) -> None:
    with pytest.raises(Unreadable) as error:
        parse(text)
    assert (error.value.line, error.value.column) == (line, column)
    assert what in str(error.value)


def test_nesting_is_limited_before_the_interpreter_is() -> None:
    parse("[" * MAX_DEPTH + "]" * MAX_DEPTH)
    with pytest.raises(Unreadable, match="nested deeper"):
        parse("[" * 100_000)


def test_keys_that_stand_again_are_reported_by_their_place() -> None:
    text = '{"a": 1, "b": {"c": 1, "c": 2}, "a": 2}'
    found = [text[at : at + 3] for at in parse(text).repeated]
    assert found == ['"c"', '"a"']


def test_comments_are_reported_by_their_span() -> None:
    text = '{ // one\n "a": /* two */ "// none" }'
    assert [text[start:end] for start, end in parse(text).comments] == ["// one", "/* two */"]


def test_numbers_of_any_length_are_read() -> None:
    assert plain(parse("[1" + "0" * 5000 + "]").root) == [float("inf")]


@pytest.mark.parametrize(
    "text", ['"' + "\\" * 500_000, "[" + "/**/" * 200_000, '{"a' + "b" * 1_000_000]
)
def test_hostile_text_takes_linear_time(text: str) -> None:
    started = time.process_time()
    with pytest.raises(Unreadable):
        parse(text)
    assert time.process_time() - started < 5
