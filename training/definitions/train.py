"""Makes the model: learns, measures what was left out, and writes it with how it was made."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bawn.detectors.linear import Head, Linear
from training.corpus import Json, rows
from training.definitions.fit import Fitted, fit
from training.definitions.measure import Left, flags, left_out, recall, thresholds
from training.definitions.sample import BITS, Sample, benign, grafted, honest, written

SEED: Final = 20261123
COUNT: Final = 24_000  # passages of poison
_HONEST: Final = 40  # honest texts of our own for a hundred of poison
STRENGTH: Final = 20.0  # how closely the model follows what it sees (C)
MODEL: Final = Path(__file__).parents[2] / "src/bawn/detectors/models/definitions.bin"
_BENIGN: Final = "benign_tools/benign_tools"
_GRAFTED: Final = "poisoned_tools/grafted"
_OWN: Final = (
    "goals",
    "slots",
    "tails",
    "wordings",
    "harvest",
    "languages",
    "names",
    "honest",
    "duties",
    "values",
    "tools",
    "instructions",
)


@dataclass(frozen=True, slots=True)
class Trained:
    """A model, and what it reaches: each figure by name."""

    model: Linear
    figures: Mapping[str, float]


def train(corpus: Path, count: int = COUNT) -> Trained:
    """The model made from the rows of a corpus that are not held back, and from our own writing."""
    tools = [row.value["tool"] for row in rows(corpus, _BENIGN) if not row.held]
    return made(tools, list(benign(corpus)), list(grafted(corpus)), digests(corpus), count)


def made(
    tools: Sequence[Json], real: Sequence[Sample], foreign: Sequence[Sample],
    sources: Mapping[str, str], count: int,
) -> Trained:  # fmt: skip
    """The model made from samples; poison of others is for measuring, and no model learns from it."""
    poison = list(written(tools, SEED, count))
    plain = list(honest(tools, SEED + 1, count * _HONEST // 100))
    left = left_out(real, poison, plain, foreign, SEED, STRENGTH)
    limits = thresholds(left)
    figures = _figures(left, limits)
    fitted = fit([*real, *plain, *poison], SEED, STRENGTH)
    told: dict[str, str | int | float] = {
        "seed": SEED,
        "passages": count,
        "real tools": len(real),
        **sources,
        **figures,
    }
    return Trained(_linear(fitted, limits, told), figures)


def _figures(left: Left, limits: Mapping[str, float]) -> dict[str, float]:
    alarms = sum(flags(scores, limits) for _, scores in left.honest)
    return {
        "false alarms": round(alarms / max(1, len(left.honest)), 5),
        "hard honest": recall(left.plain, limits)["all"],
        **{f"own {key}": each for key, each in recall(left.poison, limits).items()},
        **{f"foreign {key}": each for key, each in recall(left.foreign, limits).items()},
    }


def _linear(fitted: Fitted, limits: dict[str, float], told: dict[str, str | int | float]) -> Linear:
    head = Head(BITS, fitted.scale, fitted.bias, limits, told)
    return Linear(head, array("b", fitted.weights.tobytes()))


def digests(corpus: Path) -> dict[str, str]:
    """The SHA-256 of all that is learned from, or measured with."""
    own = [Path(__file__).with_name(f"{name}.toml") for name in _OWN]
    theirs = [corpus / f"{name}.jsonl.gz" for name in (_BENIGN, _GRAFTED)]
    return {
        f"sha256 {each.name}": hashlib.sha256(each.read_bytes()).hexdigest()[:32]
        for each in (*own, *theirs)
    }


def write(trained: Trained, path: Path = MODEL) -> None:
    """The model into its file, whole or not at all."""
    draft = path.with_suffix(".tmp")
    draft.write_bytes(trained.model.written())
    draft.replace(path)


def main(corpus: Path) -> None:
    """`python -m training definitions CORPUS`."""
    trained = train(corpus)
    write(trained)
    for name, figure in trained.figures.items():
        print(f"{name:40} {figure:.4f}")  # noqa: T201 - a report
