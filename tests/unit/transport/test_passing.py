from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from bawn.config import Limits
from bawn.errors import (
    GATE_NOT_READY,
    SESSION_UNKNOWN,
    UPSTREAM_OUTCOME,
    UPSTREAM_UNREACHABLE,
    Refused,
)
from bawn.ports import Arrival, Elsewhere, Emit, HttpReply, HttpRequest, Reply
from bawn.protocol import replies
from bawn.transport.passing import Passing
from bawn.transport.relay import Relay
from tests.unit.transport.edges import settle
from tests.unit.transport.house import House
from tests.unit.transport.test_relay import BODY, JSON, Far, stream


@pytest.fixture
def far() -> Far:
    return Far()


def elsewhere(house: House, seen: list[bool]) -> None:
    """A gate that leaves to slot 3 what is not settled."""

    async def answers(arrival: Arrival, emit: Emit) -> Reply:
        seen.append(arrival.settled)
        if not arrival.settled:
            raise Elsewhere(3)
        return Reply(200, b'{"from":"here"}')

    def ends(arrival: Arrival) -> Reply:
        seen.append(arrival.settled)
        if not arrival.settled:
            raise Elsewhere(3)
        return Reply(204, b"")

    house.gate.answers, house.gate.ends = answers, ends


@pytest.fixture(params=["whole", "split"])
def house(request: pytest.FixtureRequest, far: Far) -> House:
    """An endpoint whose messages are all somebody else's."""
    house = House(split=request.param == "split", relay=far.relay)
    elsewhere(house, [])
    return house


async def test_the_other_workers_answer_is_the_answer(house: House, far: Far) -> None:
    done = await house.post("/mcp/files", body=BODY).run()
    assert (done.status, done.json) == (200, {"from": "far"})
    assert far.client.sent[0].url.endswith("/mcp/files")


async def test_a_worker_that_is_not_there_is_stood_in_for(house: House, far: Far) -> None:
    far.client.refusal = UPSTREAM_UNREACHABLE
    assert (await house.post(body=BODY).run()).json == {"from": "here"}
    done = await house.post(body=b"", method="DELETE", headers={b"mcp-session-id": b"s"}).run()
    assert done.status == 204


async def test_a_worker_that_died_is_told_as_the_error_of_that_call(house: House, far: Far) -> None:
    far.client.refusal = UPSTREAM_OUTCOME
    done = await house.post(body=BODY).run()
    assert (done.status, done.reason, done.json["id"]) == (200, "gate.worker_lost", 7)
    assert len(house.gate.arrived) == 1
    assert house.meter.refusals == ["gate.worker_lost"]


async def test_a_message_that_nobody_is_ready_for_finds_its_way_anew(
    house: House, far: Far
) -> None:
    good = far.client.reply
    not_ready = replies.refusal(
        Refused(GATE_NOT_READY), id_=7, trace="", method="tools/call", modern=True
    )
    late = HttpReply(503, JSON, not_ready.body)
    answers = [late, late, good]

    async def in_turn(request: HttpRequest) -> HttpReply:
        return answers.pop(0)

    far.client.send = in_turn  # type: ignore[method-assign]  # what is in force changes meanwhile
    assert (await house.post(body=BODY).run()).json == {"from": "far"}
    answers[:] = [late] * 9
    assert (await house.post(body=BODY).run()).reason == "gate.not_ready"


async def test_a_session_is_ended_where_it_is_owned(house: House, far: Far) -> None:
    far.client.reply = HttpReply(204, {}, b"")
    headers: dict[bytes, bytes | None] = {b"mcp-session-id": b"s"}
    assert (await house.post(body=b"", method="DELETE", headers=headers).run()).status == 204
    assert far.client.sent[0].method == "DELETE"


async def test_progress_from_elsewhere_makes_the_answer_a_stream(house: House, far: Far) -> None:
    async def events() -> AsyncIterator[bytes]:
        yield b'{"method":"notifications/progress"}'
        yield b'{"id":7,"result":{}}'

    far.client.reply = HttpReply(200, {}, b"", events())
    done = await house.post(body=BODY).run()
    assert done.headers[b"content-type"] == b"text/event-stream"
    assert done.body.count(b"data: ") == 2


async def test_a_caller_who_leaves_cancels_what_was_passed_on(house: House, far: Far) -> None:
    cancelled = asyncio.Event()

    async def endless(request: HttpRequest) -> HttpReply:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise
        raise AssertionError("unreachable")

    far.client.send = endless  # type: ignore[method-assign]  # an owner that takes its time
    exchange = house.post(body=BODY)
    await exchange.send()
    exchange.leave()
    await asyncio.wait_for(cancelled.wait(), 30)


async def test_when_nobody_is_in_force_the_message_is_refused(house: House, far: Far) -> None:
    def nowhere(slot: int) -> str:
        raise Refused(GATE_NOT_READY)

    house.endpoint._passing = Passing(Relay(far.client, far.sealer, nowhere, far.clock, Limits()))
    assert (await house.post(body=BODY).run()).reason == "gate.not_ready"


# ── standing streams ────────────────────────────────────────────────────────────────────────────


def owned_elsewhere(arrival: Arrival) -> None:
    """A gate whose sessions are all another worker's."""
    if not arrival.settled:
        raise Elsewhere(3)


async def test_a_stream_of_another_workers_session_is_carried_with_its_ids(far: Far) -> None:
    house = House(relay=far.relay)
    house.gate.opens = owned_elsewhere
    far.client.reply = stream(b"g.x.0 ", b'g.x.1 {"method":"m"}')
    done = await house.get("/mcp/files", last_event_id=b"g.x.9").run()
    assert [(event.id, event.data) for event in done.events] == [
        (b"g.x.0", b""),
        (b"g.x.1", b'{"method":"m"}'),
    ]
    assert done.is_over
    (sent,) = far.client.sent
    assert (sent.method, dict(sent.headers)[b"last-event-id"]) == ("GET", b"g.x.9")
    assert house.gate.followed == []


async def test_a_refusal_of_the_other_worker_keeps_its_status(far: Far) -> None:
    house = House(relay=far.relay)
    house.gate.opens = owned_elsewhere
    gone = replies.refusal(Refused(SESSION_UNKNOWN), id_=None, trace="", method="", modern=True)
    far.client.reply = HttpReply(404, JSON, gone.body)
    done = await house.get().run()
    assert (done.status, done.reason) == (404, "session.unknown")


async def test_a_worker_that_died_ends_the_stream_without_an_answer(far: Far) -> None:
    async def breaking() -> AsyncIterator[bytes]:
        yield b"g.x.0 "
        raise Refused(UPSTREAM_OUTCOME)

    house = House(relay=far.relay)
    house.gate.opens = owned_elsewhere
    far.client.reply = HttpReply(200, {}, b"", breaking())
    done = await house.get().run()
    assert [event.data for event in done.events] == [b""]
    assert done.is_over


async def test_a_session_whose_worker_is_gone_is_followed_here(far: Far) -> None:
    house = House(relay=far.relay)
    house.gate.opens = owned_elsewhere
    far.client.refusal = UPSTREAM_UNREACHABLE
    exchange = house.get()
    await exchange.send()
    (followed,) = house.gate.followed
    assert followed.settled
    assert exchange.events[0].id
    exchange.leave()


async def test_a_worker_that_leaves_ends_what_it_only_carries(far: Far) -> None:
    closed = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        try:
            yield b'{"method":"m"}'
            await asyncio.Event().wait()
        finally:
            closed.set()

    house = House(relay=far.relay)
    house.gate.opens = owned_elsewhere
    far.client.reply = HttpReply(200, {}, b"", endless())
    exchange = house.get()
    await exchange.send()
    exchange.connection.protocol.shutdown()
    await exchange.run_on()
    await settle()
    assert exchange.is_over
    assert closed.is_set()


async def test_who_answers_a_server_is_not_told_that_the_answer_failed_under_its_id(
    far: Far,
) -> None:
    house = House(relay=far.relay)
    elsewhere(house, [])
    far.client.refusal = UPSTREAM_OUTCOME
    done = await house.post(body=b'{"jsonrpc":"2.0","id":7,"result":{}}').run()
    assert (done.reason, done.json["id"]) == ("gate.worker_lost", None)
