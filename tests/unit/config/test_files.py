"""Reading is bounded, and waits for nothing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bawn.config.files import read


def test_one_byte_more_than_the_bound_tells_that_there_is_more(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"abcdef")

    assert read(tmp_path / "file", 3)[0] == b"abcd"
    assert read(tmp_path / "file", 6)[0] == b"abcdef"


def test_what_is_no_plain_file_is_refused_and_its_descriptor_closed(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    before = len(list(Path("/dev/fd").iterdir()))

    for name in ("pipe", "."):
        with pytest.raises(OSError, match="not a regular file"):
            read(tmp_path / name, 10)
    assert len(list(Path("/dev/fd").iterdir())) == before


def test_a_link_is_followed_only_where_it_may_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    (tmp_path / "link").symlink_to("file")

    assert read(tmp_path / "link", 10)[0] == b"x"
    with pytest.raises(OSError, match=r"[Ss]ymbolic"):
        read(tmp_path / "link", 10, follow=False)
