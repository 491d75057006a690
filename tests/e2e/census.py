"""Which processes, sockets, files and descriptors a gate has: from /proc and its state directory."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from bawn.app.control import ask
from bawn.drill.faults import roles
from tests.e2e.gate_process import Gate
from tests.e2e.witnesses import MARK

PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Process:
    """One process of a gate; `name` tells witnesses (w-BIRTH) and their grandchildren (gc-BIRTH)."""

    pid: int
    parent: int
    name: str


@dataclass(frozen=True, slots=True)
class Census:
    """The processes of a gate at one moment."""

    parts: dict[str, list[int]]
    processes: dict[int, Process]

    def line(self, pid: int) -> list[int]:
        """A process and those above it, as far as they are the gate's."""
        found = [pid]
        while (known := self.processes.get(found[-1])) is not None:
            found.append(known.parent)
        return found[:-1]

    @property
    def witnesses(self) -> list[int]:
        """The local servers themselves."""
        return [p.pid for p in self.processes.values() if p.name.startswith("w-")]

    def keeper(self, pid: int) -> int | None:
        """The process between the runner and a local server, if there is one."""
        above = self.line(pid)
        at = next((above.index(one) for one in self.parts["runner"] if one in above), 0)
        return above[at - 1] if at >= 2 else None

    @property
    def leftovers(self) -> list[str]:
        """What nobody looks after any more: not below the supervisor, or a family without its head."""
        (supervisor,) = self.parts["supervisor"]
        alive = {p.name[2:] for p in self.processes.values() if p.name.startswith("w-")}
        return [
            f"{one.name} ({one.pid})"
            for one in self.processes.values()
            if supervisor not in self.line(one.pid)
            or (one.name.startswith("gc-") and one.name[3:] not in alive)
        ]


def take(gate: Gate) -> Census:
    """Count now; a part that is just being replaced is missing.

    The gate's are those below its supervisor, and those that carry its mark or a witness's, however
    far they went from it.
    """
    parts = roles(ask(gate.state, "status")["pids"])
    (supervisor,) = parts["supervisor"]
    everything = {p.pid: p for p in map(_process, _all_processes()) if p is not None}
    whole = Census(parts, everything)
    marks = {MARK.encode(), f"TMPDIR={gate.home}/tmp".encode()}
    found = {
        pid: one
        for pid, one in everything.items()
        if supervisor in whole.line(pid) or marks & set(_environment(pid))
    }
    return Census({"runner": [], **parts}, found)


def choose(victim: str, now: Census, chance: random.Random) -> int:
    """The process to kill."""
    if victim in ("keeper", "child"):
        child = chance.choice(now.witnesses)
        found = child if victim == "child" else now.keeper(child)
        assert found is not None, f"this gate has no {victim}"
        return found
    assert now.parts.get(victim), f"this gate has no {victim}"
    return chance.choice(now.parts[victim])


def _all_processes() -> list[int]:
    return [int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit()]


def _environment(pid: int) -> list[bytes]:
    try:
        return (PROC / str(pid) / "environ").read_bytes().split(b"\0")
    except OSError:  # it ended meanwhile
        return []


def _process(pid: int) -> Process | None:
    """A process, unless it is gone or only waits to be reaped."""
    try:
        stat = (PROC / str(pid) / "stat").read_text()
        name = (PROC / str(pid) / "comm").read_text().strip()
    except OSError:
        return None
    state, parent, *_ = stat.rpartition(")")[2].split()
    return None if state == "Z" else Process(pid, int(parent), name)


def descriptors(pid: int) -> int:
    """How many descriptors a process has open; none if it is gone."""
    try:
        return sum(1 for _ in (PROC / str(pid) / "fd").iterdir())
    except OSError:
        return 0


def connections(port: int, pids: Iterable[int]) -> dict[int, int]:
    """The process that serves each client, by the client's TCP port."""
    holder = {inode: pid for pid in pids for inode in _sockets(pid)}
    found: dict[int, int] = {}
    for line in (PROC / "net" / "tcp").read_text().splitlines()[1:]:
        _, local, remote, _, _, _, _, _, _, inode, *_ = line.split()
        if int(local.rpartition(":")[2], 16) == port and int(inode) in holder:
            found[int(remote.rpartition(":")[2], 16)] = holder[int(inode)]
    return found


def _sockets(pid: int) -> list[int]:
    found = []
    for entry in (PROC / str(pid) / "fd").iterdir():
        try:
            target = str(entry.readlink())
        except OSError:
            continue
        if target.startswith("socket:["):
            found.append(int(target[8:-1]))
    return found


def files(gate: Gate) -> set[str]:
    """What lies where the gate keeps its sockets and temporary files.

    Not the editions, which come and go with what is in force: the campaign counts them at its end.
    """
    places = (gate.state / "run", gate.home / "tmp")
    found = {str(path.relative_to(gate.home)) for place in places for path in place.rglob("*")}
    return {path for path in found if "/editions/" not in path}
