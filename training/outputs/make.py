"""Makes `models/outputs.bin`: the same bytes from the same corpus and the same installed packages."""

from __future__ import annotations

import hashlib
import sys
import sysconfig
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bawn.detectors.linear import Head, Linear
from training.outputs.authors import authors
from training.outputs.example import Example
from training.outputs.fitting import BITS, HONEST, SEED, Fitted, fit, seen
from training.outputs.machine import machine
from training.outputs.public import public
from training.outputs.validation import (
    AUTHOR,
    MACHINE,
    OVER,
    OWN,
    REAL,
    Scored,
    alarms,
    left_out,
    threshold,
)
from training.outputs.writing import Writer

MODEL: Final = Path(__file__).parents[2] / "src/bawn/detectors/models/outputs.bin"

TIMES: Final = 4  # texts of our own for each wording
WEIGHTS: Final = {
    "own/": 0.25,
    HONEST + AUTHOR: 1.5,
    "public/atr_cases": 1.5,
    "public/deepset_gandalf": 2.0,
    "public/bipia_payloads": 2.0,
    "public/piguard_valid_wildguard": 0.6,
    "public/livemcpbench_tool_outputs": 2.0,
    "public/bipia_contexts": 2.0,
    "public/notinject": 2.0,
}
"""How much families count: what was found in the world more than what was written for this, and honest texts whose
authors wrote attacks like them; lists of prompts without a kind less."""

SURE: Final = 2.0  # above the threshold: high severity


@dataclass(frozen=True, slots=True)
class Made:
    """The model, and what left-out texts scored."""

    model: Linear
    scored: list[Scored]


def examples(corpus: Path) -> list[Example]:
    """All that is learnt from, in an order that does not change."""
    writer = Writer(SEED)
    return [
        *writer.attacks(TIMES),
        *writer.benign(TIMES),
        *authors(),
        *public(corpus),
        *machine(Path(sysconfig.get_path("purelib"))),
    ]


def make(corpus: Path) -> Made:
    """Learns, and measures what carries over."""
    learnt = examples(corpus)
    texts = [seen(each) for each in learnt]
    scored = left_out(texts, WEIGHTS)
    alarm = round(threshold(scored), 3)
    made: dict[str, str | int | float] = {
        "seed": SEED,
        "texts": len(learnt),
        "data": _digest(learnt),
        **_metrics(scored, alarm),
    }
    return Made(_linear(fit(texts, WEIGHTS), alarm, made), scored)


def _linear(fitted: Fitted, alarm: float, made: dict[str, str | int | float]) -> Linear:
    thresholds = {"alarm": alarm, "sure": round(alarm + SURE, 3)}
    head = Head(BITS, fitted.scale, fitted.bias, thresholds, made)
    return Linear(head, array("b", fitted.steps.tobytes()))


def _digest(learnt: Sequence[Example]) -> str:
    digest = hashlib.sha256()
    for each in learnt:
        digest.update(f"{each.label}|{each.family}|{each.text}\n".encode("utf-8", "replace"))
    return digest.hexdigest()


def _metrics(scored: Sequence[Scored], alarm: float) -> dict[str, float]:
    """Shares of left-out texts that raise an alarm."""
    attacks = [each for each in scored if each.label]
    honest = [each for each in scored if not each.label]
    groups = {
        "recall of authors left out": _of(attacks, AUTHOR),
        "recall of own texts left out": _of(attacks, OWN),
        "recall of public sources left out": _of(attacks, "public/"),
        "false alarms on real outputs": _of(honest, *REAL),
        "false alarms on texts of packages": _of(honest, MACHINE),
        "false alarms on honest texts by authors": _of(honest, AUTHOR),
        "false alarms on honest texts with trigger words": _of(honest, OVER),
    }
    return {
        name: round(sum(each.score >= alarm for each in some) / max(1, len(some)), 4)
        for name, some in groups.items()
    }


def _of(scored: Sequence[Scored], *families: str) -> list[Scored]:
    return [each for each in scored if each.family.startswith(families)]


def report(made: Made) -> str:
    """A table of alarms by family."""
    score = made.model.head.thresholds["alarm"]
    lines = [f"threshold {score}"]
    for name, (hit, count) in sorted(alarms(made.scored, score).items()):
        lines.append(f"{name:<46} {hit:>5} of {count:>5}  {hit / count:7.2%}")
    lines += [f"{name}: {value}" for name, value in made.model.head.made.items()]
    return "\n".join(lines)


def main(corpus: Path) -> None:
    """Writes the model, and tells what left-out texts scored."""
    made = make(corpus)
    MODEL.write_bytes(made.model.written())
    sys.stdout.write(f"{report(made)}\n")
