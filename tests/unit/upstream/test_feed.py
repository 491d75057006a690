from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bawn.errors import Refused
from bawn.model import Json
from bawn.ports import HttpReply
from bawn.upstream.legacy import Legacy
from tests.unit.upstream.live import Live, asked, told, until
from tests.unit.upstream.old import INITIALIZED, Old
from tests.unit.upstream.scripted import Asked, Heard, error, outbound, reply, result

EVERYTHING: Json = {
    "tools": {"listChanged": True}, "prompts": {}, "resources": {"subscribe": True}, "logging": {},
}  # fmt: skip


class Talking(Old):
    """Has a stream of its own, unless `status` says that it has not."""

    def __init__(self) -> None:
        super().__init__()
        self.initialized = {**INITIALIZED, "capabilities": EVERYTHING}
        self.live: list[Live] = []
        self.status = 200
        self.behave = self.take

    def take(self, request: Asked) -> HttpReply:
        if request.method == "GET":
            if self.status != 200:
                return reply(status=self.status)
            self.live.append(Live())
            return reply(events=self.live[-1])
        if request.message["params"].get("uri") == "bad:":
            return error(request, -32602)
        return result(request, {})

    async def answer(self, asked: Asked) -> HttpReply:
        if asked.method == "GET" and asked.session in self.sessions:
            return self.take(asked)
        return await super().answer(asked)

    def subscribed(self) -> list[str]:
        """What was subscribed to and given up, in order."""
        return [
            f"{asked.method.removeprefix('resources/')} {asked.message['params']['uri']}"
            for asked in self.server.asked
            if asked.method.startswith("resources/")
        ]


class Listen:
    """One listen, and what it heard."""

    def __init__(self, legacy: Legacy, uris: list[str] | None = None, **wanted: bool) -> None:
        whole: Json = {**wanted, **({"resourceSubscriptions": uris} if uris else {})}
        self.heard = Heard()
        call = outbound("subscriptions/listen", notifications=whole)
        self.task: asyncio.Task[Any] = asyncio.create_task(self.run(legacy, call))

    async def run(self, legacy: Legacy, call: Any) -> Any:
        return await legacy.call(call, self.heard)

    async def acknowledged(self) -> Json:
        await until(lambda: self.heard.messages)
        first = self.heard.messages[0]
        assert first["method"] == "notifications/subscriptions/acknowledged"
        found: Json = first["params"]["notifications"]
        return found

    def told(self) -> list[tuple[str, str]]:
        return [(m["method"], m["params"].get("uri", "")) for m in self.heard.messages[1:]]

    async def stop(self) -> None:
        self.task.cancel()
        await asyncio.wait({self.task})


@pytest.fixture
def old() -> Talking:
    return Talking()


@pytest.fixture
def legacy(old: Talking) -> Legacy:
    return Legacy(old.server.wire())


CHANGED = "notifications/tools/list_changed"
UPDATED = "notifications/resources/updated"


async def test_what_the_server_offers_is_acknowledged_first_and_told_then(
    old: Talking, legacy: Legacy
) -> None:
    listen = Listen(
        legacy, ["a:", "bad:"], toolsListChanged=True, promptsListChanged=True, other=True
    )
    honoured = await listen.acknowledged()
    assert honoured == {"toolsListChanged": True, "resourceSubscriptions": ["a:"]}
    for message in (
        told(CHANGED),
        told("notifications/prompts/list_changed"),
        told("notifications/message", level="error"),
        told("notifications/elicitation/complete"),
        told(UPDATED, uri="a:"),
        told(UPDATED, uri="a:/part"),
        told(UPDATED, uri="b:"),
        told(UPDATED),
    ):
        old.live[0].say(message)
    await until(lambda: len(listen.told()) >= 3)
    assert listen.told() == [(CHANGED, ""), (UPDATED, "a:"), (UPDATED, "a:/part")]
    await listen.stop()
    await until(lambda: old.live[0].closed)
    assert old.subscribed() == ["subscribe a:", "subscribe bad:", "unsubscribe a:"]


@pytest.mark.parametrize("params", [[1], "x", 5, None, {"_meta": 5}, {"_meta": [1]}])
async def test_a_malformed_notification_breaks_no_stream(
    old: Talking, legacy: Legacy, params: Any
) -> None:
    listen = Listen(legacy, toolsListChanged=True)
    await listen.acknowledged()
    old.live[0].say({"jsonrpc": "2.0", "method": CHANGED, "params": params})
    await until(listen.told)
    assert listen.told() == [(CHANGED, "")]
    assert not listen.task.done()
    await listen.stop()


async def test_subscriptions_are_counted_and_listeners_share_the_stream(
    old: Talking, legacy: Legacy
) -> None:
    one, two = Listen(legacy, ["a:"]), Listen(legacy, ["a:", "b:"])
    await one.acknowledged()
    await two.acknowledged()
    await one.stop()
    old.live[0].say(told(UPDATED, uri="a:"))
    await until(two.told)
    assert one.told() == []
    await two.stop()
    await until(lambda: old.live[0].closed)
    assert len(old.live) == 1
    assert sorted(old.subscribed()) == [
        "subscribe a:", "subscribe b:", "unsubscribe a:", "unsubscribe b:",
    ]  # fmt: skip


async def test_a_server_without_a_stream_of_its_own_honours_nothing(
    old: Talking, legacy: Legacy
) -> None:
    old.status = 405
    listen = Listen(legacy, ["a:"], toolsListChanged=True)
    assert await listen.acknowledged() == {}
    assert old.subscribed() == []
    assert not listen.task.done()
    await listen.stop()


async def test_a_stream_that_breaks_refuses_its_listeners_and_the_next_opens_another(
    old: Talking, legacy: Legacy
) -> None:
    listen = Listen(legacy, toolsListChanged=True)
    await listen.acknowledged()
    old.live[0].end()
    with pytest.raises(Refused, match=r"upstream\.outcome_unknown"):
        await listen.task
    again = Listen(legacy, toolsListChanged=True)
    await again.acknowledged()
    old.live[1].say(told(CHANGED))
    await until(again.told)
    await again.stop()


async def test_what_is_asked_there_is_refused_and_a_ping_answered(
    old: Talking, legacy: Legacy
) -> None:
    listen = Listen(legacy, toolsListChanged=True)
    await listen.acknowledged()
    old.live[0].say(asked("s"))
    old.live[0].say(asked("p", "ping"))
    await until(
        lambda: (
            len([a for a in old.server.asked if "id" in a.message and not a.message.get("method")])
            == 2
        )
    )
    answers = {
        a.message["id"]: a.message
        for a in old.server.asked
        if "method" not in a.message and a.message
    }
    assert answers["s"]["error"]["code"] == -32601
    assert answers["p"]["result"] == {}
    await listen.stop()


async def test_a_session_that_is_gone_is_begun_anew(old: Talking, legacy: Legacy) -> None:
    await legacy.call(outbound())
    old.sessions.clear()
    listen = Listen(legacy, toolsListChanged=True)
    await listen.acknowledged()
    assert old.begun == 2
    await listen.stop()


async def test_a_slow_listener_hears_of_each_thing_once_and_a_flood_breaks_it(
    old: Talking, legacy: Legacy
) -> None:
    listen = Listen(legacy, ["a:"])
    await listen.acknowledged()
    for number in range(2000):
        old.live[0].say(told(UPDATED, uri="a:"))
        old.live[0].say(told(UPDATED, uri=f"a:/{number}"))
    with pytest.raises(Refused, match="more was said"):
        await listen.task
    assert listen.told().count((UPDATED, "a:")) <= 2


async def test_there_are_so_many_listens_at_one_server(old: Talking) -> None:
    legacy = Legacy(old.server.wire(connections=1))
    listen = Listen(legacy, toolsListChanged=True)
    await listen.acknowledged()
    with pytest.raises(Refused, match=r"limit\.listens"):
        await Listen(legacy).task
    await listen.stop()
