"""What detectors compile is found again by the next process of this user."""

from __future__ import annotations

from bawn.detectors import engine
from bawn.storage.compiled import Compiled, cache_directory


def keep_compiled() -> None:
    """Have this process keep and find what patterns are compiled to."""
    engine.keep(Compiled(cache_directory()))
