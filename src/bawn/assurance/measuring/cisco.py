"""Cisco's MCP scanner on the same rows, where it is installed: its YARA rules, which need no network."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from bawn.assurance.measuring.measure import Counts, Dataset
from bawn.assurance.measuring.rows import Row
from bawn.assurance.measuring.wilson import Share
from bawn.errors import Misconfigured

TRACKS: Final = frozenset({"tools", "outputs"})
NAMES: Final = {
    "tools": "Cisco mcp-scanner (YARA)",
    "outputs": "Cisco mcp-scanner (YARA, whose rules are for descriptors)",
}
PROGRAM: Final = "mcp-scanner"

_RUNNER: Final = Path(__file__).with_name("cisco_runner.py")
_PATIENCE: Final = 600.0  # seconds
_QUIET: Final = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "PYTHONDONTWRITEBYTECODE": "1"}
"""A library of it would fetch a list from the network when it is imported."""


def interpreter(given: Path | None) -> Path:
    """The interpreter that has the scanner, as the first line of its program names it.

    Raises:
        Misconfigured: it is not installed there.
    """
    found = given or shutil.which(PROGRAM)
    if found is None:
        raise Misconfigured(f"{PROGRAM} is not on PATH; install it, or name it with --cisco")
    try:
        with Path(found).open("rb") as file:
            line = file.readline(4096).decode("utf-8", "replace").strip()
    except OSError as error:
        raise Misconfigured(f"{found}: cannot be read: {error.strerror}") from None
    python = Path(line.removeprefix("#!").strip().split(" ")[0])
    if not line.startswith("#!") or "python" not in python.name or not python.is_file():
        raise Misconfigured(f"{found}: expected {PROGRAM}, a program whose first line names Python")
    return python


def counted(python: Path, data: Dataset) -> Counts:
    """What the scanner says of a track; any finding is an alarm.

    Raises:
        Misconfigured: it could not be run.
    """
    said = _verdicts(python, data.rows)
    pairs = [(row.label == "attack", flagged) for row, flagged in zip(data.rows, said, strict=True)]
    attacks = [flagged for attack, flagged in pairs if attack]
    benign = [flagged for attack, flagged in pairs if not attack]
    return Counts(Share(sum(attacks), len(attacks)), Share(sum(benign), len(benign)))


def _verdicts(python: Path, rows: tuple[Row, ...]) -> list[bool]:
    try:
        done = subprocess.run(  # its own environment: nothing of the caller's is handed on
            [str(python), str(_RUNNER)],
            input="".join(_lines(rows)),
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
            env={"PATH": str(python.parent), **_QUIET},
            check=True,
        )
        found = [bool(json.loads(line)) for line in done.stdout.splitlines()]
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        why = getattr(error, "stderr", None) or str(error)
        last = (str(why).strip().splitlines() or ["it failed"])[-1][:200]
        raise Misconfigured(f"{python}: {PROGRAM} could not be run: {last}") from None
    if len(found) != len(rows):
        raise Misconfigured(f"{python}: {PROGRAM} answered {len(found)} of {len(rows)} rows")
    return found


def _lines(rows: tuple[Row, ...]) -> Iterator[str]:
    for row in rows:
        yield json.dumps({"tool": row.tool} if row.text is None else {"text": row.text}) + "\n"
