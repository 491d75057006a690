from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from bawn.errors import Refused
from bawn.model import Answer, Json, Outbound
from bawn.ports import HttpReply
from bawn.protocol import versions
from bawn.upstream import parking
from bawn.upstream.legacy import Legacy
from tests.unit.upstream.live import Live, answered, asked, told, until
from tests.unit.upstream.old import INITIALIZED, Old
from tests.unit.upstream.scripted import Asked, Heard, error, outbound, reply, result
from tests.unit.upstream.stores import MemorySessions

CAPABLE: Json = {
    versions.META_CAPABILITIES: {
        "sampling": {},
        "elicitation": {"form": {}, "url": {}},
        "roots": {},
    }
}


class Asking(Old):
    """Says on the stream of each call what the test wants, and remembers what it was told."""

    def __init__(self) -> None:
        super().__init__()
        self.live: list[Live] = []
        self.aside: list[Live] = []  # what it says on its own streams, if it `speaks`
        self.speaks = 200
        self.behave = self.stream

    def stream(self, call: Asked) -> HttpReply:
        if call.method != "tools/call":
            return result(call, {})
        self.live.append(Live())
        return reply(events=self.live[-1])

    async def answer(self, asked: Asked) -> HttpReply:
        if asked.method == "GET" and asked.session in self.sessions:
            if self.speaks != 200:
                return reply(status=self.speaks)
            self.aside.append(Live())
            return reply(events=self.aside[-1])
        return await super().answer(asked)

    def responses(self) -> list[Json]:
        """The answers to what it asked."""
        return [a.message for a in self.server.asked if a.message and "method" not in a.message]

    def call(self) -> Asked:
        """The last call."""
        return self.server.of("tools/call")[-1]


@pytest.fixture
def old() -> Asking:
    return Asking()


@pytest.fixture
def legacy(old: Asking) -> Legacy:
    return Legacy(old.server.wire())


async def parked(old: Asking, legacy: Legacy, *questions: Json) -> Answer:
    call = asyncio.create_task(legacy.call(outbound(meta=CAPABLE)))
    await until(lambda: old.live)
    for question in questions or (asked("q", messages=[]),):
        old.live[-1].say(question)
    answer = await call
    assert answer.parked
    return answer


def retry(answer: Answer, **responses: Any) -> Outbound:
    state = (answer.result or {})["requestState"]
    whole = outbound(meta=CAPABLE, requestState=state, inputResponses=responses)
    return msgspec.structs.replace(whole, parked=True)


async def test_what_is_asked_in_the_midst_of_a_call_is_answered_in_its_session(
    old: Asking, legacy: Legacy
) -> None:
    answer = await parked(old, legacy, asked("q", maxTokens=3))
    requests = (answer.result or {})["inputRequests"]
    assert requests == {"1": {"method": "sampling/createMessage", "params": {"maxTokens": 3}}}
    going_on = asyncio.create_task(legacy.call(retry(answer, **{"1": {"role": "assistant"}})))
    await until(old.responses)
    assert old.responses() == [{"jsonrpc": "2.0", "id": "q", "result": {"role": "assistant"}}]
    assert old.server.asked[-1].session == b"s1"
    old.live[0].say(answered(old.call().message["id"], content=["x"]))
    assert (await going_on).result == {"resultType": "complete", "content": ["x"]}
    assert len(old.server.of("tools/call")) == 1


async def test_the_session_offers_what_the_caller_declared_and_each_offer_has_its_own(
    old: Asking, legacy: Legacy
) -> None:
    old.behave = result
    await legacy.call(outbound(meta=CAPABLE))
    await legacy.call(outbound())
    await legacy.call(outbound(meta=CAPABLE))
    await legacy.call(outbound(isolation="shared", meta=CAPABLE))
    offers = [a.message["params"]["capabilities"] for a in old.server.of("initialize")]
    assert offers == [CAPABLE[versions.META_CAPABILITIES], {}, {}]
    assert old.used() == [b"s1", b"s2", b"s1", b"s3"]


async def test_a_session_is_the_same_for_all_workers_whatever_it_offers(old: Asking) -> None:
    old.behave = result
    store = MemorySessions()
    workers = [Legacy(old.server.wire(), store) for _ in range(2)]
    for worker in workers:
        await worker.call(outbound(meta=CAPABLE))
        await worker.call(outbound())
    assert old.used() == [b"s1", b"s2", b"s1", b"s2"]
    await workers[0].aclose()
    assert old.server.of("DELETE") == []


@pytest.mark.parametrize(
    ("question", "code"),
    [
        (asked(1, "tasks/list"), -32601),
        (asked(1, "elicitation/create", mode="odd"), -32602),
        (asked(1, "sampling/createMessage", tools=[]), -32602),
        (asked(None), -32603),
        (asked([1]), -32603),
    ],
)
async def test_what_was_not_offered_is_answered_with_an_error(
    old: Asking, legacy: Legacy, question: Json, code: int
) -> None:
    call = asyncio.create_task(legacy.call(outbound(meta=CAPABLE)))
    await until(lambda: old.live)
    old.live[0].say(question)
    await until(old.responses)
    assert old.responses()[0]["error"]["code"] == code
    old.live[0].say(answered(old.call().message["id"]))
    assert not (await call).parked


async def test_a_server_that_asks_without_end_gets_errors_and_the_caller_a_few_questions(
    old: Asking, legacy: Legacy
) -> None:
    answer = await parked(old, legacy, *(asked(n) for n in range(10_000)))
    assert len((answer.result or {})["inputRequests"]) <= 16
    await until(old.responses)
    assert len(old.responses()) <= 10_000
    assert all("error" in response for response in old.responses())


async def test_an_id_that_is_open_cannot_be_asked_again(old: Asking, legacy: Legacy) -> None:
    answer = await parked(old, legacy, asked("q"), asked("q", maxTokens=1))
    assert len((answer.result or {})["inputRequests"]) == 1
    await until(old.responses)
    assert "error" in old.responses()[0]


async def test_what_it_withdraws_is_not_answered(old: Asking, legacy: Legacy) -> None:
    answer = await parked(old, legacy)
    old.live[0].say(told("notifications/cancelled", requestId="q"))
    old.live[0].say(answered(old.call().message["id"]))
    await until(lambda: old.live[0].closed)
    assert (await legacy.call(retry(answer, **{"1": {}}))).result == {"resultType": "complete"}
    assert old.responses() == []


async def test_what_it_asks_after_its_answer_is_nobodys(old: Asking, legacy: Legacy) -> None:
    call = asyncio.create_task(legacy.call(outbound(meta=CAPABLE)))
    await until(lambda: old.live)
    id_ = old.call().message["id"]
    for said in (answered(id_, first=1), asked("q"), answered(id_, second=2)):
        old.live[0].say(said)
    assert (await call).result == {"resultType": "complete", "first": 1}
    assert old.live[0].closed
    assert old.responses() == []


async def test_a_stream_that_breaks_while_the_caller_is_asked_is_told_at_the_retry(
    old: Asking, legacy: Legacy
) -> None:
    answer = await parked(old, legacy)
    old.live[0].fail()
    with pytest.raises(Refused, match=r"upstream\.outcome_unknown"):
        await legacy.call(retry(answer, **{"1": {}}))
    assert len(old.server.of("tools/call")) == 1


async def test_a_call_that_is_given_up_is_cancelled_at_the_server(
    old: Asking, legacy: Legacy
) -> None:
    await parked(old, legacy)
    await legacy._parking.aclose()
    await until(lambda: old.server.of("notifications/cancelled"))
    (cancelled,) = old.server.of("notifications/cancelled")
    assert cancelled.message["params"]["requestId"] == old.call().message["id"]
    assert old.live[0].closed


async def test_an_answer_that_the_server_does_not_take_ends_the_call(
    old: Asking, legacy: Legacy
) -> None:
    answer = await parked(old, legacy)
    before = old.answer

    async def refusing(request: Asked) -> HttpReply:
        return reply(status=500) if "result" in request.message else await before(request)

    old.server.answer = refusing
    with pytest.raises(Refused, match=r"upstream\.status"):
        await legacy.call(retry(answer, **{"1": {}}))


async def test_pages_to_visit_are_asked_for_without_waiting(old: Asking, legacy: Legacy) -> None:
    page = {"mode": "url", "elicitationId": "e", "url": "https://a.example/", "message": "go"}
    old.behave = lambda call: error(call, -32042, data={"elicitations": [page, 7]})
    answer = await legacy.call(outbound(meta=CAPABLE))
    (request,) = (answer.result or {})["inputRequests"].values()
    assert not answer.parked
    assert request["params"] == {"mode": "url", "url": "https://a.example/", "message": "go"}
    old.behave = result
    assert (await legacy.call(outbound(meta=CAPABLE, inputResponses={"url-1": {}}))).result
    assert "inputResponses" not in old.call().message["params"]


async def test_the_lowest_log_level_asked_for_is_set_once(old: Asking, legacy: Legacy) -> None:
    old.initialized = {**INITIALIZED, "capabilities": {"logging": {}}}
    old.behave = result
    for level in ("error", "info", "warning", "odd", "info"):
        await legacy.call(outbound(meta={versions.META_LOG_LEVEL: level}))
    levels = [a.message["params"]["level"] for a in old.server.of("logging/setLevel")]
    assert levels == ["error", "info"]


async def test_no_level_is_set_where_nothing_is_logged(old: Asking, legacy: Legacy) -> None:
    old.behave = result
    await legacy.call(outbound(meta={versions.META_LOG_LEVEL: "info"}))
    assert old.server.of("logging/setLevel") == []


async def test_two_callers_with_one_state_each_get_their_own(old: Asking, legacy: Legacy) -> None:
    answer = await parked(old, legacy)
    theirs = msgspec.structs.replace(retry(answer, **{"1": {}}), isolation="mallory")
    with pytest.raises(Refused, match=r"state\.lost"):
        await legacy.call(theirs, Heard())
    assert old.responses() == []


# ── what is asked on the session's own stream ───────────────────────────────────────────────────


async def begun(old: Asking, legacy: Legacy, meta: Json = CAPABLE) -> asyncio.Task[Answer]:
    """A call that the server works on."""
    before = len(old.live)
    call = asyncio.create_task(legacy.call(outbound(meta=meta), Heard()))
    await until(lambda: len(old.live) > before)
    return call


async def test_a_question_that_comes_beside_the_call_is_asked_and_answered(
    old: Asking, legacy: Legacy
) -> None:
    call = await begun(old, legacy)
    assert old.server.methods()[-2:] == ["GET", "tools/call"]  # it stood before the call went out
    old.aside[0].say(asked("q", maxTokens=3))
    answer = await call
    requests = (answer.result or {})["inputRequests"]
    assert requests == {"1": {"method": "sampling/createMessage", "params": {"maxTokens": 3}}}
    going_on = asyncio.create_task(legacy.call(retry(answer, **{"1": {"role": "assistant"}})))
    await until(old.responses)
    assert old.responses() == [{"jsonrpc": "2.0", "id": "q", "result": {"role": "assistant"}}]
    old.live[0].say(answered(old.call().message["id"]))
    assert not (await going_on).parked
    again = await begun(old, legacy)
    assert len(old.aside) == 1
    again.cancel()


async def test_who_asks_beside_two_calls_gets_an_answer_from_the_newest_first(
    old: Asking, legacy: Legacy
) -> None:
    first, second = await begun(old, legacy), await begun(old, legacy)
    old.aside[0].say(asked("a"))
    assert (await second).parked
    old.aside[0].say(asked("b"))
    assert (await first).parked


async def test_a_server_without_a_stream_of_its_own_is_called_all_the_same(
    old: Asking, legacy: Legacy
) -> None:
    old.speaks = 405
    for _ in range(3):
        call = await begun(old, legacy)
        old.live[-1].say(answered(old.call().message["id"]))
        assert not (await call).parked
    assert len(old.server.of("GET")) == 1


async def test_where_nothing_is_offered_no_stream_is_opened(old: Asking, legacy: Legacy) -> None:
    call = await begun(old, legacy, meta={})
    old.live[-1].say(answered(old.call().message["id"]))
    await call
    assert old.server.of("GET") == []


async def test_a_question_is_void_when_its_call_is_given_up(old: Asking, legacy: Legacy) -> None:
    call = await begun(old, legacy)
    old.aside[0].say(asked("q"))
    assert (await call).parked
    await legacy._parking.aclose()
    await until(old.responses)
    assert old.responses()[0]["error"]["code"] == -32603


async def test_a_listener_and_the_calls_share_the_stream(old: Asking, legacy: Legacy) -> None:
    old.initialized = {**INITIALIZED, "capabilities": {"tools": {"listChanged": True}}}
    heard, wanted = Heard(), {"toolsListChanged": True}
    listen = outbound("subscriptions/listen", meta=CAPABLE, notifications=wanted)
    listening = asyncio.create_task(legacy.call(listen, heard))
    await until(lambda: heard.messages)
    call = await begun(old, legacy)
    old.aside[0].say(told("notifications/tools/list_changed"))
    old.aside[0].say(asked("q"))
    assert (await call).parked
    await until(lambda: len(heard.messages) == 2)
    listening.cancel()
    await asyncio.wait({listening})
    assert (len(old.aside), old.aside[0].closed) == (1, False)
    await legacy.aclose()
    await until(lambda: old.aside[0].closed)


async def test_a_session_that_is_gone_takes_its_stream_with_it(old: Asking, legacy: Legacy) -> None:
    call = await begun(old, legacy)
    old.live[-1].say(answered(old.call().message["id"]))
    await call
    old.sessions.clear()
    call = await begun(old, legacy)
    assert (old.begun, len(old.aside)) == (2, 2)
    await until(lambda: old.aside[0].closed)
    old.aside[1].say(asked("q"))
    assert (await call).parked


async def test_the_questions_of_one_moment_are_asked_in_one_round(
    old: Asking, legacy: Legacy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parking, "_TOGETHER", 0.5)
    call = await begun(old, legacy)
    for stream, id_ in ((old.live[0], "a"), (old.aside[0], "b"), (old.live[0], "c")):
        stream.say(asked(id_))
        for _ in range(30):  # any of them would be asked by now
            await asyncio.sleep(0)
    assert list(((await call).result or {})["inputRequests"]) == ["1", "2", "3"]
