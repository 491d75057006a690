from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bawn.errors import STORE_UNAVAILABLE, Refused
from bawn.flows import flow
from bawn.flows.flow import AHEAD, Flow
from bawn.model import Label
from bawn.storage.database import Database
from bawn.storage.flows import StoredFlows

LIFETIME = 100.0
ALL = frozenset(Label)
PRIVATE = frozenset({Label.PRIVATE})
UNTRUSTED = frozenset({Label.UNTRUSTED})


class World:
    """Two workers on one database, which counts their statements."""

    def __init__(self, path: Path) -> None:
        self.now = 1e9
        self.path = path
        self.statements = 0
        self.databases = [Database(path) for _ in range(2)]
        self.a, self.b = (
            Flow(StoredFlows(database, self.clock), LIFETIME, self.clock)
            for database in self.databases
        )

    def clock(self) -> float:
        return self.now

    def watch(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for database in self.databases:
            execute = database._execute

            def counted(*given: Any, execute: Any = execute) -> Any:
                self.statements += 1
                return execute(*given)

            monkeypatch.setattr(database, "_execute", counted)

    def close(self) -> None:
        for database in self.databases:
            database.close()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path / "state.db")
    yield world
    world.close()


def test_what_touches_nothing_new_costs_no_statement(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.a.touch("c", PRIVATE)
    world.watch(monkeypatch)
    for _ in range(100):
        world.a.touch("c", PRIVATE)
        world.a.touch("c", frozenset())
        world.now += 0.01
    assert world.statements == 0
    world.a.touch("c", UNTRUSTED)
    world.a.touch("d", PRIVATE)
    assert world.statements == 2


def test_who_has_touched_everything_needs_not_be_looked_up(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.a.touch("c", ALL)
    assert world.b.touched("c") == ALL
    world.watch(monkeypatch)
    world.now += LIFETIME * AHEAD - 1
    assert world.b.touched("c") == ALL
    assert world.statements == 0
    world.now += 2
    assert world.b.touched("c") == frozenset()


def test_that_something_was_not_touched_is_never_remembered(world: World) -> None:
    for label in Label:
        assert label not in world.b.touched("c")
        world.a.touch("c", frozenset({label}))
        assert label in world.b.touched("c")


def test_a_label_counts_for_a_lifetime_after_the_last_touch_and_a_quarter_more_at_most(
    world: World,
) -> None:
    for _ in range(40):
        world.a.touch("c", PRIVATE)
        last = world.now
        world.now += LIFETIME / 7
    world.now = last + LIFETIME
    assert world.b.touched("c") == PRIVATE
    world.now = last + AHEAD * LIFETIME
    assert world.b.touched("c") == frozenset()


def test_labels_expire_each_in_its_own_time(world: World) -> None:
    world.a.touch("c", PRIVATE)
    world.now += LIFETIME
    world.a.touch("c", UNTRUSTED)
    world.now += LIFETIME / 2
    assert world.a.touched("c") == UNTRUSTED


def test_a_clock_set_back_washes_nothing_clean(world: World) -> None:
    world.a.touch("c", PRIVATE)
    world.now -= 86_400
    assert world.a.touched("c") == world.b.touched("c") == PRIVATE
    world.a.touch("c", PRIVATE)
    world.now += 86_400 + LIFETIME
    assert world.b.touched("c") == PRIVATE


def test_a_restart_forgets_nothing(world: World) -> None:
    world.a.touch("c", PRIVATE)
    world.close()
    database = Database(world.path)
    again = Flow(StoredFlows(database, world.clock), LIFETIME, world.clock)
    assert again.touched("c") == PRIVATE
    database.close()


def test_when_the_store_was_lost_everything_counts_as_touched_for_a_lifetime(world: World) -> None:
    world.a.touch("c", PRIVATE)
    world.close()
    world.path.write_bytes(b"noise" * 1000)
    assert world.a.touched("new") == ALL
    assert world.b.touched("new") == ALL
    world.a.touch("c", PRIVATE)  # written again, though it was before
    world.now += LIFETIME + 1
    assert world.a.touched("new") == frozenset()
    assert world.b.touched("c") == PRIVATE


def test_a_store_that_cannot_be_asked_refuses(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise Refused(STORE_UNAVAILABLE)

    monkeypatch.setattr(world.databases[0], "_execute", fail)
    with pytest.raises(Refused):
        world.a.touched("c")
    for _ in range(2):  # what was not written is not taken for written
        with pytest.raises(Refused):
            world.a.touch("c", PRIVATE)


def test_what_a_worker_remembers_is_bounded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow, "_REMEMBERED", 4)
    for number in range(20):
        world.a.touch(f"{number}", ALL)
        world.a.touched(f"{number}")
    assert len(world.a._written) <= 4
    assert len(world.a._full) <= 4
    assert world.a.touched("0") == ALL


STEPS = st.lists(
    st.tuples(
        st.sampled_from("ab"),
        st.sampled_from("xy"),
        st.frozensets(st.sampled_from(Label)),
        st.sampled_from([0.0, 1.0, LIFETIME / 3, LIFETIME]),
    ),
    max_size=25,
)


@settings(max_examples=20, deadline=None)
@given(STEPS)
def test_whatever_worker_is_asked_nothing_touched_within_the_lifetime_is_missed(
    tmp_path_factory: pytest.TempPathFactory, steps: list[Any]
) -> None:
    world = World(tmp_path_factory.mktemp("flow") / "state.db")
    last: dict[tuple[str, Label], float] = {}
    try:
        for worker, conversation, labels, passes in steps:
            (world.a if worker == "a" else world.b).touch(conversation, labels)
            last.update(dict.fromkeys(((conversation, label) for label in labels), world.now))
            world.now += passes
            for asked in (world.a, world.b):
                for name in "xy":
                    found = asked.touched(name)
                    for label in Label:
                        age = world.now - last.get((name, label), -1e9)
                        if age <= LIFETIME:
                            assert label in found
                        elif age >= AHEAD * LIFETIME:
                            assert label not in found
    finally:
        world.close()
