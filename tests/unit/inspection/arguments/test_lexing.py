"""SQL into words: quotes, comments and dollar quotes hide nothing, and are not taken for code."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bawn.inspection.arguments.lexing import lex


def kinds(text: str) -> list[tuple[str, str]]:
    return [(each.kind, each.text) for each in lex(text).tokens]


def test_strings_and_comments_are_single_tokens() -> None:
    assert kinds("SELECT 'it''s' -- x\n, \"a b\" /* y */ 1.5") == [
        ("word", "select"),
        ("string", "'it''s'"),
        ("comment", "-- x"),
        ("sign", ","),
        ("quoted", '"a b"'),
        ("comment", "/* y */"),
        ("number", "1.5"),
    ]


def test_dollar_quotes_and_escapes_end_where_they_should() -> None:
    assert kinds("$a$x'$$y$a$") == [("string", "$a$x'$$y$a$")]
    assert kinds("E'a\\'b' c") == [("string", "E'a\\'b'"), ("word", "c")]


def test_conditional_comments_are_code() -> None:
    assert ("word", "drop") in kinds("/*!50000 DROP */")


def test_what_does_not_end_is_open() -> None:
    assert lex("'a").open
    assert lex("/* a").open
    assert not lex("'a'").open


@given(st.text(max_size=300))
def test_tokens_stand_where_they_say(text: str) -> None:
    for token in lex(text).tokens:
        assert (
            text[token.start : token.start + len(token.text)].lower() == token.text.lower()
            or not text.isascii()
        )
