"""Taking connections from a socket that several workers share, so that each gets its part.

The kernel wakes whoever it likes, most often the same one. Here a worker that has more connections
than another lets that one go first, for a moment: should it be dead or busy, nobody waits for it.
"""

from __future__ import annotations

import asyncio
import logging
import mmap
import os
import socket
from collections.abc import Callable, Coroutine, Sized
from pathlib import Path
from typing import Any, Final

log = logging.getLogger("bawn.worker")

YIELD: Final = 0.003
"""Seconds that a worker with more connections lets the others go first."""
EXHAUSTED: Final = 0.1
"""Seconds until the next attempt, when the process may open no more files."""

_SIZE: Final = 4096
_BACKLOG: Final = 64  # connections taken in one go


class Shares:
    """How many connections each worker has: a page of memory in which each writes its own place."""

    def __init__(self, path: Path, slot: int, workers: int) -> None:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            os.ftruncate(descriptor, _SIZE)
            self._page = mmap.mmap(descriptor, _SIZE)
        finally:
            os.close(descriptor)
        self._counts = memoryview(self._page).cast("L")[:workers]
        self._slot = slot

    def tell(self, count: int) -> None:
        """So many are ours."""
        self._counts[self._slot] = count

    def ahead(self) -> bool:
        """Whether somebody has fewer than we have."""
        return min(self._counts) < self._counts[self._slot]


class Acceptor:
    """Takes connections for one worker; `taken` are those that it has."""

    def __init__(
        self,
        listening: socket.socket,
        shares: Shares,
        make: Callable[[], asyncio.Protocol],
        taken: Sized,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._loop = loop
        self._listening = listening
        self._shares = shares
        self._make = make
        self._taken = taken
        self._pause: asyncio.TimerHandle | None = None
        self._yielded = False
        self._starting: set[asyncio.Task[Any]] = set()
        listening.setblocking(False)
        shares.tell(len(taken))  # of the worker in whose place we are, it may be another number
        self._watch()

    def close(self) -> None:
        """Take no more."""
        if self._pause is not None:
            self._pause.cancel()
        self._loop.remove_reader(self._listening.fileno())
        self._shares.tell(0)
        self._listening.close()

    def _watch(self) -> None:
        self._pause = None
        self._loop.add_reader(self._listening.fileno(), self._ready)

    def _rest(self, seconds: float) -> None:
        self._loop.remove_reader(self._listening.fileno())
        self._pause = self._loop.call_later(seconds, self._watch)

    def _ready(self) -> None:
        for _ in range(_BACKLOG):
            self._shares.tell(len(self._taken) + len(self._starting))
            if self._shares.ahead() and not self._yielded:
                self._yielded = True
                self._rest(YIELD)
                return
            self._yielded = False
            try:
                connection, _ = self._listening.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return  # somebody else was quicker, or the caller has gone
            except OSError as problem:
                log.error("no connection can be taken for now: %s", problem)
                self._rest(EXHAUSTED)
                return
            connection.setblocking(False)
            self._start(self._loop.connect_accepted_socket(self._make, connection))

    def _start(self, connecting: Coroutine[Any, Any, Any]) -> None:
        task = self._loop.create_task(connecting)
        self._starting.add(task)
        task.add_done_callback(self._started)

    def _started(self, task: asyncio.Task[Any]) -> None:
        self._starting.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.info("a connection was gone before it began", extra={"why": repr(task.exception())})
