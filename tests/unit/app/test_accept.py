from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from typing import Any, cast

from bawn.app import accept as module
from bawn.app.accept import Acceptor, Shares


def test_a_worker_is_ahead_while_another_has_fewer(tmp_path: Path) -> None:
    one, other = (Shares(tmp_path / "shares", slot, 2) for slot in (0, 1))
    assert not one.ahead()
    one.tell(1)
    assert one.ahead()
    assert not other.ahead()
    other.tell(1)
    assert not one.ahead()
    assert (tmp_path / "shares").stat().st_mode & 0o077 == 0


class FakeLoop:
    """Readers and timers that a test fires; `connect_accepted_socket` is noted."""

    def __init__(self) -> None:
        self.reader: Any = None
        self.timers: list[tuple[float, Any]] = []
        self.connected: list[Any] = []

    def add_reader(self, descriptor: int, callback: Any) -> None:
        self.reader = callback

    def remove_reader(self, descriptor: int) -> None:
        self.reader = None

    def call_later(self, seconds: float, callback: Any) -> Any:
        self.timers.append((seconds, callback))
        return self

    def cancel(self) -> None:
        self.timers.clear()

    async def connect_accepted_socket(self, make: Any, connection: Any) -> None:
        self.connected.append(connection)

    def create_task(self, work: Any) -> asyncio.Task[Any]:
        return asyncio.get_running_loop().create_task(work)


class FakeListener:
    """Connections that wait, or why none can be taken."""

    def __init__(self, *waiting: Any) -> None:
        self.waiting = list(waiting)
        self.closed = False

    def setblocking(self, flag: bool) -> None: ...

    def fileno(self) -> int:
        return 3

    def accept(self) -> Any:
        if not self.waiting:
            raise BlockingIOError
        first = self.waiting.pop(0)
        if isinstance(first, Exception):
            raise first
        return first, None

    def close(self) -> None:
        self.closed = True


class Yard:
    """An acceptor in slot 0 of two, on fakes."""

    def __init__(self, place: Path, *waiting: Any) -> None:
        self.loop: Any = cast(Any, FakeLoop())
        self.listener: Any = cast(Any, FakeListener(*waiting))
        self.other = Shares(place / "shares", 1, 2)
        self.taken: set[int] = set()
        make: Any = None
        shares = Shares(place / "shares", 0, 2)
        self.acceptor = Acceptor(self.listener, shares, make, self.taken, self.loop)


def sockets(count: int) -> list[socket.socket]:
    return [socket.socket(socket.AF_UNIX) for _ in range(count)]


async def test_what_waits_is_taken(tmp_path: Path) -> None:
    waiting = sockets(1)
    yard = Yard(tmp_path, *waiting)
    yard.other.tell(9)
    yard.loop.reader()
    await asyncio.sleep(0)
    assert yard.loop.connected == waiting
    assert yard.loop.timers == []
    waiting[0].close()


async def test_who_has_more_lets_another_go_first_and_only_once(tmp_path: Path) -> None:
    waiting = sockets(2)
    yard = Yard(tmp_path, *waiting)
    yard.taken.update({1, 2})
    yard.loop.reader()
    assert yard.loop.connected == []
    assert not yard.loop.reader
    ((seconds, again),) = yard.loop.timers
    assert seconds == module.YIELD
    again()
    yard.loop.reader()  # nobody else took it: it may be dead
    await asyncio.sleep(0)
    assert yard.loop.connected == waiting[:1]
    assert len(yard.loop.timers) == 2  # and the next one is offered again
    for each in waiting:
        each.close()


async def test_the_count_of_a_worker_that_died_is_not_its_successors(tmp_path: Path) -> None:
    dead = Shares(tmp_path / "shares", 0, 2)
    dead.tell(9)
    yard = Yard(tmp_path)
    yard.other.tell(1)
    assert yard.other.ahead()


async def test_without_descriptors_it_rests(tmp_path: Path) -> None:
    yard = Yard(tmp_path, OSError(24, "Too many open files"))
    yard.loop.reader()
    assert [seconds for seconds, _ in yard.loop.timers] == [module.EXHAUSTED]
    assert yard.loop.reader is None


async def test_a_caller_who_left_before_is_no_trouble(tmp_path: Path) -> None:
    yard = Yard(tmp_path, ConnectionAbortedError())
    yard.loop.reader()
    assert yard.loop.reader is not None
    yard.acceptor.close()
    assert yard.listener.closed
    assert yard.loop.reader is None
