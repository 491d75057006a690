"""The forms of a text in which something may be hidden, each with the way back to the text as given.

First the text itself; then, step by step, what it says when everything that is encoded in it is decoded in
its place. Each of them is also folded, and where letters are spaced out or turned, put in order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final

import msgspec

from bawn.detectors.decoding import stretches
from bawn.detectors.escapes import backslashes, entities, percents, selectors, tags
from bawn.detectors.folding import fold
from bawn.detectors.spans import Back, Edit, edited
from bawn.detectors.wording import apart, digits, turned
from bawn.model import Surface

DEPTH: Final = 3
"""How often what was decoded is decoded again."""

_DECODERS: Final[tuple[tuple[str, Callable[[str], Iterable[Edit]]], ...]] = (
    ("tags", tags),
    ("selectors", selectors),
    ("json", backslashes),
    ("html", entities),
    ("url", percents),
    ("base64", stretches),
)


class Form(msgspec.Struct, frozen=True, gc=False):
    """A text as given, or what was made of it; `name` tells how, such as `base64>folded`."""

    name: str
    text: str
    folded: bool = False
    made_of: Form | None = None
    back: Back | None = None  # None where each character stayed in its place

    def source(self, start: int, end: int) -> tuple[int, int]:
        """The span of the text as given that a span of this form came from."""
        if self.back is not None:
            start, end = self.back(start, end)
        return self.made_of.source(start, end) if self.made_of else (start, end)

    def next(self, name: str, text: str, back: Back | None, folded: bool = False) -> Form:
        """A form that is made of this one."""
        return Form(f"{self.name}>{name}" if self.made_of else name, text, folded, self, back)


def forms(text: str, surface: Surface, *, disguised: bool = True) -> Iterator[Form]:
    """The text itself first, then it folded, then what is found in it by decoding, and that folded.

    Backwards and rotated texts are looked for where models read them, and not in arguments. A text in
    which nothing is disguised, as `Gates` knows, has the first two forms alone.
    """
    form: Form | None = Form("raw", text)
    if not disguised:
        raw = Form("raw", text)
        yield raw
        yield raw.next("folded", *fold(text), folded=True)
        return
    for depth in range(DEPTH + 1):
        if form is None:
            return
        yield form
        yield from _folded(form, prose=surface is not Surface.ARGUMENT)
        form = decoded(form) if depth < DEPTH else None


def decoded(form: Form) -> Form | None:
    """What a form says when each thing that is encoded in it is decoded once; None if nothing is."""
    made = form
    for name, decoder in _DECODERS:
        edits = list(decoder(made.text))
        if edits:
            made = made.next(name, *edited(made.text, edits))
    return made if made is not form else None


def _folded(form: Form, prose: bool) -> Iterator[Form]:
    folded = form.next("folded", *fold(form.text), folded=True)
    yield folded
    if edits := list(apart(form.text)):
        joined = form.next("joined", *edited(form.text, edits))
        yield joined.next("folded", *fold(joined.text), folded=True)
    if prose:
        if edits := list(digits(folded.text)):
            yield folded.next("digits", *edited(folded.text, edits), folded=True)
        for name, text, back in turned(folded.text):
            yield folded.next(name, text, back, folded=True)
