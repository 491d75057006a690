"""Whoever is killed, nothing is left: runner, keeper, child, and grandchildren that went their own way."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from bawn.model import Json
from bawn.runner.keeper import children
from tests.e2e.runner_process import RunnerProcess, exists, runner, until, words

__all__ = ["runner"]  # a fixture

HOSTILE = str(Path(__file__).parent / "servers" / "hostile.py")
ROUNDS = 10
SECONDS = 2.0

# Three that left their parents, their session and their group, and take no signal but SIGKILL.
SPREAD = """
import os, signal, time
for _ in range(3):
    first = os.fork()
    if not first:
        os.setsid()
        if not os.fork():
            os.setsid()
            for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
                signal.signal(number, signal.SIG_IGN)
            for stream in (0, 1, 2):
                os.close(stream)
            time.sleep(120)
        os._exit(0)
    os.waitpid(first, 0)
"""
# Fifty, each of which is gone before it can be looked at, and has left another in its place.
RACE = """
import os, time
end = time.monotonic() + 20
for _ in range(4):
    if not os.fork():
        while time.monotonic() < end:
            if os.fork():
                os._exit(0)
            os.setsid()
        os._exit(0)
"""
SUPERVISOR = """
import asyncio, subprocess, sys
from bawn.runner import reaper
reaper.adopt()
end = sys.argv[1]
runner = subprocess.Popen([sys.executable, "-m", "bawn.runner", end], pass_fds=[int(end)])
runner.wait()
sys.exit(asyncio.run(reaper.sweep()))
"""

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(sys.platform != "linux", reason="process trees are followed on Linux"),
]
confined = pytest.mark.parametrize("confine", ["off", "required"])


class Mark:
    """The processes that carry one variable in their environment, as the machine sees them."""

    def __init__(self) -> None:
        self.text = f"MARK={uuid.uuid4().hex}"

    def server(self, confine: str) -> Json:
        """A hostile server that passes the mark on to all that comes of it."""
        env = dict([self.text.split("=")])
        made = {"command": [sys.executable, HOSTILE], "isolation": "principal", "env": env}
        return {**made, "confine": confine, "max_children": 500}

    @property
    def pids(self) -> list[int]:
        """Those that run."""
        found = []
        for directory in Path("/proc").iterdir():
            if directory.name.isdigit():
                try:
                    environment = (directory / "environ").read_bytes()
                except OSError:
                    continue
                if self.text.encode() in environment and exists(int(directory.name)):
                    found.append(int(directory.name))
        return found

    async def gone(self) -> None:
        """Wait until none is left, as long as is promised."""
        await until(lambda: not self.pids, SECONDS)


@pytest.fixture
def mark() -> Iterator[Mark]:
    mark = Mark()
    yield mark
    left = mark.pids
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    assert not left


@pytest.fixture(autouse=True)
def _bubblewrap() -> None:
    if shutil.which("bwrap") is None:
        pytest.fail("bubblewrap is not installed: `make test` installs it")


async def spread(runner: RunnerProcess, who: str) -> None:
    assert json.loads(words(await runner.tool("bad", "python", who, code=SPREAD))) is None


@confined
@pytest.mark.parametrize("victim", ["keeper", "child"])
async def test_a_killed_keeper_or_child_leaves_nothing_behind(
    runner: RunnerProcess, mark: Mark, victim: str, confine: str
) -> None:
    runner.order({"bad": mark.server(confine)})
    for number in range(ROUNDS):
        await spread(runner, str(number))
        assert len(mark.pids) >= 4
        (keeper,) = children(runner.process.pid)
        pid = keeper if victim == "keeper" else children(keeper)[0]
        os.kill(pid, signal.SIGKILL)
        await mark.gone()
        await until(lambda: not children(runner.process.pid), SECONDS)
    assert runner.process.poll() is None


@confined
async def test_a_keeper_that_cannot_move_is_done_without(
    runner: RunnerProcess, mark: Mark, confine: str
) -> None:
    runner.order({"bad": mark.server(confine)}, stop=0.1)
    await spread(runner, "anna")
    (keeper,) = children(runner.process.pid)
    os.kill(keeper, signal.SIGSTOP)
    runner.order({})
    await until(lambda: not mark.pids and not exists(keeper), 10)


@confined
async def test_a_killed_runner_leaves_nothing_behind(
    tmp_path: Path, mark: Mark, confine: str
) -> None:
    for number in range(ROUNDS):
        with tempfile.TemporaryDirectory(prefix="bawn-") as home:
            runner = RunnerProcess(tmp_path, Path(home))
            runner.order({"bad": mark.server(confine)})
            await spread(runner, str(number))
            keepers = children(runner.process.pid)
            runner.process.kill()
            runner.process.wait()
            await mark.gone()
            await until(lambda keepers=keepers: not any(map(exists, keepers)), SECONDS)  # type: ignore[misc]
            runner.leave()
            await runner.http.aclose()


@confined
async def test_killed_with_the_keepers_it_leaves_the_rest_to_the_supervisor(
    tmp_path: Path, mark: Mark, confine: str
) -> None:
    for number in range(ROUNDS):
        with tempfile.TemporaryDirectory(prefix="bawn-") as home:
            command = (sys.executable, "-c", SUPERVISOR)
            runner = RunnerProcess(tmp_path, Path(home), command)
            runner.order({"bad": mark.server(confine)})
            await spread(runner, str(number))
            (below,) = children(runner.process.pid)
            victims = [below, *children(below)]
            for signal_ in (signal.SIGSTOP, signal.SIGKILL):  # none of them may clean up
                for pid in victims:
                    os.kill(pid, signal_)
            await mark.gone()
            assert runner.process.wait(5) == 0
            runner.leave()
            await runner.http.aclose()


@confined
@pytest.mark.parametrize("how", ["stop", "keeper"])
async def test_those_who_fork_faster_than_they_are_found_are_gone_as_well(
    runner: RunnerProcess, mark: Mark, confine: str, how: str
) -> None:
    runner.order({"bad": mark.server(confine)}, stop=0.1)
    assert json.loads(words(await runner.tool("bad", "python", "anna", code=RACE))) is None
    began = time.monotonic()
    if how == "stop":
        runner.order({})
    else:
        os.kill(children(runner.process.pid)[0], signal.SIGKILL)
    await until(lambda: not children(runner.process.pid) and not mark.pids, 15)
    assert time.monotonic() - began < 15  # before they would have ended by themselves
