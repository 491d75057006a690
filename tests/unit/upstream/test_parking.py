from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from bawn.config import Limits
from bawn.errors import UPSTREAM_OUTCOME, Refused
from bawn.model import Answer, Json, Outbound
from bawn.ports import Emit
from bawn.upstream.parking import Asks, Exchange, Parking
from tests.unit.upstream.live import until
from tests.unit.upstream.scripted import Heard, outbound

DONE = Answer(result={"content": []})
QUESTION = {"method": "roots/list"}


class Exchanges:
    """An exchange that the test leads; `answers` is what its questions were answered with."""

    def __init__(self) -> None:
        self.emit: Emit
        self.asks: Asks
        self.end: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self.begun = 0
        self.cancelled = 0
        self.answers: list[tuple[Any, Json]] = []
        self.first: list[Any] = []

    async def __call__(self, emit: Emit, asks: Asks) -> Answer:
        self.begun += 1
        self.emit, self.asks = emit, asks
        for id_ in self.first:
            assert self.ask(id_)
        try:
            return await asyncio.shield(self.end)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise

    async def finish(self) -> None:
        """Answer while nobody waits."""
        self.end.set_result(DONE)
        for _ in range(5):
            await asyncio.sleep(0)

    def ask(self, id_: Any, request: Json | None = None) -> bool:
        async def answer(outcome: Json) -> None:
            self.answers.append((id_, outcome))

        return self.asks.ask(id_, request or QUESTION, answer)


@pytest.fixture
async def exchange() -> Exchanges:
    return Exchanges()


async def no_time(seconds: float) -> None:
    """Sleep for none."""


def parking(**limits: Any) -> Parking:
    return Parking("files", Limits(**limits), no_time)


def retry(answer: Answer, declined: Json | None = None, **responses: Any) -> Outbound:
    state = (answer.result or {})["requestState"]
    whole = outbound(requestState=state, inputResponses=responses)
    return msgspec.structs.replace(whole, parked=True, declined=declined or {})


async def parked(place: Parking, exchange: Exchanges, *ids: Any) -> Answer:
    exchange.first = list(ids or ("q",))
    answer = await place.run(outbound(), None, exchange)
    assert answer.parked
    return answer


async def test_a_call_that_is_asked_nothing_is_answered_as_ever(exchange: Exchanges) -> None:
    exchange.end.set_result(DONE)
    assert await parking().run(outbound(), None, exchange) is DONE


async def test_a_question_comes_as_input_required_and_its_answer_goes_to_the_server(
    exchange: Exchanges,
) -> None:
    place = parking()
    answer = await parked(place, exchange, 7)
    result = answer.result or {}
    assert result["resultType"] == "input_required"
    (key,) = result["inputRequests"]
    assert result["inputRequests"][key] == QUESTION
    going_on = asyncio.create_task(place.resume(retry(answer, **{key: {"roots": []}}), None))
    await until(lambda: exchange.answers)
    exchange.end.set_result(DONE)
    assert await going_on is DONE
    assert exchange.answers == [(7, {"result": {"roots": []}})]
    assert exchange.begun == 1


class Clock:
    """Sleeps until the test says that the time is over."""

    def __init__(self) -> None:
        self.asleep: list[asyncio.Future[None]] = []
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.asleep.append(asyncio.get_running_loop().create_future())
        await self.asleep[-1]

    async def passes(self) -> None:
        """The time of whoever sleeps is over."""
        count = len(self.slept)
        await until(lambda: self.asleep)
        self.asleep.pop().set_result(None)
        for _ in range(5):
            await asyncio.sleep(0)
        assert len(self.slept) <= count + 1


async def test_what_is_asked_within_a_moment_is_asked_in_one_round(exchange: Exchanges) -> None:
    clock = Clock()
    place = Parking("files", Limits(), clock.sleep)
    exchange.first = ["a"]
    call = asyncio.create_task(place.run(outbound(), None, exchange))
    await until(lambda: clock.asleep)
    assert exchange.ask("b")
    await clock.passes()
    assert not call.done()
    assert exchange.ask("c")
    await clock.passes()
    await clock.passes()
    assert list(((await call).result or {})["inputRequests"]) == ["1", "2", "3"]
    assert clock.slept == [0.02] * 3


async def test_a_server_that_never_stops_asking_is_waited_for_so_long(
    exchange: Exchanges,
) -> None:
    asked = iter(range(10_000))

    async def sleep(seconds: float) -> None:
        id_ = next(asked)
        exchange.asks.withdraw(id_ - 1)
        assert exchange.ask(id_)

    exchange.first = ["q"]
    answer = await Parking("files", Limits(), sleep).run(outbound(), None, exchange)
    assert len((answer.result or {})["inputRequests"]) == 2
    assert next(asked) == 16


async def test_a_call_that_ends_in_that_moment_is_answered(exchange: Exchanges) -> None:
    clock = Clock()
    exchange.first = ["a"]
    place = Parking("files", Limits(), clock.sleep)
    call = asyncio.create_task(place.run(outbound(), None, exchange))
    await until(lambda: clock.asleep)
    await exchange.finish()
    await clock.passes()
    assert await call is DONE


async def test_what_is_withdrawn_in_that_moment_is_not_asked(exchange: Exchanges) -> None:
    clock = Clock()
    exchange.first = ["a"]
    place = Parking("files", Limits(), clock.sleep)
    call = asyncio.create_task(place.run(outbound(), None, exchange))
    await until(lambda: clock.asleep)
    assert (exchange.asks.waiting, exchange.asks.has("a")) == (True, True)
    exchange.asks.withdraw("a")
    assert (exchange.asks.waiting, exchange.asks.has("a")) == (False, False)
    await clock.passes()
    assert not call.done()
    exchange.end.set_result(DONE)
    assert await call is DONE


async def test_what_was_left_out_is_asked_again_under_a_new_id(exchange: Exchanges) -> None:
    place = parking()
    first = await parked(place, exchange, "a", "b")
    one, two = (first.result or {})["inputRequests"]
    second = await place.resume(retry(first, **{one: {}}), None)
    assert list((second.result or {})["inputRequests"]) == [two]
    assert (second.result or {})["requestState"] != (first.result or {})["requestState"]
    assert exchange.answers == [("a", {"result": {}})]


async def test_what_the_client_declined_is_told_as_an_error(exchange: Exchanges) -> None:
    place = parking()
    answer = await parked(place, exchange, "a", "b")
    one, two = (answer.result or {})["inputRequests"]
    error = {"code": -1, "message": "no"}
    going_on = asyncio.create_task(
        place.resume(retry(answer, declined={one: error}, **{two: "text"}), None)
    )
    await until(lambda: len(exchange.answers) == 2)
    exchange.end.set_result(DONE)
    await going_on
    assert exchange.answers[0] == ("a", {"error": error})
    assert exchange.answers[1][1]["error"]["code"] == -32600


@pytest.mark.parametrize("other", ["isolation", "principal", "requestState"])
async def test_nobody_else_can_resume_a_call(exchange: Exchanges, other: str) -> None:
    place = parking()
    answer = await parked(place, exchange)
    mine = retry(answer, **{"1": {}})
    if other == "requestState":
        theirs = msgspec.structs.replace(mine, params={**mine.params, other: "guessed"})
    else:
        theirs = msgspec.structs.replace(mine, **{other: "mallory"})
    with pytest.raises(Refused, match=r"state\.lost"):
        await place.resume(theirs, None)
    assert exchange.answers == []
    exchange.end.set_result(DONE)
    assert await place.resume(mine, None) is DONE  # it was taken from nobody


async def test_an_id_serves_once(exchange: Exchanges) -> None:
    place = parking()
    answer = await parked(place, exchange)
    await exchange.finish()
    await place.resume(retry(answer), None)
    with pytest.raises(Refused, match=r"state\.lost"):
        await place.resume(retry(answer), None)
    assert exchange.begun == 1


async def test_a_question_that_is_withdrawn_is_asked_no_more(exchange: Exchanges) -> None:
    place = parking()
    answer = await parked(place, exchange, 1)
    assert not exchange.asks.withdraw("1")
    assert exchange.asks.withdraw(1)
    going_on = asyncio.create_task(place.resume(retry(answer, **{"1": {}}), None))
    await asyncio.sleep(0)
    exchange.end.set_result(DONE)
    assert await going_on is DONE
    assert exchange.answers == []


async def test_a_server_that_answers_without_waiting_is_heard_at_the_retry(
    exchange: Exchanges,
) -> None:
    place = parking()
    answer = await parked(place, exchange)
    await exchange.finish()
    assert await place.resume(retry(answer, **{"1": {}}), None) is DONE


async def test_a_server_that_breaks_off_meanwhile_is_told_at_the_retry(
    exchange: Exchanges,
) -> None:
    place = parking()
    answer = await parked(place, exchange)
    exchange.end.set_exception(Refused(UPSTREAM_OUTCOME))
    with pytest.raises(Refused, match=r"upstream\.outcome_unknown"):
        await place.resume(retry(answer, **{"1": {}}), None)
    with pytest.raises(Refused, match=r"state\.lost"):
        await place.resume(retry(answer), None)


async def test_a_call_that_nobody_resumes_is_given_up(exchange: Exchanges) -> None:
    place = parking(input=0.01)
    answer = await parked(place, exchange)
    while not exchange.cancelled:
        await asyncio.sleep(0.001)
    with pytest.raises(Refused, match=r"state\.lost"):
        await place.resume(retry(answer), None)


async def test_waiting_for_the_caller_does_not_count(exchange: Exchanges) -> None:
    place = parking(total=0.05)
    answer = await parked(place, exchange)
    await asyncio.sleep(0.1)
    await exchange.finish()
    assert await place.resume(retry(answer), None) is DONE


async def test_waiting_for_the_server_does(exchange: Exchanges) -> None:
    place = parking(total=0.02)
    with pytest.raises(Refused, match=r"upstream\.total"):
        await place.run(outbound(), None, exchange)
    await until(lambda: exchange.cancelled)


async def test_a_caller_who_goes_away_ends_the_call(exchange: Exchanges) -> None:
    place = parking()
    call = asyncio.create_task(place.run(outbound(), None, exchange))
    await until(lambda: exchange.begun)
    call.cancel()
    await asyncio.wait({call})
    await until(lambda: exchange.cancelled)


async def test_one_caller_has_so_many_places_and_the_next_question_is_refused() -> None:
    place = parking(parked=1)
    kept, turned_away, another = Exchanges(), Exchanges(), Exchanges()
    await parked(place, kept)
    turned_away.first = ["q"]
    with pytest.raises(Refused, match=r"limit\.parked"):
        await place.run(outbound(), None, turned_away)
    assert "error" in turned_away.answers[0][1]
    await until(lambda: turned_away.cancelled)
    another.first = ["q"]
    assert (await place.run(outbound(isolation="bob"), None, another)).parked
    assert [kept.cancelled, another.cancelled] == [0, 0]
    await place.aclose()
    assert [kept.cancelled, another.cancelled] == [1, 1]


async def test_a_place_is_free_again_after_the_retry(exchange: Exchanges) -> None:
    place = parking(parked=1)
    answer = await parked(place, exchange)
    again = await place.resume(retry(answer), None)  # answers nothing
    await exchange.finish()
    assert await place.resume(retry(again), None) is DONE


async def test_a_call_has_so_many_open_questions_and_none_twice(exchange: Exchanges) -> None:
    await parked(parking(), exchange)
    assert not exchange.ask("q")
    assert exchange.ask(1)
    assert exchange.ask("1")
    assert [exchange.ask(n) for n in range(2, 20)].count(True) == 13


async def test_notifications_reach_whoever_waits_and_nobody_while_nobody_does(
    exchange: Exchanges,
) -> None:
    place, first, second = parking(), Heard(), Heard()
    exchange.first = ["q"]
    answer = await place.run(outbound(), first, exchange)
    await exchange.emit({"method": "lost"})
    going_on = asyncio.create_task(place.resume(retry(answer, **{"1": {}}), second))
    await until(lambda: exchange.answers)
    await exchange.emit({"method": "heard"})
    exchange.end.set_result(DONE)
    await going_on
    assert (first.messages, second.messages) == ([], [{"method": "heard"}])


async def test_an_answer_that_does_not_arrive_ends_the_call(exchange: Exchanges) -> None:
    place = parking()

    async def lost(outcome: Json) -> None:
        raise Refused(UPSTREAM_OUTCOME)

    async def asking(emit: Emit, asks: Asks) -> Answer:
        asks.ask(1, QUESTION, lost)
        return await exchange(emit, asks)

    run: Exchange = asking
    answer = await place.run(outbound(), None, run)
    with pytest.raises(Refused, match=r"upstream\.outcome_unknown"):
        await place.resume(retry(answer, **{"1": {}}), None)
    await until(lambda: exchange.cancelled)
