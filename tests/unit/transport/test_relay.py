from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from math import inf
from typing import Any

import pytest

from bawn.config import Limits
from bawn.errors import (
    GATE_WORKER_LOST,
    UPSTREAM_OUTCOME,
    UPSTREAM_TOTAL,
    UPSTREAM_UNREACHABLE,
    Reason,
    Refused,
)
from bawn.model import Peer
from bawn.ports import Arrival, HttpReply, HttpRequest, Reply
from bawn.transport.relay import HEADER, Relay
from bawn.transport.stream import INLINE
from tests.fakes import Clock, counting_sealer
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
        self.told: list[tuple[bytes, bytes]] = []

    def path_of(self, slot: int) -> str:
        """Where a worker listens."""
        return f"/run/bawn/w {slot}.sock"

    async def tell(self, id_: bytes, message: bytes) -> None:
        """What is told towards the caller."""
        self.told.append((id_, message))

    async def forward(
        self, peer: Peer = LOCAL, method: str = "POST", /, **headers: bytes
    ) -> Reply | None:
        """A message for the worker in slot 3."""
        named = {name.replace("_", "-").encode(): value for name, value in headers.items()}
        arrival = Arrival(ALICE, None, named, BODY, peer)
        return await self.relay.forward(arrival, method, "/mcp/files", 3, self.tell)


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
    assert kept.pop(INLINE) == b"1"
    assert kept == {b"authorization": b"Bearer x", b"mcp-name": b"n", b"origin": b"o"}
    assert far.relay.peer(sealed) == LOCAL


async def test_what_is_for_one_hop_or_could_forge_the_caller_stays_here(far: Far) -> None:
    await far.forward(
        connection=b"close, x-mine", x_mine=b"1", host=b"h", content_length=b"9", te=b"trailers",
        transfer_encoding=b"chunked", upgrade=b"x", keep_alive=b"1", expect=b"100-continue",
        x_forwarded_for=b"10.0.0.1", forwarded=b"for=10.0.0.1", bawn_relay=b"forged",
        bawn_events=b"mine",
        x_other=b"2",
    )  # fmt: skip
    (request,) = far.client.sent
    assert [name for name, _ in request.headers] == [b"x-other", HEADER, INLINE]
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


def stream(*events: bytes) -> HttpReply:
    """A reply that is a stream."""

    async def each() -> AsyncIterator[bytes]:
        for event in events:
            yield event

    return HttpReply(200, {b"content-type": b"text/event-stream"}, b"", each())


async def test_all_that_is_told_is_told_on_with_its_ids_the_answer_too(far: Far) -> None:
    told = [
        (b"p.x.0", b""),
        (b"p.x.1", b'{"method":"notifications/progress"}'),
        (b"p.x.2", b'{"id":"q","method":"roots/list"}'),
        (b"p.x.3", b'{"id":7,"result":{}}'),
    ]
    far.client.reply = stream(*(b"%b %b" % event for event in told))
    assert await far.forward() == Reply(200, b"")
    assert far.told == [(b"", b""), *told]


async def test_events_without_ids_and_batches_of_answers_are_told_on_as_well(far: Far) -> None:
    note, answers = b'{"method":"notifications/progress"}', b'[{"id":7,"result":{}}]'
    far.client.reply = stream(note, answers)
    await far.forward()
    assert far.told[1:] == [(b"", note), (b"", answers)]


@pytest.mark.parametrize("last", [b'{"method":"x"}', b'p.x.1 {"id":1,"method":"x"}', b"p.x.0 "])
async def test_a_call_whose_stream_ends_without_its_answer_is_lost(far: Far, last: bytes) -> None:
    far.client.reply = stream(last)
    with pytest.raises(Refused) as caught:
        await far.forward()
    assert caught.value.reason is GATE_WORKER_LOST


async def test_a_standing_stream_has_no_answer(far: Far) -> None:
    far.client.reply = stream(b'g.x.0 {"method":"x"}')
    assert await far.forward(LOCAL, "GET") == Reply(200, b"")


@pytest.mark.parametrize(
    ("method", "headers", "lasting"),
    [
        ("POST", {}, False),
        ("POST", {"mcp_protocol_version": b"2026-07-28", "mcp_method": b"tools/call"}, False),
        ("POST", {"mcp_session_id": b"s"}, True),
        ("DELETE", {"mcp_session_id": b"s"}, False),
        ("GET", {"mcp_session_id": b"s"}, True),
        (
            "POST",
            {"mcp_protocol_version": b"2026-07-28", "mcp_method": b"subscriptions/listen"},
            True,
        ),
    ],
)
async def test_what_lasts_has_no_deadline_and_takes_no_calls_connection(
    far: Far, method: str, headers: dict[str, bytes], lasting: bool
) -> None:
    streams = FakeClient()
    far.relay = Relay(far.client, far.sealer, far.path_of, far.clock, Limits(), streams)
    await far.forward(LOCAL, method, **headers)
    (request,) = streams.sent if lasting else far.client.sent
    assert (request.total == inf) is lasting
    assert request.first_byte < inf
    assert len(streams.sent) == int(lasting)


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
