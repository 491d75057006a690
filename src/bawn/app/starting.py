"""How the supervisor has its children started: forked where that is possible, else as fresh interpreters."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Final, Protocol

import msgspec

_FORKSERVER: Final = "bawn.app.forkserver"
_LONGEST: Final = 4096
_ALLOCATOR: Final = {
    "MALLOC_MMAP_THRESHOLD_": str(64 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(256 << 20),
}
"""For glibc: large messages reuse memory instead of having it mapped anew, a third of their cost."""

DESCRIPTORS: Final = 65_536
"""Files that each process of the gate may have open, where the system lets it."""

_PATIENCE: Final = 60.0  # seconds for an answer: a fork server may have to compile patterns first
_UNKNOWN: Final = 255  # the exit code of a process of whose end somebody else was told


class Child(Protocol):
    """A running process, as `asyncio.subprocess.Process` has it."""

    @property
    def pid(self) -> int:
        """Its id."""

    @property
    def returncode(self) -> int | None:
        """What it exited with, minus a signal's number, or None while it runs."""

    async def wait(self) -> int:
        """Wait for its end."""

    def send_signal(self, signal: int) -> None:
        """Send it a signal; raises ProcessLookupError once it has ended."""

    def kill(self) -> None:
        """Send it SIGKILL."""


class Starter(Protocol):
    """Starts processes."""

    @property
    def pid(self) -> int | None:
        """The process that does it, where it is one of its own."""

    async def start(
        self, module: str, control: int, descriptors: Sequence[int]
    ) -> tuple[Child, tuple[int, ...]]:
        """Run a module on its end of a control channel; returns also its numbers of the descriptors.

        Raises:
            OSError: no process can be started.
        """

    async def aclose(self) -> None:
        """End what starts them; what was started lives on."""


def begin() -> Starter:
    """The best there is on this system. To be called before this process has a loop or a thread.

    What children are to have from this process, they have from here: its limits, and how it takes signals.
    """
    _raise_descriptors()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # one that ignores it learns of no child's end
    if not _can_fork():
        return Interpreters()
    from bawn.app import forkserver  # it brings all the code of the gate

    born = forkserver.begin()
    return Forks(*born) if born else Forks()


class Interpreters:
    """Each child is a fresh interpreter: `python -m module FD`, descriptors inherited as they are."""

    pid = None

    async def start(
        self, module: str, control: int, descriptors: Sequence[int]
    ) -> tuple[Child, tuple[int, ...]]:
        """Fills `Starter`."""
        return await _interpreter(module, control, descriptors), tuple(descriptors)

    async def aclose(self) -> None:
        """Fills `Starter`."""


class Forked:
    """A process that the fork server has left to us."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._handle = os.pidfd_open(pid)
        self._ended = asyncio.Event()
        asyncio.get_running_loop().add_reader(self._handle, self._reap)

    def _reap(self) -> None:
        asyncio.get_running_loop().remove_reader(self._handle)
        os.close(self._handle)
        try:
            _, status = os.waitpid(self.pid, 0)
            self.returncode = os.waitstatus_to_exitcode(status)
        except ChildProcessError:
            self.returncode = _UNKNOWN
        self._ended.set()

    async def wait(self) -> int:
        """Fills `Child`."""
        await self._ended.wait()
        assert self.returncode is not None  # noqa: S101  # set before the event
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Fills `Child`."""
        if self.returncode is not None:
            raise ProcessLookupError
        signal.pidfd_send_signal(self._handle, number)

    def kill(self) -> None:
        """Fills `Child`."""
        self.send_signal(signal.SIGKILL)


class _Told(msgspec.Struct):
    pid: int = 0
    descriptors: list[int] = []
    error: str = ""


_SILENT: Final = "the process that forks them does not answer"


class Forks:
    """Each child is forked from a process that has everything imported; that one is kept running.

    `pid` and `requests` are of a fork server that this process has forked.
    """

    def __init__(self, pid: int | None = None, requests: socket.socket | None = None) -> None:
        self._born = pid
        self._server: Child | None = None
        self._requests = requests
        if requests is not None:
            requests.setblocking(False)
        self._closed = False
        self._asking = asyncio.Lock()
        self._unwanted: set[asyncio.Task[tuple[Child, tuple[int, ...]]]] = set()

    @property
    def pid(self) -> int | None:
        """Fills `Starter`."""
        server = self._server
        return None if server is None or server.returncode is not None else server.pid

    async def start(
        self, module: str, control: int, descriptors: Sequence[int]
    ) -> tuple[Child, tuple[int, ...]]:
        """Fills `Starter`."""
        own = [os.dup(each) for each in (control, *descriptors)]  # whoever asks may close theirs
        starting = asyncio.create_task(self._start(module, own))
        try:
            return await asyncio.shield(starting)
        except asyncio.CancelledError:  # nobody wants it any more, and it may be under way
            self._unwanted.add(starting)
            starting.add_done_callback(self._undo)
            raise

    async def _start(self, module: str, own: Sequence[int]) -> tuple[Child, tuple[int, ...]]:
        try:
            async with self._asking:
                if self._born is not None:  # only now there is a loop that can wait for its end
                    self._server, self._born = Forked(self._born), None
                told = await self._ask(module, own)
        finally:
            for each in own:
                os.close(each)
        if told.error:
            raise OSError(told.error)
        return Forked(told.pid), tuple(told.descriptors)

    def _undo(self, starting: asyncio.Task[tuple[Child, tuple[int, ...]]]) -> None:
        self._unwanted.discard(starting)
        if not starting.cancelled() and starting.exception() is None:
            with suppress(ProcessLookupError):
                starting.result()[0].kill()

    async def _ask(self, module: str, descriptors: Sequence[int]) -> _Told:
        """One answer, of a fork server that is ended if it has none, or cannot do it.

        Nobody else is given the same descriptors then: a child may have them already.
        """
        try:
            async with asyncio.timeout(_PATIENCE):
                requests = await self._asked(msgspec.json.encode({"module": module}), descriptors)
                answer = await asyncio.get_running_loop().sock_recv(requests, _LONGEST)
        except (TimeoutError, ConnectionError):
            answer = b""
        told = msgspec.json.decode(answer, type=_Told) if answer else _Told(error=_SILENT)
        if told.error:
            await self._end()
        return told

    async def _asked(self, message: bytes, descriptors: Sequence[int]) -> socket.socket:
        """Where a fork server answers that has the request; another one than before, should that be gone."""
        if self._requests is not None:
            try:
                socket.send_fds(self._requests, [message], list(descriptors))
            except ConnectionError:
                await self._end()
            else:
                return self._requests
        if self._closed:
            raise ConnectionResetError
        self._requests = await self._begin()
        socket.send_fds(self._requests, [message], list(descriptors))
        return self._requests

    async def _begin(self) -> socket.socket:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        with theirs:
            self._server = await _interpreter(_FORKSERVER, theirs.fileno(), ())
        return ours

    async def _end(self) -> None:
        if self._requests is not None:
            self._requests.close()
            self._requests = None
        self._kill()
        if self._server is not None:
            await self._server.wait()

    def _kill(self) -> None:
        if self._server is not None:
            with suppress(ProcessLookupError):
                self._server.kill()

    async def aclose(self) -> None:
        """Fills `Starter`."""
        self._closed = True
        if self._born is not None:
            self._server, self._born = Forked(self._born), None
        self._kill()  # which ends the wait for its answer, too
        if self._unwanted:
            await asyncio.wait(self._unwanted)
        await self._end()


async def _interpreter(
    module: str, control: int, descriptors: Sequence[int]
) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        module,
        str(control),
        stdin=asyncio.subprocess.DEVNULL,
        env={**_ALLOCATOR, **os.environ},
        pass_fds=(control, *descriptors),
    )


def _raise_descriptors() -> None:
    """Let this process and those it starts open as many files as they may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(ValueError, OSError):  # a kernel that has it otherwise
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _can_fork() -> bool:
    """Whether this is a Linux that tells of the end of processes by descriptors (5.3)."""
    if sys.platform != "linux":
        return False
    try:
        os.close(os.pidfd_open(os.getpid()))
    except OSError:
        return False
    return True
