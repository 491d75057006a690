"""What serves by a lockfile lies ready for all processes; tests/attacks/test_lockfile.py has what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from bawn.app import beside, locked
from bawn.app.locked import Locked
from bawn.errors import Misconfigured
from bawn.model import Kind
from bawn.pins.record import Hold, Record
from bawn.storage import StateDirectory
from bawn.storage.files import ServerFiles
from tests.lockfiles import CONFIG, READ, WRITE, configured, text


def read(home: Path, config: str = CONFIG) -> tuple[Locked, StateDirectory]:
    (home / "bawn.lock").write_bytes(text(configured(home).config))
    state = StateDirectory(home / "state")
    found = locked.read(configured(home, config), state, wanted=True)
    assert found is not None
    return found, state


def test_what_serves_is_put_once_and_read_by_all(tmp_path: Path) -> None:
    found, state = read(tmp_path)
    place = found.put(state.run)
    stamp = place.stat().st_ino
    assert found.put(state.run) == place
    assert place.stat().st_ino == stamp
    record = ServerFiles(place, Record).read("far")
    assert record is not None
    assert [pin.name for pin in record.pins] == ["read", "write"]
    assert ServerFiles(place, Record).read("nobody") is None
    assert place.stat().st_mode & 0o077 == 0
    assert not list(state.run.glob(".locked-*"))


def test_what_is_refused_is_shown_as_withheld_and_lies_elsewhere(tmp_path: Path) -> None:
    found, state = read(tmp_path, CONFIG.replace("isolation: shared", "isolation: session"))
    place = found.put(state.run)
    assert ServerFiles(place, Record).read("far") is None
    (listing,) = locked.refused(str(place))
    assert listing.server == "far"
    assert listing.definitions[Kind.TOOL] == (READ, WRITE)
    whole, _ = read(tmp_path)
    assert whole != found
    assert whole.put(state.run) != place


def test_without_being_asked_for_it_is_not_even_read(tmp_path: Path) -> None:
    state = StateDirectory(tmp_path / "state")
    loaded = configured(tmp_path)
    assert locked.read(loaded, state, wanted=False) is None
    with pytest.raises(Misconfigured, match="no such file"):
        locked.read(loaded, state, wanted=True)


def test_it_tells_itself(tmp_path: Path) -> None:
    found, _ = read(tmp_path)
    assert found.told() == {
        "file": str(tmp_path / "bawn.lock"),
        "digest": found.digest,
        "signers": [],
        "refused": {},
    }


def test_quarantines_are_the_only_thing_that_is_taken_from_the_state() -> None:
    record, held = Record("far", 1.0), (Hold("tool", "x", 1.0, "ann"),)
    assert locked.effective(record, None) is record
    assert locked.effective(record, Record("far", 9.0, 4, holds=held)) == Record(
        "far", 1.0, holds=held
    )


def test_whom_the_lockfile_refuses_is_not_started(tmp_path: Path) -> None:
    read(tmp_path)
    state = StateDirectory(tmp_path / "state")
    other = configured(tmp_path, CONFIG.replace("files-server", "other-server"))
    found = beside.read(other, state, lock=True)
    assert "command" in found.installed["files"].problem
    free = beside.read(other, state)
    assert (free.lock, free.installed) == (None, {})
    assert found.changes_of(free) == ("the installed packages", "bawn.lock")
