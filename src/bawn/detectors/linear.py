"""A linear model over hashed words and letter groups: small, quick, the same everywhere.

    score = bias + Σ weight(feature) / √(number of features)      p = 1 / (1 + e^-score)

Features are hashed with CRC-32 into a table of signed bytes. Training is in `training/`; what it makes is
read here. Text comes in its folded form (see `views`).
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from importlib.resources import files
from math import exp, sqrt
from typing import Final
from zlib import crc32

import msgspec

_WORDS: Final = {code: " " for code in range(128) if not chr(code).isalnum()}
_LETTERS: Final = 4  # of a letter group
_LONGEST: Final = 24  # letters of a word that are looked at


class Head(msgspec.Struct, frozen=True):
    """What stands before a model's weights: `scale` of one step of a weight, and how it was made.

    `thresholds` are scores, by name; `made` tells seed, data digests and metrics for the docs.
    """

    bits: int
    scale: float
    bias: float
    thresholds: dict[str, float]
    made: dict[str, str | int | float]


class Linear:
    """One model, which never changes."""

    def __init__(self, head: Head, weights: array[int]) -> None:
        self.head = head
        self._weights = weights
        self._mask = (1 << head.bits) - 1

    @classmethod
    def read(cls, data: bytes) -> Linear:
        """A model as `written`: a line of JSON, then a signed byte for each place of the table.

        Raises:
            ValueError: it is not one.
        """
        line, _, rest = data.partition(b"\n")
        head = msgspec.json.decode(line, type=Head)
        if len(rest) != 1 << head.bits:
            raise ValueError(f"a model of {head.bits} bits has {len(rest)} weights")
        return cls(head, array("b", rest))

    @classmethod
    def shipped(cls, name: str) -> Linear:
        """A model of the package.

        Raises:
            FileNotFoundError: there is none of that name.
        """
        return cls.read((files("bawn.detectors.models") / f"{name}.bin").read_bytes())

    def written(self) -> bytes:
        """The model as a file."""
        return msgspec.json.encode(self.head) + b"\n" + self._weights.tobytes()

    def score(self, text: str, context: Iterable[str] = ()) -> float:
        """How much a folded text speaks for what the model knows, as log-odds."""
        weights, mask = self._weights, self._mask
        places = {crc32(feature.encode()) & mask for feature in features(text, context)}
        total = sum(map(weights.__getitem__, places))
        return self.head.bias + self.head.scale * total / sqrt(len(places) or 1)


def features(text: str, context: Iterable[str] = ()) -> Iterator[str]:
    """What a text is to the model: words, two and three of them in a row, and letters of words.

    `context` is what else is known, such as the field that it stands in.
    """
    yield from (f"@{each}" for each in context)
    words = text.translate(_WORDS).split()
    before, last = "^", "^"
    for word in words:
        yield word
        yield f"{last} {word}"
        yield f"{before} {last} {word}"
        before, last = last, word
        cut = f"<{word[:_LONGEST]}>"
        for start in range(len(cut) - _LETTERS + 1):
            yield f"#{cut[start : start + _LETTERS]}"
    yield f"{last} $"


def probability(score: float) -> float:
    """A score as a probability."""
    return 1.0 / (1.0 + exp(-max(-60.0, min(60.0, score))))
