"""What of a definition is judged at once, and what else is known of it: where it stands, how foreign it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from bawn.detectors.definitions.concepts import meaning, meanings, patterns
from bawn.detectors.definitions.walk import Role, Text
from bawn.detectors.definitions.words import spelt, windows
from bawn.detectors.folding import fold

_SEPARATES: Final = {code: " " for code in range(128) if not chr(code).isalnum()}
_STEM: Final = 5  # letters by which words are known again
_PLAIN: Final = frozenset(
    (
        "the",
        "and",
        "for",
        "with",
        "that",
        "this",
        "from",
        "are",
        "was",
        "will",
        "can",
        "you",
        "your",
        "any",
        "all",
        "not",
        "one",
        "its",
        "has",
        "have",
        "into",
        "when",
        "which",
        "each",
        "other",
        "than",
        "then",
        "only",
        "also",
        "but",
        "use",
        "used",
        "using",
        "must",
        "should",
        "may",
    )
)
_NAMES: Final = frozenset((Role.NAME, Role.CALLED))
_JOINT: Final = frozenset("_-.")
_FEWEST: Final = {Role.PROSE: 4, Role.VALUE: 3, Role.TITLE: 3, Role.NAME: 3, Role.CALLED: 3}
"""Words of the shortest that is judged: fewer ask for nothing."""

_LONG: Final = 5  # words of a name or value that is long
_STEPS: Final = ("near", "near", "far", "far", "alien")
_LENGTHS: Final = (3, 6, 10, 16, 26)


class Unit(msgspec.Struct, frozen=True):
    """A sentence or a name: its span in the text as given, folded, and what else speaks of it."""

    text: Text
    start: int
    end: int
    folded: str
    context: tuple[str, ...]
    group: str  # what its threshold is called


class Vocabulary:
    """The words of one definition: what stands in it only once is foreign to it."""

    def __init__(self, texts: Iterable[Text]) -> None:
        self._known: Counter[str] = Counter()
        for text in texts:
            self._known.update(_stems(_folded(_plain(text))))
        self._size = "few" if len(self._known) < 20 else "some" if len(self._known) < 80 else "many"

    def foreign(self, folded: str) -> tuple[str, int]:
        """How big the definition is, and how foreign a part is to the rest of it: 0 to 4."""
        own = Counter(_stems(folded))
        if not own:
            return self._size, 0
        unknown = sum(1 for stem, count in own.items() if self._known[stem] <= count)
        return self._size, int(4 * unknown / len(own))


def units(texts: Iterable[Text], known: Vocabulary) -> Iterator[Unit]:
    """The units of texts of a definition; what is too short to ask for anything is none."""
    for text in texts:
        for start, end in dict.fromkeys(_spans(text)):
            raw = text.text[start:end]
            folded = _folded(spelt(raw) if _is_name(text) else raw)
            count = len(folded.split())
            if count >= _FEWEST[text.role]:
                context = tuple(_context(text, start, raw, folded, known))
                yield Unit(text, start, end, folded, context, _group(text, count))


def identifiers(unit: Unit) -> set[str]:
    """What in a unit may be the name of a tool."""
    return {each for each in _bare(unit.text.text[unit.start : unit.end]) if _is_identifier(each)}


def _group(text: Text, words: int) -> str:
    if text.role is Role.PROSE:
        return {"instructions": "instructions", "description": "description",
                "param_description": "parameter"}.get(text.kind, "nested")  # fmt: skip
    if text.role in {Role.NAME, Role.VALUE}:
        return f"long {text.role}" if words >= _LONG else str(text.role)
    return str(text.role)


def _folded(text: str) -> str:
    return fold(text)[0]


def _spans(text: Text) -> Iterator[tuple[int, int]]:
    if _is_name(text):
        return iter(((0, len(text.text)),))
    return windows(text.text)


def _is_name(text: Text) -> bool:
    return text.role in _NAMES or (text.role is not Role.PROSE and " " not in text.text.strip())


def _plain(text: Text) -> str:
    return spelt(text.text) if _is_name(text) else text.text


def _stems(folded: str) -> list[str]:
    words = folded.translate(_SEPARATES).split()
    return [word[:_STEM] for word in words if len(word) > 2 and word not in _PLAIN]


def _context(text: Text, start: int, raw: str, folded: str, known: Vocabulary) -> Iterator[str]:
    role = text.role
    words = folded.translate(_SEPARATES).split()
    size, far = known.foreign(folded)
    yield f"role {role}"
    yield f"kind {text.kind}"
    yield f"long {role} {sum(len(words) > each for each in _LENGTHS)}"
    yield f"far {size} {far}"
    yield f"far {role} {far}"
    yield "later" if start else "first"
    if words and role not in _NAMES:
        yield f"begins {meaning(words[0])}"
    found = meanings(words)
    yield from dict.fromkeys(patterns(found))
    yield f"meanings {min(len(set(found)), 9)}"
    yield f"dense {role} {min(int(10 * len(found) / (len(words) or 1)), 6)}"
    yield from (f"{_STEPS[far]} {each}" for each in dict.fromkeys(found))
    for sign in _signs(raw, folded):
        yield sign
        yield f"{sign} {role}"


def _signs(raw: str, folded: str) -> Iterator[str]:
    """What is noticed of the writing, and not of the words."""
    if "http://" in folded or "https://" in folded:
        yield "~address"
    if "@" in folded and "." in folded.partition("@")[2][:40]:
        yield "~mailbox"
    if "~/" in folded or "/." in folded or "/etc/" in folded:
        yield "~path"
    if "<" in raw and ">" in raw:
        yield "~tag"
    if "`" in raw:
        yield "~quoted"
    words = raw.split()
    if any(sum(map(str.isdigit, word)) > 3 for word in words):
        yield "~number"
    if any(map(_is_identifier, _bare(raw))):
        yield "~identifier"


def _bare(raw: str) -> Iterator[str]:
    return (word.strip("`'\"()[],:;.!?") for word in raw.split())


def _is_identifier(word: str) -> bool:
    return any(sign in word[1:-1] for sign in _JOINT) and word[:1].isalpha() and "/" not in word
