from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

from bawn.config import Limits
from bawn.errors import (
    GATE_NOT_READY,
    GATE_WORKER_LOST,
    UPSTREAM_OUTCOME,
    UPSTREAM_TOTAL,
    UPSTREAM_UNREACHABLE,
    Reason,
    Refused,
)
from bawn.model import Json, Peer
from bawn.ports import Arrival, Elsewhere, Emit, HttpReply, HttpRequest, Reply
from bawn.protocol import replies
from bawn.transport.relay import HEADER, Relay
from tests.gate import Clock, counting_sealer
from tests.unit.transport.house import ALICE, LOCAL, House

BODY = b'{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{}}'
JSON: Mapping[bytes, bytes] = {b"content-type": b"application/json"}


class FakeClient:
    """Answers as it is told, and remembers what was sent."""

    def __init__(self) -> None:
        self.sent: list[HttpRequest] = []
        self.reply = HttpReply(200, JSON, b'{"from":"far"}')
        self.refusal: Reason | None = None

    async def send(self, request: HttpRequest) -> HttpReply:
        """Fills `ports.HttpClient`."""
        self.sent.append(request)
        if self.refusal is not None:
            raise Refused(self.refusal)
        return self.reply

    async def aclose(self) -> None:
        """Fills `ports.HttpClient`."""


class Far:
    """A relay over a client that is told what to answer."""

    def __init__(self) -> None:
        self.client = FakeClient()
        self.clock = Clock()
        self.sealer = counting_sealer()
        self.relay = Relay(self.client, self.sealer, self.path_of, self.clock, Limits())
        self.told: list[Json] = []

    def path_of(self, slot: int) -> str:
        """Where a worker listens."""
        return f"/run/bawn/w {slot}.sock"

    async def emit(self, message: Json) -> None:
        """What is told towards the caller."""
        self.told.append(message)

    async def forward(self, peer: Peer = LOCAL, **headers: bytes) -> Reply | None:
        """A message for the worker in slot 3."""
        named = {name.replace("_", "-").encode(): value for name, value in headers.items()}
        arrival = Arrival(ALICE, None, named, BODY, peer)
        return await self.relay.forward(arrival, "POST", "/mcp/files", 3, self.emit)


@pytest.fixture
def far() -> Far:
    return Far()


async def test_a_message_goes_whole_to_the_other_workers_socket(far: Far) -> None:
    reply = await far.forward(authorization=b"Bearer x", mcp_name=b"n", origin=b"o")
    assert reply == Reply(200, b'{"from":"far"}', ((b"content-type", b"application/json"),))
    (request,) = far.client.sent
    assert request.method == "POST"
    assert request.url == "http+unix://%2Frun%2Fbawn%2Fw%203.sock/mcp/files"
    assert request.body == BODY
    kept = dict(request.headers)
    sealed = kept.pop(HEADER)
    assert kept == {b"authorization": b"Bearer x", b"mcp-name": b"n", b"origin": b"o"}
    assert far.relay.peer(sealed) == LOCAL


async def test_what_is_for_one_hop_or_could_forge_the_caller_stays_here(far: Far) -> None:
    await far.forward(
        connection=b"close, x-mine", x_mine=b"1", host=b"h", content_length=b"9", te=b"trailers",
        transfer_encoding=b"chunked", upgrade=b"x", keep_alive=b"1", expect=b"100-continue",
        x_forwarded_for=b"10.0.0.1", forwarded=b"for=10.0.0.1", bawn_relay=b"forged",
        x_other=b"2",
    )  # fmt: skip
    (request,) = far.client.sent
    assert [name for name, _ in request.headers] == [b"x-other", HEADER]
    assert dict(request.headers)[HEADER] != b"forged"


@pytest.mark.parametrize("sealed", [None, b"", b"x", b"\xff", b"forged.forged"])
def test_nobody_else_speaks_for_a_caller(far: Far, sealed: bytes | None) -> None:
    assert far.relay.peer(sealed) is None


def test_a_seal_is_for_this_purpose_and_for_a_short_time(far: Far) -> None:
    content = {"a": "192.0.2.1", "u": None, "x": far.clock.now + 30}
    good = far.sealer.seal("relay", content).encode()
    assert far.relay.peer(good) == Peer("192.0.2.1")
    assert far.relay.peer(far.sealer.seal("cursor", content).encode()) is None
    far.clock.now += 31
    assert far.relay.peer(good) is None


async def test_progress_is_told_on_and_the_last_message_is_the_answer(far: Far) -> None:
    async def events() -> AsyncIterator[bytes]:
        yield b'{"method":"notifications/progress","params":{"progress":1}}'
        yield b'{"id":7,"result":{}}'
        yield b'{"never":"read"}'

    far.client.reply = HttpReply(200, {b"content-type": b"text/event-stream"}, b"", events())
    assert await far.forward() == Reply(200, b'{"id":7,"result":{}}')
    assert [message["params"] for message in far.told] == [{"progress": 1}]


async def test_a_stream_without_an_answer_is_a_lost_worker(far: Far) -> None:
    async def events() -> AsyncIterator[bytes]:
        yield b'{"method":"notifications/progress"}'

    far.client.reply = HttpReply(200, {}, b"", events())
    with pytest.raises(Refused) as caught:
        await far.forward()
    assert caught.value.reason is GATE_WORKER_LOST


async def test_when_nothing_was_sent_somebody_else_may_answer(far: Far) -> None:
    far.client.refusal = UPSTREAM_UNREACHABLE
    assert await far.forward() is None


@pytest.mark.parametrize("reason", [UPSTREAM_OUTCOME, UPSTREAM_TOTAL])
async def test_when_something_was_sent_nobody_else_may(far: Far, reason: Reason) -> None:
    far.client.refusal = reason
    with pytest.raises(Refused) as caught:
        await far.forward()
    assert caught.value.reason is GATE_WORKER_LOST


async def test_held_bytes_are_given_back(far: Far) -> None:
    released = []
    far.client.reply = HttpReply(200, JSON, b"{}", None, lambda: released.append(1))
    await far.forward()
    assert released == [1]


# ── at the endpoint ─────────────────────────────────────────────────────────────────────────────


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
    await asyncio.wait_for(cancelled.wait(), 5)


async def test_when_nobody_is_in_force_the_message_is_refused(house: House, far: Far) -> None:
    def nowhere(slot: int) -> str:
        raise Refused(GATE_NOT_READY)

    house.endpoint._relay = Relay(far.client, far.sealer, nowhere, far.clock, Limits())
    assert (await house.post(body=BODY).run()).reason == "gate.not_ready"


# ── the private listener ────────────────────────────────────────────────────────────────────────


def private(far: Far) -> House:
    """The endpoint for other workers."""
    return House(relay=far.relay, private=True)


async def relayed(far: Far, peer: Peer, **headers: bytes) -> Any:
    """The header fields of a message as they arrive there."""
    await far.forward(peer, **headers)
    fields: dict[bytes, bytes | None] = dict(far.client.sent[-1].headers)
    return fields


async def test_who_a_message_is_from_is_what_the_other_worker_sealed(far: Far) -> None:
    house = private(far)
    for peer in (LOCAL, Peer("203.0.113.9")):
        fields = await relayed(far, peer, bawn_project=b"/a")
        headers = {b"host": b"localhost", b"origin": b"https://app.example.com", **fields}
        done = await house.post("/mcp/files", body=BODY, headers=headers).run()
        assert (done.status, json.loads(done.body)) == (200, {"fine": True})
        arrival = house.gate.arrived[-1]
        assert (arrival.peer, arrival.settled) == (peer, True)
        assert arrival.project == ("/a" if peer is LOCAL else None)


async def test_without_a_fresh_seal_nothing_is_there(far: Far) -> None:
    house = private(far)
    stale = await relayed(far, LOCAL)
    far.clock.now += 31
    forged: dict[bytes, bytes | None] = {HEADER: b"forged"}
    for headers in ({}, forged, stale):
        done = await house.post(body=BODY, headers=headers).run()
        assert (done.status, done.reason) == (404, "http.not_found")
    assert house.gate.arrived == []


async def test_credentials_are_judged_there_as_anywhere(far: Far) -> None:
    fields = await relayed(far, Peer("203.0.113.9"))
    headers = {**fields, b"authorization": b"Bearer bad"}
    done = await private(far).post(body=BODY, headers=headers).run()
    assert (done.status, done.reason) == (401, "auth.invalid")


async def test_a_seal_says_nothing_on_the_listener_for_clients(far: Far) -> None:
    house = House(relay=far.relay)
    await house.post(body=BODY, headers=await relayed(far, LOCAL)).run()
    (arrival,) = house.gate.arrived
    assert (arrival.peer.uid, arrival.settled) == (None, False)


def test_bytes_held_for_callers_hold_up_no_other_worker(far: Far) -> None:
    house = private(far)
    assert house.endpoint.held is not house.held
    assert house.endpoint.held.all.most == house.held.all.most
    assert House(relay=far.relay).endpoint.held.all.held == 0


def test_a_private_endpoint_needs_a_relay() -> None:
    with pytest.raises(ValueError, match="relay"):
        House(private=True)
