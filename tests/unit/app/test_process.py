from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from typing import Any, cast

import pytest

from bawn.app.process import ChildFailedError, Process
from bawn.errors import Misconfigured


class FakeChild:
    """A child process: `stubborn` ones end only when they are killed."""

    def __init__(self, *, stubborn: bool = False) -> None:
        self.signals: list[int] = []
        self._stubborn = stubborn
        self._ended = asyncio.Event()

    def send_signal(self, number: int) -> None:
        if self._ended.is_set():
            raise ProcessLookupError
        self.signals.append(number)
        if not self._stubborn or number == signal.SIGKILL:
            self._ended.set()

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    async def wait(self) -> int:
        await self._ended.wait()
        return 0


class FakeChannel:
    """A channel whose other side answers so; None says nothing at all."""

    def __init__(self, answer: dict[str, Any] | None, *, silent: bool = False) -> None:
        self.answer = answer
        self.says = [] if answer is None else [answer]
        self.heard = 0
        self.silent = silent
        self.sent: list[object] = []
        self.closed = False

    async def send(self, message: object) -> None:
        if self.answer == {"broken": True}:
            raise ConnectionResetError
        self.sent.append(message)

    def post(self, message: object) -> None:
        self.sent.append(message)

    async def receive(self) -> dict[str, Any] | None:
        if self.silent:
            await asyncio.Event().wait()
        self.heard += 1
        return self.says[self.heard - 1] if self.heard <= len(self.says) else None

    def close(self) -> None:
        self.closed = True


def process(
    channel: FakeChannel,
    child: FakeChild | None = None,
    on_news: Callable[[Any], None] = lambda news: None,
) -> Process:
    """A process on fakes."""
    return Process("worker", cast(Any, child or FakeChild()), cast(Any, channel), on_news)


async def test_an_order_that_is_carried_out_says_nothing() -> None:
    channel = FakeChannel({"ok": True})
    await process(channel).tell({"do": "it"}, 5)
    assert channel.sent == [{"do": "it"}]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"error": "no such program"}, "no such program"),
        (None, "the worker ended before it was ready"),
        ({"broken": True}, "the worker ended before it was ready"),
    ],
)
async def test_what_goes_wrong_is_told(answer: dict[str, Any] | None, said: str) -> None:
    with pytest.raises(ChildFailedError, match=said):
        await process(FakeChannel(answer)).tell({}, 5)


async def test_a_configuration_that_cannot_be_served_keeps_its_problems_apart() -> None:
    with pytest.raises(Misconfigured) as caught:
        await process(FakeChannel({"misconfigured": ["one", "two"]})).tell({}, 5)
    assert caught.value.problems == ("one", "two")


async def test_a_child_that_does_not_answer_is_waited_for_and_no_longer() -> None:
    child = FakeChild()
    with pytest.raises(ChildFailedError, match=r"not get ready within 0\.01 s"):
        await process(FakeChannel(None, silent=True), child).tell({}, 0.01)
    assert child.signals == [signal.SIGKILL], "its late answer would be taken for the next one"


@pytest.mark.parametrize("stubborn", [False, True])
async def test_a_child_is_asked_to_end_and_killed_when_it_does_not(stubborn: bool) -> None:
    child, channel = FakeChild(stubborn=stubborn), FakeChannel(None)
    await process(channel, child).stop(0.01)
    assert child.signals == [signal.SIGTERM] + [signal.SIGKILL] * stubborn
    assert channel.closed


async def test_a_child_that_is_gone_already_is_gone() -> None:
    child = FakeChild()
    child.send_signal(signal.SIGTERM)
    await process(FakeChannel(None), child).stop(1)


async def test_news_are_told_and_are_no_answer() -> None:
    channel, news = FakeChannel(None), list[Any]()
    channel.says = [{"news": {"view": "a"}}, {"news": {"view": "b"}}, {"ok": True}]
    await process(channel, on_news=news.append).tell({"do": "it"}, 5)
    assert news == [{"view": "a"}, {"view": "b"}]


async def test_signs_of_life_are_counted_until_one_comes() -> None:
    channel = FakeChannel(None, silent=True)
    quiet = process(channel)
    assert [quiet.ask_alive() for _ in range(3)] == [0, 1, 2]
    assert channel.sent == [{"alive": True}] * 3
    channel = FakeChannel({"alive": True})
    lively = process(channel)
    lively.ask_alive()
    await asyncio.sleep(0)
    assert lively.ask_alive() == 0
