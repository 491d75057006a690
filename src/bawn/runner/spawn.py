"""One server's process with its pipes, under its keeper: how it is started, watched and ended.

The pipes lead from here to the server itself; the keeper copies nothing. Not by the loop's own
subprocess_exec: uvloop's leaves inheritable descriptors open in the child, copies of its pipes among
them, and then the end of its output goes unnoticed.
"""

from __future__ import annotations

import asyncio
import logging
import marshal
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import IO, Final

from bawn.errors import UPSTREAM_NOT_STARTED, Refused
from bawn.runner import bounds, keeper, reaper
from bawn.runner.launch import Launch

BACKLOG: Final = 1 << 20
"""Bytes that may wait for a process that does not read."""
LINGER: Final = 0.5
"""Seconds in which a process and its standard output must both end, once one of them has."""
TERM: Final = 1.0
"""Seconds between SIGTERM and SIGKILL, at most."""
REAP: Final = 2.0
"""Seconds until the keeper is no longer waited for, and then until everybody is given up on."""
_KEEPER: Final = (sys.executable, "-I", "-S", keeper.__file__)

_log = logging.getLogger("bawn.runner")


class _Output(asyncio.Protocol):
    """The reading end of a pipe."""

    def __init__(self, heard: Callable[[bytes], None], closed: Callable[[], None]) -> None:
        self._heard = heard
        self._closed = closed

    def data_received(self, data: bytes) -> None:
        self._heard(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._closed()


class _Input(asyncio.BaseProtocol):
    """The writing end of a pipe."""

    def __init__(self, writable: Callable[[bool], None], closed: Callable[[], None]) -> None:
        self._writable = writable
        self._closed = closed

    def pause_writing(self) -> None:
        self._writable(False)

    def resume_writing(self) -> None:
        self._writable(True)

    def connection_lost(self, exc: Exception | None) -> None:
        self._closed()


class Process:
    """A server, and with it every process that comes of it.

    Set the four callbacks before `spawn`; `on_end` is called exactly once after it succeeded.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._keeper: subprocess.Popen[bytes] | None = None
        self._lifeline: socket.socket | None = None
        self._launch: Launch | None = None
        self._stdin: asyncio.WriteTransport | None = None
        self._pipes: list[asyncio.BaseTransport] = []
        self._ended = asyncio.Event()
        self._exited = self._silent = self._stopping = self._impatient = False
        self._linger: asyncio.TimerHandle | None = None
        self._sweeping: asyncio.Task[None] | None = None
        self._said: dict[str, str] = {}
        self._answered = asyncio.Event()
        self.pid = 0
        self.on_stdout: Callable[[bytes], None] = lambda data: None
        self.on_stderr: Callable[[bytes], None] = lambda data: None
        self.on_writable: Callable[[bool], None] = lambda writable: None
        self.on_end: Callable[[str], None] = lambda how: None

    async def spawn(self, launch: Launch) -> None:
        """Start the program itself, never a shell. Once for each instance.

        Raises:
            Refused: upstream.not_started.
        """
        self._launch = launch
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        self._lifeline = ours
        try:
            popen = self._start_keeper(theirs)
            self._loop.add_reader(ours, self._listen_to_keeper)
            await self._connect(popen)
            await self._loop.sock_sendall(ours, _order(launch))
            await self._answered.wait()
        except (OSError, ValueError, subprocess.SubprocessError) as problem:
            if self._keeper is None:
                ours.close()
                self._release()
            raise _unable(launch, str(problem)) from None
        finally:
            theirs.close()
        if "started" not in self._said:
            raise _unable(launch, self._said.get("failed", "its keeper was killed"))
        self.pid = int(self._said["started"])

    @property
    def running(self) -> bool:
        """Whether it can still be spoken to."""
        return self._linger is None and not self._stopping and not self._ended.is_set()

    def write(self, data: bytes) -> None:
        """Hand over bytes for its standard input; never waits."""
        if self._stdin is not None and self.running:
            self._stdin.write(data)

    def kill(self) -> None:
        """End it, and everything that came of it, at once."""
        if self._lifeline is not None:
            with suppress(OSError):
                self._lifeline.shutdown(socket.SHUT_WR)

    async def stop(self, grace: float) -> None:
        """Close its standard input, then ask it to end, then kill it; `grace` in seconds."""
        self._stopping = True
        if self._stdin is not None:
            self._stdin.close()
        if await self._over(grace):
            return
        self._terminate()
        if await self._over(min(grace, TERM)):
            return
        self.kill()
        if await self._over(REAP):
            return
        if self._keeper is not None:  # it was stopped, perhaps: then this process does its work
            self._keeper.kill()
        if not await self._over(REAP):
            _log.error("process %d is still there after SIGKILL; it is left alone", self.pid)

    async def _over(self, seconds: float) -> bool:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._ended.wait()
        return self._ended.is_set()

    def _terminate(self) -> None:
        if self._lifeline is not None:
            with suppress(OSError):
                self._lifeline.send(b"T")

    # ── its beginning ───────────────────────────────────────────────────────────────────────────

    def _start_keeper(self, lifeline: socket.socket) -> subprocess.Popen[bytes]:
        self._keeper = popen = subprocess.Popen(
            (*_KEEPER, str(lifeline.fileno())),
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={},
            pass_fds=(lifeline.fileno(),),
            start_new_session=True,
        )
        reaper.keepers.add(popen.pid)
        self._watch_exit(popen)
        return popen

    async def _connect(self, popen: subprocess.Popen[bytes]) -> None:
        stdin, _ = await self._loop.connect_write_pipe(
            lambda: _Input(self.on_writable, self._input_closed), popen.stdin
        )
        stdin.set_write_buffer_limits(high=BACKLOG)
        self._stdin = stdin
        self._pipes.append(stdin)
        await self._listen(popen.stdout, self.on_stdout, self._output_closed)
        await self._listen(popen.stderr, self.on_stderr, lambda: None)

    async def _listen(
        self,
        pipe: IO[bytes] | None,
        heard: Callable[[bytes], None],
        closed: Callable[[], None],
    ) -> None:
        output, _ = await self._loop.connect_read_pipe(lambda: _Output(heard, closed), pipe)
        self._pipes.append(output)
        if self._ended.is_set():
            output.close()

    def _watch_exit(self, popen: subprocess.Popen[bytes]) -> None:
        try:
            descriptor = os.pidfd_open(popen.pid)
        except (AttributeError, OSError):  # macOS, or a container whose filter does not know it
            threading.Thread(target=self._wait_in_thread, args=(popen,), daemon=True).start()
            return

        def exited() -> None:
            self._loop.remove_reader(descriptor)
            os.close(descriptor)
            popen.wait()
            self._keeper_exited()

        self._loop.add_reader(descriptor, exited)

    def _wait_in_thread(self, popen: subprocess.Popen[bytes]) -> None:
        popen.wait()
        with suppress(RuntimeError):  # the loop was closed first
            self._loop.call_soon_threadsafe(self._keeper_exited)

    # ── its end ─────────────────────────────────────────────────────────────────────────────────

    def _keeper_exited(self) -> None:
        if self._keeper is not None:
            reaper.keepers.discard(self._keeper.pid)
        self._listen_to_keeper()
        self._answered.set()
        if self._lifeline is not None:
            self._loop.remove_reader(self._lifeline)
            self._lifeline.close()
        self._sweeping = asyncio.create_task(self._sweep())

    def _listen_to_keeper(self) -> None:
        if self._lifeline is None:
            return
        with suppress(BlockingIOError, ConnectionError):
            heard = self._lifeline.recv(4096)
            if not heard:
                self._loop.remove_reader(self._lifeline)
            for line in heard.decode(
                "utf-8", "replace"
            ).splitlines():  # few and short: never in parts
                word, _, rest = line.partition(" ")
                self._said[word] = rest
                self._answered.set()

    async def _sweep(self) -> None:
        """Whatever a killed keeper left behind is ended before its end is told."""
        if await reaper.sweep():
            _log.error("processes of a killed keeper are still there after SIGKILL")
        self._release()
        self._exited = True
        self._winding_up()

    def _release(self) -> None:
        if self._launch is not None and self._launch.cgroup is not None:
            bounds.release(self._launch.cgroup)

    def _output_closed(self) -> None:
        self._silent = True
        self._winding_up()

    def _input_closed(self) -> None:
        if not self._stopping:
            self._winding_up()

    def _winding_up(self) -> None:
        """Its last words may still be in the pipe: exit and end of output are both waited for."""
        if self._exited and (self._silent or self._impatient):
            self._finish()
        elif self._linger is None and (self._exited or not self._stopping):
            self._linger = self._loop.call_later(LINGER, self._lose_patience)

    def _lose_patience(self) -> None:
        self._impatient = True
        self.kill()  # it fell silent, or somebody else holds the pipe
        if self._exited:
            self._finish()

    def _finish(self) -> None:
        if self._ended.is_set():
            return
        if self._linger is not None:
            self._linger.cancel()
        self._ended.set()
        for pipe in self._pipes:
            pipe.close()
        code = self._said.get("ended")
        self.on_end("its keeper was killed" if code is None else _how(int(code), self._launch))


def _order(launch: Launch) -> bytes:
    """What the keeper is told, in its own terms."""
    order = {
        "runner": os.getpid(),
        "argv": [os.fsencode(argument) for argument in launch.argv],
        "env": {os.fsencode(name): os.fsencode(value) for name, value in launch.env.items()},
        "cwd": os.fsencode(launch.cwd),
        "layers": launch.layers,
        "data": launch.data_limit,
        "cgroup": os.fsencode(launch.cgroup) if launch.cgroup is not None else b"",
    }
    body = marshal.dumps(order)
    return len(body).to_bytes(8, "big") + body


def _unable(launch: Launch, why: str) -> Refused:
    return Refused(UPSTREAM_NOT_STARTED, detail=f"{launch.argv[0]} cannot be started: {why}")


def _how(code: int, launch: Launch | None) -> str:
    if launch is not None and launch.layers and code > 128:
        code = 128 - code  # how bubblewrap tells of a signal
    if code >= 0:
        return f"the process ended with exit code {code}"
    with suppress(ValueError):
        return f"the process was ended by {signal.Signals(-code).name}"
    return f"the process was ended by signal {-code}"
