"""Cues in a text: what definitions seldom say for good reasons. Quick and the same each time.

A cue is a reason to look, and its absence proves nothing. What matters is which ones a change brings in.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final, Literal, TypeAlias, TypeVar

import msgspec

from bawn.drift.said import Said
from bawn.drift.wording import PATTERNS

CueKind: TypeAlias = Literal[
    "instruction", "concealment", "url", "other-tool", "sibling-tool", "secret", "detected"
]
EXCERPT: Final = 120  # characters
MOST: Final = 64  # cues of one kind told of one text
LARGEST: Final = 256 << 10
"""Characters of a definition that are looked at; that there are more is a cue, for nobody reads them."""

PROSE: Final = 8
"""Words from which on a name or a value is a sentence."""

_NAMELIKE: Final = re.compile(r"[a-z0-9]+[_.-][a-z0-9]|[a-z0-9][A-Z]|[A-Za-z]\d")
_WORD: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_SPOKEN_OF: Final = re.compile(
    r"`([^`\s]{1,128})`|[\"'“‘]([^\"'“”‘’\s]{1,128})[\"'”’]"
    r"|\b([A-Za-z0-9_.-]{1,128})(?:\(| tools?\b| functions?\b)"
    r"|\btools? (?:named |called )?([A-Za-z0-9_.-]{1,128})"
)
_BLANKS: Final = re.compile(r"[^\S\n]{40,}|(?:[^\S\n]{0,40}\n){9,}")
_ENCODED: Final = re.compile(r"[A-Za-z0-9+/_-]{48,}={0,2}")
_STRETCH: Final = 24  # characters of encoded data without a slash, where a path has several
_MIXED: Final = tuple(re.compile(one) for one in ("[a-z]", "[A-Z]", "[0-9]"))
_SPACES: Final = re.compile(r"\s+")


T = TypeVar("T")


class Cue(msgspec.Struct, frozen=True):
    """What was found, and a bounded excerpt of where."""

    kind: CueKind
    found: str


class Names(msgspec.Struct, frozen=True):
    """What a definition may speak of: its server's other items, and those of other servers."""

    siblings: frozenset[str] = frozenset()
    foreign: frozenset[str] = frozenset()


NOBODY: Final = Names()


def introduced(
    old: Iterable[Said],
    new: Iterable[Said],
    names: Names = NOBODY,
) -> tuple[Cue, ...]:
    """The cues of the new texts that the old ones had not, or not so often."""
    new = tuple(new)
    brought = _counted(new, names)
    if brought:
        brought -= _counted(old, names)
    if sum(len(text.text) for text in new) > LARGEST:
        brought[Cue("concealment", f"more than {LARGEST} characters")] += 1
    return tuple(sorted(brought, key=lambda cue: (cue.kind, cue.found)))


def cues(text: Said, names: Names = NOBODY) -> Iterator[Cue]:
    """The cues of one text."""
    yield from _concealed(text.text)
    plain = _plain(text.text)
    for kind, pattern in PATTERNS:
        for match in _first(pattern.finditer(plain)):
            yield _cue(kind, match[0])
    if not text.free and _is_prose(plain):
        yield _cue("instruction", plain)
    yield from _spoken_of(text.text, names)


def _counted(texts: Iterable[Said], names: Names) -> Counter[Cue]:
    found: Counter[Cue] = Counter()
    known: dict[Said, tuple[Cue, ...]] = {}  # a schema says the same words again and again
    left = LARGEST
    for text in texts:
        told = Said(text.text[:left], text.free)
        if told not in known:
            known[told] = tuple(cues(told, names))
        found.update(known[told])
        left -= len(text.text)
        if left <= 0:
            break
    return found


def _is_prose(plain: str) -> bool:
    return sum(len(word) > 1 and word.isalpha() for word in plain[:4096].split()) >= PROSE


def unseen(character: str) -> bool:
    """Whether a character hides, reorders or says what no reader sees."""
    if character in "\n\t\r\ufe0f":
        return False
    return unicodedata.category(character) in ("Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp") or (
        "\ufe00" <= character <= "\ufe0e" or "\U000e0100" <= character <= "\U000e01ef"
        or character in "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"
    )  # fmt: skip


def _concealed(text: str) -> Iterator[Cue]:
    if not text.isascii() or not text.isprintable():
        codes = Counter(f"U+{ord(each):04X}" for each in _hidden(text))
        for code, count in codes.most_common(MOST):
            yield from [_cue("concealment", code)] * min(count, MOST)
    for _ in _first(_BLANKS.finditer(text)):
        yield Cue("concealment", "blank run")
    for match in _first(_ENCODED.finditer(text)):
        stretch = max(map(len, match[0].split("/")))
        if stretch >= _STRETCH and all(pattern.search(match[0]) for pattern in _MIXED):
            yield _cue("concealment", match[0])


def _hidden(text: str) -> Iterator[str]:
    """Unseen characters, but for a joiner between two pictures."""
    for index, each in enumerate(text):
        if not unseen(each):
            continue
        joins = each == "\u200d" and 0 < index < len(text) - 1
        if not (joins and _picture(text[index - 1]) and _picture(text[index + 1])):
            yield each


def _picture(character: str) -> bool:
    return character == "\ufe0f" or unicodedata.category(character) in ("So", "Sk")


def _plain(text: str) -> str:
    """The text as a reader takes it: one spacing, one case, no fillers, no compatibility forms."""
    if not text.isascii():
        text = "".join(each for each in unicodedata.normalize("NFKC", text) if not unseen(each))
    return _SPACES.sub(" ", text).casefold().replace("’", "'")


def _spoken_of(text: str, names: Names) -> Iterator[Cue]:
    """Names of other items: as they stand if they look like names, else where they are called so."""
    if not names.siblings and not names.foreign:
        return
    told = {match[0] for match in _WORD.finditer(text) if _NAMELIKE.search(match[0])}
    told |= {each.rstrip(".-") for each in told}
    for match in _SPOKEN_OF.finditer(text):
        told.update(filter(None, match.groups()))
    for name in sorted(told & names.foreign)[:MOST]:
        yield _cue("other-tool", name)
    for name in sorted(told & (names.siblings - names.foreign))[:MOST]:
        yield _cue("sibling-tool", name)


def _cue(kind: CueKind, found: str) -> Cue:
    return Cue(kind, found[:EXCERPT])


def _first(found: Iterator[T]) -> Iterator[T]:
    for _, each in zip(range(MOST), found, strict=False):
        yield each
