"""One operating-system process with its pipes: how it is started, watched and ended."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from typing import Final, cast

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
_STDIN, _STDOUT = 0, 1
_log = logging.getLogger("bawn.runner")


class Process(asyncio.SubprocessProtocol):
    """A process in a session of its own, so that its whole group can be ended.

    Set the four callbacks before `spawn`; `on_end` is called exactly once after it succeeded.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
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
            await self._loop.subprocess_exec(
                lambda: self,
                *launch.argv,
                cwd=str(launch.cwd),
                env=dict(launch.env),
                start_new_session=True,
            )
        except (OSError, ValueError) as problem:
            detail = f"{launch.argv[0]} cannot be started: {problem}"
            raise Refused(UPSTREAM_NOT_STARTED, detail=detail) from None

    @property
    def running(self) -> bool:
        """Whether it can still be spoken to."""
        return self._linger is None and not self._stopping and not self._ended.is_set()

    def write(self, data: bytes) -> None:
        """Hand over bytes for its standard input; never waits."""
        if self.running:
            self._stdin.write(data)

    def kill(self) -> None:
        """End the whole group at once."""
        self._signal(signal.SIGKILL)

    async def stop(self, grace: float) -> None:
        """Close its standard input, then ask its group to end, then kill it; `grace` in seconds."""
        self._stopping = True
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

    # ── what the event loop calls ───────────────────────────────────────────────────────────────

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.SubprocessTransport, transport)
        self.pid = self._transport.get_pid()
        self._stdin = cast(asyncio.WriteTransport, self._transport.get_pipe_transport(_STDIN))
        self._stdin.set_write_buffer_limits(high=BACKLOG)

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        if fd == _STDOUT:
            self.on_stdout(data)
        else:
            self.on_stderr(data)

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        if fd == _STDOUT:
            self._silent = True
        if fd == _STDOUT or (fd == _STDIN and not self._stopping):
            self._winding_up()

    def process_exited(self) -> None:
        self._exited = True
        self._winding_up()

    def pause_writing(self) -> None:
        self.on_writable(False)

    def resume_writing(self) -> None:
        self.on_writable(True)

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
        code = self._transport.get_returncode()
        self._transport.close()
        self.on_end(_how(code))


def _how(code: int | None) -> str:
    if code is None or code >= 0:
        return f"the process ended with exit code {code}"
    with suppress(ValueError):
        return f"the process was ended by {signal.Signals(-code).name}"
    return f"the process was ended by signal {-code}"
