"""The honest server of the demo: somebody else's where there is one, else one of our own."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from bawn.model import Json

PACKAGE: Final = "mcp-server-time==2026.10.19"
"""The package of PyPI that can be installed, at its exact version."""

_PROGRAM: Final = "mcp-server-time"
_OPTIONS: Final = ("--local-timezone", "UTC")


@dataclass(frozen=True, slots=True)
class Benign:
    """An honest server: its id, how it is started, and a call with what its answer has to hold."""

    id: str
    what: str
    command: tuple[str, ...]
    tool: str
    arguments: Json
    says: str
    real: bool = True


TIME: Final = Benign(
    "time",
    "mcp-server-time, a server of the MCP project",
    ("uvx", PACKAGE, *_OPTIONS),
    "time__convert_time",
    {"source_timezone": "UTC", "time": "12:00", "target_timezone": "Asia/Tokyo"},
    "21:00",
)
"""Started from its package, which has to be installed first."""

OWN: Final = Benign(
    "words",
    "an honest server that comes with bawn",
    (sys.executable, "-I", "-m", "bawn.demo.honest"),
    "words__count_words",
    {"text": "fresh soda bread every morning"},
    "5 words",
    real=False,
)


def present(places: Sequence[Path] | None = None) -> Benign | None:
    """Somebody else's server that is installed: on PATH, beside this Python, or by `make up`.

    `places` are directories to look into besides PATH.
    """
    for directory in (None, *(_places() if places is None else places)):
        path = None if directory is None else str(directory)
        found = shutil.which(_PROGRAM, path=path)
        if found is not None:
            return replace(TIME, command=(str(Path(found).absolute()), *_OPTIONS))
    return None


def _places() -> tuple[Path, ...]:
    checkout = Path(__file__).parents[3]
    return Path(sys.executable).parent, checkout / ".quickstart" / "venv" / "bin"
