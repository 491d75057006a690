"""Settings for every test."""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from bawn.detectors import engine
from bawn.storage.compiled import Compiled

# How long an example takes tells of the machine and its load, not of what is tested.
settings.register_profile("bawn", deadline=None, max_examples=40)
settings.register_profile("thorough", deadline=None, max_examples=1_000)
settings.load_profile("bawn")

CACHE = Path(tempfile.gettempdir()) / f"bawn-tests-{os.geteuid()}"
"""What patterns compile to is found again by every process of the tests, as it is in a user's home."""

engine.keep(Compiled(CACHE / "bawn" / "compiled"))


@pytest.fixture(autouse=True)
def _logs_as_before() -> Iterator[None]:
    """A command that a test runs in this process sets the log up, for the tests after it too."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    if root.handlers != handlers or root.level != level:
        root.handlers[:] = handlers
        root.setLevel(level)
        logging.captureWarnings(False)
