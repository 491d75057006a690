"""A home directory and a project with every client's files, copied so that tests may change them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bawn.discovery.clients import Roots

FIXTURES = Path(__file__).parent / "fixtures"


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A directory with `home` and `project`."""
    shutil.copytree(FIXTURES, tmp_path / "machine")
    return tmp_path / "machine"


@pytest.fixture
def roots(machine: Path) -> Roots:
    """The roots of that home, on Linux."""
    return Roots.of({"HOME": str(machine / "home")}, "linux", str(machine / "system"))
