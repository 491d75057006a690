"""Fits the linear model, and says where its thresholds have to be."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix  # type: ignore[import-untyped]  # ships no types
from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]  # ships no types

from training.definitions.sample import BITS, Sample

GROUPS: Final = (
    "description", "instructions", "parameter", "nested", "long name", "name", "long value", "value",
    "title", "called",
)  # fmt: skip
_STEPS: Final = 127  # of a signed byte


@dataclass(frozen=True, slots=True)
class Fitted:
    """Weights as they are shipped: signed bytes, and the size of one step of them."""

    weights: NDArray[np.int8]
    scale: float
    bias: float

    def score(self, places: array[int]) -> float:
        """As `Linear.score`."""
        total = int(self.weights[np.frombuffer(places, dtype=np.int32)].sum(dtype=np.int64))
        return self.bias + self.scale * total / max(1.0, float(np.sqrt(len(places))))

    def highest(self, sample: Sample) -> dict[str, tuple[float, str]]:
        """The highest score of each group, and the text that has it."""
        found: dict[str, tuple[float, str]] = {}
        for places, group, text in zip(sample.places, sample.groups, sample.texts, strict=True):
            found[group] = max(found.get(group, (-99.0, "")), (self.score(places), text))
        return found


def fit(samples: Iterable[Sample], seed: int, strength: float) -> Fitted:
    """A logistic model of units."""
    rows: list[array[int]] = []
    labels: list[int] = []
    for sample in samples:
        rows += sample.places
        labels += [int(sample.poison)] * len(sample.places)
    model = LogisticRegression(
        C=strength, solver="liblinear", random_state=seed,
        max_iter=200, tol=1e-3,
    )  # fmt: skip
    model.fit(matrix(rows), np.array(labels))
    exact = model.coef_[0]
    limit = float(np.quantile(np.abs(exact[exact != 0.0]), 0.9995))
    scale = limit / _STEPS
    steps = np.clip(np.rint(exact / scale), -_STEPS, _STEPS).astype(np.int8)
    return Fitted(steps, scale, float(model.intercept_[0]))


def matrix(rows: Sequence[array[int]]) -> csr_matrix:
    """The rows of unit length, as the model scores them."""
    lengths = np.array([len(row) for row in rows])
    indices = np.concatenate([np.frombuffer(row, dtype=np.int32) for row in rows])
    data = np.repeat(1.0 / np.sqrt(np.maximum(lengths, 1)), lengths)
    pointers = np.concatenate(([0], np.cumsum(lengths)))
    return csr_matrix((data, indices, pointers), shape=(len(rows), 1 << BITS))
