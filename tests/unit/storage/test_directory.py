from __future__ import annotations

import multiprocessing
import os
import stat
from multiprocessing.queues import Queue
from pathlib import Path

import pytest

from bawn.errors import Misconfigured
from bawn.storage import StateDirectory, read_private
from bawn.storage.directory import MAX_SOCKET


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_it_and_its_parts_are_for_the_owner_alone(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        state = StateDirectory(tmp_path / "a" / "state")
    finally:
        os.umask(old)
    parts = [state.path, state.keys, state.audit, state.subjects, state.secrets, state.run]
    parts += [state.quarantine]
    assert [mode(part) for part in parts] == [0o700] * 7


@pytest.mark.parametrize("bits", [0o720, 0o702, 0o777])
def test_one_that_others_can_write_is_refused(tmp_path: Path, bits: int) -> None:
    tmp_path.chmod(bits)
    with pytest.raises(Misconfigured, match=r"others can use.*chmod 700"):
        StateDirectory(tmp_path)


def test_a_part_that_others_can_write_is_refused(tmp_path: Path) -> None:
    state = StateDirectory(tmp_path / "state")
    state.keys.chmod(0o770)
    with pytest.raises(Misconfigured, match="keys"):
        StateDirectory(tmp_path / "state")


def test_one_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    StateDirectory(tmp_path / "state")
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(Misconfigured, match="belongs to user"):
        StateDirectory(tmp_path / "state")


def test_a_file_in_its_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("")
    with pytest.raises(Misconfigured, match="cannot be created"):
        StateDirectory(tmp_path / "state")


def test_a_key_is_made_once_and_private(tmp_path: Path) -> None:
    state = StateDirectory(tmp_path)
    made = state.key("seal", lambda: b"one")
    assert made == state.key("seal", lambda: b"two") == b"one"
    assert mode(state.keys / "seal") == 0o600


@pytest.mark.parametrize("name", ["../up", "a/b", "", ".hidden", "a\0b", "x" * 129])
def test_a_key_name_cannot_leave_the_directory(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="plain file name"):
        StateDirectory(tmp_path).key(name, bytes)


def test_a_maker_that_fails_leaves_nothing(tmp_path: Path) -> None:
    state = StateDirectory(tmp_path)
    with pytest.raises(ZeroDivisionError):
        state.key("seal", lambda: bytes(1 // 0))
    assert state.key("seal", lambda: b"x") == b"x"


def _make(path: Path, ready: Queue[str], go: Queue[str], out: Queue[bytes]) -> None:
    state = StateDirectory(path)
    ready.put("")
    go.get()
    out.put(state.key("race", lambda: os.urandom(32)))


def test_processes_that_race_for_a_key_get_the_same(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    ready, go, out = spawn.Queue(), spawn.Queue(), spawn.Queue()
    workers = [spawn.Process(target=_make, args=(tmp_path, ready, go, out)) for _ in range(4)]
    for worker in workers:
        worker.start()
    for _ in workers:
        ready.get(timeout=60)
    for _ in workers:
        go.put("")
    keys = {out.get(timeout=60) for _ in workers}
    for worker in workers:
        worker.join()
    assert len(keys) == 1
    assert keys == {read_private(tmp_path / "keys" / "race")}


def test_a_second_gate_is_refused_and_told_who_holds_it(tmp_path: Path) -> None:
    state = StateDirectory(tmp_path)
    with (
        state.hold(),
        pytest.raises(Misconfigured, match=rf"in use by process {os.getpid()} since 2"),
        StateDirectory(tmp_path).hold(),
    ):
        pytest.fail("held twice")
    with state.hold():
        pass


def test_a_socket_lies_in_the_state_when_its_path_is_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bawn.storage.directory._own_directory", lambda *_a, **_k: None)
    state = StateDirectory(Path("/s"))
    assert state.socket("runner") == Path("/s/run/runner")


@pytest.fixture
def long_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StateDirectory:
    monkeypatch.setenv("XDG_RUNTIME_DIR", f"/tmp/bawn-test-{os.getpid()}")
    return StateDirectory(tmp_path / ("d" * MAX_SOCKET))


def test_a_long_path_gives_a_short_socket_in_a_private_directory(
    long_state: StateDirectory,
) -> None:
    path = long_state.socket("runner")
    try:
        assert len(os.fsencode(path)) <= MAX_SOCKET
        assert path.parent == Path(os.environ["XDG_RUNTIME_DIR"]) / "bawn"
        assert mode(path.parent) == 0o700
    finally:
        path.parent.rmdir()
        path.parent.parent.rmdir()


def test_processes_with_another_environment_agree_on_the_socket(
    long_state: StateDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = long_state.socket("runner")
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    assert StateDirectory(long_state.path).socket("runner") == path
    path.parent.rmdir()
    path.parent.parent.rmdir()


def test_states_do_not_share_a_socket(
    long_state: StateDirectory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = long_state.socket("runner")
    second = StateDirectory(tmp_path / ("e" * MAX_SOCKET)).socket("runner")
    assert first != second
    first.parent.rmdir()
    first.parent.parent.rmdir()


def test_a_socket_directory_that_others_can_enter_is_not_used(
    long_state: StateDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    loose = Path(os.environ["XDG_RUNTIME_DIR"]) / "bawn"
    loose.mkdir(parents=True)
    loose.chmod(0o755)
    try:
        assert long_state.socket("runner").parent == Path(f"/tmp/bawn-{os.geteuid()}")
    finally:
        loose.rmdir()
        loose.parent.rmdir()


def test_a_recorded_socket_directory_that_went_bad_is_chosen_anew(
    long_state: StateDirectory,
) -> None:
    first = long_state.socket("runner").parent
    first.chmod(0o777)
    try:
        assert long_state.socket("runner").parent == Path(f"/tmp/bawn-{os.geteuid()}")
    finally:
        first.rmdir()
        first.parent.rmdir()
