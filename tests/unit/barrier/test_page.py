from __future__ import annotations

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.barrier.page import Barrier, TornError


def digest(number: int) -> bytes:
    return number.to_bytes(32, "big")


def test_nothing_is_in_force_before_the_first(tmp_path: Path) -> None:
    writer = Barrier.create(tmp_path / "page")
    assert writer.word[0] == 0


def test_a_reader_sees_what_was_published_at_once(tmp_path: Path) -> None:
    writer = Barrier.create(tmp_path / "page")
    reader = Barrier(tmp_path / "page")
    for number in range(1, 200):  # more than there are places
        assert writer.publish(digest(number)) == number
        assert reader.word[0] == number
        assert reader.read() == (number, digest(number))


def test_a_reader_cannot_write(tmp_path: Path) -> None:
    Barrier.create(tmp_path / "page")
    reader = Barrier(tmp_path / "page")
    with pytest.raises(TypeError):
        reader.word[0] = 7
    with pytest.raises(TypeError):
        reader.publish(digest(1))


def test_a_place_that_does_not_fit_its_number_is_never_believed(tmp_path: Path) -> None:
    writer = Barrier.create(tmp_path / "page")
    writer.publish(digest(1))
    writer.word[0] = 2  # the word without its place, as a reader between two writes may see it
    with pytest.raises(TornError):
        Barrier(tmp_path / "page").read()


def test_the_page_is_private_and_replaces_an_old_one(tmp_path: Path) -> None:
    path = tmp_path / "page"
    old = Barrier.create(path)
    old.publish(digest(1))
    left_behind = Barrier(path)
    new = Barrier.create(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert new.word[0] == 0
    assert left_behind.word[0] == 1  # whoever follows a gate that is gone learns nothing new


@given(st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=150))
def test_the_last_one_published_is_in_force(digests: list[bytes]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as directory:
        writer = Barrier.create(Path(directory) / "page")
        for each in digests:
            writer.publish(each)
        assert writer.read() == (len(digests), digests[-1])
        writer.close()
