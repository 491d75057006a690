"""The keeper of one local server: starts it, and sees to it that nothing of it is left.

Started as a file, with `-I -S` and nothing of bawn, so that it costs milliseconds. Between it and the
runner is one socket, the lifeline: the order comes in on it (8 bytes of length, then a marshalled
dict), `T` asks for SIGTERM, and its end, also that of a killed runner, is the end of the server. Out
go the lines `started PID`, `failed WHY` and `ended CODE`. On Linux every descendant is found, for the
keeper is a subreaper (prctl(2)): whoever loses a parent becomes its child. Elsewhere the server's
process group is ended, and what left that group is not.
"""

from __future__ import annotations

import ctypes
import errno
import marshal
import os
import resource
import select
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

LINUX: Final = sys.platform == "linux"
PR_SET_PDEATHSIG: Final = 1
PR_SET_CHILD_SUBREAPER: Final = 36
PR_SET_NO_NEW_PRIVS: Final = 38
DESCRIPTORS: Final = 4096
"""Open files of one process at most."""
PAUSE: Final = 0.005
"""Seconds between two looks at processes that are being killed."""
PASSES: Final = 20
"""How often more processes are looked for before those that were found are killed."""


# ── process trees: also used by the reaper ──────────────────────────────────────────────────────


def become_subreaper() -> None:
    """Be the parent of every descendant that loses its own. Without effect but on Linux."""
    if LINUX:
        _prctl(PR_SET_CHILD_SUBREAPER, 1)


def children(pid: int) -> list[int]:
    """The child processes of a process, zombies included; none if it is gone."""
    found: list[int] = []
    with suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208 - this file imports next to nothing
            with open(f"/proc/{pid}/task/{task}/children", "rb") as listing:  # noqa: PTH123
                found += map(int, listing.read().split())
    return found


def descendants(pid: int) -> list[int]:
    """Every process below a process, parents before their children."""
    found = children(pid)
    for one in found:
        found += children(one)
    return found


def send(pid: int, number: int) -> None:
    """Send a signal, to whatever is still there."""
    with suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def kill_trees(roots: Callable[[], list[int]]) -> None:
    """Kill these processes and all below them; those who race it by forking are stopped first."""
    known: set[int] = set()
    for _ in range(PASSES):
        before = len(known)
        level = roots()
        while level:
            for pid in level:
                if pid not in known:
                    send(pid, signal.SIGSTOP)
            known.update(level)
            level = [child for pid in level for child in children(pid)]
        if len(known) == before:
            break
    for pid in known:
        send(pid, signal.SIGKILL)


# ── the keeper ──────────────────────────────────────────────────────────────────────────────────


class Keeper:
    """The process between the runner and one server."""

    def __init__(self, lifeline: int) -> None:
        self._lifeline = lifeline
        self._server = 0
        self._layers = 0
        self._code: int | None = None
        os.set_inheritable(lifeline, False)
        self._wake, wake = os.pipe()
        os.set_blocking(wake, False)
        os.set_blocking(self._wake, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        self._leaving = False
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(number, self._leave)
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def run(self) -> int:
        """Keep one server from its start to the end of all that came of it; its exit code."""
        become_subreaper()
        order = self._order()
        if LINUX:
            _prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
            if os.getppid() != order["runner"]:
                return 1
        try:
            if order["cgroup"]:
                _write(order["cgroup"] + b"/cgroup.procs", b"0")
            self._server = start(order)
        except OSError as problem:
            self._say(f"failed {problem.strerror}")
            return 1
        self._layers = order["layers"]
        _let_go_of_pipes()
        self._say(f"started {self._server}")
        self._watch()
        self._end_all()
        code = 0 if self._code is None else self._code
        self._say(f"ended {code}")
        return code if code >= 0 else 128 - code

    def _order(self) -> dict[str, Any]:
        size = int.from_bytes(self._exactly(8), "big")
        order: dict[str, Any] = marshal.loads(self._exactly(size))  # noqa: S302 - from the runner
        return order

    def _exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            piece = os.read(self._lifeline, size - len(data))
            if not piece:
                sys.exit(1)  # the runner changed its mind, or is gone
            data += piece
        return data

    def _watch(self) -> None:
        """Until the server ends, somebody ends the keeper, or the runner is gone."""
        while not self._leaving and self._code is None:
            ready = select.select([self._lifeline, self._wake], [], [])[0]
            self._drain()
            if self._lifeline in ready:
                asked = os.read(self._lifeline, 64)
                if not asked:
                    return
                self._terminate()
            self._reap()

    def _terminate(self) -> None:
        """SIGTERM to all but the layers around the server: their end would be its sudden death."""
        tree = [self._server]
        for _ in range(self._layers):
            tree = [child for one in tree for child in children(one)]
        for one in tree:
            for each in (one, *descendants(one)):
                send(each, signal.SIGTERM)
        if not LINUX:
            _signal_group(self._server, signal.SIGTERM)

    def _end_all(self) -> None:
        """Kill until there is no child, and so no descendant, left."""
        if not LINUX:
            _signal_group(self._server, signal.SIGKILL)
        while True:
            kill_trees(lambda: children(os.getpid()))
            if self._reap():
                return
            select.select([self._wake], [], [], PAUSE)
            self._drain()

    def _reap(self) -> bool:
        """Take in who has ended; whether nobody is left."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return True
            if not pid:
                return False
            if pid == self._server:
                self._code = os.waitstatus_to_exitcode(status)

    def _drain(self) -> None:
        with suppress(BlockingIOError):
            os.read(self._wake, 4096)

    def _leave(self, *_: object) -> None:
        self._leaving = True

    def _say(self, line: str) -> None:
        with suppress(OSError):  # the runner is gone
            os.write(self._lifeline, line.encode() + b"\n")


# ── the server's side of the fork ───────────────────────────────────────────────────────────────


def start(order: dict[str, Any]) -> int:
    """Start the server with the standard streams of this process; its process id.

    Raises:
        OSError: it could not be executed.
    """
    trouble, told = os.pipe()
    keeper = os.getpid()
    pid = os.fork()
    if pid == 0:
        try:
            _become(order, keeper, told)
        except (OSError, ValueError) as problem:
            os.write(told, str(getattr(problem, "errno", 0) or errno.EINVAL).encode())
        finally:
            os._exit(127)
    os.close(told)
    with os.fdopen(trouble, "rb") as pipe:
        number = pipe.read()
    if number:
        os.waitpid(pid, 0)
        raise OSError(int(number), os.strerror(int(number)))
    return pid


def _become(order: dict[str, Any], keeper: int, told: int) -> None:
    os.setsid()
    if LINUX:
        _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != keeper:
            os._exit(127)
        _prctl(PR_SET_NO_NEW_PRIVS, 1)
    _bound(resource.RLIMIT_CORE, 0)
    _bound(resource.RLIMIT_NOFILE, DESCRIPTORS)
    if order["data"]:
        _bound(resource.RLIMIT_DATA, order["data"])
    os.umask(0o077)
    signal.set_wakeup_fd(-1)
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    os.chdir(order["cwd"])
    os.dup2(told, 3, inheritable=False)
    os.closerange(4, os.sysconf("SC_OPEN_MAX"))
    os.execve(order["argv"][0], order["argv"], order["env"])  # noqa: S606 - the point of it all


def _bound(which: int, most: int) -> None:
    """Lower a limit; one that is lower already stays."""
    hard = resource.getrlimit(which)[1]
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(which, (most, most))


def _let_go_of_pipes() -> None:
    """The server alone holds its ends, or their closing would go unnoticed."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    os.close(nothing)


def _signal_group(leader: int, number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, number)


def _write(path: bytes, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY)
    try:
        os.write(descriptor, data)
    finally:
        os.close(descriptor)


def _prctl(option: int, value: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    none = ctypes.c_ulong(0)
    if libc.prctl(option, ctypes.c_ulong(value), none, none, none) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"prctl {option}: {os.strerror(number)}")


if __name__ == "__main__":
    os._exit(Keeper(int(sys.argv[1])).run())
