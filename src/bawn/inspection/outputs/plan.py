"""From findings in one text to the edits of it: by the rule that found it, and what was decided."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, TypeAlias

import msgspec

from bawn.inspection.outputs.edits import Edit, Make, edited, merged, within
from bawn.inspection.outputs.marking import look_alikes
from bawn.inspection.outputs.stripping import inert, stripped
from bawn.model import Detection
from bawn.ports import Found

Redact: TypeAlias = Callable[[str, Sequence[Detection], str], str]
"""Takes secrets out of a text, in the style `label` or `shape`; the detections are of that text."""

HIDDEN: Final = "hidden/"
ACTIVE: Final = ("output/exfil-", "output/active-")
SECRETS: Final = ("secret/", "personal/", "canary/")

MARKS: Final = 16
"""Marked spans of one text: of more, the last ones are marked as one."""

_TOKEN: Final = 2_048  # characters
_GAP: Final = 40  # characters between spans that are marked as one


class Plan(msgspec.Struct, frozen=True):
    """What is to be done with one text."""

    edits: tuple[Edit, ...]
    inert: tuple[Edit, ...]
    marks: tuple[tuple[int, int], ...]

    def text(
        self, text: str, around: tuple[str, str] | None = None, *, active: bool = False
    ) -> str:
        """The text with all of it done; nothing is marked without `around`, and links stay if `active`."""
        edits = self.edits if active else (*self.edits, *self.inert)
        if around is None or not self.marks:
            return edited(text, edits, (), ("", ""))
        return edited(text, (*edits, *look_alikes(text)), self.marks, around)


def planned(
    text: str,
    found: Sequence[Found],
    redact: Redact,
    style: str,
) -> Plan:
    """What the findings in a text come to; those with an empty span are about all of it."""
    edits: list[Edit] = []
    links: list[Edit] = []
    marks: list[tuple[int, int]] = []
    taken: list[tuple[int, int, Found]] = []
    for each in found:
        start, end = within(text, each.detection.start, each.detection.end)
        if start == end:
            start, end = 0, len(text)
        rule = each.detection.rule
        if rule.startswith(HIDDEN) and stripped(text[start:end]) != text[start:end]:
            edits.append(Edit(start, end, stripped))
        elif rule.startswith(ACTIVE) and _acts(text, *_token(text, start, end)):
            links.append(Edit(*_token(text, start, end), inert))
        elif each.action == "redact":
            taken.append((start, end, each))
        else:
            marks.append((start, end))
    edits += _taken_out(taken, redact, style)
    return Plan(tuple(edits), tuple(links), tuple(_few(marks)))


def _acts(text: str, start: int, end: int) -> bool:
    return inert(text[start:end]) != text[start:end]


def _taken_out(taken: Sequence[tuple[int, int, Found]], redact: Redact, style: str) -> list[Edit]:
    """One edit for each part of the text that is taken out."""
    edits = []
    for first, last in merged([(start, end) for start, end, _ in taken]):
        mine = [each for each in taken if first <= each[0] < last]
        rules = [one.detection.rule for *_, one in mine]
        other = next((rule for rule in rules if not rule.startswith(SECRETS)), None)
        own = [
            msgspec.structs.replace(one.detection, start=start - first, end=end - first)
            for start, end, one in mine
        ]
        make: Make = partial(_redacted, redact=redact, own=own, style=style)
        if other is not None:
            make = partial(_labelled, rule=other)
        edits.append(Edit(first, last, make, exact=True))
    return edits


def _redacted(part: str, *, redact: Redact, own: Sequence[Detection], style: str) -> str:
    return redact(part, own, style)


def _labelled(_: str, *, rule: str) -> str:
    return f"[taken out: {rule}]"


def _token(text: str, start: int, end: int) -> tuple[int, int]:
    """The span with what stands around it up to a blank: a link is more than its address."""
    for _ in range(_TOKEN):
        if not start or text[start - 1].isspace():
            break
        start -= 1
    for _ in range(_TOKEN):
        if end >= len(text) or text[end].isspace():
            break
        end += 1
    return start, end


def _few(marks: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    spans = merged(marks, _GAP)
    if len(spans) <= MARKS:
        return spans
    return [*spans[: MARKS - 1], (spans[MARKS - 1][0], spans[-1][1])]
