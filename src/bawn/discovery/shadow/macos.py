"""macOS: the output of `ps` and `lsof`, read as `/proc` is on Linux. They run with fixed arguments only."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from bawn.discovery.shadow.processes import Process, Running
from bawn.discovery.shadow.sighting import Unseen
from bawn.discovery.shadow.sockets import ESTABLISHED, LISTEN, Connection, Endpoint, Sockets

PS: Final = ("/bin/ps", "-axww", "-o", "pid=,ppid=,user=,lstart=,command=")
LSOF: Final = ("/usr/sbin/lsof", "-nP", "-iTCP", "-FpnT")
_TIMEOUT: Final = 20.0
_STATES: Final = {"LISTEN": LISTEN, "ESTABLISHED": ESTABLISHED}
_LSTART_WORDS: Final = 5  # Mon Nov 23 00:25:25 2026


def running() -> Running:
    """Every process that `ps` shows."""
    try:
        return processes(_output(PS))
    except (OSError, subprocess.SubprocessError) as problem:
        return Running({}, (Unseen("process", PS[0], f"it failed ({type(problem).__name__})"),))


def sockets() -> Sockets:
    """Every TCP socket that `lsof` shows: without root, only those of this user."""
    why = "sockets of other users are shown to root only"
    unseen = (Unseen("socket", LSOF[0], why),)
    try:
        every = connections(_output(LSOF))
    except (OSError, subprocess.SubprocessError) as problem:
        unseen = (Unseen("socket", LSOF[0], f"it failed ({type(problem).__name__})"),)
        return Sockets((), (), (), unseen)
    listening = tuple(socket for socket in every if socket.state == LISTEN)
    established = tuple(socket for socket in every if socket.state == ESTABLISHED)
    return Sockets(listening, established, (), unseen)


def processes(text: str) -> Running:
    """Read `ps -o pid=,ppid=,user=,lstart=,command=`. Arguments are parted at blanks: `ps` keeps no more."""
    found: dict[int, Process] = {}
    for line in text.splitlines():
        words = line.split()
        command = tuple(words[3 + _LSTART_WORDS :])
        if not command or not (words[0].isdigit() and words[1].isdigit()):
            continue
        started = _started(words[3 : 3 + _LSTART_WORDS])
        found[int(words[0])] = Process(int(words[0]), int(words[1]), words[2], command, started)
    return Running(found)


def connections(text: str) -> tuple[Connection, ...]:
    """Read `lsof -F pnT`: a line each for process (p), file (f), name (n) and state (TST=)."""
    found: list[Connection] = []
    pid, name = 0, ""
    for line in text.splitlines():
        kind, value = line[:1], line[1:]
        if kind == "p":
            pid, name = int(value) if value.isdigit() else 0, ""
        elif kind == "f":
            name = ""
        elif kind == "n":
            name = value
        elif kind == "T" and value.startswith("ST=") and (state := _STATES.get(value[3:])):
            local, _, remote = name.partition("->")
            ends = _endpoint(local), _endpoint(remote or "*:0")
            if ends[0] is not None and ends[1] is not None:
                found.append(Connection(ends[0], ends[1], state, 0, pid))
    return tuple(found)


def _endpoint(text: str) -> Endpoint | None:
    address, _, port = text.rpartition(":")
    if not port.isdigit():
        return None
    return Endpoint("0.0.0.0" if address == "*" else address.strip("[]"), int(port))  # noqa: S104


def _started(words: Sequence[str]) -> float:
    try:
        local = datetime.strptime(" ".join(words), "%a %b %d %H:%M:%S %Y").replace(tzinfo=UTC)
    except ValueError:
        return 0.0
    return local.replace(tzinfo=None).timestamp()


def _output(command: Sequence[str]) -> str:
    done = subprocess.run(command, capture_output=True, check=False, timeout=_TIMEOUT)
    return done.stdout.decode("utf-8", "replace")
