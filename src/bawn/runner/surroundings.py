"""What of the gate's own lies around local servers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where the private directories of servers lie, what they never see, and never change.

    `verified` is how what they offer is held against what was approved: another way needs other children.
    """

    data: Path | None = None
    hide: tuple[Path, ...] = ()
    guard: tuple[Path, ...] = ()
    verified: tuple[object, ...] = ()
