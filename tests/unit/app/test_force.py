from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from bawn.app.cuts import CutList
from bawn.app.force import Force
from bawn.app.places import Places
from bawn.app.process import ChildFailedError
from bawn.barrier.edition import Cut, Edition, decode
from bawn.barrier.shelf import Shelf
from bawn.storage import StateDirectory


class Yard:
    """A force over a state directory, and a crew with a View."""

    def __init__(self, place: Path) -> None:
        self.places = Places(StateDirectory(place / "state"))
        self.force = Force(self.places, CutList(self.places.state))
        self.force.open()
        self.crew: Any = self.a_crew(1)

    def a_crew(self, epoch: int) -> Any:
        view = self.places.shelf().put(f"view {epoch}".encode())
        return cast(Any, SimpleNamespace(epoch=epoch, size=2, view=view, doubted=()))

    def in_force(self) -> Edition:
        _, digest = self.places.barrier().read()
        return decode(self.places.shelf().get(digest.hex()))


@pytest.fixture
def yard(tmp_path: Path) -> Yard:
    return Yard(tmp_path)


def test_a_view_is_in_force_when_its_crew_is(yard: Yard) -> None:
    yard.force.on_view(yard.crew)
    assert yard.places.barrier().word[0] == 0
    yard.force.crew = yard.crew
    yard.force.on_view(yard.crew)
    assert yard.in_force() == Edition(1, 2, yard.crew.view)


def test_a_crew_is_prepared_first_and_put_in_force_by_one_write(yard: Yard) -> None:
    yard.force.put(yard.crew, yard.force.prepare(yard.crew))
    later = yard.a_crew(2)
    name = yard.force.prepare(later)
    assert yard.in_force().epoch == 1
    yard.force.put(later, name)
    assert yard.in_force() == Edition(2, 2, later.view)


def test_a_crew_without_a_view_is_not_put_in_force(yard: Yard) -> None:
    yard.crew.view = None
    with pytest.raises(ChildFailedError):
        yard.force.prepare(yard.crew)
    gone = yard.a_crew(2)
    yard.force.drop(gone)
    with pytest.raises(ChildFailedError):
        yard.force.prepare(gone)


def test_cuts_and_keys_are_in_force_at_once(yard: Yard) -> None:
    yard.force.put(yard.crew, yard.force.prepare(yard.crew))
    cut = Cut("server", "files", 1.0)
    assert yard.force.cut(cut)
    assert yard.in_force().cuts == (cut,)
    yard.force.renew_ring()
    assert (yard.in_force().ring, yard.in_force().cuts) == (1, (cut,))
    assert yard.force.restore(lambda each: True) == 1
    assert yard.in_force().cuts == ()


def test_before_a_crew_there_are_cuts_all_the_same(yard: Yard) -> None:
    assert yard.force.cut(Cut("gate", "", 1.0))
    yard.force.put(yard.crew, yard.force.prepare(yard.crew))
    assert yard.in_force().cuts == (Cut("gate", "", 1.0),)


def test_after_the_end_nothing_is_put_in_force(yard: Yard) -> None:
    yard.force.put(yard.crew, yard.force.prepare(yard.crew))
    barrier = yard.places.barrier()
    yard.force.close()
    yard.force.on_view(yard.crew)
    yard.force.renew_ring()
    assert barrier.word[0] == 1


def test_a_cut_that_cannot_be_written_changes_nothing(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    yard.force.put(yard.crew, yard.force.prepare(yard.crew))

    def full(self: Shelf, content: bytes) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Shelf, "put", full)
    with pytest.raises(OSError, match="No space"):
        yard.force.cut(Cut("server", "files", 1.0))
    monkeypatch.undo()
    assert yard.in_force().cuts == ()
    assert CutList(yard.places.state).all == ()
