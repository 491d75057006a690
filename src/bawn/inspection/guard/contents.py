"""Texts that carry the paths of what they write: patches, edits in editors' notation, streams of commits.

Sources: git-diff(1) and git-apply(1), patch(1), git-fast-import(1), ed(1); the notations that agents use for edits
(`*** Begin Patch`, SEARCH/REPLACE blocks).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bawn.inspection.guard.paths import unescaped

LONGEST: Final = 1 << 20
"""Characters of a text that are read."""

_LONG: Final = 1024  # a line that names a path is shorter

_HEADS: Final = (
    "+++ ",
    "--- ",
    "*** Update File:",
    "*** Add File:",
    "*** Delete File:",
    "*** Move to:",
    "*** Move File:",
    "*** Rename File:",
    "*** ",
    "rename from ",
    "rename to ",
    "copy from ",
    "copy to ",
    "Index: ",
    "Index:",
    "diff --git ",
    "diff --cc ",
    "diff --combined ",
)
_STREAM: Final = ("M 100644 ", "M 100755 ", "M 120000 ", "M 040000 ", "D ", "R ", "C ")
_LINK: Final = "120000"
_SEARCH: Final = ("<<<<<<< SEARCH", "<<<<<<< ORIGINAL", "<<<<<<<< SEARCH", "<<<<<<<<< SEARCH")
_ABOVE: Final = 3


def is_patch(text: str) -> bool:
    """Whether a text carries edits of files that it names."""
    return (
        ("+++ " in text and "--- " in text)
        or ("diff --" in text)
        or "*** Begin Patch" in text
        or any(f"{head}" in text for head in _HEADS[2:8])
        or ("rename to " in text and "rename from " in text)
        or "<<<<<<< " in text
        or ("*** " in text and "--- " in text)
        or any(head in text for head in _STREAM[:4])
        or ("Index:" in text and "@@ " in text)
    )


def paths_in(text: str) -> Iterator[str]:
    """The paths that the edits of a text name, and where the links lead that it makes."""
    lines = text[:LONGEST].splitlines()
    linked = False
    for index, line in enumerate(lines):
        if line.startswith(("new file mode", "new mode", "index ")):
            linked = line.rstrip().endswith(_LINK) or (linked and line.startswith("index "))
        elif line.startswith(("+++ ", "--- ", "@@ ")):
            yield from _named(line)
        elif linked and line.startswith("+"):
            yield line[1:]
        elif line.startswith(_SEARCH):
            yield from _above(lines[max(0, index - _ABOVE) : index])
        elif len(line) <= _LONG:
            linked = linked and not line.startswith("diff ")
            yield from _named(line)


def _named(line: str) -> Iterator[str]:
    head = next((head for head in _HEADS if line.startswith(head)), None)
    if head is not None and not line.startswith("diff "):
        yield from _written(line[len(head) :].split("\t", maxsplit=1)[0])
    elif head is not None:
        words = line.split()[2:]
        for word in words:
            yield from _written(word)
        # A name with blanks: the second half of the line.
        yield from _written(line[len(line) // 2 :])
    elif line.startswith(_STREAM):
        for word in line.split()[1:]:
            yield from _written(word)


def _written(text: str) -> Iterator[str]:
    """As git writes names: quoted where they hold odd characters, with a first component that is stripped."""
    name = text.strip().removesuffix("****").strip()
    if name.startswith('"'):
        name = unescaped(name.strip('"'))
    yield name
    if "/" in name:
        yield name.partition("/")[2]


def _above(lines: list[str]) -> Iterator[str]:
    """The file of a SEARCH/REPLACE block stands in one of the lines above it."""
    for line in lines:
        yield line.strip().strip("`#*: ").removeprefix("File:").removeprefix("file:").strip()
