"""bawn's command line as real processes, forked from one that has all of it imported.

A fresh interpreter takes most of a second of CPU until it has read bawn, and hundreds of them are
started here: that is most of what these tests would cost. What starts `BAWN` starts an interpreter, as users
do.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import IO, Any, NoReturn

LONGEST = 1 << 18
IMPORTED = (
    "bawn.app.control",
    "bawn.app.supervisor",
    "bawn.app.watch",
    "bawn.cli",
    "bawn.cli.gate_client",
    "tests.conftest",
)
"""What commands import when they run; the rest comes with the fork server."""


class Started:
    """As `subprocess.Popen`, as far as it is used here."""

    def __init__(self, pid: int, status: int, stdout: IO[str] | None) -> None:
        self.pid = pid
        self.stdout = stdout
        self.returncode: int | None = None
        self._status = status

    def poll(self) -> int | None:
        """Its exit code, once it has ended."""
        with suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; raises subprocess.TimeoutExpired."""
        if self.returncode is None:
            if not select.select([self._status], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0.0)
            told = os.read(self._status, 16)
            os.close(self._status)
            self.returncode = int(told) if told else -signal.SIGKILL
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send a signal, to one that has not ended."""
        if self.poll() is None:
            os.kill(self.pid, number)


class Template:
    """This process's template: started when it is first needed, and gone with it."""

    def __init__(self) -> None:
        self._requests, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.e2e.template", str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
            )
        self.pid = self._process.pid
        atexit.register(self._end)

    def _end(self) -> None:
        self._requests.close()
        self._process.wait(10)

    def start(
        self, arguments: Sequence[str], env: Mapping[str, str], cwd: Path, out: IO[Any] | int,
        err: IO[Any] | int,
    ) -> Started:  # fmt: skip
        """`bawn ARGUMENTS`, with nothing to read; `subprocess.PIPE` for `out` makes its `stdout` readable."""
        with open(os.devnull, "rb") as nothing:  # noqa: PTH123
            stdout: IO[str] | None = None
            writing = -1
            if out == subprocess.PIPE:
                reading, writing = os.pipe()
                stdout = os.fdopen(reading, encoding="utf-8")
            ended, ends = os.pipe()
            order = json.dumps({"argv": list(arguments), "env": dict(env), "cwd": str(cwd)})
            given = [
                nothing.fileno(),
                writing if writing >= 0 else _number(out),
                _number(err),
                ends,
            ]
            socket.send_fds(self._requests, [order.encode()], given)
            pid = int(self._requests.recv(64))
            os.close(ends)
            if writing >= 0:
                os.close(writing)
        return Started(pid, ended, stdout)


def _number(file: IO[Any] | int) -> int:
    return file if isinstance(file, int) else file.fileno()


@cache
def template() -> Template:
    """The one of this process."""
    return Template()


# ── in the template ─────────────────────────────────────────────────────────────────────────────


def _serve(requests: socket.socket) -> Callable[[], None] | None:
    """Fork for each request, and tell how each ended; in a forked process, what it has to do."""
    ends: dict[int, tuple[int, int]] = {}
    while True:
        ready: list[int] = select.select([requests.fileno(), *ends], [], [])[0]
        for handle in ready:
            if handle in ends:
                pid, status = ends.pop(handle)
                os.close(handle)
                code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
                with suppress(BrokenPipeError):
                    os.write(status, b"%d" % code)
                os.close(status)
        if requests.fileno() not in ready:
            continue
        data, given, _, _ = socket.recv_fds(requests, LONGEST, 8, socket.MSG_CMSG_CLOEXEC)
        if not data:
            return None
        pid = os.fork()
        if pid == 0:
            requests.close()
            for handle, (_, status) in ends.items():
                os.close(handle)
                os.close(status)
            os.close(given[3])
            return lambda: _become(json.loads(data), given[:3])
        for descriptor in given[:3]:
            os.close(descriptor)
        ends[os.pidfd_open(pid)] = pid, given[3]
        requests.send(b"%d" % pid)


def _become(order: dict[str, Any], given: list[int]) -> None:
    """Be `bawn` as if it had just been called."""
    for number, descriptor in enumerate(given):
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.environ.clear()
    os.environ.update(order["env"])
    time.tzset()
    os.chdir(order["cwd"])
    os.setpgid(0, 0)  # its environment tells nothing of whose it is
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.argv = ["bawn", *order["argv"]]
    code: object = 0
    try:
        import_module("bawn.cli").main()
    except SystemExit as end:
        code = end.code
    except BaseException:  # noqa: BLE001 - as the interpreter itself
        sys.excepthook(*sys.exc_info())
        code = 1
    _end(code)


def _end(code: object) -> NoReturn:
    """End as the interpreter does, but for taking everything apart: that costs more than most commands."""
    if not isinstance(code, int | None):
        sys.stderr.write(f"{code}\n")
        code = 1
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(code or 0)


def _main() -> None:
    requests = socket.socket(fileno=int(sys.argv[1]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for name in IMPORTED:
        import_module(name)
    building = import_module("typer.main")
    build = cache(building.get_command)
    vars(building)["get_command"] = build  # a third of what a small command costs
    build(import_module("bawn.cli").app)
    survey = import_module("bawn.app.forkserver")._prepare()
    work = _serve(requests)
    if work is not None:
        work()
    del survey


if __name__ == "__main__":
    _main()
