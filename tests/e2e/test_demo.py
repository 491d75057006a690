"""`bawn demo` for real: every step goes as it is told, and nothing is left of it, however it ends."""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from bawn.demo import bait
from tests.e2e.gate_process import BAWN, free_port, wait_until

pytestmark = pytest.mark.e2e

LONGEST = 30.0
"""Seconds of processor time of everything that is started: of the clock it takes fewer, on a calm machine."""


class Stage:
    """A user's machine: where temporary files go, and the processes that have to do with it."""

    def __init__(self, place: Path) -> None:
        self.temporary = place / "tmp"
        self.home = place / "home"
        self.temporary.mkdir()
        self.home.mkdir()
        self.env = {
            **os.environ,
            "HOME": str(self.home),
            "TMPDIR": str(self.temporary),
            "XDG_CACHE_HOME": os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache"),
            "BAWN_LISTEN": "192.0.2.1:1",  # of another gate
        }
        for name in ("XDG_STATE_HOME", "XDG_CONFIG_HOME"):
            self.env.pop(name, None)

    def start(self, *options: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*BAWN, "demo", *options],
            env=self.env,
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def processes(self) -> list[int]:
        """Who was started with anything of this place in its environment."""
        return [pid for pid in _pids() if str(self.temporary).encode() in _environment(pid)]

    def is_clean(self) -> bool:
        """Whether nothing is left: no process, no temporary file, and nothing in the user's home."""
        left = [*self.temporary.iterdir(), *self.home.iterdir()]
        return not self.processes() and not left


def _pids() -> Iterator[int]:
    return (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())


def _environment(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:  # it ended meanwhile, or is another user's
        return b""


def _used() -> float:
    """The processor time of the children that have ended, and of theirs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@pytest.fixture
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    made = Stage(tmp_path_factory.mktemp("demo"))
    yield made
    for pid in made.processes():
        os.kill(pid, signal.SIGKILL)


def test_every_step_goes_as_told_and_nothing_is_left(stage: Stage) -> None:
    before = _used()
    process = stage.start("--once", "--json")
    said, errors = process.communicate(timeout=90)
    assert process.returncode == 0, said + errors
    told = json.loads(said)
    assert told["as_told"] is True
    reasons = {step["id"]: step["reason"] for step in told["steps"]}
    assert reasons["poisoned-tool"] == "integrity.unapproved"
    assert reasons["rug-pull"] == "integrity.drift"
    assert reasons["injection"].startswith("output/")
    assert reasons["secret"].startswith("secret/")
    assert reasons["command-injection"] == "inspection.argument"
    assert reasons["config-write"] == "inspection.agent_config"
    assert all(step["found"] for step in told["steps"][1:3])
    assert bait.secret() not in said + errors
    assert stage.is_clean()
    assert _used() - before < LONGEST


def test_the_endpoint_stays_until_the_user_ends_it(stage: Stage) -> None:
    port = free_port()
    process = stage.start("--port", str(port))
    assert process.stderr is not None
    assert process.stdout is not None
    shown = ""
    while "audit tail" not in shown:
        line = process.stderr.readline()
        assert line, process.stdout.read()
        shown += line
    assert httpx2.post(f"http://127.0.0.1:{port}/mcp", trust_env=False).status_code == 401
    (home,) = stage.temporary.iterdir()
    assert str(home / "bawn.yaml") in shown
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=40)
    assert process.returncode == 0
    assert "All 7 steps went as told." in said
    assert "\x1b" not in said
    assert stage.is_clean()


def test_ended_half_way_nothing_is_left(stage: Stage) -> None:
    process = stage.start()
    assert process.stdout is not None
    for line in process.stdout:
        if "An honest call" in line:  # there is much to come
            break
    for _ in range(20):  # whoever is impatient changes nothing
        process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=40)
    assert process.returncode == 1
    assert "before the story was over" in errors
    assert stage.is_clean()


def test_ended_while_the_gate_starts_nothing_is_left(stage: Stage) -> None:
    process = stage.start("--once")
    wait_until(lambda: list(stage.temporary.glob("*/state/run")), what="the beginning of a gate")
    process.send_signal(signal.SIGTERM)
    said, errors = process.communicate(timeout=40)
    assert process.returncode == 1, said
    assert "before the story was over" in errors
    assert stage.is_clean()


def test_a_port_that_is_taken_is_told_and_nothing_is_left(stage: Stage) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        process = stage.start("--once", "--port", str(taken.getsockname()[1]))
        said, errors = process.communicate(timeout=60)
    assert process.returncode == 1, said
    assert "the gate did not start" in errors
    assert "Traceback" not in errors
    assert stage.is_clean()
