from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bawn.errors import UPSTREAM_OUTCOME, Refused
from bawn.model import Answer, Json
from bawn.ports import Emit, UpstreamSession
from bawn.protocol import versions
from bawn.upstream.exchange import Relay
from bawn.upstream.line import Listener
from bawn.upstream.parking import Answered
from bawn.upstream.questions import OpenCall, Questions
from bawn.upstream.sessions import Session
from tests.unit.upstream.live import asked, told, until
from tests.unit.upstream.scripted import Heard

LOGGING: Json = {"_meta": {versions.META_LOG_LEVEL: "info", "progressToken": "mine"}}


class Wired:
    """Fills `line.Line` as far as messages are told."""

    def __init__(self) -> None:
        self.sent: list[Json] = []
        self.refused = 0
        self.failing = False

    async def tell(self, session: Session, message: Json) -> None:
        if self.failing:
            self.refused += 1
            raise Refused(UPSTREAM_OUTCOME)
        self.sent.append(message)

    async def begin(self, offered: Json) -> UpstreamSession:
        raise NotImplementedError

    async def end(self, session: UpstreamSession) -> None:
        raise NotImplementedError

    async def ask(self, *_: Any, **__: Any) -> Answer:
        raise NotImplementedError

    async def hear(self, session: Session, listener: Listener) -> bool:
        raise NotImplementedError

    def leave(self, session: Session, listener: Listener) -> None:
        raise NotImplementedError

    def close(self) -> None:
        raise NotImplementedError

    def codes(self) -> list[int]:
        return [message["error"]["code"] for message in self.sent]


class Asked:
    """Fills `parking.Asks`: takes so many questions."""

    def __init__(self, most: int = 2) -> None:
        self.most = most
        self.open: dict[Any, Answered] = {}

    @property
    def waiting(self) -> bool:
        return bool(self.open)

    def ask(self, id_: str | int, request: Json, answer: Answered) -> bool:
        if len(self.open) >= self.most:
            return False
        self.open[id_] = answer
        return True

    def withdraw(self, id_: object) -> bool:
        return self.open.pop(id_, None) is not None

    def has(self, id_: object) -> bool:
        return id_ in self.open


class Room:
    """One session at which a server may ask for samples."""

    def __init__(self, offered: Json | None = None) -> None:
        self.line = Wired()
        self.questions = Questions()
        given = {"sampling": {}} if offered is None else offered
        self.session = Session(UpstreamSession({}, "2025-11-25", "s"), given)
        self._ids = iter(range(1, 100))

    def call(
        self, *, askable: bool = True, emit: Emit | None = None, params: Json | None = None
    ) -> OpenCall:
        """A call that begins."""
        id_ = next(self._ids)
        call = OpenCall(id_, Relay(params or {}, id_, emit), Asked() if askable else None)
        self.questions.begin(self.session, call)
        return call

    def end(self, call: OpenCall) -> None:
        self.questions.end(self.line, self.session, call)

    def overhear(self, message: Json) -> None:
        self.questions.overheard(self.line, self.session, message)


def open_at(call: OpenCall) -> list[Any]:
    """What the caller is being asked."""
    assert isinstance(call.asks, Asked)
    return list(call.asks.open)


@pytest.fixture
async def room() -> Room:
    return Room()


async def test_what_names_no_call_goes_to_the_newest_that_waits_for_nothing(room: Room) -> None:
    first, second = room.call(), room.call()
    room.call(askable=False)
    for id_ in ("a", "b", "c", "d"):
        room.overhear(asked(id_))
    assert (open_at(second), open_at(first)) == (["a", "c"], ["b"])
    await until(lambda: room.line.sent)
    assert room.line.codes() == [-32603]  # the newest is asked enough


async def test_an_answer_goes_back_where_it_was_asked(room: Room) -> None:
    call = room.call()
    room.overhear(asked("q"))
    assert isinstance(call.asks, Asked)
    await call.asks.open["q"]({"result": {"x": 1}})
    assert room.line.sent == [{"id": "q", "result": {"x": 1}}]


async def test_without_a_call_to_ask_the_server_is_told_so(room: Room) -> None:
    room.end(room.call())
    room.call(askable=False)
    room.overhear(asked("q"))
    await until(lambda: room.line.sent)
    assert room.line.codes() == [-32603]


async def test_another_session_is_another_matter(room: Room) -> None:
    other = Session(UpstreamSession({}, "2025-11-25", "s"), {"sampling": {}})
    call = OpenCall(9, Relay({}, 9, None), Asked())
    room.questions.begin(other, call)
    room.overhear(asked("q"))
    assert open_at(call) == []


async def test_what_was_not_offered_is_refused_and_a_ping_answered(room: Room) -> None:
    call = room.call()
    room.overhear(asked(1, "roots/list"))
    room.overhear(asked(2, tools=[]))
    room.overhear(asked(True))
    room.overhear(asked(3, "ping"))
    room.overhear({"jsonrpc": "2.0", "id": 4, "result": {}})
    await until(lambda: len(room.line.sent) == 4)
    assert room.line.sent.pop() == {"id": 3, "result": {}}
    assert room.line.codes() == [-32601, -32602, -32603]
    assert open_at(call) == []


async def test_an_id_that_is_open_at_another_call_is_refused(room: Room) -> None:
    first = room.call()
    room.overhear(asked("q"))
    second = room.call()
    room.overhear(asked("q"))
    await room.questions.told(room.line, room.session, second, asked("q"))
    await until(lambda: len(room.line.sent) == 2)
    assert (open_at(first), open_at(second)) == (["q"], [])


@pytest.mark.parametrize("aside", [True, False])
async def test_what_is_withdrawn_is_found_whichever_call_is_asked_it(
    room: Room, aside: bool
) -> None:
    first = room.call()
    room.overhear(asked("q"))
    second = room.call()
    withdrawn = told("notifications/cancelled", requestId="q")
    if aside:
        room.overhear(withdrawn)
    else:
        await room.questions.told(room.line, room.session, second, withdrawn)
    room.overhear(told("notifications/cancelled"))
    assert open_at(first) == []
    room.end(first)
    await asyncio.sleep(0)
    assert room.line.sent == []


async def test_a_call_that_ends_leaves_no_question_unanswered(room: Room) -> None:
    call = room.call()
    room.overhear(asked("a"))
    assert isinstance(call.asks, Asked)
    call.asks.open.clear()  # answered
    room.overhear(asked("b"))
    await room.questions.told(room.line, room.session, call, asked("c"))
    room.end(call)
    room.end(call)
    await until(lambda: room.line.sent)
    # what was asked on the call's own stream ends with that
    assert [message["id"] for message in room.line.sent] == ["b"]
    assert room.line.codes() == [-32603]


async def test_a_log_message_is_heard_where_just_one_call_wants_any(room: Room) -> None:
    heard, also = Heard(), Heard()
    room.call(emit=also)
    room.call(emit=heard, params=LOGGING)
    room.overhear(told("notifications/message", level="debug", data=0))
    room.overhear(told("notifications/message", level="info", data=1))
    await until(lambda: heard.messages)
    room.call(emit=also, params=LOGGING)
    room.overhear(told("notifications/message", level="info", data=2))
    await asyncio.sleep(0)
    assert [message["params"]["data"] for message in heard.messages] == [1]
    assert also.messages == []


async def test_progress_finds_its_call_by_the_token(room: Room) -> None:
    heard, other = Heard(), Heard()
    call = room.call(emit=heard, params=LOGGING)
    room.call(emit=other, params=LOGGING)
    tokens: list[Any] = [str(call.id), True, [], 77, call.id]
    for token in tokens:
        room.overhear(told("notifications/progress", progressToken=token, progress=1))
    room.overhear({"method": "notifications/progress", "params": 7})
    await until(lambda: heard.messages)
    (message,) = heard.messages
    assert message["params"] == {"progressToken": "mine", "progress": 1}
    assert other.messages == []


async def test_a_slow_caller_holds_nobody_up_and_misses_what_is_too_much(room: Room) -> None:
    reads = asyncio.Event()
    told_: list[Any] = []

    async def slowly(message: Json) -> None:
        told_.append(message["params"]["data"])
        await reads.wait()

    call = room.call(emit=slowly, params=LOGGING)
    for number in range(200):
        room.overhear(told("notifications/message", level="info", data=number))
    await until(lambda: told_)
    reads.set()
    await until(lambda: len(told_) == 64)
    assert told_ == list(range(64))
    room.overhear(told("notifications/message", level="info", data="last"))
    room.end(call)
    await asyncio.sleep(0)
    assert told_[-1] == 63


async def test_where_nothing_may_be_asked_nothing_is_overheard() -> None:
    room, heard = Room({}), Heard()
    room.call(emit=heard, params=LOGGING)
    room.overhear(told("notifications/message", level="info", data=1))
    room.overhear(asked("q"))
    await until(lambda: room.line.sent)
    assert room.line.codes() == [-32601]
    assert heard.messages == []


async def test_a_server_that_takes_no_answers_is_not_asked_to_for_ever(room: Room) -> None:
    room.line.failing = True
    for number in range(1000):
        room.overhear(asked(number))
    await until(lambda: room.line.refused == 64)
    room.line.failing = False
    await asyncio.sleep(0)
    room.overhear(asked("q"))
    await until(lambda: room.line.sent)
    assert (room.line.refused, len(room.line.sent)) == (64, 1)
    room.questions.aclose()
