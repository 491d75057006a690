from __future__ import annotations

import pytest

from bawn.discovery.documents.document import Edit, indent_at, newline_of, splice, value_masks
from bawn.discovery.documents.jsonc import parse


def test_splicing_leaves_everything_outside_the_spans() -> None:
    assert splice("abcdef", [Edit(4, 5, "E"), Edit(1, 1, "+"), Edit(2, 3, "")]) == "a+bdEf"


def test_overlapping_edits_are_a_mistake() -> None:
    with pytest.raises(ValueError, match="overlap"):
        splice("abcdef", [Edit(0, 3, ""), Edit(2, 4, "")])


@pytest.mark.parametrize(
    ("text", "line"), [("a\nb\r\n", "\n"), ("a\r\nb\n", "\r\n"), ("a", "\n"), ("\n", "\n")]
)
def test_the_first_line_decides_how_lines_end(text: str, line: str) -> None:
    assert newline_of(text) == line


def test_indentation_counts_only_where_nothing_stands_before() -> None:
    assert indent_at("{\n\t  x", 5) == "\t  "
    assert indent_at("{ x", 2) is None


def test_only_secrets_between_the_offsets_are_masked() -> None:
    text = '{"a": {"token": "one-secret"}, "b": {"args": ["--token", "two-secret", "x"]}}'
    root = parse(text).root
    everywhere = splice(text, value_masks("", root, 0, len(text)))
    assert everywhere == (
        '{"a": {"token": "<secret: 10 characters>"},'
        ' "b": {"args": ["--token", "<secret: 10 characters>", "x"]}}'
    )
    assert "two-secret" in splice(text, value_masks("", root, 0, 25))
