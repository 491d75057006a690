"""Running processes: which of them are MCP servers, whose, and which client started them.

Linux tells by `/proc` (proc(5)); macOS by `ps` (`macos.py`).
"""

from __future__ import annotations

import os
import pwd
from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple

from bawn.discovery.clients import CLIENTS
from bawn.discovery.shadow.recognise import server_in
from bawn.discovery.shadow.sighting import Look, Sighting, Unseen, clipped, masked_command

PROC: Final = Path("/proc")
MAX_COMMAND: Final = 128 << 10
MAX_PROCESSES: Final = 100_000
_GATE: Final = frozenset(["bawn"])


class Process(NamedTuple):
    """A process. `started` is a POSIX time, 0 when it is not known."""

    pid: int
    parent: int
    user: str
    command: tuple[str, ...]
    started: float = 0.0


class Running(NamedTuple):
    """The processes that can be seen, and what cannot."""

    processes: Mapping[int, Process]
    unseen: tuple[Unseen, ...] = ()


def running(proc: Path = PROC) -> Running:
    """Every process that `/proc` shows. Those that end meanwhile are left out: they are not there."""
    found: dict[int, Process] = {}
    denied = 0
    booted = _booted(proc)
    for pid in _pids(proc):
        try:
            process = _process(proc / str(pid), pid, booted)
        except PermissionError:
            denied += 1
        except (OSError, ValueError, IndexError):
            continue  # it has ended
        else:
            if process.command:  # the kernel's own threads have none
                found[pid] = process
    unseen = []
    if denied:
        unseen.append(Unseen("process", str(proc), "belongs to another user", denied))
    if not (proc / "1").exists() or _hides(proc):
        unseen.append(Unseen("process", str(proc), "processes of other users are hidden"))
    return Running(found, tuple(unseen))


def servers(
    seen: Running,
    known: Collection[tuple[str, ...]] = (),
    ours: Collection[int] = (),
) -> Look:
    """The processes that are MCP servers.

    `known` are commands that are servers whatever they are called: those of client files and of the
    registry. `ours` are pids of the gate's runner: what descends from one of them is behind the gate.
    """
    known = frozenset(known)
    found = []
    for process in seen.processes.values():
        name = _name(process, known)
        if not name or _is_wrapper(process, name, seen.processes, known):
            continue
        lineage = tuple(ancestors(process, seen.processes))
        evidence = "its command is configured in a client or the registry"
        if process.command not in known:
            evidence = f"its command line names {clipped(name)}"
        found.append(
            Sighting(
                source="process",
                what="stdio",
                name=clipped(name),
                where=f"pid {process.pid}",
                command=masked_command(process.command),
                client=next((client for p in lineage if (client := client_of(p))), ""),
                user=process.user,
                seen=process.started,
                since=process.started,
                pid=process.pid,
                parent=process.parent,
                ours=any(p.pid in ours or is_gate(p) for p in lineage),
                evidence=(evidence,),
            )
        )
    return Look(tuple(found), seen.unseen)


def ancestors(process: Process, processes: Mapping[int, Process]) -> Iterator[Process]:
    """The parent of a process, its parent, and so on."""
    passed = {process.pid}
    while (above := processes.get(process.parent)) is not None and above.pid not in passed:
        passed.add(above.pid)
        yield above
        process = above


def client_of(process: Process) -> str:
    """The id of the client that a process is; empty when it is none."""
    names = {_base(process.command[0])}
    if len(process.command) > 1 and _base(process.command[0]) in {
        "node",
        "python",
        "python3",
        "bun",
    }:
        names.add(_base(process.command[1]).removesuffix(".js"))
    return next((_BY_PROCESS[name] for name in names if name in _BY_PROCESS), "")


def is_gate(process: Process) -> bool:
    """Whether a process is bawn's own, by its command line."""
    return any(_base(word) in _GATE for word in process.command[:2]) or (
        "-m" in process.command[1:3] and "bawn" in process.command[2:4]
    )


_BY_PROCESS: Final = {name: client.id for client in CLIENTS for name in client.processes}


def _name(process: Process, known: frozenset[tuple[str, ...]]) -> str:
    if is_gate(process) or client_of(process):
        return ""
    if process.command in known:
        return server_in(process.command) or _base(process.command[0])
    return server_in(process.command)


def _is_wrapper(
    process: Process,
    name: str,
    processes: Mapping[int, Process],
    known: frozenset[tuple[str, ...]],
) -> bool:
    """Whether the server is this one's child, under another program: `npx x`, `sh -c x`, `node …/x`.

    A known command is the one that stands, so that it is told as it is configured.
    """
    parent = processes.get(process.parent)
    if process.command in known:
        return False
    return parent is not None and _bare(_name(parent, known)) == _bare(name)


def _bare(name: str) -> str:
    return name.rpartition("/")[2].replace("_", "-").removeprefix("mcp-").removeprefix("server-")


def _pids(proc: Path) -> Iterator[int]:
    try:
        with os.scandir(proc) as scan:
            pids = [int(entry.name) for entry in scan if entry.name.isdigit()]
    except OSError:
        return
    yield from sorted(pids)[:MAX_PROCESSES]


def _process(directory: Path, pid: int, booted: float) -> Process:
    with (directory / "cmdline").open("rb") as file:
        raw = file.read(MAX_COMMAND)
    stat = (directory / "stat").read_bytes()
    # The name stands in brackets and may hold anything, brackets too; what follows are numbers.
    fields = stat[stat.rindex(b")") + 2 :].split()
    ticks = os.sysconf("SC_CLK_TCK")
    words = raw.removesuffix(b"\0").split(b"\0") if raw else []
    return Process(
        pid=pid,
        parent=int(fields[1]),
        user=user_name(directory.stat().st_uid),
        command=tuple(word.decode("utf-8", "replace") for word in words),
        started=booted + int(fields[19]) / ticks if booted else 0.0,
    )


def _booted(proc: Path) -> float:
    try:
        lines = (proc / "stat").read_text().splitlines()
    except OSError:
        return 0.0
    return next((float(line.split()[1]) for line in lines if line.startswith("btime ")), 0.0)


def _hides(proc: Path) -> bool:
    """Whether `/proc` is mounted so that others' processes are invisible (`hidepid`)."""
    try:
        mounts = (proc / "self" / "mounts").read_text(errors="replace")
    except OSError:
        return False
    lines = [line.split() for line in mounts.splitlines()]
    hiding = ("hidepid=1", "hidepid=2", "hidepid=4", "hidepid=noaccess", "hidepid=invisible")
    options = [set(words[3].split(",")) for words in lines if len(words) > 3 and words[2] == "proc"]
    return os.geteuid() != 0 and any(not found.isdisjoint(hiding) for found in options)


@lru_cache(maxsize=1024)
def user_name(uid: int) -> str:
    """The name of a user, or the number where there is none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _base(word: str) -> str:
    return word.rpartition("/")[2]
