"""The supervisor when it is told to end, to reload or to cut at an awkward moment."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from bawn.app.control import NotRunningError, ask
from tests.e2e.conftest import StartGate
from tests.e2e.gate_process import BAWN, Gate, wait_until
from tests.e2e.local_server import local

pytestmark = pytest.mark.e2e

SLOW = "  slow: {command: [sleep, '1000'], confine: 'off'}\n"
"""A server that never introduces itself: a crew takes its whole patience to start."""


@pytest.fixture
def servers(tmp_path: Path) -> str:
    """A local server, behind two workers."""
    ready = local("files", "legacy", diary=tmp_path / "diary", isolation="shared")
    return f"workers: 2\nservers:\n{ready}"


@pytest.fixture
def starting(tmp_path: Path, servers: str) -> Iterator[Gate]:
    """A gate that has just been started, and does not serve yet."""
    made = Gate(tmp_path / "gate", servers + SLOW)
    with made.log.open("ab") as log:
        made.process = subprocess.Popen(
            [*BAWN, "up", *made.flags, "--config", str(made.config)],
            env=made.env, cwd=made.home, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=log, text=True,
        )  # fmt: skip
    try:
        yield made
    finally:
        made.kill()


def steward_of(gate: Gate) -> int | None:
    """The steward's process, while it starts as well."""
    for pid in gate.processes():
        if Path(f"/proc/{pid}/comm").read_text(encoding="utf-8") == "bawn-steward\n":
            return pid
    return None


def ended(gate: Gate) -> None:
    """It ends soon and well, and nothing is left of it."""
    assert gate.process is not None
    assert gate.process.wait(15) == 0
    gate.until_gone(5)
    left = {path.name for path in (gate.state / "run").iterdir()}
    assert left <= {"sockets", ".lock"}  # where the sockets lie when the path is too long for them
    assert "Traceback" not in gate.log_text()


def test_a_gate_that_starts_ends_when_it_is_told_to_whatever_it_waits_for(starting: Gate) -> None:
    wait_until(lambda: steward_of(starting))
    os.kill(steward_of(starting) or 0, signal.SIGSTOP)
    starting.signal(signal.SIGTERM)
    ended(starting)


def test_a_gate_that_reloads_gives_that_up_when_it_is_told_to_end(
    gate: StartGate, servers: str
) -> None:
    up = gate(servers + SLOW)
    up.write(servers + SLOW + "roles: {other: {tools: [x]}}\n")
    up.cli("trust", "--yes")
    told: list[object] = []

    def reload() -> None:
        try:
            told.append(ask(up.state, "reload"))
        except NotRunningError as error:
            told.append(error)

    asking = threading.Thread(target=reload)
    before = len(up.processes())
    asking.start()
    wait_until(lambda: len(up.processes()) > before)
    up.signal(signal.SIGTERM)
    ended(up)
    asking.join()
    assert told == [{"error": "the gate was told to end"}]


def test_readiness_does_not_waver_while_a_new_crew_starts(gate: StartGate, servers: str) -> None:
    up = gate(servers + SLOW)
    seen: list[int] = []
    done = threading.Event()

    def probe() -> None:
        while not done.is_set():
            seen.append(httpx2.get(f"{up.probes}/readyz", timeout=10).status_code)
            time.sleep(0.01)  # not to outdo what it looks at

    probing = threading.Thread(target=probe)
    probing.start()
    up.write(servers + SLOW + "roles: {other: {tools: [x]}}\n")
    up.cli("trust", "--yes")
    assert "applied" in up.cli("reload")
    done.set()
    probing.join()
    assert set(seen) == {200}
