from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bawn.errors import STORE_UNAVAILABLE, Refused
from bawn.ports import UpstreamSession, UpstreamSessions
from bawn.storage import StateDirectory
from bawn.storage.database import Database
from bawn.storage.upstream_sessions import KEPT, SharedSessions

ONE = UpstreamSession({"protocolVersion": "2025-06-18"}, "2025-06-18", "secret-one")
TWO = UpstreamSession({"protocolVersion": "2025-06-18"}, "2025-06-18", "secret-two")
NO_ID = UpstreamSession({}, "2025-06-18", None)


class World:
    """Two workers on one database."""

    def __init__(self, path: Path) -> None:
        self.now = 1e9
        self.path = path
        self.state = StateDirectory(path)
        self.databases = [Database(path / "state.db") for _ in range(2)]
        self.a, self.b = (
            SharedSessions(database, self.state, lambda: self.now) for database in self.databases
        )


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path / "state")
    yield world
    for database in world.databases:
        database.close()


def test_they_are_upstream_sessions(world: World) -> None:
    sessions: UpstreamSessions = world.a
    assert sessions.find("files", "k") is None


@pytest.mark.parametrize("session", [ONE, NO_ID])
def test_what_one_worker_offers_the_other_finds_at_once(
    world: World, session: UpstreamSession
) -> None:
    assert world.a.offer("files", "k", session, None) == session
    assert world.b.find("files", "k") == session
    assert world.b.find("files", "other") is None
    assert world.b.find("other", "k") is None


def test_the_first_offer_stands(world: World) -> None:
    world.a.offer("files", "k", ONE, None)
    assert world.b.offer("files", "k", TWO, None) == ONE
    assert world.a.find("files", "k") == ONE


def test_one_that_has_died_is_replaced_by_whoever_saw_that_one_die(world: World) -> None:
    world.a.offer("files", "k", ONE, None)
    assert world.b.offer("files", "k", TWO, ONE) == TWO
    assert world.a.offer("files", "k", NO_ID, ONE) == TWO
    assert world.a.find("files", "k") == TWO


def test_between_looking_and_writing_another_may_have_been_quicker(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    standing = world.a._standing

    def slow(server: str, isolation: str) -> bytes | None:
        found = standing(server, isolation)
        if not raced:
            raced.append(world.b.offer("files", "k", TWO, None))
        return found

    raced: list[UpstreamSession] = []
    monkeypatch.setattr(world.a, "_standing", slow)
    assert world.a.offer("files", "k", ONE, None) == TWO


def test_the_database_alone_tells_no_session_id(world: World) -> None:
    world.a.offer("files", "k", ONE, None)
    files = list(world.path.glob("state.db*"))
    assert len(files) == 3
    assert all(b"secret-one" not in path.read_bytes() for path in files)


def test_a_row_serves_no_other_key(world: World) -> None:
    world.a.offer("files", "k", ONE, None)
    world.databases[0].change("UPDATE upstream_sessions SET isolation = 'mallory'")
    assert world.b.find("files", "mallory") is None
    assert world.b.offer("files", "mallory", TWO, None) == TWO
    assert world.a.find("files", "mallory") == TWO


def test_without_its_key_it_is_as_empty_and_begins_anew(world: World) -> None:
    world.a.offer("files", "k", ONE, None)
    (world.path / "keys" / "state-db").unlink()
    later = SharedSessions(world.databases[0], world.state)
    assert later.find("files", "k") is None
    assert later.offer("files", "k", TWO, None) == TWO
    assert later.find("files", "k") == TWO


def test_a_store_that_fails_is_as_an_empty_one(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.a.offer("files", "k", ONE, None)

    def fail(*_: object) -> None:
        raise Refused(STORE_UNAVAILABLE)

    monkeypatch.setattr(world.databases[0], "rows", fail)
    assert world.a.find("files", "k") is None
    assert world.a.offer("files", "k", TWO, None) == TWO
    monkeypatch.undo()
    assert world.a.find("files", "k") == ONE


def test_what_nobody_asks_for_any_more_is_swept(world: World) -> None:
    world.a.offer("files", "old", ONE, None)
    world.now += KEPT - 10
    world.a.offer("files", "young", ONE, None)
    world.now += 20 + 3600
    world.a.offer("files", "new", ONE, None)
    assert world.a.find("files", "old") is None
    assert world.a.find("files", "young") == ONE
