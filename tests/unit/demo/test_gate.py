"""The gate of the demo has a place of its own, touches nothing of the user's, and leaves nothing."""

from __future__ import annotations

import io
import json
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import pytest

from bawn.app.launches import refuse_launches
from bawn.config.load import parse
from bawn.demo.benign import OWN, TIME
from bawn.demo.ending import interruptible
from bawn.demo.gate import DemoError, Gate, a_gate
from bawn.storage.compiled import cache_directory

PORT = 21_811


class FakeProcess:
    """A process that says this, and ends when it is asked to, or only when it is killed."""

    def __init__(self, said: str = "", *, stubborn: bool = False) -> None:
        self.stdout = io.StringIO(said)
        self.pid = 4242
        self.done: list[str] = []
        self._stubborn = stubborn

    def terminate(self) -> None:
        self.done.append("terminate")

    def wait(self, timeout: float | None = None) -> int:
        if self._stubborn and timeout is not None:
            raise subprocess.TimeoutExpired("bawn", timeout)
        self.done.append("wait")
        return 7


class Commands:
    """Stands for `subprocess.Popen` of commands: what each says, and with which code it ends.

    A `slow` one never ends by itself.
    """

    def __init__(self, patch: pytest.MonkeyPatch, said: str = "", code: int = 0) -> None:
        self.said, self.code, self.error = said, code, ""
        self.slow = False
        self.done: list[str] = []
        self.ran: list[Sequence[str]] = []
        self.environments: list[dict[str, str]] = []
        patch.setattr(subprocess, "Popen", self._start)

    @property
    def returncode(self) -> int:
        return self.code

    def communicate(self, timeout: float) -> tuple[str, str]:
        if self.slow:
            raise subprocess.TimeoutExpired("bawn", timeout)
        return self.said, self.error

    def kill(self) -> None:
        self.done.append("kill")

    def _start(self, command: Sequence[str], **how: Any) -> Self:
        self.ran.append(command)
        self.environments.append(how["env"])
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *why: object) -> None:
        self.done.append("wait")


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    return Gate(tmp_path, OWN, PORT)


@pytest.mark.parametrize("benign", [OWN, TIME])
def test_the_configuration_is_taken_and_has_both_servers(tmp_path: Path, benign: Any) -> None:
    made = Gate(tmp_path, benign, PORT)
    config = parse(made.config.read_bytes(), made.config, {}).config
    assert config.listen == f"127.0.0.1:{PORT}"
    assert config.loopback_only
    assert config.management.listen is None
    assert config.servers[benign.id].command == benign.command
    hostile = config.servers["toolbox"].command
    assert hostile == (sys.executable, "-I", "-m", "bawn.demo.server")
    refuse_launches(config)
    assert made.endpoint == f"{config.base_url}/mcp"


def test_nothing_of_the_users_own_is_touched_but_the_cache(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BAWN_LISTEN", "0.0.0.0:1")
    monkeypatch.setenv("LANG", "C.UTF-8")
    monkeypatch.setenv("XDG_CACHE_HOME", "/var/cache/me")
    env = gate.environment
    assert not [name for name in env if name.startswith("BAWN_")]
    assert env["LANG"] == "C.UTF-8"
    for name in ("HOME", "TMPDIR", "XDG_STATE_HOME", "XDG_CONFIG_HOME"):
        assert Path(env[name]).is_relative_to(gate.home)
    assert Path(env["XDG_CACHE_HOME"], "bawn", "compiled") == cache_directory()


def test_it_starts_by_the_public_command_and_waits_until_callers_are_served(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = FakeProcess("\nbawn is up.\n\n  Endpoint\n")
    started: list[Sequence[str]] = []

    def popen(command: Sequence[str], **how: Any) -> FakeProcess:
        started.append(command)
        assert how["env"] == gate.environment
        assert how["start_new_session"]
        return process

    monkeypatch.setattr(subprocess, "Popen", popen)
    gate.start()
    (command,) = started
    assert command[:4] == (sys.executable, "-I", "-m", "bawn")
    assert command[4:] == ("up", "--trust-config", "--config", str(gate.config))
    assert gate.wait() == 7
    gate.end()
    assert process.done == ["wait", "terminate", "wait"]
    assert process.stdout.closed


def test_a_gate_that_does_not_start_says_its_last_words(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    def popen(command: Sequence[str], **how: Any) -> FakeProcess:
        how["stderr"].write(b"first\n" * 20 + b"the port is taken\n")
        return FakeProcess("")

    monkeypatch.setattr(subprocess, "Popen", popen)
    with pytest.raises(DemoError, match=r"did not start:\n(first\n){11}the port is taken"):
        gate.start()


def test_a_gate_that_does_not_end_is_killed(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    killed: list[int] = []
    monkeypatch.setattr("os.killpg", lambda pid, number: killed.append(pid))
    gate.process = FakeProcess(stubborn=True)  # type: ignore[assignment]  # stands for Popen
    gate.end()
    assert killed == [4242]


def test_the_token_lies_in_a_private_file(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    commands = Commands(monkeypatch, "abc\n")
    assert gate.token() == "abc"
    assert gate.token_file.read_text() == "abc\n"
    assert stat.S_IMODE(gate.token_file.stat().st_mode) == 0o600
    assert commands.environments == [gate.environment]


def test_what_waits_is_told_with_what_was_found_in_it(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    cues = [
        {"kind": "concealment", "found": "do not tell"},
        {"kind": "detected", "found": "definition/a: text: more"},
        {"kind": "detected", "found": "definition/a: other"},
        {"kind": "detected", "found": "definition/b: text"},
    ]
    waiting = [
        {"aspect": "tool", "name": "add", "drift": {"cues": cues}},
        {"aspect": "tool", "name": "new", "drift": {"cues": []}},
        {"aspect": "prompt", "name": "p", "drift": {"cues": cues}},
    ]
    Commands(monkeypatch, json.dumps({"waiting": waiting}), code=1)  # 1: something waits
    assert gate.waiting() == {"add": ("definition/a", "definition/b"), "new": ()}


def test_a_command_that_fails_says_why(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    commands = Commands(monkeypatch, code=2)
    commands.error = "bawn: no such thing\n"
    with pytest.raises(DemoError, match="`bawn token` failed: bawn: no such thing"):
        gate.token()
    assert not gate.token_file.exists()


def test_a_command_that_takes_too_long_is_told_of_and_ended(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands = Commands(monkeypatch)
    commands.slow = True
    with pytest.raises(DemoError, match="within 60 s"):
        gate.token()
    assert commands.done == ["kill", "wait"]


def test_who_ends_it_as_a_command_begins_ends_that_command_too(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands = Commands(monkeypatch)
    start = commands._start

    def told_to_end(command: Sequence[str], **how: Any) -> Any:
        signal.raise_signal(signal.SIGTERM)
        return start(command, **how)

    monkeypatch.setattr(subprocess, "Popen", told_to_end)
    with pytest.raises(KeyboardInterrupt), interruptible():
        gate.token()
    assert commands.done == ["kill", "wait"]


def test_the_package_is_installed_by_the_users_own_index(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    commands = Commands(monkeypatch)
    Gate(tmp_path, TIME, PORT).install()
    assert "install" in commands.ran[0]
    assert commands.environments[0]["HOME"] == "/home/me"


def test_a_text_is_found_wherever_it_stands(gate: Gate) -> None:
    (gate.home / "state").mkdir()
    (gate.home / "state" / "log").write_bytes(b"\xff\x00 s3cret \n")
    (gate.home / "link").symlink_to(gate.home / "nothing")
    assert gate.keeps("s3cret") == [str(gate.home / "state" / "log")]
    assert gate.keeps("other") == []


@pytest.mark.parametrize("problem", [None, DemoError("no"), KeyboardInterrupt()])
def test_nothing_is_left_however_it_ends(
    problem: BaseException | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    process = FakeProcess()

    def work() -> None:
        with a_gate(OWN, PORT) as made:
            assert made.home.parent == tmp_path
            assert stat.S_IMODE(made.home.stat().st_mode) == 0o700
            made.process = process  # type: ignore[assignment]  # stands for Popen
            if problem is not None:
                raise problem

    if problem is None:
        work()
    else:
        with pytest.raises(type(problem)):
            work()
    assert process.done == ["terminate", "wait"]
    assert list(tmp_path.iterdir()) == []
