"""Surveys texts: every detector over every form of them that it reads, within bounds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Final

import msgspec

from bawn.detectors.forms import Form, forms
from bawn.detectors.gates import Gates
from bawn.detectors.joins import Join, joins
from bawn.model import Detection, Severity, Surface
from bawn.ports.inspecting import Detector, Naming

LONGEST: Final = 64 << 10
"""Characters of one text that are looked at together; a longer one is looked at in pieces."""

ALL: Final = 512 << 10
"""Characters of one message that are looked at; pieces that a gate passes do not count."""

JOINED: Final = 256 << 10
"""The same of neighbouring texts that are read as one."""

MOST: Final = 256
"""Detections that are told of one message."""

PARTIAL: Final = "inspection/partial"
"""The rule of what was not looked at, or not told."""

_UNREAD: Final = "characters were not looked at"
_LAP: Final = (
    4096  # characters that two pieces have in common: what is cut in one is whole in the other
)
_LEAST: Final = 1024  # characters that one look counts for at least: many small texts are dear, too


class Survey:
    """Looks at texts with some detectors. Whatever one of them raises goes up: the caller refuses."""

    def __init__(self, detectors: Sequence[Detector]) -> None:
        self._detectors = {
            surface: tuple(each for each in detectors if surface in each.surfaces)
            for surface in Surface
        }
        # asked here once: whether something fills a protocol is dear to ask of each text
        self._naming = {
            surface: tuple(each for each in some if isinstance(each, Naming))
            for surface, some in self._detectors.items()
        }
        self._gates: dict[Surface, Gates | None] = {}

    def warm(self, *surfaces: Surface) -> None:
        """Have everything made that the first message of these surfaces would have to wait for."""
        for surface in surfaces:
            self.clean(b"", surface)
            for form in forms("warm", surface):
                tuple(self._of(form, surface))

    def clean(self, data: bytes, surface: Surface) -> bool:
        """Whether a message in UTF-8, JSON or not, has nothing that any detector could find."""
        try:
            gates = self._gates[surface]
        except KeyError:
            gates = self._gates[surface] = self._gate(surface)
        return gates is not None and not gates.open(data)

    def _gate(self, surface: Surface) -> Gates | None:
        """None where a detector wants to see everything."""
        some = self._detectors[surface]
        if not all(each.triggers for each in some):
            return None
        return Gates([trigger for each in some for trigger in each.triggers])

    def look(self, text: str, surface: Surface) -> list[Detection]:
        """What is found in one text, in the order of `start`; spans are those of the text as given."""
        return [found for _, found in self.look_at([("", text)], surface)]

    def look_at(
        self, texts: Sequence[tuple[str, str]], surface: Surface
    ) -> list[tuple[str, Detection]]:
        """What is found in the texts of one message, which come with their places, in their order.

        What is split over neighbouring texts is told at each of them. What is beyond the bounds is told
        as `inspection/partial`, once.
        """
        found: list[tuple[str, Detection]] = []
        partial: tuple[str, Detection] | None = None
        left = ALL
        for place, text in texts:
            found += ((place, each) for each in self._named(place, text, surface))
            for offset, part, data in self._opened(text, surface):
                left -= max(len(part), _LEAST)
                if left < 0:
                    partial = partial or (place, _partial(offset, len(text), _UNREAD))
                    break
                disguised = Gates.disguised(data)
                several = self._look(part, surface, disguised=disguised)
                found += _further(place, several, offset, found)
        split, whole = self._split(texts, surface, found)
        found += split
        if not whole and partial is None:
            partial = "", _partial(0, 0, _UNREAD)
        if len(found) > MOST:
            found, (place, last) = _gravest(found)
            partial = place, _partial(last.start, last.end, "and others were not told")
        return [*found, partial] if partial else found

    def _opened(self, text: str, surface: Surface) -> Iterator[tuple[int, str, bytes]]:
        """The pieces of a text that have to be looked at, each with where it begins and in UTF-8."""
        for offset in range(0, max(len(text) - _LAP, 1), LONGEST - _LAP):
            part = text[offset : offset + LONGEST]
            data = part.encode("utf-8", "replace")
            if not self.clean(data, surface):
                yield offset, part, data

    def _named(self, place: str, text: str, surface: Surface) -> Iterator[Detection]:
        """What the name of a field says of its value, which by itself may say nothing."""
        for detector in self._naming[surface]:
            found = detector.named(place.rpartition("/")[2], text)
            if found is not None:
                yield found

    def _look(self, text: str, surface: Surface, *, disguised: bool = True) -> list[Detection]:
        """What is found in one text: by each rule once at each place, in the rawest form."""
        found: dict[str, list[Detection]] = {}
        for form in forms(text, surface, disguised=disguised) if text else ():
            for each in self._of(form, surface):
                told = found.setdefault(each.rule, [])
                if len(told) <= MOST and not any(_same(each, other) for other in told):
                    told.append(each)
        return sorted(chain(*found.values()), key=lambda each: (each.start, each.end, each.rule))

    def _of(self, form: Form, surface: Surface) -> Iterator[Detection]:
        for detector in self._detectors[surface]:
            if detector.forms in ("all", "folded" if form.folded else "raw"):
                for each in detector.detect(form.text, surface):
                    start, end = form.source(each.start, each.end)
                    yield msgspec.structs.replace(each, start=start, end=end, view=form.name)

    def _split(
        self,
        texts: Sequence[tuple[str, str]],
        surface: Surface,
        known: Sequence[tuple[str, Detection]],
    ) -> tuple[list[tuple[str, Detection]], bool]:
        """What is found only where neighbouring texts are read as one, and whether all were read."""
        told = {(place, each.rule) for place, each in known}
        found: list[tuple[str, Detection]] = []
        left = JOINED
        for join in joins(texts):
            if self.clean(join.text.encode("utf-8", "replace"), surface):
                continue
            left -= len(join.text)
            if left < 0:
                return found, False
            for each in self._look(join.text, surface):
                parts = _parts(join, each)
                if not any((place, each.rule) in told for place, _ in parts):
                    told.update((place, each.rule) for place, _ in parts)
                    found += parts
        return found, True


def _parts(join: Join, found: Detection) -> list[tuple[str, Detection]]:
    """A detection in each of the texts that it covers; none if that is one, or all of many."""
    if (found.start, found.end) == (0, len(join.text)) and len(join.starts) > 2:
        return []
    parts = [
        (place, msgspec.structs.replace(found, start=start, end=end, view=f"joined>{found.view}"))
        for place, start, end in join.parts(found.start, found.end)
    ]
    return parts if len(parts) > 1 else []


def _further(
    place: str, several: Sequence[Detection], offset: int, known: Sequence[tuple[str, Detection]]
) -> Iterator[tuple[str, Detection]]:
    """What was found in a piece, at its place in the text; without what the piece before it had, too."""
    if not offset:
        yield from ((place, each) for each in several)
        return
    before = [each for at, each in known if at == place and each.end > offset]
    for each in several:
        there = msgspec.structs.replace(each, start=each.start + offset, end=each.end + offset)
        if not any(one.rule == each.rule and _same(one, there) for one in before):
            yield place, there


def _same(one: Detection, other: Detection) -> bool:
    return one.start < other.end and other.start < one.end


def _gravest(
    found: Sequence[tuple[str, Detection]],
) -> tuple[list[tuple[str, Detection]], tuple[str, Detection]]:
    """As many as are told, the gravest of all in their order; and the first of the others.

    The gravest of each rule comes before a second one of another: a flood of one kind hides no other.
    """
    by_severity = sorted(range(len(found)), key=lambda at: (-found[at][1].severity, at))
    first: dict[str, int] = {}
    for at in by_severity:
        first.setdefault(found[at][1].rule, at)
    ranked = [*first.values(), *(at for at in by_severity if first[found[at][1].rule] != at)]
    return [found[at] for at in sorted(ranked[:MOST])], found[ranked[MOST]]


def _partial(start: int, end: int, what: str) -> Detection:
    return Detection(PARTIAL, Severity.MEDIUM, start, end, what)
