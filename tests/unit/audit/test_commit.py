from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from bawn.audit.commit import Committer
from bawn.audit.segment import SegmentFile, name_of
from bawn.errors import AUDIT_UNAVAILABLE, Refused


class World:
    """A committer, a segment, and what was synced, by name."""

    def __init__(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.failed: list[SegmentFile] = []
        self.committer = Committer(lambda segment, _: self.failed.append(segment))
        self.segment = SegmentFile.create(path / name_of(0, "abcd1234", 0), b"first\n")
        self.synced: list[str] = []
        self.threads: set[str] = set()
        self.broken: set[str] = set()
        monkeypatch.setattr("bawn.audit.commit._sync", self.sync)
        monkeypatch.setattr(os, "fsync", self.sync)

    def sync(self, descriptor: int) -> None:
        name = Path(f"/proc/self/fd/{descriptor}").readlink().name
        self.synced.append(name)
        self.threads.add(threading.current_thread().name)
        if name in self.broken:
            raise OSError(5, "I/O error")


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    (tmp_path / "audit").mkdir()
    world = World(tmp_path / "audit", monkeypatch)
    yield world
    world.broken.clear()
    world.committer.close(None)
    world.segment.release()


async def test_a_segment_is_synced_and_the_first_time_its_name_too(world: World) -> None:
    await world.committer.durable(world.segment)
    await world.committer.durable(world.segment)
    name = world.segment.path.name
    assert world.synced == [name, "audit", name]
    assert len(world.threads) == 1
    assert threading.current_thread().name not in world.threads


async def test_a_segment_that_failed_once_is_relied_on_by_nobody_who_waits(world: World) -> None:
    world.broken.add(world.segment.path.name)
    first = world.committer.durable(world.segment)
    later = world.committer.durable(world.segment)
    for wait in (first, later):
        with pytest.raises(Refused) as caught:
            await wait
        assert caught.value.reason is AUDIT_UNAVAILABLE
    world.broken.clear()
    with pytest.raises(Refused):
        await world.committer.durable(world.segment)
    assert world.failed == [world.segment]


async def test_the_segment_may_be_left_while_it_is_synced(world: World) -> None:
    wait = world.committer.durable(world.segment)
    os.close(world.segment.descriptor)
    await wait
    world.segment.descriptor = os.open(world.segment.path, os.O_RDONLY)


async def test_a_key_that_is_not_on_the_disk_is_tried_again_before_the_next_segment(
    world: World, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    key = tmp_path / "key"
    key.write_bytes(b"x")
    world.broken.add("key")
    world.committer.key(key)
    with pytest.raises(Refused):
        await world.committer.durable(world.segment)
    assert "may be lost" in caplog.text
    world.broken.clear()
    world.synced.clear()
    other = SegmentFile.create(world.segment.path.with_name(name_of(1, "abcd1234", 1)), b"first\n")
    await world.committer.durable(other)
    assert world.synced == ["key", tmp_path.name, other.path.name, "audit"]
    other.release()


async def test_a_key_that_was_erased_meanwhile_stands_in_nobodys_way(
    world: World, tmp_path: Path
) -> None:
    world.committer.key(tmp_path / "gone")
    await world.committer.durable(world.segment)


async def test_many_who_wait_share_a_sync(world: World) -> None:
    waits = [world.committer.durable(world.segment) for _ in range(500)]
    await asyncio.gather(*waits)
    assert world.synced.count(world.segment.path.name) == 2
