"""What Linux says of processes and of the machine."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_PROC: Final = Path("/proc")


@dataclass(frozen=True, slots=True)
class Cores:
    """Where the measured program runs, and where the load and the upstream do."""

    tested: int
    load: int

    @classmethod
    def available(cls) -> Cores:
        """The first and the last core that this process may use; the same one if it has but one."""
        cores = sorted(os.sched_getaffinity(0))
        return cls(cores[0], cores[-1])


def cpu_ns(pids: Iterable[int]) -> int:
    """CPU time, user and system, of these processes so far, in nanoseconds.

    Threads that have ended are not counted: none of the programs measured ends threads under load.
    """
    total = 0
    for pid in pids:
        for task in (_PROC / str(pid) / "task").iterdir():
            total += int((task / "schedstat").read_text().split()[0])
    return total


def resident(pids: Iterable[int]) -> int:
    """Resident memory of these processes in bytes."""
    total = 0
    for pid in pids:
        for line in (_PROC / str(pid) / "status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                total += int(line.split()[1]) * 1024
    return total


def children(pid: int) -> Iterator[int]:
    """The processes below this one, however deep."""
    parents = dict(_parents())
    below = {pid}
    grown = True
    while grown:
        more = {child for child, parent in parents.items() if parent in below} - below
        below |= more
        grown = bool(more)
    yield from sorted(below - {pid})


def _parents() -> Iterator[tuple[int, int]]:
    for entry in _PROC.iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
            except OSError:
                continue  # it ended meanwhile
            yield int(entry.name), int(stat.rpartition(")")[2].split()[1])


def pin(pid: int, core: int) -> None:
    """Keep a process, with all its threads, on one core."""
    for task in (_PROC / str(pid) / "task").iterdir():
        os.sched_setaffinity(int(task.name), {core})


def machine() -> dict[str, str]:
    """The setting of a measurement, in words."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    return {
        "processor": f"{os.cpu_count()} cores, {_processor()}",
        "memory": f"{memory:.0f} GiB",
        "system": f"{_distribution()}, {platform.system()} {platform.release()}",
        "Python": platform.python_version(),
    }


def _processor() -> str:
    for line in (_PROC / "cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()


def _distribution() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return "unknown distribution"
