"""Many patterns at once, in time linear in the text: Hyperscan, and Vectorscan where there is no x86.

Patterns know no look-around and no back-references, and match bytes of UTF-8; case never counts unless a
pattern says so with `(?-i:…)`. They are compiled when they are first used.
"""

from __future__ import annotations

import platform
import threading
from collections.abc import Sequence
from contextlib import suppress
from functools import cached_property
from hashlib import sha256
from importlib.metadata import version
from typing import Final, Protocol
from weakref import WeakSet

import hyperscan
import msgspec

_ANY: Final = hyperscan.HS_FLAG_CASELESS | hyperscan.HS_FLAG_SINGLEMATCH
_FIND: Final = (
    hyperscan.HS_FLAG_CASELESS | hyperscan.HS_FLAG_SOM_LEFTMOST | hyperscan.HS_FLAG_DOTALL
)
_FIRST: Final = _ANY | hyperscan.HS_FLAG_DOTALL
_MOST: Final = 1 << 16
"""Places where matches of one text begin; what has more is told as far as that.

A piece of a message (`survey.LONGEST`) has room for fewer: no flood of what looks like something hides
what is behind it.
"""


class Match(msgspec.Struct, frozen=True, gc=False):
    """Where a pattern matched: its index, and the span in bytes."""

    pattern: int
    start: int
    end: int


class Gate:
    """Says whether a text has anything at all of what patterns describe: half a microsecond for 200 bytes.

    `hints` are patterns that are quick to look for, and say only that it may be worth looking closer.
    """

    def __init__(self, patterns: Sequence[str], hints: Sequence[str] = ()) -> None:
        self._patterns = (*patterns, *hints)
        _made.add(self)
        self._sure = len(patterns)

    @cached_property
    def database(self) -> hyperscan.Database:
        """What its patterns were compiled to."""
        return _compiled(self._patterns, _ANY)

    def opens(self, data: bytes) -> bool:
        """Whether some pattern matches; hints count for nothing."""
        return self.reads(data) is True

    def reads(self, data: bytes) -> bool | None:
        """Whether some pattern matches; None where no more than a hint does."""
        hinted: list[int] = []
        sure = self._sure

        def seen(pattern: int, start: int, end: int, flags: int, context: object) -> bool:
            if pattern >= sure:
                hinted.append(pattern)
            return pattern < sure

        try:
            database = self.database
            database.scan(data, match_event_handler=seen, scratch=_scratch(database))
        except hyperscan.ScanTerminated:
            return True
        return None if hinted else False


class Patterns:
    """Finds where patterns match: the longest match at each place where one begins.

    Where each begins is dear to compile. Without `starts`, the first match of each pattern is told, by its
    end alone: its start is 0.
    """

    def __init__(self, patterns: Sequence[str], *, starts: bool = True) -> None:
        self._patterns = tuple(patterns)
        self._flags = _FIND if starts else _FIRST
        _made.add(self)

    @cached_property
    def database(self) -> hyperscan.Database:
        """What its patterns were compiled to."""
        return _compiled(self._patterns, self._flags)

    def find(self, data: bytes) -> list[Match]:
        """The matches in the order of their start; matches of one pattern do not overlap."""
        ends: dict[tuple[int, int], int] = {}

        def note(pattern: int, start: int, end: int, flags: int, context: object) -> bool:
            key = (start, pattern)
            if ends.get(key, -1) < end:
                ends[key] = end
            return len(ends) >= _MOST

        with suppress(hyperscan.ScanTerminated):
            database = self.database
            database.scan(data, match_event_handler=note, scratch=_scratch(database))
        found: list[Match] = []
        after: dict[int, int] = {}
        for (start, pattern), end in sorted(ends.items()):
            if start >= after.get(pattern, 0):
                found.append(Match(pattern, start, end))
                after[pattern] = end
        return found


class _Own(threading.local):
    def __init__(self) -> None:
        self.scratches: dict[hyperscan.Database, hyperscan.Scratch] = {}


_own: Final = _Own()


def _scratch(database: hyperscan.Database) -> hyperscan.Scratch:
    """What a scan writes to: one for each thread, since Hyperscan refuses to share it."""
    mine = _own.scratches
    try:
        return mine[database]
    except KeyError:
        mine[database] = hyperscan.Scratch(database)
        return mine[database]


_made: Final[WeakSet[Gate | Patterns]] = WeakSet()


def warm() -> None:
    """Compile all that was made and not used yet, so that no message has to wait for it."""
    for each in tuple(_made):
        _ = each.database


class Store(Protocol):
    """Keeps what was compiled, over processes: it takes far longer to compile than to load."""

    def get(self, key: str) -> bytes | None:
        """What was put under this key; None when it is not there, or not as it was put."""

    def put(self, key: str, content: bytes) -> None:
        """Keep this. Never raises: what cannot be kept is compiled again."""


_store: Store | None = None


def keep(store: Store | None) -> None:
    """Have what is compiled from here on kept in a store: a cache, which changes no answer."""
    global _store  # noqa: PLW0603  # one for the process: detectors are made without arguments
    _store = store


_known: Final[dict[str, hyperscan.Database]] = {}
"""What was compiled or loaded: processes that are forked from this one have it."""


def _compiled(patterns: Sequence[str], flags: int) -> hyperscan.Database:
    key = _key(patterns, flags)
    if key not in _known:
        _known[key] = _made_or_loaded(key, patterns, flags)
    return _known[key]


def _made_or_loaded(key: str, patterns: Sequence[str], flags: int) -> hyperscan.Database:
    kept = _store.get(key) if _store is not None else None
    if kept is not None:
        with suppress(hyperscan.error):  # of another processor, or version
            return hyperscan.loadb(kept, mode=hyperscan.HS_MODE_BLOCK)
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    count = len(patterns)
    database.compile(
        expressions=[pattern.encode() for pattern in patterns],
        ids=list(range(count)),
        elements=count,
        flags=[flags] * count,
    )
    if _store is not None:
        _store.put(key, hyperscan.dumpb(database))
    return database


def _key(patterns: Sequence[str], flags: int) -> str:
    made = (version("hyperscan"), platform.machine(), flags, patterns)
    return sha256(msgspec.json.encode(made)).hexdigest()
