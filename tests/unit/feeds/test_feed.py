from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable

import pytest

from bawn.errors import UPSTREAM_OUTCOME, Refused
from bawn.feeds import feed as feeds
from bawn.feeds.feed import Feed, Wish
from bawn.feeds.mailbox import Mailbox
from bawn.model import Json
from tests.gate import FORM
from tests.unit.feeds.servers import ACKNOWLEDGED, UPDATED, Server, Stream, listen, read

TASKS = "notifications/tasks/status"


class Over:
    """Counts how often a feed said that nobody is left."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> None:
        self.times += 1


@pytest.fixture
def over() -> Over:
    return Over()


@pytest.fixture
async def server() -> Server:
    return Server()


class Subject:
    """A feed that begins with its first subscriber, as on a board."""

    def __init__(self, server: Server, over: Over) -> None:
        self._server, self._over = server, over
        self.feed: Feed | None = None

    async def join(self, mailbox: Mailbox, wish: Wish) -> Wish:
        self.feed = self.feed or Feed(self._server, listen(), self._over)
        return await self.feed.join(mailbox, wish)

    def leave(self, mailbox: Mailbox) -> None:
        assert self.feed is not None
        self.feed.leave(mailbox)


@pytest.fixture
async def feed(server: Server, over: Over) -> AsyncIterator[Subject]:
    made = Subject(server, over)
    yield made
    assert made.feed is not None
    await made.feed.aclose()
    await server.until(lambda: not server.open)


def _wish(*uris: str, **tasks: str) -> Wish:
    return Wish(frozenset(uris), tasks)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """No time passes between attempts; the list has how long each would have waited at most."""
    waits: list[float] = []

    def uniform(least: float, most: float) -> float:
        assert 0 < least <= most == 1.0
        return most

    real = asyncio.sleep

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        await real(0)

    monkeypatch.setattr(random, "uniform", uniform)
    monkeypatch.setattr(asyncio, "sleep", sleep)
    return waits


# ── joining ───────────────────────────────────────────────────────────────────────────────────────


async def test_a_subscriber_is_told_what_it_wished_for(feed: Subject, server: Server) -> None:
    mailbox = Mailbox()
    assert await feed.join(mailbox, _wish("u:1", own="hers")) == _wish("u:1", own="hers")
    [stream] = server.streams
    assert stream.wanted == {"resourceSubscriptions": ["u:1"], "taskIds": ["own"]}
    assert stream.outbound.params["_meta"] == listen().params["_meta"]
    await stream.tell(UPDATED, {"uri": "u:1"})
    await stream.tell(UPDATED, {"uri": "u:2"})
    await stream.tell(TASKS, {"taskId": "own", "status": "working"})
    await stream.tell(TASKS, {"taskId": "other", "status": "working"})
    assert await read(mailbox) == [
        {"method": UPDATED, "params": {"uri": "u:1"}},
        {"method": TASKS, "params": {"taskId": "hers", "status": "working"}},
    ]


async def test_what_lies_within_a_resource_is_told_to_who_subscribed_to_it(
    feed: Subject, server: Server
) -> None:
    mailbox = Mailbox()
    await feed.join(mailbox, _wish("file:///dir/"))
    await server.streams[0].tell(UPDATED, {"uri": "file:///dir/a"})
    assert [told["params"]["uri"] for told in await read(mailbox)] == ["file:///dir/a"]


async def test_a_neighbour_of_similar_name_is_no_part(feed: Subject, server: Server) -> None:
    mailbox = Mailbox()
    await feed.join(mailbox, _wish("file:///dir/a"))
    await server.streams[0].tell(UPDATED, {"uri": "file:///dir/ab"})
    assert await read(mailbox) == []


async def test_of_many_parts_the_last_word_is_that_the_whole_has_changed(
    feed: Subject, server: Server
) -> None:
    mailbox = Mailbox()
    await feed.join(mailbox, _wish("file:///dir", "file:///dir/b"))
    for part in ("a", "a", "b", "b", "c", "d", "e/f"):
        await server.streams[0].tell(UPDATED, {"uri": f"file:///dir/{part}"})
    told = [each["params"]["uri"] for each in await read(mailbox)]
    assert told == ["file:///dir", "file:///dir/b"]


async def test_of_many_parts_that_wait_the_whole_is_told_once(
    feed: Subject, server: Server
) -> None:
    mailbox = Mailbox()
    await feed.join(mailbox, _wish("file:///dir/"))
    for number in range(1000):
        await server.streams[0].tell(UPDATED, {"uri": f"file:///dir/{number}"})
    assert [told["params"]["uri"] for told in await read(mailbox)] == ["file:///dir/"]
    for _ in range(2):
        await server.streams[0].tell(UPDATED, {"uri": "file:///dir/a"})
    assert [told["params"]["uri"] for told in await read(mailbox)] == ["file:///dir/a"]


async def test_each_hears_of_its_own_wishes_alone(feed: Subject, server: Server) -> None:
    one, other = Mailbox(), Mailbox()
    await feed.join(one, _wish("u:1", t1="a"))
    await feed.join(other, _wish("u:2", t1="b"))
    stream = server.streams[-1]
    await stream.tell(UPDATED, {"uri": "u:2"})
    await stream.tell(TASKS, {"taskId": "t1"})
    assert await read(one) == [{"method": TASKS, "params": {"taskId": "a"}}]
    assert await read(other) == [
        {"method": UPDATED, "params": {"uri": "u:2"}},
        {"method": TASKS, "params": {"taskId": "b"}},
    ]


async def test_a_server_grants_what_it_honours(feed: Subject, server: Server) -> None:
    server.honours = lambda wanted: {"resourceSubscriptions": ["u:1", "u:9"], "taskIds": "t"}
    assert await feed.join(Mailbox(), _wish("u:1", "u:2", t="a")) == _wish("u:1")


@pytest.mark.parametrize(
    "odd", [{}, {"resourceSubscriptions": None}, {"resourceSubscriptions": [5]}]
)
async def test_a_server_that_honours_nothing_grants_nothing(
    feed: Subject, server: Server, odd: Json
) -> None:
    server.honours = lambda wanted: odd
    assert await feed.join(Mailbox(), _wish("u:1")) == _wish()


# ── growing ───────────────────────────────────────────────────────────────────────────────────────


async def test_a_new_wish_opens_a_stream_for_all_before_the_old_one_is_closed(
    feed: Subject, server: Server
) -> None:
    open_at_once: list[int] = []

    def honours(wanted: Json) -> Json:
        open_at_once.append(len(server.open))
        return wanted

    server.honours = honours
    one, other = Mailbox(), Mailbox()
    await feed.join(one, _wish("u:1"))
    await feed.join(other, _wish("u:2"))
    assert open_at_once == [1, 2]
    await server.until(lambda: len(server.open) == 1)
    first, second = server.streams
    assert first.cancelled
    assert second.wanted == {"resourceSubscriptions": ["u:1", "u:2"]}
    await second.tell(UPDATED, {"uri": "u:1"})
    assert await read(one) == [{"method": UPDATED, "params": {"uri": "u:1"}}]


async def test_what_is_told_while_the_stream_grows_is_not_lost(
    feed: Subject, server: Server
) -> None:
    one = Mailbox()
    await feed.join(one, _wish("u:1"))
    server.honours = lambda wanted: None
    joining = asyncio.create_task(feed.join(Mailbox(), _wish("u:2")))
    await server.until(lambda: len(server.streams) == 2)
    await server.streams[0].tell(UPDATED, {"uri": "u:1"})
    assert await read(one) == [{"method": UPDATED, "params": {"uri": "u:1"}}]
    await server.streams[1].tell(ACKNOWLEDGED, {"notifications": server.streams[1].wanted})
    assert await joining == _wish("u:2")


async def test_who_joins_what_is_being_replaced_is_told_after_that_too(
    feed: Subject, server: Server
) -> None:
    early, late = Mailbox(), Mailbox()
    await feed.join(early, _wish("u:1", "u:2"))
    await feed.join(early, _wish("u:2"))
    server.honours = lambda wanted: None
    growing = asyncio.create_task(feed.join(Mailbox(), _wish("u:3")))
    await server.until(lambda: len(server.streams) == 2)  # of u:2 and u:3
    joining = asyncio.create_task(feed.join(late, _wish("u:1")))  # which the first one covers
    await asyncio.sleep(0)
    server.honours = lambda wanted: wanted
    await server.streams[1].tell(ACKNOWLEDGED, {"notifications": server.streams[1].wanted})
    assert await growing == _wish("u:3")
    assert await joining == _wish("u:1")
    await server.until(lambda: len(server.open) == 1)
    await server.open[0].tell(UPDATED, {"uri": "u:1"})
    assert server.open[0].wanted == {"resourceSubscriptions": ["u:1", "u:2", "u:3"]}
    assert await read(late) == [{"method": UPDATED, "params": {"uri": "u:1"}}]


async def test_a_wish_that_is_covered_opens_nothing(feed: Subject, server: Server) -> None:
    mailbox = Mailbox()
    await feed.join(mailbox, _wish("u:1", "u:2"))
    assert await feed.join(mailbox, _wish("u:2")) == _wish("u:2")
    assert await feed.join(Mailbox(), _wish("u:1")) == _wish("u:1")
    assert len(server.streams) == 1
    await server.streams[0].tell(UPDATED, {"uri": "u:1"})
    assert await read(mailbox) == []  # its later wish stands


# ── gaps ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("error", [None, Refused(UPSTREAM_OUTCOME)])
async def test_after_a_gap_everything_may_have_changed(
    feed: Subject, server: Server, error: Exception | None
) -> None:
    one, other = Mailbox(), Mailbox()
    await feed.join(one, _wish("u:1"))
    await feed.join(other, _wish("u:2"))
    server.streams[-1].end(error)
    assert await one.take() == [{"method": UPDATED, "params": {"uri": "u:1"}}]
    assert await other.take() == [{"method": UPDATED, "params": {"uri": "u:2"}}]
    await server.until(lambda: len(server.streams) == 3)
    assert server.streams[2].wanted == server.streams[1].wanted


async def test_growing_is_no_gap(feed: Subject, server: Server) -> None:
    one = Mailbox()
    await feed.join(one, _wish("u:1"))
    await feed.join(Mailbox(), _wish("u:2"))
    await server.until(lambda: len(server.open) == 1)
    assert await read(one) == []


async def test_a_server_that_is_away_is_tried_again_ever_less_often(
    feed: Subject, server: Server, quick: list[float]
) -> None:
    server.refusing = True
    mailbox = Mailbox()
    assert await feed.join(mailbox, _wish("u:1")) == _wish()
    await server.until(lambda: len(server.streams) >= 10)
    server.refusing = False
    assert await mailbox.take() == [{"method": UPDATED, "params": {"uri": "u:1"}}]
    assert quick[:8] == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]
    assert await feed.join(mailbox, _wish("u:1")) == _wish("u:1")


async def test_a_server_that_never_acknowledges_grants_nothing_and_keeps_nobody_waiting(
    feed: Subject, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeds, "PATIENCE", 0.01)
    server.honours = lambda wanted: None
    assert await feed.join(Mailbox(), _wish("u:1")) == _wish()
    await server.until(lambda: bool(server.streams) and not server.open)
    assert server.streams[0].cancelled


async def test_a_stream_that_fails_in_our_own_code_is_opened_again(
    feed: Subject, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    mailbox = Mailbox()
    await feed.join(mailbox, _wish("u:1"))
    server.streams[0].end(ValueError("a defect of ours"))
    assert await mailbox.take() == [{"method": UPDATED, "params": {"uri": "u:1"}}]
    assert "a defect of ours" in caplog.text


# ── leaving ───────────────────────────────────────────────────────────────────────────────────────


async def test_the_last_who_leaves_ends_the_stream(
    feed: Subject, server: Server, over: Over
) -> None:
    one, other = Mailbox(), Mailbox()
    await feed.join(one, _wish("u:1"))
    await feed.join(other, _wish("u:1"))
    feed.leave(one)
    feed.leave(one)
    assert (over.times, len(server.open)) == (0, 1)
    feed.leave(other)
    assert over.times == 1
    await server.until(lambda: not server.open)
    assert server.streams[0].cancelled
    feed.leave(other)
    assert over.times == 1


async def test_who_leaves_while_the_stream_grows_leaves_no_stream_behind(
    feed: Subject, server: Server
) -> None:
    mailbox = Mailbox()
    await feed.join(mailbox, _wish("u:1"))
    server.honours = lambda wanted: None
    joining = asyncio.create_task(feed.join(mailbox, _wish("u:2")))
    await server.until(lambda: len(server.open) == 2)
    feed.leave(mailbox)
    await server.until(lambda: not server.open)
    joining.cancel()
    await asyncio.wait({joining})


async def test_who_leaves_before_the_server_answers_leaves_no_stream_behind(
    feed: Subject, server: Server
) -> None:
    server.honours = lambda wanted: None
    mailbox = Mailbox()
    joining = asyncio.create_task(feed.join(mailbox, _wish("u:1")))
    await server.until(lambda: len(server.open) == 1)
    feed.leave(mailbox)
    await server.until(lambda: not server.open)
    joining.cancel()
    await asyncio.wait({joining})


# ── what servers may say ──────────────────────────────────────────────────────────────────────────

ODD: dict[str, Callable[[Stream], object]] = {
    "no params": lambda stream: stream.tell(UPDATED, None),
    "a list": lambda stream: stream.tell(UPDATED, ["u:1"]),
    "a uri that is none": lambda stream: stream.tell(UPDATED, {"uri": 5}),
    "a method that is none": lambda stream: stream.tell(5, {"uri": "u:1"}),  # type: ignore[arg-type]  # the point
    "another method": lambda stream: stream.tell("notifications/message", {"uri": "u:1"}),
    "a task that is none": lambda stream: stream.tell(TASKS, {"taskId": ["t"]}),
    "a task that asks nonsense": lambda stream: stream.tell(
        TASKS, {"taskId": "t", "inputRequests": {"a": 5}}
    ),
    "a second acknowledgement of nonsense": lambda stream: stream.tell(
        ACKNOWLEDGED, {"notifications": 5}
    ),
}


@pytest.mark.parametrize("tell", ODD.values(), ids=ODD)
async def test_nonsense_is_not_passed_on(
    feed: Subject, server: Server, tell: Callable[[Stream], object]
) -> None:
    mailbox = Mailbox()
    await feed.join(mailbox, _wish("u:1", t="a"))
    await tell(server.streams[0])  # type: ignore[misc]  # a coroutine
    assert await read(mailbox) == []


async def test_what_a_task_asks_names_the_server(feed: Subject, server: Server, over: Over) -> None:
    mailbox = Mailbox()
    feed.feed = Feed(server, listen(capabilities={"elicitation": {}}), over)
    await feed.join(mailbox, _wish(t="a"))
    await server.streams[0].tell(TASKS, {"taskId": "t", "inputRequests": {"sure": FORM}})
    [told] = await read(mailbox)
    assert told["params"]["inputRequests"]["sure"]["params"]["message"] == "[files] Sure?"
    assert told["params"]["taskId"] == "a"


async def test_what_a_caller_cannot_be_asked_is_not_told(feed: Subject, server: Server) -> None:
    mailbox = Mailbox()
    await feed.join(mailbox, _wish(t="a"))
    await server.streams[0].tell(TASKS, {"taskId": "t", "inputRequests": {"sure": FORM}})
    assert await read(mailbox) == []
