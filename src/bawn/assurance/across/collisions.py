"""Names that are one name to somebody: on the aggregate, in a client that cuts them, to a reader.

Everything is found by an index over a folded name, so that it takes as long as there are names.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, TypeAlias

from bawn.assurance.across.offer import NAMED, Offer, finding, shown
from bawn.findings.finding import Finding
from bawn.protocol import names

CUT: Final = 64
"""Characters of a name that many clients pass on to a model."""

_UNUSUAL: Final = re.compile(r"[^A-Za-z0-9_-]")
_LIKE: Final = re.compile(r"[-_.\s]+")
_TOLD: Final = 3  # names of one group

_Named: TypeAlias = tuple[str, str]  # server and the server's own name


def collisions(offers: Sequence[Offer]) -> Iterator[Finding]:
    """Of the servers of one aggregate."""
    bare = [each.server for each in offers if not each.prefix]
    if len(bare) > 1:
        told = ", ".join(f"`{each}`" for each in bare)
        yield finding(
            "note", "across/prefix", bare[0],
            f"{told} have no prefix: a name that one of them adds may be that of another's tool",
            "Leave `prefix: \"\"` to one server.",
        )  # fmt: skip
    for aspect in NAMED:
        pairs = [
            (each.server, name) for each in offers for name in each.definitions.get(aspect, ())
        ]
        yield from _equal({each.server: each.prefix for each in offers}, pairs)
        assigned = names.assign(pairs, {each.server: each.prefix for each in offers})
        told_of: set[frozenset[_Named]] = set()
        yield from _alike(assigned, _as_cut, "across/cut", _CUT_TEXT, told_of)
        yield from _alike(assigned, _as_read, "across/alike", _READ_TEXT, told_of)


_CUT_TEXT: Final = (
    f"are one name to a client that cuts names to {CUT} characters or writes odd ones as `_`",
    "Give one of the servers a shorter `prefix`.",
)
_READ_TEXT: Final = (
    "differ by case, hyphens and underscores alone",
    "Give the servers prefixes that tell them apart, or have one tool renamed.",
)


def _equal(prefixes: Mapping[str, str], pairs: Sequence[_Named]) -> Iterator[Finding]:
    """Names that two servers claim; the gate then gives each its default prefix."""
    claimed: dict[str, list[_Named]] = defaultdict(list)
    for server, name in pairs:
        claimed[names.shown(prefixes[server], name)].append((server, name))
    for text, those in claimed.items():
        if len({server for server, _ in those}) > 1:
            servers = ", ".join(f"`{server}`" for server, _ in those[:_TOLD])
            yield finding(
                "warning", "across/collision", f"{those[0][0]}/{those[0][1]}",
                f"{servers} would all call a tool `{shown(text)}` on the aggregate endpoint;"
                " the gate puts their ids before it",
                "Give them prefixes of their own, so that no name depends on who is there.",
            )  # fmt: skip


def _alike(
    assigned: Mapping[_Named, str],
    fold: Callable[[str], str],
    kind: str,
    text: tuple[str, str],
    told_of: set[frozenset[_Named]],
) -> Iterator[Finding]:
    """Shown names that are one once folded; what was told of them before is not told again."""
    groups: dict[str, list[_Named]] = defaultdict(list)
    for pair, name in assigned.items():
        groups[fold(name)].append(pair)
    for those in groups.values():
        if len(those) < 2 or len({assigned[each] for each in those}) < 2:
            continue
        if frozenset(those) in told_of:
            continue
        told_of.add(frozenset(those))
        several = [f"`{shown(assigned[each])}`" for each in those[:_TOLD]]
        more = f" and {len(those) - _TOLD} more" if len(those) > _TOLD else ""
        server, name = those[0]
        yield finding(
            "warning", kind, f"{server}/{name}", f"{', '.join(several)}{more} {text[0]}", text[1]
        )


def _as_cut(name: str) -> str:
    return _UNUSUAL.sub("_", name)[:CUT]


def _as_read(name: str) -> str:
    return _LIKE.sub("", name).casefold()
