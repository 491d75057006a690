"""A child of the supervisor: started with a control channel, told what to do, and ended."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import Callable, Sequence
from typing import Any

from bawn.app.orders import Channel
from bawn.app.starting import Child, Starter
from bawn.errors import BawnError, Misconfigured


class ChildFailedError(BawnError):
    """A child did not do what it was told; the text says why."""


OnNews = Callable[[dict[str, Any]], None]
"""Takes what a child says unasked: the content of `news`."""


class Process:
    """One running child."""

    def __init__(
        self,
        name: str,
        process: Child,
        channel: Channel,
        on_news: OnNews,
        descriptors: tuple[int, ...] = (),
    ) -> None:
        self.name = name
        self.process = process
        self.descriptors = descriptors
        self.born = asyncio.get_running_loop().time()
        self._channel = channel
        self._on_news = on_news
        self._unanswered = 0
        self._answers: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        self._hearing = asyncio.create_task(self._hear())

    @classmethod
    async def start(
        cls,
        starter: Starter,
        name: str,
        module: str,
        descriptors: Sequence[int],
        on_news: OnNews = lambda news: None,
    ) -> Process:
        """Start a module's process; `descriptors` says under which numbers it has what it was given."""
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                process, given = await starter.start(module, theirs.fileno(), descriptors)
        except BaseException:
            ours.close()
            raise
        return cls(name, process, await Channel.over(ours), on_news, given)

    async def _hear(self) -> None:
        while (message := await self._channel.receive()) is not None:
            self._unanswered = 0
            if "news" in message:
                self._on_news(message["news"])
            elif "alive" not in message:
                self._answers.put_nowait(message)
        self._answers.put_nowait(None)

    async def tell(self, message: object, seconds: float) -> None:
        """Give an order and wait until it is carried out; one at a time.

        Raises:
            Misconfigured: it cannot serve this configuration.
            ChildFailedError: it said no, ended, or did not answer in time.
        """
        answer: dict[str, Any] | None
        try:
            await self._channel.send(message)
            answer = await asyncio.wait_for(self._answers.get(), seconds)
        except TimeoutError as error:
            self.kill()  # its answer, should it come, must not be taken for that to another order
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

    def post(self, message: object) -> None:
        """Say something that is not answered, or by news."""
        self._channel.post(message)

    @property
    def ended(self) -> bool:
        """Whether it is known to have ended."""
        return self.process.returncode is not None

    def ask_alive(self) -> int:
        """Ask for a sign of life; returns how many times in a row it was asked for in vain."""
        self._unanswered += 1
        self._channel.post({"alive": True})
        return self._unanswered - 1

    def kill(self) -> None:
        """End it at once."""
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()

    async def stop(self, seconds: float) -> None:
        """Ask it to end, and kill it if it has not within so many seconds."""
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(self.process.wait(), seconds)
        except TimeoutError:
            self.kill()
            await self.process.wait()
        self.close()

    def close(self) -> None:
        """Let go of a child that has ended."""
        self._hearing.cancel()
        self._channel.close()
