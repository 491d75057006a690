from __future__ import annotations

import os
import time
from hashlib import sha256
from pathlib import Path

import pytest

from bawn.barrier.shelf import FORGOTTEN, KEPT, Shelf
from bawn.errors import Refused


def test_what_was_put_is_had_by_its_digest(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    name = shelf.put(b"one")
    assert name == sha256(b"one").hexdigest()
    assert Shelf(tmp_path).get(name) == b"one"
    assert shelf.put(b"one") == name


def test_content_that_was_changed_is_refused(tmp_path: Path) -> None:
    name = Shelf(tmp_path).put(b"one")
    (tmp_path / name).write_bytes(b"two")
    with pytest.raises(Refused) as caught:
        Shelf(tmp_path).get(name)
    assert caught.value.reason.id == "gate.not_ready"


def test_what_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused) as caught:
        Shelf(tmp_path).get("0" * 64)
    assert caught.value.reason.id == "gate.not_ready"


def test_the_newest_stay_and_the_others_go(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    names = [shelf.put(str(number).encode()) for number in range(KEPT + 3)]
    for name in names:
        shelf.keep(name)
    shelf.keep(names[-KEPT])  # used again: it is the newest now
    shelf.keep(shelf.put(b"another"))
    left = {path.name for path in tmp_path.iterdir()}
    assert names[-KEPT] in left
    assert len(left) == KEPT
    assert names[0] not in left


def test_what_nobody_used_goes_after_a_while(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    kept, forgotten, fresh = (shelf.put(each) for each in (b"kept", b"forgotten", b"fresh"))
    half = tmp_path / ".half-written"
    half.write_bytes(b"x")
    long_ago = time.time() - 2 * FORGOTTEN
    for path in (tmp_path / kept, tmp_path / forgotten, half):
        os.utime(path, (long_ago, long_ago))
    shelf.keep(kept)
    assert {path.name for path in tmp_path.iterdir()} == {kept, fresh}
