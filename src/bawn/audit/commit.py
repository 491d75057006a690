"""Waiting for the disk, in a thread of its own: one fdatasync for all who wait at the same time."""

from __future__ import annotations

import asyncio
import logging
import os
from collections import deque
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

from bawn.audit.segment import SegmentFile
from bawn.errors import AUDIT_UNAVAILABLE, Refused

_sync: Final = os.fdatasync if hasattr(os, "fdatasync") else os.fsync  # macOS has fsync only

log = logging.getLogger("bawn.audit")


@dataclass(slots=True)
class _Round:
    """Those who wait for the same sync. The descriptor is its own: the segment may be left meanwhile."""

    segment: SegmentFile
    descriptor: int
    waiting: list[asyncio.Future[None]] = field(default_factory=list)


class Committer:
    """Brings segments and new keys to the disk; `failed` hears of each segment that it could not.

    All methods are for the one thread of the event loop.
    """

    def __init__(self, failed: Callable[[SegmentFile, Exception], None]) -> None:
        self._failed = failed
        self._thread = ThreadPoolExecutor(1, "bawn-audit-sync")
        self._keys: deque[Path] = deque()  # made, and not known to be on the disk
        self._rounds: deque[_Round] = deque()
        self._busy = False
        self._named: SegmentFile | None = None  # the segment whose name is on the disk

    def key(self, path: Path) -> None:
        """Bring a new key to the disk, before any segment that is waited for from here on."""
        self._keys.append(path)
        self._thread.submit(self._try_keys)

    def durable(self, segment: SegmentFile) -> Awaitable[None]:
        """Wait until what stands in this segment now outlives a power loss.

        Raises:
            OSError: there is no descriptor to wait with.
        """
        loop = asyncio.get_running_loop()
        if not self._rounds or self._rounds[-1].segment is not segment:
            self._rounds.append(_Round(segment, os.dup(segment.descriptor)))
        future: asyncio.Future[None] = loop.create_future()
        self._rounds[-1].waiting.append(future)
        if not self._busy:
            self._begin(loop)
        return future

    def now(self, segment: SegmentFile) -> None:
        """Wait, here and now, until what stands in this segment outlives a power loss.

        Raises:
            OSError: the disk did not confirm.
        """
        directory = None if segment is self._named else segment.path.parent
        try:
            self._thread.submit(self._sync_all, directory, os.dup(segment.descriptor)).result()
        except OSError as problem:
            if segment.usable:
                segment.usable = False
                self._failed(segment, problem)
            raise
        self._named = segment

    def close(self, segment: SegmentFile | None) -> None:
        """Wait for the disk one last time, here and now.

        Raises:
            OSError: it did not confirm.
        """
        self._thread.shutdown(wait=True)
        if segment is not None:
            self._sync_all(segment.path.parent, os.dup(segment.descriptor))

    def _begin(self, loop: asyncio.AbstractEventLoop) -> None:
        group = self._rounds.popleft()
        self._busy = True
        directory = None if group.segment is self._named else group.segment.path.parent
        done = self._thread.submit(self._sync_all, directory, group.descriptor)
        done.add_done_callback(
            lambda done: loop.call_soon_threadsafe(partial(self._end, loop, group, done))
        )

    def _end(self, loop: asyncio.AbstractEventLoop, group: _Round, done: Future[None]) -> None:
        problem = done.exception()
        # The kernel tells of pages it lost only once: nobody may rely on that segment any more.
        if group.segment.usable and isinstance(problem, Exception):
            group.segment.usable = False
            self._failed(group.segment, problem)
        if group.segment.usable:
            self._named = group.segment
        for future in group.waiting:
            if future.done():
                continue  # cancelled
            if group.segment.usable:
                future.set_result(None)
            else:
                detail = f"the disk did not confirm the record: {problem}"
                future.set_exception(Refused(AUDIT_UNAVAILABLE, detail=detail))
        self._busy = False
        if self._rounds:
            self._begin(loop)

    # ── in the thread ───────────────────────────────────────────────────────────────────────────

    def _sync_all(self, directory: Path | None, descriptor: int) -> None:
        try:
            self._sync_keys()
            _sync(descriptor)
            if directory is not None:
                sync_directory(directory)
        finally:
            os.close(descriptor)

    def _try_keys(self) -> None:
        try:
            self._sync_keys()
        except OSError as problem:  # they stay in the line: the next one tries again
            log.error("a caller's key may be lost with the power: %s", problem)

    def _sync_keys(self) -> None:
        """Sync every key in the line; each leaves it when it and its name are on the disk."""
        keys = list(self._keys)
        for path in keys:
            try:
                descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
            except FileNotFoundError:
                continue  # erased
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        if keys:
            sync_directory(keys[0].parent)
        for _ in keys:
            self._keys.popleft()


def sync_directory(directory: Path) -> None:
    """Wait until the names in a directory are on the disk."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
