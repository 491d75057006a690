from __future__ import annotations

from pathlib import Path

from bawn.app.places import Places
from bawn.storage import StateDirectory


def test_a_new_run_begins_with_nothing_of_the_last_one(tmp_path: Path) -> None:
    places = Places(StateDirectory(tmp_path / "state"))
    first = places.begin()
    first.publish(b"1" * 32)
    left = places.shelf().put(b"a view")
    for path in (places.health, places.listings, places.worker(1, 0), places.worker(12, 63)):
        path.write_bytes(b"left by a killed gate")
    second = places.begin()
    assert (first.word[0], second.word[0], places.barrier().word[0]) == (1, 0, 0)
    assert not (places.state.run / "editions" / left).exists()
    assert not places.health.exists()
    assert not places.listings.exists()
    assert not places.worker(12, 63).exists()


def test_the_end_of_a_run_leaves_nothing(tmp_path: Path) -> None:
    places = Places(StateDirectory(tmp_path / "state"))
    places.begin()
    places.unix.write_bytes(b"")
    places.clear((places.unix, places.runner))
    assert {path.name for path in places.state.run.iterdir()} <= {"sockets", ".lock"}
