"""What is left when a keeper was killed: found and ended by the process above it.

The runner and the supervisor are subreapers: who loses a keeper becomes a child of the runner, and
who loses the runner as well a child of the supervisor. Such an orphan is known by its session. Every
keeper opens a session of its own and no process can ever come back into another one (setsid(2)), so
a child in a session other than ours, and that we did not start there, was left behind.
Elsewhere than on Linux nobody is found.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import Final

from bawn.runner import keeper

ROUND: Final = 0.005
"""Seconds between two looks."""

keepers: set[int] = set()
"""The keepers that this process has started and that it has not yet seen the end of."""
_adopting = threading.Event()


def adopt() -> None:
    """Become the parent of every descendant that loses its own. Once, at the process's start."""
    keeper.become_subreaper()
    _adopting.set()


def kill_orphans(keep: Collection[int] = ()) -> int:
    """Kill every orphan below this process with its whole tree, once; how many were found.

    Children in this process's own session, living keepers of its own and those in `keep` stay, with
    all below them. What it killed it also reaps, then or in a later round: only 0 says that nothing
    is left. Takes well under a millisecond when there is nothing to do. Finds nobody before `adopt`.
    """
    orphans = _orphans(keep) if _adopting.is_set() else []
    if orphans:
        keeper.kill_trees(lambda: _orphans(keep))
    for pid in orphans:
        with suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
    return len(orphans)


async def sweep(keep: Callable[[], Collection[int]] = tuple, seconds: float = 10.0) -> int:
    """Kill orphans until none is left, or for so many seconds; how many are left."""
    loop = asyncio.get_running_loop()
    give_up = loop.time() + seconds
    while (left := kill_orphans(keep())) and loop.time() < give_up:  # noqa: ASYNC110 - no event tells
        await asyncio.sleep(ROUND)
    return left


def _orphans(keep: Collection[int]) -> list[int]:
    ours = os.getsid(0)
    found = keeper.children(os.getpid())
    return [p for p in found if p not in keepers and p not in keep and _session(p) != ours]


def _session(pid: int) -> int:
    """The session of a child, zombies included; ours for one that was taken in meanwhile."""
    with suppress(ProcessLookupError):
        return os.getsid(pid)
    return os.getsid(0)
