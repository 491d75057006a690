from __future__ import annotations

import multiprocessing
import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.errors import Misconfigured
from bawn.storage import StateDirectory
from bawn.storage.ring import Ring


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return StateDirectory(tmp_path).keys


def test_the_first_to_ask_makes_the_first_key(path: Path) -> None:
    keys = Ring(path).keys(100.0)
    assert [len(key) for key in keys] == [32]
    assert Ring(path).keys(200.0) == keys
    assert stat.S_IMODE((path / "sealing").stat().st_mode) == 0o600


def test_the_one_key_of_an_earlier_release_is_taken_over(path: Path) -> None:
    old = bytes(range(32))
    assert StateDirectory(path.parent).key("sealing", lambda: old) == old
    os.utime(path / "sealing", (50, 50))
    ring = Ring(path)
    assert ring.keys(100.0) == [old]
    assert not ring.due(109.0, 60)
    assert ring.due(110.0, 60)
    ring.rotate(110.0, keep=10)
    new, kept = ring.keys(110.0)
    assert kept == old != new


def test_rotation_keeps_a_key_for_a_while_after_it_was_superseded(path: Path) -> None:
    ring = Ring(path)
    (first,) = ring.keys(0.0)
    ring.rotate(100.0, keep=50)
    second, kept = ring.keys(100.0)
    assert kept == first
    ring.rotate(140.0, keep=50)
    assert ring.keys(140.0)[1:] == [second, first]
    ring.rotate(160.0, keep=50)  # the first was superseded at 100, the second at 140
    assert ring.keys(160.0)[2:] == [second]


@given(st.lists(st.floats(0, 1e6), max_size=8), st.floats(0, 1e5))
def test_what_sealed_until_just_now_opens_whatever_the_clock_does(
    times: list[float], keep: float
) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        ring = Ring(Path(folder))
        for now in times:
            before = ring.keys(now)[0]
            ring.rotate(now, keep=keep)
            assert ring.keys(now)[1] == before
            assert ring.keys(now)[0] != before


def test_due_tells_when_the_first_key_has_served_its_time(path: Path) -> None:
    ring = Ring(path)
    ring.keys(1000.0)
    assert [ring.due(now, 100.0) for now in (0.0, 1000.0, 1099.0, 1100.0)] == [
        False, False, False, True,
    ]  # fmt: skip


def test_forgetting_leaves_a_new_key_alone(path: Path) -> None:
    ring = Ring(path)
    before = set(ring.keys(0.0))
    ring.rotate(1.0, keep=100)
    before |= set(ring.keys(1.0))
    ring.forget(2.0)
    (left,) = ring.keys(2.0)
    assert left not in before


@pytest.mark.parametrize(
    "content",
    [
        b"", b"[]", b"{}", b"x" * 31, b"x" * 33, b'[{"made":1,"key":"AAAA"}]', b'[{"made":1}]',
        b'[{"made":"1","key":""}]',
    ],
)  # fmt: skip
def test_what_is_no_ring_is_refused_with_the_next_step(path: Path, content: bytes) -> None:
    (path / "sealing").write_bytes(content)
    (path / "sealing").chmod(0o600)
    ring = Ring(path)
    for use in (
        lambda: ring.keys(1.0),
        lambda: ring.due(1.0, 1.0),
        lambda: ring.rotate(1.0, keep=1.0),
    ):
        with pytest.raises(Misconfigured, match="remove it"):
            use()
    assert (path / "sealing").read_bytes() == content
    ring.forget(1.0)
    assert len(ring.keys(1.0)) == 1


def test_a_ring_that_others_can_read_is_refused(path: Path) -> None:
    Ring(path).keys(1.0)
    (path / "sealing").chmod(0o640)
    with pytest.raises(Misconfigured, match="others can read it"):
        Ring(path).keys(1.0)


def test_a_rotation_that_cannot_be_written_changes_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ring = Ring(path)
    before = ring.keys(1.0)

    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fail)
        with pytest.raises(Misconfigured, match="No space left"):
            ring.rotate(2.0, keep=10)
    assert ring.keys(2.0) == before


def _turn(path: Path, times: int) -> None:
    for number in range(times):
        Ring(path).rotate(float(number), keep=1e9)


def test_processes_that_rotate_at_once_lose_no_key(path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    workers = [spawn.Process(target=_turn, args=(path, 10)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    keys = Ring(path).keys(0.0)
    assert len(keys) == len(set(keys)) == 30
