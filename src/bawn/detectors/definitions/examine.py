"""Examines one definition: rules, the shape of its texts, and the model, over every form of every text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Final, TypeAlias

import msgspec

from bawn.detectors.definitions.seams import seams
from bawn.detectors.definitions.structure import oddities
from bawn.detectors.definitions.turned import narrow, rotated
from bawn.detectors.definitions.units import Unit, Vocabulary, identifiers, units
from bawn.detectors.definitions.walk import Role, Text, walk
from bawn.detectors.definitions.words import spelt
from bawn.detectors.folding import fold
from bawn.detectors.forms import Form, forms
from bawn.detectors.linear import Linear, probability
from bawn.detectors.phrases import Phrases
from bawn.detectors.rule import load
from bawn.detectors.spans import Back
from bawn.model import Detection, Json, Severity, Surface

Placed: TypeAlias = tuple[str, Detection]
"""A detection, and the place of its text in the definition (RFC 6901)."""

LONGEST: Final = 32_768
"""Characters of one text that are looked at."""

ALL: Final = 262_144
"""Characters of one definition that are looked at."""

PARTIAL: Final = "inspection/partial"
MODEL: Final = "definition/foreign-order"
_SHOWN: Final = 160
_PLAIN: Final = frozenset(("folded", "words>folded"))  # forms that hide nothing
_MEANT: Final = frozenset(("definition/spoken-to",))  # what instructions are there for
_ELSEWHERE: Final = 1.0  # log-odds, for naming a tool of another server
_JOINED: Final = 0.5  # over the threshold, in log-odds, for what may have been split
_NAMED: Final = 2.5  # the same for two names, which seldom belong together

_SURE: Final = 3.0  # above the threshold, in log-odds


@lru_cache(maxsize=1)
def _phrases() -> Phrases:
    return Phrases("definition", load("definitions"), exact=False)


@lru_cache(maxsize=1)
def _model() -> Linear:
    return Linear.shipped("definitions")


def examine(
    definition: Json, aspect: str = "tool", others: frozenset[str] = frozenset()
) -> list[Placed]:
    """What stands out in a definition; `others` are the names of the tools of other servers."""
    texts, whole = _bounded(walk(definition, aspect))
    found: list[Placed] = []
    if not whole:
        found.append(("", Detection(PARTIAL, Severity.MEDIUM, 0, 0, "more than is looked at")))
    meant = _MEANT if aspect == "instructions" else frozenset()
    plain = [msgspec.structs.replace(each, text=narrow(each.text)) for each in texts]
    hidden: list[tuple[Text, Form]] = []
    for text in plain:
        found += ((text.place, each) for each in oddities(text))
        for form in _folded(text):
            found += ((text.place, each) for each in _said(form) if each.rule not in meant)
            if form.name not in _PLAIN:
                hidden.append((msgspec.structs.replace(text, text=form.text), form))
    known = Vocabulary(plain)
    found += _judged(units(plain, known), others)
    for text, form in hidden:
        found += _judged(units([text], known), others, form)
        found += ((text.place, _at_source(each, form)) for each in oddities(text))
    found += _split(plain, known)
    return list(dict.fromkeys(found))


def flagged(found: Iterable[Placed]) -> list[Placed]:
    """Those for which somebody should look: of medium severity and above."""
    return [each for each in found if each[1].severity >= Severity.MEDIUM]


def _bounded(texts: Iterable[Text]) -> tuple[list[Text], bool]:
    """Texts within bounds, and whether that is all of them."""
    kept: list[Text] = []
    left = ALL
    whole = True
    for text in texts:
        size = min(len(text.text), LONGEST)
        if size > left:
            return kept, False
        left -= size
        if size < len(text.text):
            text = msgspec.structs.replace(text, text=text.text[:size])  # noqa: PLW2901
            whole = False
        kept.append(text)
    return kept, whole


def _folded(text: Text) -> Iterator[Form]:
    """The folded forms of a text, and what they say in ROT13; of a name, also its words."""
    for form in forms(text.text, Surface.DEFINITION):
        if form.folded:
            yield from _and_rotated(form)
        elif " " not in form.text.strip():
            words = form.next("words", spelt(form.text), _whole(len(form.text)))
            yield from _and_rotated(words.next("folded", *fold(words.text), folded=True))


def _whole(size: int) -> Back:
    """The words of a name stand for all of it."""
    return lambda _start, _end: (0, size)


def _and_rotated(form: Form) -> Iterator[Form]:
    yield form
    if (turned := rotated(form.text)) is not None:
        yield form.next("rot13", turned, None, folded=True)


def _said(form: Form) -> Iterator[Detection]:
    """What rules find in a form, at its place in the text as given."""
    for each in _phrases().detect(form.text, Surface.DEFINITION):
        yield _at_source(each, form)


def _at_source(found: Detection, form: Form) -> Detection:
    start, end = form.source(found.start, found.end)
    return msgspec.structs.replace(found, start=start, end=end, view=form.name)


def _judged(
    found: Iterable[Unit], others: frozenset[str], form: Form | None = None, least: float = 0.0
) -> Iterator[Placed]:
    """What the model finds that is by so much over its threshold: of each text the worst part."""
    worst: dict[str, tuple[float, Unit]] = {}
    for unit in found:
        over = _over(unit, others)
        if over > worst.get(unit.text.place, (least, unit))[0]:
            worst[unit.text.place] = over, unit
    for over, unit in worst.values():
        start, end = form.source(unit.start, unit.end) if form else (unit.start, unit.end)
        said = unit.text.text[unit.start : unit.end].strip()[:_SHOWN]
        grave = Severity.HIGH if over > _SURE else Severity.MEDIUM
        view = form.name if form else "folded"
        yield unit.text.place, Detection(MODEL, grave, start, end, said, probability(over), view)


def _split(texts: Sequence[Text], known: Vocabulary) -> Iterator[Placed]:
    """What is found where one text may go on in another, and in neither of them."""
    for seam in seams(texts):
        raw = Form("raw", seam.text.text)
        found = list(_said(raw.next("folded", *fold(raw.text), folded=True)))
        across = [each for each in units([seam.text], known) if each.start < seam.at < each.end]
        least = _NAMED if seam.text.role is Role.NAME else _JOINED
        found += (each for _, each in _judged(across, frozenset(), raw, least))
        for each in found:
            if each.start < seam.at < each.end:
                start, end = seam.start + each.start, seam.start + seam.at
                yield (
                    seam.text.place,
                    msgspec.structs.replace(each, start=start, end=end, view="joined"),
                )


def _over(unit: Unit, others: frozenset[str]) -> float:
    """By how much a unit is over its threshold; naming another server's tool counts for something."""
    model = _model()
    score = model.score(unit.folded, unit.context) - model.head.thresholds[unit.group]
    return score + (_ELSEWHERE if others and not others.isdisjoint(identifiers(unit)) else 0.0)
