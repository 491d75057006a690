"""How the patterns of `rules/secrets.toml` are written.

A pattern says what a secret looks like: `\\bghp_[0-9a-z]{36}`. With an arrow it says what a value looks like
that is given to a name: `adafruit => [a-z0-9_-]{32}` finds `ADAFRUIT_IO_KEY = "…"`. Patterns of *structures*
tell where one begins, and code of that structure reads on.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

import msgspec

from bawn.detectors.rule import Rule

_ARROW: Final = " => "
_EDGE: Final = r"\b"
GAP: Final = r"[ \t\w.\-]{0,20}"
"""Between a vendor's name and the sign of assignment: the rest of the variable's name."""

# In a message as it is sent, quotes, tabs and line ends are escaped.
_CLOSES: Final = r"(?:[\\\"'`\s)\]]|\\[nrt])*"
_ASSIGNS: Final = r"(?:[=:>,]|\|\||\?=)"
_OPENS: Final = r"(?:[\\\"'`\s=:>|(\[{]|\\[nrt])*"
_ENOUGH: Final = 12  # characters of a secret after its prefix that open the gate
_REPEATED: Final = re.compile(r"\{(\d+)(?:,\d*)?\}")
_CLASS: Final = re.compile(r"\\.|\[[^\]]*\]")

_AFTER: Final = r"(?=[`'\"\s;,)\]}&<>\\|]|$)"
_BEFORE: Final = (
    r"[ \t\w.\-]{0,20}[\s'\"\])\\]{0,4}(?:=|>|:{1,3}=|\|\||:|=>|\?=|,)[`'\"\s=>\\|:]{0,6}?"
)


class Named(msgspec.Struct, frozen=True):
    """A pattern of a rule: of a value, by the name that it is given to."""

    rule: Rule
    names: str
    value: re.Pattern[str]


def named(rule: Rule, pattern: str) -> Named:
    """A pattern with an arrow, read."""
    names, _, value = pattern.partition(_ARROW)
    return Named(rule, names, _value(value))


def has_arrow(pattern: str) -> bool:
    """Whether a pattern speaks of a name and its value."""
    return _ARROW in pattern


def trigger(names: str, value: str) -> str:
    """A pattern of one of these names with such a value, in a message as it is sent."""
    return f"(?:{names.replace(_EDGE, '')}){GAP}{_CLOSES}{_ASSIGNS}{_OPENS}{value}"


def said(names: str) -> str:
    """A pattern of one of these names with a value that holds a digit, in a sentence."""
    return rf"(?:{names.replace(_EDGE, '')})[\w.\-]{{0,20}}(?: is| was)?[ :]{{1,3}}[\\\"'`]*[a-z!@#$%^&*+/_-]{{0,40}}[0-9][^\s]{{3}}"


def telling(pattern: str) -> str:
    """The beginning of a pattern that tells enough: what opens the gate is looked at again.

    A word may stand against an escape there, as in `\\nghp_…`, so that it has no edge.
    """
    pattern = pattern.removeprefix(_EDGE)
    for repeat in _REPEATED.finditer(pattern):
        head, rest = pattern[: repeat.start()], pattern[repeat.end() :]
        plain = _CLASS.sub("", head)
        letters = sum(map(str.isalnum, _REPEATED.sub("", plain).replace("(?-i:", "")))
        if int(repeat[1]) > _ENOUGH and letters >= 4 and "|" not in rest:
            return f"{head}{{{_ENOUGH}}}" + ")" * (plain.count("(") - plain.count(")"))
    return pattern


@lru_cache(512)
def _value(value: str) -> re.Pattern[str]:
    # every part is bounded, so that it cannot backtrack over more than a few hundred characters
    return re.compile(rf"{_BEFORE}({value}){_AFTER}", re.I | re.A)
