"""SQL into words, as far as it takes to tell code from quotes and comments, whatever the dialect."""

from __future__ import annotations

import re
from typing import Final

import msgspec

_LEXEME: Final = re.compile(
    r"(?P<blank>\s+)"
    r"|(?P<line>--[^\n]*|#(?![>\-])[^\n]*)"
    r"|(?P<open>/\*)"
    r"|(?P<dollar>\$(?:[A-Za-z_]\w{0,62})?\$)"
    r"|(?P<string>(?:\b[nNeExXbBuU]&?)?')"
    r"|(?P<quoted>[\"`])"
    r"|(?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)"
    r"|(?P<word>[^\W\d][\w$]*)"
    r"|(?P<sign>\|\||&&|<>|!=|<=|>=|==|::|.)",
    re.DOTALL,
)
_MOST: Final = 50_000


class Token(msgspec.Struct, frozen=True, gc=False):
    """One lexeme: `word` (in lower case), `string`, `quoted`, `number`, `comment` or `sign`."""

    kind: str
    text: str
    start: int


class Lexed(msgspec.Struct, gc=False):
    """The tokens of a text; `open` when a quote or comment in it does not end."""

    tokens: list[Token]
    open: bool
    cut: bool = False  # there are more than 50,000


def lex(text: str) -> Lexed:
    """The tokens, comments included. Conditional comments of MySQL (`/*! … */`) are code there, and here."""
    tokens: list[Token] = []
    at, size = 0, len(text)
    while at < size and len(tokens) < _MOST:
        match = _LEXEME.match(text, at)
        if match is None:  # no character is left out by the last alternative
            break
        kind, end, closed = match.lastgroup or "sign", match.end(), True
        if kind == "open":
            if text.startswith("!", end):  # what follows is code
                at = end + 1 + len(_digits(text, end + 1))
                continue
            end, closed = _comment(text, end)
        elif kind in ("string", "quoted"):
            end, closed = _closing(
                text, end, match.group()[-1], kind == "string" and match.group()[0] in "eE"
            )
        elif kind == "dollar":
            found = text.find(match.group(), end)
            end, closed = (found + len(match.group()), True) if found >= 0 else (end, True)
        _add(tokens, kind, text[at:end], at)
        if not closed:
            return Lexed(tokens, True)
        at = end
    return Lexed(tokens, False, at < size)


def _digits(text: str, at: int) -> str:
    end = at
    while end < len(text) and end < at + 6 and text[end].isdigit():
        end += 1
    return text[at:end]


def _add(tokens: list[Token], kind: str, text: str, at: int) -> None:
    if kind == "word":
        tokens.append(Token("word", text.lower(), at))
    elif kind in ("line", "open"):
        tokens.append(Token("comment", text, at))
    elif kind == "dollar":
        tokens.append(Token("string", text, at))
    elif kind != "blank":
        tokens.append(Token(kind, text, at))


def _comment(text: str, at: int) -> tuple[int, bool]:
    """Where a comment ends; PostgreSQL nests them, others end at the first mark: the first counts."""
    end = text.find("*/", at)
    return (end + 2, True) if end >= 0 else (len(text), False)


def _closing(text: str, at: int, quote: str, escapes: bool) -> tuple[int, bool]:
    while True:
        end = text.find(quote, at)
        if end < 0:
            return len(text), False
        if text.startswith(quote, end + 1):
            at = end + 2
        elif escapes and text[end - 1] == "\\" and (end < 2 or text[end - 2] != "\\"):
            at = end + 1
        else:
            return end + 1, True
