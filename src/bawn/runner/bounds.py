"""Memory and processor bounds of one server: a cgroup of its own where one is to be had.

That is cgroup v2, delegated to this user and without processes of its own, because only the leaves of
that tree hold any ("No Internal Process Constraint", kernel documentation, cgroup-v2). systemd makes
it so with `Delegate=yes` and `DelegateSubgroup=`. Without one, memory is bounded for each process by
RLIMIT_DATA (setrlimit(2)), and the processor is not.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Final

from bawn.config import Server
from bawn.runner.launch import Launch

HIERARCHY: Final = Path("/sys/fs/cgroup")
_OWN: Final = Path("/proc/self/cgroup")
_PERIOD: Final = 100_000  # microseconds, the kernel's own default
_MIB: Final = 1 << 20

_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Bounds:
    """Where cgroups can be made, and which controllers they would have; `parent` None for nowhere."""

    parent: Path | None
    controllers: frozenset[str]

    def apply(self, launch: Launch, server: Server) -> Launch:
        """The launch within this server's bounds, and saying which hold; may block."""
        if server.memory is None and server.cpu is None:
            return launch
        wanted = dict(_wanted(server))
        group = self._group(
            {n: v for n, v in wanted.items() if n.split(".")[0] in self.controllers}
        )
        held = self.controllers if group is not None else frozenset()
        limit = server.memory if "memory" not in held else None
        told = "; ".join(_told(server, held))
        return replace(launch, cgroup=group, data_limit=limit, bounds=told)

    def _group(self, files: dict[str, str]) -> Path | None:
        if self.parent is None or not files:
            return None
        group = self.parent / f"bawn-{os.getpid()}-{next(_numbers)}"
        try:
            group.mkdir()
            for name, value in files.items():
                (group / name).write_text(value)
        except OSError:
            release(group)
            return None
        return group


def find(own: Path = _OWN, hierarchy: Path = HIERARCHY) -> Bounds:
    """What the kernel offers this process."""
    with suppress(OSError, StopIteration):
        lines = own.read_text().splitlines()
        inside = next(line[3:] for line in lines if line.startswith("0::"))
        here = hierarchy / inside.lstrip("/")
        for directory in (here, here.parent):
            if directory.is_relative_to(hierarchy) and (offered := _offered(directory)):
                return Bounds(directory, offered)
    return Bounds(None, frozenset())


def release(group: Path) -> None:
    """Give a cgroup up, once no process is in it."""
    with suppress(OSError):
        group.rmdir()


def _offered(directory: Path) -> frozenset[str]:
    """The controllers that groups below a directory can have."""
    delegated = os.access(directory, os.W_OK) and (os.geteuid() != 0 or _marked(directory))
    if not delegated or (directory / "cgroup.procs").read_text().strip():
        return frozenset()
    present = {"memory", "cpu"} & set((directory / "cgroup.controllers").read_text().split())
    if not present:
        return frozenset()
    switches = " ".join(f"+{name}" for name in sorted(present))
    (directory / "cgroup.subtree_control").write_text(switches)
    return frozenset(present)


def _marked(directory: Path) -> bool:
    """Whether systemd has given this tree away; root could write everywhere, and must not."""
    for name in ("trusted.delegate", "user.delegate"):
        with suppress(OSError, AttributeError):
            if os.getxattr(directory, name) == b"1":
                return True
    return False


def _wanted(server: Server) -> Iterable[tuple[str, str]]:
    if server.memory is not None:
        yield "memory.max", str(server.memory)
    if server.cpu is not None:
        yield "cpu.max", f"{max(1000, round(server.cpu * _PERIOD))} {_PERIOD}"


def _told(server: Server, held: frozenset[str]) -> Iterable[str]:
    if server.memory is not None:
        size = f"{server.memory / _MIB:g} MiB"
        whole, each = (
            "for all its processes (cgroup)",
            "for each of its processes (no cgroup to be had)",
        )
        yield f"memory: {size} {whole if 'memory' in held else each}"
    if server.cpu is not None:
        held_to = f"{server.cpu:g} cores (cgroup)"
        yield f"cpu: {held_to if 'cpu' in held else 'not bounded (no cgroup to be had)'}"
