"""What every store of approvals keeps to, also when several processes change the same one at once."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import pytest

from bawn.errors import STORE_UNAVAILABLE, Refused
from bawn.storage.approvals import KEPT, KEPT_OF_ONE, SWEEP, Stored, StoredApprovals, Verdict, Vote
from bawn.storage.database import Database

NOW = 1e9
T = TypeVar("T")


class Stores:
    """As many connections as are asked for, to the same store and under one clock."""

    def __init__(self, path: Path) -> None:
        self.path = path / "state.db"
        self.now = NOW
        self._open: list[Database] = []

    def clock(self) -> float:
        return self.now

    def one(self) -> StoredApprovals:
        self._open.append(Database(self.path))
        return StoredApprovals(self._open[-1], self.clock)

    def at_once(self, *actions: Callable[[StoredApprovals], T]) -> list[T]:
        """Each action with a connection of its own, in threads."""

        def run(action: Callable[[StoredApprovals], T]) -> T:
            own = Database(self.path)
            try:
                return action(StoredApprovals(own, self.clock))
            finally:
                own.close()

        with ThreadPoolExecutor(4) as pool:
            return [each.result() for each in [pool.submit(run, action) for action in actions]]

    def close(self) -> None:
        for database in self._open:
            database.close()


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[Stores]:
    stores = Stores(tmp_path)
    stores.one()
    yield stores
    stores.close()


def asked(id_: str = "a", **changes: Any) -> Stored:
    stored = Stored(
        id_, "", "owner", f"digest {id_}", "p", "pending", (1,), 100.0, NOW, NOW + 100, "sealed"
    )
    return msgspec.structs.replace(stored, **changes)


def vote(who: str, verdict: Verdict = "grant", *serves: int) -> Vote:
    return Vote(who, verdict, serves or (0,), NOW, "sealed")


def test_what_was_added_is_found_by_id_and_by_what_was_asked(stores: Stores) -> None:
    store, other = stores.one(), stores.one()
    new = asked(needed=(1, 2))
    assert store.add(new, 9)
    assert other.find("a") == other.standing("digest a") == new
    assert (other.find("b"), other.standing("digest b")) == (None, None)


def test_of_many_who_ask_the_same_at_once_one_is_added(stores: Stores) -> None:
    added = stores.at_once(
        *(lambda s, n=n: s.add(asked(f"{n}", digest="same"), 99) for n in range(12))
    )
    assert added.count(True) == 1


def test_no_more_wait_than_may_however_many_ask_at_once(stores: Stores) -> None:
    added = stores.at_once(*(lambda s, n=n: s.add(asked(f"{n}"), 3) for n in range(12)))
    assert added.count(True) == 3
    assert stores.one().waiting("owner", "p") == 3
    assert stores.one().add(asked("else", owner="somebody"), 3)


def test_two_who_vote_at_once_are_two(stores: Stores) -> None:
    for turn in range(20):
        id_ = f"{turn}"
        assert stores.one().add(asked(id_, needed=(2,)), 99)
        said = stores.at_once(
            lambda s, id_=id_: s.vote(id_, "p", vote("x")),  # type: ignore[misc]  # likewise
            lambda s, id_=id_: s.vote(id_, "p", vote("y")),  # type: ignore[misc]  # likewise
        )
        found = stores.one().find(id_)
        assert found is not None
        assert (said, found.state) == ([True, True], "granted")


def test_one_who_votes_many_times_at_once_is_one(stores: Stores) -> None:
    assert stores.one().add(asked(needed=(2,)), 9)
    said = stores.at_once(*(lambda s: s.vote("a", "p", vote("x")) for _ in range(8)))
    found = stores.one().find("a")
    assert found is not None
    assert (said.count(True), found.state) == (1, "pending")


def test_a_yes_and_a_no_at_once_end_as_a_no(stores: Stores) -> None:
    for turn in range(20):
        id_ = f"{turn}"
        assert stores.one().add(asked(id_), 99)
        voices: list[Callable[[StoredApprovals], bool]] = [
            lambda s, id_=id_: s.vote(id_, "p", vote("x")),  # type: ignore[misc]  # likewise
            lambda s, id_=id_: s.vote(id_, "p", vote("y", "deny")),  # type: ignore[misc]  # likewise
        ]
        random.shuffle(voices)
        stores.at_once(*voices)
        found = stores.one().find(id_)
        assert found is not None
        assert found.state == "denied"


def test_of_many_who_use_it_at_once_one_does(stores: Stores) -> None:
    store = stores.one()
    store.add(asked(), 9)
    store.vote("a", "p", vote("x"))
    assert stores.at_once(*(lambda s: s.use("a", "p") for _ in range(12))).count(True) == 1


def test_it_is_granted_when_each_ask_has_as_many_as_it_needs(stores: Stores) -> None:
    store = stores.one()
    store.add(asked(needed=(2, 1)), 9)
    states = []
    for who, serves in (("x", (0,)), ("y", (1,)), ("z", (0, 1))):
        assert store.vote("a", "p", Vote(who, "grant", serves, NOW + 50, "s"))
        found = store.find("a")
        assert found is not None
        states.append((found.state, found.until))
    assert states == [("pending", NOW + 100), ("pending", NOW + 100), ("granted", NOW + 150)]
    assert [each.approver for each in store.votes("a")] == ["x", "y", "z"]


def test_what_is_over_void_or_used_cannot_be_voted_on_or_used(stores: Stores) -> None:
    store = stores.one()
    for id_ in "ab":
        store.add(asked(id_), 9)
    assert not store.vote("a", "another policy", vote("x"))
    assert store.vote("a", "p", vote("x"))
    assert not store.use("a", "another policy")
    assert store.use("a", "p")
    assert not store.vote("a", "p", vote("y", "deny"))
    stores.now += 100
    assert not store.vote("b", "p", vote("x"))
    assert not store.vote("none", "p", vote("x"))
    assert not store.use("none", "p")


def test_a_no_takes_the_place_of_the_same_persons_yes_and_not_the_other_way(stores: Stores) -> None:
    store = stores.one()
    store.add(asked(needed=(2,)), 9)
    assert store.vote("a", "p", vote("x"))
    assert store.vote("a", "p", vote("x", "deny"))
    assert not store.vote("a", "p", vote("x"))
    assert [each.verdict for each in store.votes("a")] == ["deny"]


def test_one_that_is_over_makes_room_for_the_next_of_its_kind(stores: Stores) -> None:
    store = stores.one()
    store.add(asked(), 1)
    stores.now += 100
    assert store.standing("digest a") is None
    assert store.add(asked("b", digest="digest a", created=stores.now, until=stores.now + 9), 1)
    before = store.find("a")
    assert before is not None
    assert before.state == "expired"


def test_one_callers_past_is_forgotten_beyond_a_bound_and_nobody_elses(stores: Stores) -> None:
    store = stores.one()
    store.add(asked("other", owner="somebody", created=NOW), 9)
    store.vote("other", "p", vote("x", "deny"))
    for n in range(KEPT_OF_ONE + 20):
        store.add(asked(f"{n}", created=NOW + n), 9)
        assert store.vote(f"{n}", "p", vote("x", "deny"))
    store.add(asked("last", created=NOW + 1e6), 9)
    found = {each.id for each in store.listed("", "", 9_999)}
    assert found == {"other", "last", *(f"{n}" for n in range(20, KEPT_OF_ONE + 20))}
    assert store.votes("0") == []


def test_lists_are_of_one_tenant_newest_first(stores: Stores) -> None:
    store = stores.one()
    for n in range(4):
        store.add(asked(f"{n}", created=NOW + n, tenant="t" if n == 3 else ""), 9)
    store.vote("0", "p", vote("x"))
    assert [each.id for each in store.listed("", "", 9)] == ["2", "1", "0"]
    assert [each.id for each in store.listed("", "", 2, 1)] == ["1", "0"]
    assert [each.id for each in store.listed("", "pending", 1)] == ["2"]
    assert [each.id for each in store.listed("", "granted", 9)] == ["0"]
    assert [each.id for each in store.listed("t", "", 9)] == ["3"]


def test_who_was_told_is_remembered_until_everybody_was(stores: Stores) -> None:
    store, other = stores.one(), stores.one()
    store.add(asked(), 9)
    store.add(asked("b"), 9)
    store.notice("a", "x")
    store.notice("a", "x")
    assert (other.noticed("a"), other.noticed("b")) == (frozenset({"x"}), frozenset())
    store.told("a")
    assert [each.id for each in other.untold()] == ["b"]
    store.vote("b", "p", vote("x"))
    assert other.untold() == []


def test_what_is_long_over_is_swept_with_its_votes_and_notices(stores: Stores) -> None:
    store = stores.one()
    store.add(asked(), 9)
    store.vote("a", "p", vote("x"))
    store.notice("a", "x")
    stores.now += 100 + KEPT + SWEEP
    store.add(asked("b", until=stores.now + 100), 9)
    assert (store.find("a"), store.votes("a"), store.noticed("a")) == (None, [], frozenset())


def test_a_store_that_cannot_be_asked_refuses(stores: Stores) -> None:
    store = stores.one()
    stores.close()
    stores.path.unlink()
    stores.path.mkdir()
    actions: list[Callable[[], object]] = [
        lambda: store.find("a"),
        lambda: store.add(asked(), 9),
        lambda: store.vote("a", "p", vote("x")),
        lambda: store.use("a", "p"),
        store.untold,
    ]
    for action in actions:
        with pytest.raises(Refused) as caught:
            action()
        assert caught.value.reason is STORE_UNAVAILABLE
