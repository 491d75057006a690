"""Walks arguments: every text with its place and its key, and names that are given in parts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final, NamedTuple

from bawn.inspection.guard.roles import flat, is_directory, is_name

_DEEPEST: Final = 64
_MOST: Final = 8_000
_PARTS: Final = 16
_ENDINGS: Final = frozenset({"extension", "ext", "suffix", "filetype", "fileextension", "format"})


class Leaf(NamedTuple):
    """A text in arguments.

    `pointer` is its place (RFC 6901), `key` the nearest name, `dotted` the names that lead to it; `siblings`
    is the object it stands in. `names` says that the text is itself a key of an object.
    """

    pointer: str
    key: str
    dotted: str
    text: str
    siblings: Mapping[str, Any]
    names: bool = False


class Words(NamedTuple):
    """A list of texts under one key."""

    pointer: str
    key: str
    words: Sequence[str]
    siblings: Mapping[str, Any]


class Joined(NamedTuple):
    """A path of which directory and name, or name and ending, are given apart."""

    pointer: str
    text: str


class Cut(NamedTuple):
    """Here is more than is looked at."""

    pointer: str


def walk(arguments: Mapping[str, Any]) -> Iterator[Leaf | Words | Joined | Cut]:
    """Everything in arguments that may name something, at most 8,000 of it; then that it was cut."""
    found = _walk(arguments, "", "", "", {}, ())
    yield from islice(found, _MOST)
    if next(found, None) is not None:
        yield Cut("")


def _walk(
    value: Any,
    pointer: str,
    key: str,
    dotted: str,
    siblings: Mapping[str, Any],
    above: tuple[str, ...],
) -> Iterator[Leaf | Words | Joined | Cut]:
    if pointer.count("/") > _DEEPEST:
        yield Cut(pointer)
        return
    if isinstance(value, str):
        yield Leaf(pointer, key, dotted, value, siblings)
    elif isinstance(value, dict):
        yield from _object(value, pointer, dotted, above)
    elif isinstance(value, list):
        words = [word for word in value if isinstance(word, str)]
        if words:
            yield Words(pointer, key, words, siblings)
        for index, member in enumerate(value):
            yield from _walk(member, f"{pointer}/{index}", key, dotted, siblings, above)


def _object(
    value: Mapping[str, Any], pointer: str, dotted: str, above: tuple[str, ...]
) -> Iterator[Leaf | Words | Joined | Cut]:
    texts = {
        name: text for name, text in value.items() if isinstance(text, str) and len(text) < 1024
    }
    here = [text for name, text in texts.items() if is_directory(name)]
    yield from _joined(texts, pointer, above)
    below = (*above, *here)[-_PARTS:]
    for name, member in value.items():
        place = f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}"
        yield Leaf(place, dotted.rpartition(".")[2], dotted, name, value, names=True)
        yield from _walk(member, place, name, f"{dotted}.{name}" if dotted else name, value, below)
        if isinstance(member, list):
            for index, text in enumerate(member):
                if isinstance(text, str) and (
                    is_name(name) or name in {"files", "paths", "filenames"}
                ):
                    yield from (Joined(f"{place}/{index}", f"{base}/{text}") for base in below)


def _joined(texts: Mapping[str, str], pointer: str, above: tuple[str, ...]) -> Iterator[Joined]:
    bases = [(other, base) for other, base in texts.items() if is_directory(other)][:_PARTS]
    endings = [ending.lstrip(".") for other, ending in texts.items() if flat(other) in _ENDINGS]
    for name, text in texts.items():
        if not is_name(name) and flat(name) not in {"to", "destination"}:
            continue
        place = f"{pointer}/{name}"
        whole = [f"{text}.{ending}" for ending in endings]
        yield from (Joined(place, one) for one in whole)
        for one in (text, *whole):
            yield from (Joined(place, f"{base}/{one}") for other, base in bases if other != name)
            yield from (Joined(place, f"{base}/{one}") for base in above)
