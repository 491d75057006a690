"""The audit of real processes: killed at any moment, and on a disk that is full."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bawn.audit.entries import Close, Recovered
from bawn.audit.recover import recover
from bawn.audit.segment import writer_of
from bawn.storage import StateDirectory
from tests.audited import calls, kinds, read, segment_files

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.e2e


def start(state: Path, how: str, first: int = 1) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.e2e.audit_writer", str(state), how, str(first)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def acknowledged(lines: list[str]) -> set[int]:
    return {
        int(line.split()[1]) for line in lines if line.startswith("intent ") and line[-1] == "\n"
    }


@pytest.mark.parametrize("after", [1, 7, 500])
def test_every_acknowledged_intent_of_a_killed_process_stands(tmp_path: Path, after: int) -> None:
    with start(tmp_path / "state", "forever") as process:
        assert process.stdout
        lines = [process.stdout.readline() for _ in range(after)]
        process.send_signal(signal.SIGKILL)
        lines += process.stdout.readlines()
    state = StateDirectory(tmp_path / "state")
    recover(state.audit)
    found, problems = read(state)
    assert problems == []
    # `close`: the kill fell between the end of a full segment and the start of the next
    assert isinstance(found[-1].record, Recovered | Close)
    standing = {int(one.trace, 16) for one in calls(state)}
    assert len(acknowledged(lines)) >= after
    assert acknowledged(lines) <= standing


def test_of_two_writers_one_is_killed_again_and_again_and_neither_loses_an_intent(
    tmp_path: Path,
) -> None:
    state = StateDirectory(tmp_path / "state")
    with start(state.path, "forever") as lasting:
        assert lasting.stdout
        lines = [lasting.stdout.readline()]
        held = writer_of(segment_files(state)[0].name)
        told = acknowledged(lines)
        for number in range(1, 11):
            # two start at once: both find what the last ones left, and one ends it
            pair = [
                start(state.path, "forever", first)
                for first in (number * 10**6, 10**9 + number * 10**6)
            ]
            for process in pair:
                with process:
                    assert process.stdout
                    mine = [process.stdout.readline() for _ in range(1 + 31 * number % 200)]
                    process.send_signal(signal.SIGKILL)
                    mine += process.stdout.readlines()
                told |= acknowledged(mine)
            lines += [lasting.stdout.readline() for _ in range(30)]
        for path in segment_files(state):
            if writer_of(path.name) == held:
                assert b'"kind":"recovered"' not in path.read_bytes()
        lasting.send_signal(signal.SIGKILL)
        lines += lasting.stdout.readlines()
    told |= acknowledged(lines)
    recover(state.audit)
    found, problems = read(state)
    assert problems == []
    every = [int(one.trace, 16) for one in calls(state)]
    assert len(every) == len(set(every))
    assert told <= set(every)
    endings = [one.segment for one in found if isinstance(one.record, Recovered)]
    assert len(endings) == len(set(endings)) >= 11


def test_a_full_disk_refuses_calls_and_loses_nothing(tmp_path: Path) -> None:
    with start(tmp_path / "state", "bounded") as process:
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    lines = output.splitlines(keepends=True)
    refused = [line.split() for line in lines if line.startswith("refused ")]
    assert [reason for _, _, reason in refused] == ["audit.unavailable"] * 3
    state = StateDirectory(tmp_path / "state")
    assert read(state)[1] == []
    assert kinds(state)[-1] == "close"
    told = calls(state)
    assert {
        int(one.trace, 16): one.status for one in told if one.decision == "allowed"
    } == dict.fromkeys(acknowledged(lines), "ok")
    assert [int(one.trace, 16) for one in told if one.decision == "refused"] == [
        int(number) for _, number, _ in refused
    ]
