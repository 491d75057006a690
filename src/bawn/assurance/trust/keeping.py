"""Scans on record: what they found of each server, for its trust status."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path

from bawn.assurance.scanning.examine import evidence
from bawn.assurance.scanning.target import Target
from bawn.findings.evidence import Evidence
from bawn.findings.finding import Finding
from bawn.storage.files import ServerFiles


def keep(
    state: Path,
    targets: Iterable[Target],
    found: Sequence[Finding],
    at: float,
    of: Callable[[str], str],
) -> None:
    """Keep what a scan of a gate's servers found, in the place of the last one; `of` names what it looked at.

    Raises:
        Refused: integrity.store.
    """
    files = ServerFiles(state / "evidence", tuple[Evidence, ...])
    for target in targets:
        if target.settings is not None:
            looked = target.definitions is not None
            answer = evidence(target.name, looked, found, at, of(target.name))
            files.update(target.name, partial(replaced, answer))


def replaced(answer: Evidence, known: tuple[Evidence, ...] | None) -> tuple[Evidence, ...]:
    """What is known with this answer in the place of the earlier ones to its question."""
    others = [each for each in known or () if each.dimension != answer.dimension]
    return (*others, answer)
