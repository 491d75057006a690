from __future__ import annotations

from pathlib import Path

import pytest

from bawn.barrier import edition, views
from bawn.barrier.edition import Cut, Cuts, Edition
from bawn.barrier.follower import Follower
from bawn.barrier.page import Barrier
from bawn.barrier.shelf import Shelf
from bawn.compile import compile_view
from bawn.errors import GATE_NOT_READY, Refused
from bawn.model import View
from tests.gate import LISTINGS, House


class Yard:
    """A writer, and a follower of epoch 1 with a note of all that it took in."""

    def __init__(self, directory: Path) -> None:
        self.writer = Barrier.create(directory / "page")
        self.directory = directory / "shelf"
        self.directory.mkdir()
        self.shelf = Shelf(self.directory)
        self.follower = Follower(Barrier(directory / "page"), Shelf(self.directory), 1)
        self.taken: list[str] = []
        self.follower.on_view = self._view
        self.follower.on_cuts = self._cuts
        self.follower.on_ring = lambda: self.taken.append("ring")
        self.view = views.dump(compile_view(House().config, LISTINGS))

    def _view(self, view: View) -> None:
        self.taken.append("view")

    def _cuts(self, cuts: Cuts) -> None:
        self.taken.append(f"cuts {sorted(cuts.servers)}")

    def publish(self, wanted: Edition) -> str:
        name = self.shelf.put(edition.encode(wanted))
        self.writer.publish(bytes.fromhex(name))
        return name


@pytest.fixture
def yard(tmp_path: Path) -> Yard:
    return Yard(tmp_path)


def refused(yard: Yard) -> None:
    assert yard.follower.behind()
    with pytest.raises(Refused) as caught:
        yard.follower.catch_up()
    assert caught.value.reason.id == "gate.not_ready"
    assert yard.follower.behind()


def test_before_the_first_edition_nothing_is_admitted(yard: Yard) -> None:
    refused(yard)


def test_what_is_in_force_is_taken_in_once(yard: Yard) -> None:
    yard.publish(Edition(1, 1, yard.shelf.put(yard.view)))
    assert yard.follower.behind()
    assert yard.follower.catch_up()
    assert not yard.follower.behind()
    assert yard.taken == ["view", "ring", "cuts []"]


def test_only_what_changed_is_taken_in(yard: Yard) -> None:
    name = yard.shelf.put(yard.view)
    yard.publish(Edition(1, 1, name))
    yard.follower.catch_up()
    yard.taken.clear()
    yard.publish(Edition(1, 1, name, (Cut("server", "files", 0.0),)))
    assert yard.follower.behind()
    assert yard.follower.catch_up()
    yard.publish(Edition(1, 1, name, (Cut("server", "files", 0.0),), ring=1))
    assert yard.follower.catch_up()
    assert yard.taken == ["cuts ['files']", "ring"]


def test_a_worker_of_another_configuration_admits_nothing(yard: Yard) -> None:
    name = yard.shelf.put(yard.view)
    yard.publish(Edition(1, 1, name))
    yard.follower.catch_up()
    yard.publish(Edition(2, 3, name))
    for _ in range(3):
        assert yard.follower.behind()
        assert not yard.follower.catch_up()
    assert yard.follower.edition is not None
    assert (yard.follower.edition.epoch, yard.follower.edition.workers) == (2, 3)
    yard.publish(Edition(3, 2, name))
    assert not yard.follower.catch_up()
    assert yard.follower.edition.epoch == 3


def test_a_worker_that_is_early_waits_for_its_configuration(yard: Yard) -> None:
    yard.follower = Follower(yard.follower._barrier, Shelf(yard.directory), 2)
    name = yard.shelf.put(yard.view)
    yard.publish(Edition(1, 1, name))
    assert not yard.follower.catch_up()
    yard.publish(Edition(2, 1, name))
    assert yard.follower.catch_up()


def test_an_edition_that_cannot_be_read_admits_nothing_until_it_can(yard: Yard) -> None:
    view = yard.shelf.put(yard.view)
    name = yard.publish(Edition(1, 1, view))
    content = (yard.directory / name).read_bytes()
    (yard.directory / name).write_bytes(b"{}")
    refused(yard)
    (yard.directory / name).unlink()
    refused(yard)
    (yard.directory / name).write_bytes(content)
    assert yard.follower.catch_up()


def test_a_view_that_cannot_be_read_admits_nothing_until_it_can(yard: Yard) -> None:
    view = yard.shelf.put(yard.view)
    yard.publish(Edition(1, 1, view))
    (yard.directory / view).write_bytes(yard.view[:-1])
    refused(yard)
    (yard.directory / view).write_bytes(yard.view)
    assert yard.follower.catch_up()
    assert "view" in yard.taken


@pytest.mark.parametrize("gone", ["edition", "view"])
def test_what_left_the_shelf_because_it_was_superseded_is_not_missed(yard: Yard, gone: str) -> None:
    """A worker that was slow to read finds the file gone, and something newer in force."""
    view = newer = yard.shelf.put(yard.view)
    edition_ = yard.publish(Edition(1, 1, view))
    slow = Shelf(yard.directory)

    def get(name: str) -> bytes:
        if name == {"edition": edition_, "view": view}[gone] and len(left) == 0:
            left.append(name)
            yard.publish(Edition(1, 1, newer, (Cut("server", "files", 0.0),)))
            raise Refused(GATE_NOT_READY)
        return Shelf(yard.directory).get(name)

    left: list[str] = []
    slow.get = get  # type: ignore[method-assign]  # the shelf of one that is slow
    yard.follower._shelf = slow
    assert yard.follower.catch_up()
    assert left
    assert not yard.follower.behind()
    assert yard.taken[-1] == "cuts ['files']"
