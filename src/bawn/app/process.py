"""A child of the supervisor: started with a control channel, told what to do, and ended."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import Iterable
from typing import Any, Final

from bawn.app.orders import Channel
from bawn.errors import BawnError, Misconfigured

_ALLOCATOR: Final = {
    "MALLOC_MMAP_THRESHOLD_": str(64 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(256 << 20),
}
"""For glibc: large messages reuse memory instead of having it mapped anew, a third of their cost."""


class ChildFailedError(BawnError):
    """A child did not do what it was told; the text says why."""


class Process:
    """One running child."""

    def __init__(self, name: str, process: asyncio.subprocess.Process, channel: Channel) -> None:
        self.name = name
        self.process = process
        self._channel = channel

    @classmethod
    async def start(cls, name: str, module: str, descriptors: Iterable[int]) -> Process:
        """Start `python -m module FD`; it inherits the descriptors under their numbers."""
        ours, theirs = socket.socketpair()
        with theirs:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                module,
                str(theirs.fileno()),
                stdin=asyncio.subprocess.DEVNULL,
                env={**_ALLOCATOR, **os.environ},
                pass_fds=(theirs.fileno(), *descriptors),
            )
        return cls(name, process, await Channel.over(ours))

    async def tell(self, message: object, seconds: float) -> None:
        """Give an order and wait until it is carried out.

        Raises:
            Misconfigured: it cannot serve this configuration.
            ChildFailedError: it said no, ended, or did not answer in time.
        """
        answer: dict[str, Any] | None
        try:
            await self._channel.send(message)
            answer = await asyncio.wait_for(self._channel.receive(), seconds)
        except TimeoutError as error:
            text = f"the {self.name} did not get ready within {seconds:g} s"
            raise ChildFailedError(text) from error
        except ConnectionError:
            answer = None
        if answer is None:
            raise ChildFailedError(f"the {self.name} ended before it was ready; see the log")
        if "misconfigured" in answer:
            raise Misconfigured(*answer["misconfigured"])
        if "error" in answer:
            raise ChildFailedError(str(answer["error"]))

    async def stop(self, seconds: float) -> None:
        """Ask it to end, and kill it if it has not within so many seconds."""
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(self.process.wait(), seconds)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                self.process.kill()
            await self.process.wait()
        self._channel.close()
