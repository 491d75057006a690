"""One operating-system process with its pipes: how it is started, watched and ended.

Not by the loop's own subprocess_exec: uvloop's leaves inheritable descriptors open in the child,
copies of its pipes among them, and then the end of its output goes unnoticed.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import subprocess
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import IO, Final

from bawn.errors import UPSTREAM_NOT_STARTED, Refused
from bawn.runner.launch import Launch

BACKLOG: Final = 1 << 20
"""Bytes that may wait for a process that does not read."""
LINGER: Final = 0.5
"""Seconds in which a process and its standard output must both end, once one of them has."""
TERM: Final = 1.0
"""Seconds between SIGTERM and SIGKILL, at most."""
REAP: Final = 5.0
"""Seconds until a killed process is given up on: only the kernel can hold it so long."""

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
    """A process in a session of its own, so that its whole group can be ended.

    Set the four callbacks before `spawn`; `on_end` is called exactly once after it succeeded.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._popen: subprocess.Popen[bytes] | None = None
        self._stdin: asyncio.WriteTransport | None = None
        self._pipes: list[asyncio.BaseTransport] = []
        self._ended = asyncio.Event()
        self._exited = self._silent = self._stopping = self._impatient = False
        self._linger: asyncio.TimerHandle | None = None
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
        try:
            self._popen = subprocess.Popen(  # noqa: ASYNC220 - returns once exec has succeeded
                launch.argv,
                bufsize=0,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=launch.cwd,
                env=launch.env,
                close_fds=True,
                start_new_session=True,
            )
        except (OSError, ValueError, subprocess.SubprocessError) as problem:
            detail = f"{launch.argv[0]} cannot be started: {problem}"
            raise Refused(UPSTREAM_NOT_STARTED, detail=detail) from None
        self.pid = self._popen.pid
        self._watch_exit(self._popen)
        await self._connect(self._popen)

    @property
    def running(self) -> bool:
        """Whether it can still be spoken to."""
        return self._linger is None and not self._stopping and not self._ended.is_set()

    def write(self, data: bytes) -> None:
        """Hand over bytes for its standard input; never waits."""
        if self._stdin is not None and self.running:
            self._stdin.write(data)

    def kill(self) -> None:
        """End the whole group at once."""
        self._signal(signal.SIGKILL)

    async def stop(self, grace: float) -> None:
        """Close its standard input, then ask its group to end, then kill it; `grace` in seconds."""
        self._stopping = True
        if self._stdin is not None:
            self._stdin.close()
        if await self._over(grace):
            return
        self._signal(signal.SIGTERM)
        if await self._over(min(grace, TERM)):
            return
        self.kill()
        if not await self._over(REAP):
            _log.error("process %d is still there after SIGKILL; it is left alone", self.pid)

    async def _over(self, seconds: float) -> bool:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._ended.wait()
        return self._ended.is_set()

    def _signal(self, number: signal.Signals) -> None:
        if self.pid and not self._ended.is_set():
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, number)

    # ── its beginning ───────────────────────────────────────────────────────────────────────────

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
            self._process_exited()

        self._loop.add_reader(descriptor, exited)

    def _wait_in_thread(self, popen: subprocess.Popen[bytes]) -> None:
        popen.wait()
        with suppress(RuntimeError):  # the loop was closed first
            self._loop.call_soon_threadsafe(self._process_exited)

    # ── its end ─────────────────────────────────────────────────────────────────────────────────

    def _process_exited(self) -> None:
        self._exited = True
        self._winding_up()

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
        self.kill()  # itself if it only fell silent, or whoever else in its group holds the pipe
        if self._exited:
            self._finish()

    def _finish(self) -> None:
        if self._ended.is_set():
            return
        if self._linger is not None:
            self._linger.cancel()
        self.kill()  # what it left behind in its group
        self._ended.set()
        for pipe in self._pipes:
            pipe.close()
        self.on_end(_how(self._popen.returncode if self._popen is not None else None))


def _how(code: int | None) -> str:
    if code is None or code >= 0:
        return f"the process ended with exit code {code}"
    with suppress(ValueError):
        return f"the process was ended by {signal.Signals(-code).name}"
    return f"the process was ended by signal {-code}"
