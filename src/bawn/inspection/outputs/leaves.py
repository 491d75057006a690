"""Every text of a message with its place: the same walk for results, notifications and arguments.

Places are RFC 6901 pointers; that of a key is the pointer to its value after `key:`, which no pointer
begins with.

Source: the content blocks of server/tools, server/prompts and server/resources (2026-07-28).
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import Any, Final

import msgspec

from bawn.inspection.outputs.blobs import decoded, is_long
from bawn.model import Json

NODES: Final = 100_000
"""Values of one message that are looked at; `limits.json_nodes` lets no more in anyway."""

KEY: Final = "key:"
STRUCTURED: Final = "structuredContent"

_PROSE: Final = frozenset(
    {"text", "message", "description", "systemPrompt", "statusMessage", "data"}
)
_VALUES: Final = frozenset(
    {STRUCTURED, "_meta", "requestedSchema", "inputSchema", "input", "arguments", "data"}
)
_FIXED: Final = frozenset(
    {"type", "role", "mimeType", "resultType", "cacheScope", "status", "method", "mode", "audience"}
    | {"createdAt", "lastUpdatedAt", "lastModified", "toolUseId", "progressToken"}
)
_SEALED: Final = frozenset({"/requestState", "/taskId", "/nextCursor"})
_WORD: Final = 24  # characters
_JOINTS: Final = {ord(each): None for each in "/_-+."}
_MEDIA: Final = frozenset({"image", "audio"})


class Kind(Enum):
    """What may be done with a text where it stands."""

    TEXT = "text"
    """Prose that a model or a person reads: words may be put in."""

    VALUE = "value"
    """A value for programs, too: it may be changed, and nothing may be put in."""

    KEY = "key"
    """The name of a member of a value."""

    BLOB = "blob"
    """Text in Base64: spans count characters of what it decodes to."""

    FIXED = "fixed"
    """A word of the protocol, or an address: looked at, and never changed."""


class Leaf(msgspec.Struct, frozen=True, gc=False):
    """One text and where it stands; `cut` says that it is the beginning of a longer one."""

    place: str
    text: str
    kind: Kind
    cut: bool = False


class Leaves(msgspec.Struct, frozen=True):
    """The texts in the order in which they stand; not `whole` when there was too much to look at."""

    found: tuple[Leaf, ...]
    whole: bool

    def __iter__(self) -> Iterator[Leaf]:
        return iter(self.found)

    @property
    def texts(self) -> Iterator[tuple[str, str]]:
        """Places and texts, as a survey takes them, without plain words of the protocol.

        What is split over neighbours is read as one, and each block of content says its type between them.
        """
        return ((leaf.place, leaf.text) for leaf in self.found if not _is_word(leaf))


def of_message(tree: Any, most: int = NODES) -> Leaves:
    """The texts of a result, an error, or the params of a notification or request."""
    return _walked(tree, "", most, values=False)


def of_values(tree: Any, at: str = "", most: int = NODES) -> Leaves:
    """The texts of arguments, or of any other value that has no shape of its own, keys included."""
    return _walked(tree, at, most, values=True)


def escaped(key: str) -> str:
    """A key as a part of a pointer (RFC 6901, section 3)."""
    if "~" not in key and "/" not in key:
        return key
    return key.replace("~", "~0").replace("/", "~1")


def parts(place: str) -> list[str]:
    """The keys and indices of a pointer, unescaped."""
    return [each.replace("~1", "/").replace("~0", "~") for each in place.split("/")[1:]]


def _walked(tree: Any, at: str, most: int, *, values: bool) -> Leaves:
    found: list[Leaf] = []
    waiting: list[tuple[Any, str, Kind | None]] = [(tree, at, Kind.VALUE if values else None)]
    for _ in range(most + 1):
        if not waiting:
            return Leaves(tuple(found), whole=not any(leaf.cut for leaf in found))
        value, place, kind = waiting.pop()
        if type(value) is str:
            found.append(Leaf(place, value, kind or Kind.VALUE))
        elif type(value) is Leaf:
            found.append(value)
        elif type(value) is list:
            waiting += [
                (value[number], f"{place}/{number}", kind)
                for number in range(len(value) - 1, -1, -1)
            ]
        elif type(value) is dict:
            members = _named(value, place) if kind is Kind.VALUE else _members(value, place, kind)
            waiting += reversed(members)
    return Leaves(tuple(found), whole=False)


def _named(tree: Json, place: str) -> list[tuple[Any, str, Kind | None]]:
    """What is below an object whose keys are no protocol's: each key, and then its value."""
    below: list[tuple[Any, str, Kind | None]] = []
    for key, value in tree.items():
        at = f"{place}/{escaped(key)}"
        below.append((Leaf(KEY + at, key, Kind.KEY), "", None))
        below.append((value, at, Kind.VALUE))
    return below


def _members(tree: Json, place: str, kind: Kind | None) -> list[tuple[Any, str, Kind | None]]:
    """What is below an object of the protocol; `kind` is set where all of it is of that kind."""
    below: list[tuple[Any, str, Kind | None]] = []
    for key, value in tree.items():
        at = f"{place}/{escaped(key)}"
        if at in _SEALED:
            continue
        if type(value) is not str:
            below.append((value, at, Kind.VALUE if key in _VALUES else kind or _of_word(key)))
        elif key == "blob" or (key == "data" and tree.get("type") in _MEDIA):
            text = decoded(value, tree.get("mimeType"))
            if text is not None:
                below.append((Leaf(at, text, Kind.BLOB, is_long(value)), "", None))
        else:
            below.append((Leaf(at, value, kind or _of_word(key) or _of_text(key)), "", None))
    return below


def _is_word(leaf: Leaf) -> bool:
    """Whether it is a word such as `text` or `text/plain`, which says nothing to anybody."""
    text = leaf.text
    return leaf.kind is Kind.FIXED and len(text) <= _WORD and text.translate(_JOINTS).isalpha()


def _of_word(key: str) -> Kind | None:
    return Kind.FIXED if key in _FIXED else None


def _of_text(key: str) -> Kind:
    return Kind.TEXT if key in _PROSE else Kind.VALUE
