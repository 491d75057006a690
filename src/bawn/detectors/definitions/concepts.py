"""What words are about: a small dictionary of meanings, so that wordings never seen are understood."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from importlib.resources import files
from typing import Final

import msgspec

_ENDINGS: Final = ("ing", "ed", "es", "s", "d", "er", "ers", "ly", "ment", "ion", "ions", "n", "t")
_REACH: Final = 6  # meanings that one is paired with
_LONGEST: Final = 24


def _dictionary() -> dict[str, str]:
    data = (files("bawn.detectors.definitions") / "concepts.toml").read_bytes()
    table = msgspec.toml.decode(data, type=dict[str, str])
    return {word: concept for concept, words in table.items() for word in words.split()}


_MEANS: Final = _dictionary()


@lru_cache(maxsize=16_384)
def meaning(word: str) -> str:
    """What a folded word is about; empty when it is nothing that matters here."""
    found = _MEANS.get(word)
    if found is not None or not 3 < len(word) <= _LONGEST:
        return found or ""
    for ending in _ENDINGS:
        if word.endswith(ending):
            stem = word[: -len(ending)]
            found = _MEANS.get(stem) or _MEANS.get(stem + "e")
            if found is None and len(stem) > 3 and stem[-1] == stem[-2]:
                found = _MEANS.get(stem[:-1])
            if found is not None:
                return found
    return ""


def meanings(words: Sequence[str]) -> list[str]:
    """What the words of a sentence are about, in their order; repetitions once."""
    found: list[str] = []
    for word in words:
        concept = meaning(word)
        if concept and (not found or found[-1] != concept):
            found.append(concept)
    return found


def patterns(found: Sequence[str]) -> Iterator[str]:
    """Meanings, and which stands somewhere before which."""
    for place, concept in enumerate(found):
        yield f"+{concept}"
        for other in found[place + 1 : place + 1 + _REACH]:
            yield f"{concept}>{other}"
