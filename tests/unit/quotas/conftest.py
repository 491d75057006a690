from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bawn.storage.counters import StoredCounters
from bawn.storage.database import Database


class World:
    """A store of counts with a clock of its own, for several workers."""

    def __init__(self, path: Path) -> None:
        self.now = 1_000_000_020.0  # a minute of the clock begins
        self._path = path
        self.databases: list[Database] = []
        self.counters = self.worker()

    def clock(self) -> float:
        return self.now

    def worker(self) -> StoredCounters:
        self.databases.append(Database(self._path))
        return StoredCounters(self.databases[-1], self.clock)

    def close(self) -> None:
        for database in self.databases:
            database.close()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path / "state.db")
    yield world
    world.close()
