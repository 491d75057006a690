"""The fork server: has everything imported that the gate's other processes need, and forks each of them.

It is the supervisor's, on Linux: forked from it before it has a loop or a thread (`begin`), and should that
one die, `python -m bawn.app.forkserver FD`. A fork takes milliseconds where a fresh interpreter takes half a
second, and code and compiled patterns are in memory once for all. A request is one message `{"module": …}` with the descriptors that the child gets, its control channel first; the
answer is `{"pid": …, "descriptors": […]}`, the numbers that the child knows the others by, or
`{"error": …}`. Whoever is forked becomes a child of the nearest subreaper (prctl(2)), which is the
supervisor, and does not depend on the life of the fork server.
"""

from __future__ import annotations

import ctypes
import gc
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, NoReturn

import msgspec

from bawn.app import stewarding, worker
from bawn.app.compiling import keep_compiled
from bawn.app.inspecting import usual
from bawn.detectors import engine
from bawn.detectors.survey import Survey
from bawn.model import Surface
from bawn.runner import process as runner

LONGEST: Final = 4096
"""Bytes of a request, and of an answer."""
MOST: Final = 8
"""Descriptors of one request."""

SERVES: Final[dict[str, tuple[bytes, Callable[[socket.socket], int]]]] = {
    "bawn.app.worker": (b"bawn-worker", worker.serve),
    "bawn.app.stewarding": (b"bawn-steward", stewarding.serve),
    "bawn.runner": (b"bawn-runner", runner.serve),
}
"""By module: its process's name, and what that does with a control channel until it exits with a code."""

_NAME: Final = b"bawn-fork"
_PR_SET_NAME: Final = 15


_ALLOCATOR: Final = ((-3, 64 << 20), (-1, 256 << 20))
"""M_MMAP_THRESHOLD and M_TRIM_THRESHOLD of malloc.h, in bytes."""


class Request(msgspec.Struct):
    """The module that a new process is to run."""

    module: str


class Reply(msgspec.Struct, omit_defaults=True):
    """The new process and its descriptors, or why there is none."""

    pid: int = 0
    descriptors: list[int] = []
    error: str = ""


def begin() -> tuple[int, socket.socket] | None:
    """Fork a fork server from this process: its id, and where it takes requests.

    In it, and in those that it forks, this never ends. None where this process has threads, which no fork
    takes along.
    """
    survey = _prepare()
    if len(os.listdir("/proc/self/task")) > 1:  # noqa: PTH208 - only their number counts
        return None
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    sys.stdout.flush()
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    pid = os.fork()
    if pid:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        theirs.close()
        gc.unfreeze()
        return pid, ours
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    ours.close()
    with Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    try:
        code = _serve(theirs)
    except Exception:  # noqa: BLE001 - what calls this is the supervisor's, and explains things to a user
        sys.excepthook(*sys.exc_info())
        code = 1
    del survey  # until here: what it has loaded is found by whoever is forked
    _end(code)


def _prepare() -> Survey:
    """Load what the standard detectors are compiled to."""
    keep_compiled()
    survey = Survey(tuple(usual()))
    survey.warm(Surface.ARGUMENT, Surface.OUTPUT)
    engine.warm()
    gc.collect()
    gc.freeze()  # what is shared stays as it is: no collector writes to it
    return survey


def _serve(requests: socket.socket) -> int:
    """Be the fork server, or whoever it has forked; the code to exit with."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the supervisor's to handle
    _be_called(_NAME)
    _reuse_memory()
    work = attend(requests)
    return work() if work is not None else 0


def _end(code: int) -> NoReturn:
    """End without the interpreter's own end: it would write to all the memory that is shared."""
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # nobody reads any more
            stream.flush()
    os._exit(code)


def _be_called(name: bytes) -> None:
    """What `ps -o comm` and `top` show: the command line is the supervisor's."""
    ctypes.CDLL(None).prctl(_PR_SET_NAME, name, 0, 0, 0)


def _reuse_memory() -> None:
    """Have glibc keep memory for large messages: to have it mapped anew is a third of their cost."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # musl has none
    if mallopt is not None:
        for option, size in _ALLOCATOR:
            mallopt(option, size)


def attend(requests: socket.socket) -> Callable[[], int] | None:
    """Fork for every request until the supervisor is gone; in a forked process, what it has to do.

    None says that the supervisor is gone.
    """
    while True:
        data, descriptors, _, _ = socket.recv_fds(requests, LONGEST, MOST, socket.MSG_CMSG_CLOEXEC)
        if not data:
            return None
        name, serves = SERVES[msgspec.json.decode(data, type=Request).module]
        try:
            pid = _fork()
        except OSError as error:
            reply = Reply(error=f"no process can be started: {error.strerror}")
        else:
            if pid == 0:
                requests.close()
                _be_called(name)
                control = socket.socket(fileno=descriptors[0])
                return lambda: serves(control)
            reply = Reply(pid, descriptors[1:])
        for descriptor in descriptors:
            os.close(descriptor)
        with suppress(OSError):  # then it is gone, which the next look tells
            requests.send(msgspec.json.encode(reply))


def _fork() -> int:
    """The id of a new process whose parent is not this one; 0 in that process.

    Raises:
        OSError: the system allows no more.
    """
    reading, writing = os.pipe()
    try:
        between = os.fork()
    except OSError:
        os.close(reading)
        os.close(writing)
        raise
    if between == 0:
        os.close(reading)
        _again(writing)
        return 0
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        told = int(pipe.read() or -1)
    os.waitpid(between, 0)  # from here on the new process is the supervisor's child
    if told < 0:
        raise OSError(-told, os.strerror(-told))
    return told


def _again(writing: int) -> None:
    """Fork, tell who it is, and end here, whatever happens; in the new process, go on."""
    pid = -1
    try:
        try:
            pid = os.fork()
        except OSError as error:
            pid = -(error.errno or 1)
        if pid:
            os.write(writing, b"%d" % pid)
    finally:
        if pid:
            os._exit(0)
    os.close(writing)


def main() -> None:
    """Serve requests on the socket whose descriptor is the only argument."""
    survey = _prepare()
    code = _serve(socket.socket(fileno=int(sys.argv[1])))
    del survey
    _end(code)


if __name__ == "__main__":
    main()
