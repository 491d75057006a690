"""What a running gate offers is known from what it has published, or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from bawn.app.places import Places
from bawn.barrier import edition, views
from bawn.barrier.edition import Edition
from bawn.barrier.page import Barrier
from bawn.review import known
from bawn.storage import StateDirectory
from tests.unit.review.rulesets import item, view


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(StateDirectory(tmp_path / "state"))


def publish(barrier: Barrier, places: Places, named: str | None) -> None:
    barrier.publish(bytes.fromhex(places.shelf().put(edition.encode(Edition(1, 1, named)))))
    barrier.close()


def test_the_view_is_that_which_is_in_force(places: Places) -> None:
    barrier = places.begin()
    offered = view(item("read"), item("send", server="mail"))
    publish(barrier, places, places.shelf().put(views.dump(offered)))

    found = known.view(places.barrier, places.shelf())

    assert found is not None
    assert found.endpoints.keys() == offered.endpoints.keys()
    assert found.endpoints["mail"].items == offered.endpoints["mail"].items


def test_without_a_gate_or_a_view_nothing_is_known(places: Places) -> None:
    assert known.view(places.barrier, places.shelf()) is None
    places.begin().close()
    assert known.view(places.barrier, places.shelf()) is None
    publish(places.begin(), places, None)
    assert known.view(places.barrier, places.shelf()) is None


def test_a_view_that_was_changed_on_the_disk_is_not_known(places: Places) -> None:
    publish(places.begin(), places, "0" * 64)
    assert known.view(places.barrier, places.shelf()) is None
    (places.state.run / "barrier").write_bytes(b"")
    assert known.view(places.barrier, places.shelf()) is None
