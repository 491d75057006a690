"""One suite for whatever remembers what conversations have touched, seen from one worker and from two."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bawn.flows.flow import Flow
from bawn.model import Label
from bawn.ports import Flows
from bawn.storage.database import Database
from bawn.storage.flows import StoredFlows
from tests.fakes import FakeFlows as InMemory

PRIVATE = frozenset({Label.PRIVATE})
SENDS = frozenset({Label.SENDS})


@pytest.fixture(params=["memory", "one worker", "two workers"])
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Flows, Flows]]:
    """Where something is touched, and where it is asked for."""
    if request.param == "memory":
        memory = InMemory()
        yield memory, memory
        return
    databases = [Database(tmp_path / "state.db") for _ in range(2)]
    one, other = (Flow(StoredFlows(database), 3600.0) for database in databases)
    yield (one, one) if request.param == "one worker" else (one, other)
    for database in databases:
        database.close()


def test_nobody_has_touched_anything_yet(pair: tuple[Flows, Flows]) -> None:
    assert pair[1].touched("c") == frozenset()


def test_what_was_touched_is_known_at_once_however_often_it_was_asked_before(
    pair: tuple[Flows, Flows],
) -> None:
    so_far: frozenset[Label] = frozenset()
    for label in Label:
        pair[0].touch("c", frozenset({label}))
        so_far |= {label}
        assert pair[1].touched("c") == so_far
        assert pair[0].touched("c") == so_far


def test_touching_never_takes_away(pair: tuple[Flows, Flows]) -> None:
    pair[0].touch("c", PRIVATE)
    pair[1].touch("c", SENDS)
    pair[0].touch("c", frozenset())
    assert pair[0].touched("c") == pair[1].touched("c") == PRIVATE | SENDS


def test_conversations_know_nothing_of_each_other(pair: tuple[Flows, Flows]) -> None:
    pair[0].touch("c", PRIVATE)
    pair[0].touch("C", SENDS)
    assert pair[1].touched("c") == PRIVATE
    assert pair[1].touched("d") == pair[1].touched("") == frozenset()
