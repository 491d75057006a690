from __future__ import annotations

import socket
import stat
from pathlib import Path

import pytest

from bawn.storage.sockets import listen


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "s.sock"


def test_a_socket_is_private_from_its_first_moment(path: Path) -> None:
    with listen(path) as listener:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert not listener.getblocking()
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))


def test_it_takes_the_place_of_one_that_was_left(path: Path) -> None:
    listen(path).close()
    with listen(path), socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))


def test_a_file_of_another_kind_is_not_touched(path: Path) -> None:
    path.write_text("mine")
    with pytest.raises(OSError, match="in use"):
        listen(path)
    assert path.read_text() == "mine"
