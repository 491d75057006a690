"""The state database of real processes: written by several, each killed at any moment."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bawn.storage import StateDirectory
from bawn.storage.database import NAME, Database
from bawn.storage.tombstones import Tombstones
from bawn.storage.upstream_sessions import SharedSessions

ROOT = Path(__file__).resolve().parents[2]
ROUNDS = 10

pytestmark = pytest.mark.e2e


def start(state: Path, name: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.e2e.store_writer", str(state), name]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def kill(process: subprocess.Popen[str], after: int) -> set[str]:
    """Let it write so many, kill it, and return what it was acknowledged."""
    assert process.stdout
    with process:
        lines = [process.stdout.readline() for _ in range(after)]
        process.send_signal(signal.SIGKILL)
        lines += process.stdout.readlines()
    return {line.split()[1] for line in lines if line.startswith("buried ") and line[-1] == "\n"}


def test_nothing_acknowledged_is_lost_when_one_of_two_writers_is_killed_again_and_again(
    tmp_path: Path,
) -> None:
    state = tmp_path / "state"
    acknowledged: set[str] = set()
    lasting = start(state, "lasting")
    assert lasting.stdout
    said = [lasting.stdout.readline()]
    lineage = ""
    for number in range(ROUNDS):
        acknowledged |= kill(start(state, f"killed{number}"), after=1 + 17 * number % 90)
        database = Database(state / NAME)
        assert lineage in ("", database.lineage)
        lineage = database.lineage
        database.close()
        said += [lasting.stdout.readline() for _ in range(20)]
    acknowledged |= kill(lasting, after=1) | {line.split()[1] for line in said}
    assert "refused" not in "".join(said)
    database = Database(state / NAME)
    graves = Tombstones(database)
    sessions = SharedSessions(database, StateDirectory(state))
    assert len(acknowledged) > 500 + ROUNDS
    assert [name for name in acknowledged if not graves.buried(name)] == []
    assert [name for name in acknowledged if sessions.find("files", name) is None] == []
    assert database.rows("PRAGMA integrity_check") == [("ok",)]
    database.close()
    assert list(state.glob("*broken*")) == []
