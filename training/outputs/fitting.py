"""From texts to a model: windows, their features, a logistic regression, and its weights as signed bytes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import sqrt
from typing import Any, Final, TypeAlias
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix  # type: ignore[import-untyped]  # ships no types
from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]  # ships no types

from bawn.detectors.folding import fold
from bawn.detectors.gates import Gates
from bawn.detectors.injection.output import Injection
from bawn.detectors.injection.signs import signs
from bawn.detectors.injection.windows import Window, readable, windows
from bawn.detectors.linear import features
from training.outputs.example import Example

BITS: Final = 18
SEED: Final = 20260728
_STRENGTHS: Final = (
    6.0,
    24.0,
)  # inverse of the regularisation: of the first round, and of the second
HONEST: Final = "honest/"
NONE: Final = -20.0
"""The score of a text without windows."""

_HONEST: Final = 6  # windows of one honest text that are learnt from: in the second round the worst
_HOSTILE: Final = 2  # of one attack whose payload is not known: in the second round the worst

Floats: TypeAlias = NDArray[np.float64]
Places: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Seen:
    """A text as the model sees it: for each window the places of its features, and its label.

    `known`: the label of each window is its own, not that of the whole text. `opens`: as a message it opens
    the gate; if not, the model is never asked.
    """

    family: str
    group: str
    label: int
    windows: tuple[Places, ...]
    labels: tuple[int, ...]
    known: bool
    opens: bool


def seen(example: Example) -> Seen:
    """The windows of a text. In an attack those that touch its payload are attacks."""
    text = readable(fold(example.text)[0])
    first, last = 0, len(text)
    if example.payload:
        payload = readable(fold(example.payload)[0])
        first = max(0, text.find(payload))
        last = first + len(payload)
    places, labels = [], []
    for window in windows(text):
        places.append(_places(text, window))
        touches = min(window.end, last) - max(window.start, first)
        labels.append(int(example.label and touches > 0.3 * (window.end - window.start)))
    group = example.group or (example.family if example.label else text)
    known = bool(example.payload) or not example.label
    opens = _gates().open(
        json.dumps({"text": example.text}, ensure_ascii=False).encode("utf-8", "replace")
    )
    return Seen(example.family, group, example.label, tuple(places), tuple(labels), known, opens)


@cache
def _gates() -> Gates:
    return Gates(Injection().triggers)


def _places(text: str, window: Window) -> Places:
    mask = (1 << BITS) - 1
    some = features("", signs(text, window))
    return np.array(sorted({crc32(each.encode()) & mask for each in some}), dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Fitted:
    """Weights as they ship: whole steps of `scale`."""

    steps: NDArray[np.int8]
    scale: float
    bias: float

    def scores(self, text: Seen) -> list[float]:
        """The score of each window."""
        return [
            self.bias + self.scale * int(self.steps[each].sum(dtype=np.int64)) / sqrt(len(each))
            for each in text.windows
        ]

    def score(self, text: Seen) -> float:
        """The score of the worst window."""
        return max(self.scores(text), default=NONE)


def fit(texts: Sequence[Seen], weights: Mapping[str, float]) -> Fitted:
    """Learns from windows in two rounds; `weights` is how much a family counts, by how its name begins.

    Of a family whose name there begins with `HONEST` it is the honest texts alone.

    The first round learns from some windows of each text. The second one from those that the first thought
    the worst: in an honest text they are what is easily mistaken, in an attack the attack itself.
    """
    fitted: Fitted | None = None
    for strength in _STRENGTHS:
        places, labels, counts = [], [], []
        for text in texts:
            weight = _weight(text, weights)
            some = list(_chosen(text, fitted))
            for at in some:
                places.append(text.windows[at])
                labels.append(text.labels[at])
                counts.append(weight / sqrt(len(some)))
        fitted = _regressed(places, labels, counts, strength)
    assert fitted is not None  # noqa: S101  # there are rounds
    return fitted


def _weight(text: Seen, weights: Mapping[str, float]) -> float:
    names = (text.family,) if text.label else (text.family, HONEST + text.family)
    for begins, weight in weights.items():
        if any(name.startswith(begins) for name in names):
            return weight
    return 1.0


def _chosen(text: Seen, fitted: Fitted | None) -> Iterator[int]:
    """Which windows of a text are learnt from."""
    count = len(text.windows)
    if text.known and text.label:
        yield from range(count)
    elif fitted is None:
        yield from range(0, count, max(1, count // _HONEST) if not text.label else 1)
    else:
        scores = fitted.scores(text)
        worst = sorted(range(count), key=lambda at: -scores[at])
        if text.label:
            yield from (at for at in worst[:_HOSTILE] if at == worst[0] or scores[at] > 0)
        else:
            yield from worst[:_HONEST]


def _regressed(
    places: Sequence[Places], labels: Sequence[int], counts: Sequence[float], strength: float
) -> Fitted:
    model = LogisticRegression(
        C=strength, solver="liblinear", random_state=SEED, max_iter=200, tol=2e-3
    )
    model.fit(_matrix(places), np.array(labels), sample_weight=np.array(counts))
    raw: Floats = model.coef_[0]
    scale = float(np.abs(raw).max()) / 127  # cutting off the few largest costs recall
    steps = np.rint(raw / scale).astype(np.int8)
    return Fitted(steps, scale, float(model.intercept_[0]))


def _matrix(places: Iterable[Places]) -> Any:
    rows = list(places)
    ends = np.cumsum([0, *(len(row) for row in rows)])
    values = np.concatenate([np.full(len(row), 1 / sqrt(max(1, len(row)))) for row in rows])
    return csr_matrix((values, np.concatenate(rows), ends), shape=(len(rows), 1 << BITS))
