"""The difference that edits make, as a unified diff in which every secret is masked."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from bawn.discovery.documents.document import Document, Edit, splice

CONTEXT = 3
_COMPARED = 2_000
"""Most lines of a window that are compared; larger ones are shown as removed and added."""


def between(before: Document, after: Document) -> Iterator[str]:
    """The hunks between two whole documents, for edits too many to tell apart; secrets are masked in both."""
    old, new = (_lines(_masked(document)) for document in (before, after))
    first = next((at for at, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), -1)
    if first < 0 and len(old) == len(new):
        return
    # What is the same at both ends is not compared: these files can be megabytes of history.
    start = max(0, (first if first >= 0 else min(len(old), len(new))) - CONTEXT)
    same = 0
    while same < min(len(old), len(new)) - start and old[-1 - same] == new[-1 - same]:
        same += 1
    rest = max(0, same - CONTEXT)
    old, new = old[start : len(old) - rest], new[start : len(new) - rest]
    yield f"@@ -{start + 1},{len(old)} +{start + 1},{len(new)} @@"
    yield from _body(old, new)


def _masked(document: Document) -> str:
    return splice(document.text, document.masks(0, len(document.text)))


class _Window(NamedTuple):
    """Whole lines around edits: offsets, and the number of the first line from 1."""

    start: int
    end: int
    line: int
    edits: tuple[Edit, ...]


def unified(document: Document, edits: Sequence[Edit]) -> Iterator[str]:
    """The hunks of a unified diff, line by line, without line ends."""
    shift = 0
    for window in _windows(document.text, sorted(edits)):
        old, new = _texts(document, window)
        yield f"@@ -{window.line},{len(old)} +{window.line + shift},{len(new)} @@"
        yield from _body(old, new)
        shift += len(new) - len(old)


def _windows(text: str, edits: Sequence[Edit]) -> Iterator[_Window]:
    pending: _Window | None = None
    for edit in edits:
        start, end = _lines_around(text, edit)
        if pending is not None and start <= pending.end:
            grown = (*pending.edits, edit)
            pending = pending._replace(end=max(end, pending.end), edits=grown)
            continue
        if pending is not None:
            yield pending
        pending = _Window(start, end, text.count("\n", 0, start) + 1, (edit,))
    if pending is not None:
        yield pending


def _lines_around(text: str, edit: Edit) -> tuple[int, int]:
    start = edit.start
    for _ in range(CONTEXT + 1):
        start = text.rfind("\n", 0, max(start, 0))
        if start < 0:
            break
    end = edit.end
    for _ in range(CONTEXT + 1):
        found = text.find("\n", end)
        if found < 0:
            end = len(text)
            break
        end = found + 1
    return start + 1, end


def _texts(document: Document, window: _Window) -> tuple[list[str], list[str]]:
    """The lines before and after, both without secrets."""
    masks = list(document.masks(window.start, window.end))
    kept = [mask for mask in masks if not any(_touch(mask, edit) for edit in window.edits)]
    before = _excerpt(document.text, window, masks)
    after = _excerpt(document.text, window, [*window.edits, *kept])
    return _lines(before), _lines(after)


def _touch(mask: Edit, edit: Edit) -> bool:
    return mask.start < edit.end and mask.end > edit.start


def _excerpt(text: str, window: _Window, edits: list[Edit]) -> str:
    # A mask may reach out of the window at either end: multi-line strings and comments do.
    start = min([window.start, *(edit.start for edit in edits)])
    end = max([window.end, *(edit.end for edit in edits)])
    moved = [Edit(edit.start - start, edit.end - start, edit.text) for edit in edits]
    return splice(text[start:end], moved)


def _lines(text: str) -> list[str]:
    lines = text.split("\n")
    if lines and not lines[-1]:
        lines.pop()
    return [line.removesuffix("\r") for line in lines]


def _body(old: list[str], new: list[str]) -> Iterator[str]:
    if max(len(old), len(new)) > _COMPARED:
        yield from (f"-{line}" for line in old)
        yield from (f"+{line}" for line in new)
        return
    for tag, first, last, start, end in difflib.SequenceMatcher(None, old, new).get_opcodes():
        if tag == "equal":
            yield from (f" {line}" for line in old[first:last])
            continue
        yield from (f"-{line}" for line in old[first:last])
        yield from (f"+{line}" for line in new[start:end])
