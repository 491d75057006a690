"""Processes that are forked: by whom, whose they are, and what becomes of them when that one dies."""

from __future__ import annotations

import os
import resource
import signal
import sys
from pathlib import Path

import pytest

from bawn.app.starting import DESCRIPTORS
from tests.e2e.conftest import StartGate
from tests.e2e.gate_process import wait_until
from tests.e2e.template import template

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(sys.platform != "linux", reason="forked on Linux alone"),
]


def _parent(pid: int) -> int:
    stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    return int(stat.rpartition(")")[2].split()[1])


def test_children_are_the_supervisors_and_outlive_the_fork_server(gate: StartGate) -> None:
    up = gate("servers: {}\nworkers: 2\n")
    before = up.pids()
    assert {_parent(before[n]) for n in ("steward", "worker 0", "worker 1")} == {
        before["supervisor"]
    }
    os.kill(before["forkserver"], signal.SIGKILL)
    os.kill(before["worker 1"], signal.SIGKILL)

    def replaced() -> bool:
        now = up.pids()
        return now["worker 1"] != before["worker 1"]

    wait_until(replaced, what="another worker, from another fork server")
    after = up.pids()
    assert after["forkserver"] != before["forkserver"]
    assert (after["worker 0"], after["steward"]) == (before["worker 0"], before["steward"])
    assert up.stop() == 0, "and nothing is left of any of them"


def test_nothing_outlives_a_killed_supervisor(gate: StartGate) -> None:
    up = gate("servers: {}\n")
    up.pids()
    up.signal(signal.SIGKILL)
    up.until_gone()


def test_every_process_may_open_as_many_files_as_the_gate_asks_for(gate: StartGate) -> None:
    starts = template().pid
    before = resource.prlimit(starts, resource.RLIMIT_NOFILE)
    resource.prlimit(starts, resource.RLIMIT_NOFILE, (256, before[1]))
    try:
        pids = gate("servers: {}\n").pids()
    finally:
        resource.prlimit(starts, resource.RLIMIT_NOFILE, before)
    limits = {name: resource.prlimit(pid, resource.RLIMIT_NOFILE) for name, pid in pids.items()}
    assert {soft for soft, _ in limits.values()} == {min(before[1], DESCRIPTORS)}


def test_a_gate_ends_though_its_fork_server_hangs(gate: StartGate) -> None:
    up = gate("servers: {}\n")
    before = up.pids()
    os.kill(before["forkserver"], signal.SIGSTOP)
    os.kill(before["worker"], signal.SIGKILL)
    wait_until(lambda: "starting another" in up.log_text(), what="a worker that is missed")
    assert up.stop() == 0
