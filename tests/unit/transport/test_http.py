from __future__ import annotations

import asyncio
import json

import pytest

from bawn.errors import AUTH_INVALID, Refused
from bawn.model import Json, Principal
from bawn.ports import Arrival, Emit, Reply
from bawn.transport import edge
from tests.unit.transport.edges import settle
from tests.unit.transport.house import ALICE, LOCAL, OWNER, Exchange, House

NOTE: Json = {"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progress": 1}}


@pytest.fixture(params=["whole", "split"])
def house(request: pytest.FixtureRequest) -> House:
    """Requests come in one piece, or without their last byte at first."""
    return House(split=request.param == "split")


# ── what is let in ──────────────────────────────────────────────────────────────────────────────


async def test_a_good_message_arrives_whole_with_who_sent_it_and_where(house: House) -> None:
    done = await house.post("/mcp/files", body=b'{"x":1}').run()
    (arrival,) = house.gate.arrived
    assert (arrival.principal, arrival.endpoint, arrival.body) == (ALICE, "files", b'{"x":1}')
    assert arrival.project is None
    assert (done.status, done.body) == (200, b'{"fine":true}')
    assert done.headers == {b"content-type": b"application/json", b"content-length": b"13"}
    assert not done.connection.is_over()


async def test_the_aggregate_has_no_server(house: House) -> None:
    await house.post().run()
    assert house.gate.arrived[0].endpoint is None


async def test_a_token_that_is_not_known_yet_is_verified(house: House) -> None:
    assert (await house.post(headers={b"authorization": b"Bearer slow"}).run()).status == 200


def in_chunks(house: House, *parts: bytes) -> Exchange:
    """A POST whose body is not announced."""
    exchange = house.post(headers={b"content-length": None, b"transfer-encoding": b"chunked"})
    sized = [b"%x\r\n%b\r\n" % (len(part), part) for part in (*parts, b"")]
    exchange.bytes = exchange.bytes.removesuffix(b"{}") + b"".join(sized)
    return exchange


async def test_a_body_in_parts_is_one_body(house: House) -> None:
    assert (await in_chunks(house, b'{"a', b'":', b"1}").run()).status == 200
    assert house.gate.arrived[0].body == b'{"a":1}'


async def test_a_message_is_the_same_in_whatever_pieces_it_comes() -> None:
    for cut in range(1, len(House().post("/mcp/files", body=b'{"x":1}').bytes)):
        house = House()
        exchange = house.post("/mcp/files", body=b'{"x":1}')
        await exchange.connection.feed(exchange.bytes[:cut], exchange.bytes[cut:])
        assert exchange.status == 200, cut
        assert house.gate.arrived[0].body == b'{"x":1}'


async def test_a_local_peer_needs_no_token_and_no_host_and_brings_its_directory(
    house: House,
) -> None:
    headers = {b"host": b"localhost", b"authorization": None, b"bawn-project": b"/a%20b/%C3%BC"}
    assert (await house.post(peer=LOCAL, headers=headers).run()).status == 200
    assert house.gate.arrived[0].principal is OWNER
    assert house.gate.arrived[0].project == "/a b/ü"


async def test_a_remote_caller_cannot_choose_a_directory(house: House) -> None:
    await house.post(headers={b"bawn-project": b"/etc"}).run()
    assert house.gate.arrived[0].project is None


# ── what is refused ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("change", "status", "reason"),
    [
        ({"headers": {b"host": b"evil.example.com"}}, 421, "http.host"),
        ({"headers": {b"origin": b"https://evil.example.com"}}, 403, "http.origin"),
        ({"path": "/mcp?x=1"}, 404, "http.not_found"),
        ({"path": "/mcp?"}, 404, "http.not_found"),
        ({"path": "/mcp/%66iles"}, 404, "http.not_found"),
        ({"headers": {b"authorization": None}}, 401, "auth.missing"),
        ({"headers": {b"authorization": b"Bearer bad"}}, 401, "auth.invalid"),
        ({"path": "/mcp/nobody"}, 404, "http.not_found"),
        ({"path": "/mcp/"}, 404, "http.not_found"),
        ({"path": "/mcp/files/"}, 404, "http.not_found"),
        ({"method": "GET"}, 405, "http.method"),
        ({"method": "DELETE"}, 405, "http.method"),
        ({"headers": {b"content-type": b"text/plain"}}, 415, "http.media_type"),
        ({"headers": {b"content-type": None}}, 415, "http.media_type"),
        ({"headers": {b"accept": b"application/json"}}, 406, "http.accept"),
        ({"headers": {b"accept": b"text/event-stream"}}, 406, "http.accept"),
        ({"headers": {b"accept": None}}, 406, "http.accept"),
        ({"headers": {b"content-length": b"1001"}}, 413, "http.body"),
        ({"body": b"x" * 1001}, 413, "http.body"),
    ],
)
async def test_what_is_not_in_order_is_refused_before_the_gate_sees_it(
    house: House, change: dict[str, object], status: int, reason: str
) -> None:
    done = await house.post(**change).run()  # type: ignore[arg-type]  # each is a change of its own
    assert (done.status, done.reason) == (status, reason)
    assert done.json["id"] is None
    assert house.gate.arrived == []
    assert house.meter.refusals == [reason]


async def test_a_body_in_chunks_is_refused_as_soon_as_it_is_too_large(house: House) -> None:
    exchange = in_chunks(house, b"x" * 600, b"y" * 600)
    await exchange.run()
    assert (exchange.status, exchange.reason) == (413, "http.body")
    assert house.gate.arrived == []


async def test_a_refusal_is_judged_anew_after_the_same_caller_was_let_in(house: House) -> None:
    await house.post().run()
    await house.post(headers={b"host": b"GATE.example.com"}).run()
    bad: list[dict[bytes, bytes | None]] = [
        {b"host": b"evil.example.com"},
        {b"origin": b"https://evil.example.com"},
        {b"accept": b"text/html"},
        {b"content-type": b"text/html"},
    ]
    for headers in bad:
        assert (await house.post(headers=headers).run()).status >= 400
    assert len(house.gate.arrived) == 2


async def test_what_a_local_peer_may_leave_out_a_remote_caller_may_not(house: House) -> None:
    headers: dict[bytes, bytes | None] = {b"host": b"anything", b"origin": b"https://x.example"}
    assert (await house.post(peer=LOCAL, headers=headers).run()).status == 200
    assert (await house.post(headers=headers).run()).status == 421


@pytest.mark.parametrize(
    ("path", "endpoint"), [("/mcp", None), ("/mcp/files", "files"), ("/mcp/secret", "secret")]
)
async def test_a_stranger_gets_the_same_answer_for_every_endpoint(
    house: House, path: str, endpoint: str | None
) -> None:
    done = await house.post(path, headers={b"authorization": None}).run()
    assert done.status == 401
    assert done.headers[b"www-authenticate"] == f"Bearer auth.missing at {endpoint}".encode()


@pytest.mark.parametrize(
    ("media", "accept"),
    [
        (b"application/json; charset=utf-8", b"application/json, text/event-stream"),
        (b"Application/JSON", b"text/event-stream;q=0.5, application/json"),
        (b"application/json", b"*/*"),
        (b"application/json", b"APPLICATION/JSON, TEXT/EVENT-STREAM"),
    ],
)
async def test_media_types_are_read_as_http_means_them(
    house: House, media: bytes, accept: bytes
) -> None:
    headers: dict[bytes, bytes | None] = {b"content-type": media, b"accept": accept}
    assert (await house.post(headers=headers).run()).status == 200


async def test_a_caller_who_leaves_before_the_body_is_there_is_forgotten() -> None:
    house = House()
    exchange = house.post()
    exchange.connection.protocol.data_received(exchange.bytes[:-1])
    await settle()
    exchange.leave()
    await settle()
    assert exchange.written == b""
    assert house.gate.arrived == []
    assert not exchange.connection.state.tasks


# ── streams ─────────────────────────────────────────────────────────────────────────────────────


def events(done: Exchange) -> list[Json]:
    """The messages of an event stream."""
    lines = done.body.decode().splitlines()
    return [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: ")]


async def test_what_is_told_first_makes_the_answer_a_stream(house: House) -> None:
    async def telling(arrival: Arrival, emit: Emit) -> Reply:
        await emit(NOTE)
        await emit(NOTE)
        return Reply(200, b'{"fine":true}')

    house.gate.answers = telling
    done = await house.post().run()
    assert done.headers[b"content-type"] == b"text/event-stream"
    assert done.headers[b"x-accel-buffering"] == b"no"
    assert events(done) == [NOTE, NOTE, {"fine": True}]


async def test_an_accepted_notification_has_no_body(house: House) -> None:
    async def accepted(arrival: Arrival, emit: Emit) -> Reply:
        return Reply(202, b"")

    house.gate.answers = accepted
    done = await house.post().run()
    assert (done.status, done.body) == (202, b"")


async def test_a_long_silence_is_broken_by_comments(house: House) -> None:
    answering = asyncio.Event()

    async def slow(arrival: Arrival, emit: Emit) -> Reply:
        await answering.wait()
        return Reply(200, b'{"fine":true}')

    house.gate.answers = slow
    exchange = house.post()
    await exchange.send()
    now = asyncio.get_running_loop().time()
    for _ in range(3):
        exchange.connection.protocol.sweep(now)
        now += edge.KEEP_ALIVE
    answering.set()
    await exchange.run_on()
    assert exchange.body.startswith(b":\n\n:\n\nevent")
    assert events(exchange) == [{"fine": True}]


async def test_no_sign_of_life_is_given_to_a_stranger() -> None:
    house = House()
    verifying = asyncio.Event()

    async def slow(authorization: bytes, now: float) -> Principal:
        await verifying.wait()
        raise Refused(AUTH_INVALID)

    house.identity.verify = slow  # type: ignore[method-assign]  # an issuer that takes its time
    exchange = house.post(headers={b"authorization": b"Bearer new"})
    await exchange.send()
    now = asyncio.get_running_loop().time()
    for _ in range(3):
        exchange.connection.protocol.sweep(now)
        now += edge.KEEP_ALIVE
    assert exchange.written == b""
    verifying.set()
    await exchange.run_on()
    assert exchange.status == 401


async def test_a_slow_reader_of_a_stream_is_waited_for(house: House) -> None:
    told = 0

    async def telling(arrival: Arrival, emit: Emit) -> Reply:
        nonlocal told
        for _ in range(3):
            await emit(NOTE)
            told += 1
        return Reply(200, b"{}")

    house.gate.answers = telling
    exchange = house.post()
    exchange.connection.protocol.pause_writing()
    await exchange.send()
    assert told == 0
    exchange.connection.protocol.resume_writing()
    await exchange.run_on()
    assert told == 3


# ── callers who go away ─────────────────────────────────────────────────────────────────────────


class Endless:
    """A call that ends only when it is cancelled."""

    def __init__(self) -> None:
        self.cancelled = 0

    async def __call__(self, arrival: Arrival, emit: Emit) -> Reply:
        """How a gate answers."""
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        raise AssertionError("unreachable")


async def test_a_caller_who_goes_away_cancels_the_call_and_gets_nothing(house: House) -> None:
    house.gate.answers = endless = Endless()
    exchange = house.post()
    await exchange.send()
    exchange.leave()
    await settle()
    assert endless.cancelled == 1
    assert exchange.written == b""
    assert not exchange.connection.state.tasks


async def test_a_caller_who_goes_away_before_its_call_has_begun_is_forgotten() -> None:
    house = House()
    exchange = house.post()
    exchange.connection.protocol.data_received(exchange.bytes)
    exchange.leave()
    await settle()
    assert house.gate.arrived == []
    assert exchange.written == b""
    assert not exchange.connection.state.tasks


async def test_a_call_that_is_cancelled_from_within_leaves_no_answer_that_could_mislead(
    house: House,
) -> None:
    house.gate.answers = Endless()
    exchange = house.post()
    await exchange.send()
    (task,) = exchange.connection.state.tasks
    task.cancel()
    await settle()
    assert exchange.connection.transport.aborted
    assert exchange.written == b""


async def test_a_gate_that_breaks_is_told_as_an_error_and_ends_the_connection(
    house: House,
) -> None:
    async def broken(arrival: Arrival, emit: Emit) -> Reply:
        raise RuntimeError("secret")

    house.gate.answers = broken
    exchange = await house.post().run()
    assert exchange.status == 500
    assert b"secret" not in exchange.written
    assert exchange.connection.is_over()


# ── sessions ────────────────────────────────────────────────────────────────────────────────────

SESSION: dict[bytes, bytes | None] = {
    b"mcp-session-id": b"s1",
    b"content-type": None,
    b"accept": None,
}


async def test_a_session_is_ended_by_delete(house: House) -> None:
    done = await house.post("/mcp/files", body=b"", method="DELETE", headers=SESSION).run()
    assert done.status == 204
    assert b"content-length" not in done.headers
    (arrival,) = house.gate.ended
    assert (arrival.principal, arrival.endpoint) == (ALICE, "files")
    assert arrival.headers[b"mcp-session-id"] == b"s1"


async def test_a_stranger_ends_no_session(house: House) -> None:
    headers = {**SESSION, b"authorization": None}
    done = await house.post(body=b"", method="DELETE", headers=headers).run()
    assert (done.status, done.reason) == (401, "auth.missing")
    assert house.gate.ended == []


# ── large bodies ────────────────────────────────────────────────────────────────────────────────

BIG = 100 << 10


@pytest.mark.parametrize("announced", [True, False])
async def test_large_bodies_wait_for_room_and_give_it_back(announced: bool) -> None:
    house = House(BIG, held=BIG)
    endless = Endless()
    house.gate.answers = endless
    exchanges = []
    for _ in range(2):
        big = b"x" * BIG
        exchange = house.post(body=big) if announced else in_chunks(house, big)
        await exchange.send_while_read()
        exchanges.append(exchange)
    first, second = exchanges
    assert [len(arrival.body) for arrival in house.gate.arrived] == [BIG]
    assert not second.connection.transport.reading
    first.leave()
    await settle()
    await second.send_while_read()
    assert len(house.gate.arrived) == 2
    second.leave()
    await settle()
    assert house.held.all.held == 0


async def test_who_waits_for_room_too_long_is_told_to_come_again() -> None:
    house = House(BIG, held=BIG, body_time=0.001)
    house.held.count(BIG)
    exchange = house.post(body=b"x" * BIG)
    await exchange.run()
    assert (exchange.status, exchange.reason) == (503, "limit.held")
    house.held.discount(BIG)
    assert house.held._own == {}
    assert (await house.post(body=b"x" * BIG).run()).status == 200


async def test_one_principal_holds_a_quarter_and_others_are_served() -> None:
    house = House(BIG, held=4 * BIG)
    house.gate.answers = Endless()
    hers = [house.post(body=b"x" * BIG) for _ in range(2)]
    his = house.post(body=b"y" * BIG, peer=LOCAL, headers={b"authorization": None})
    for exchange in (*hers, his):
        await exchange.send()
    assert [a.principal for a in house.gate.arrived] == [ALICE, OWNER]
    for exchange in (*hers, his):
        exchange.leave()
    await settle()
    assert house.held.all.held == 0


async def test_a_stranger_holds_nothing() -> None:
    house = House(BIG, held=BIG)
    exchange = house.post(body=b"x" * BIG, headers={b"authorization": None})
    exchange.connection.protocol.data_received(exchange.bytes[:50_000])
    await settle()
    assert exchange.status == 401
    assert house.held.all.held == 0


async def test_a_large_answer_counts_until_its_caller_has_read_it() -> None:
    house = House()

    async def large(arrival: Arrival, emit: Emit) -> Reply:
        exchange.connection.protocol.pause_writing()  # as a transport does that cannot send it all
        return Reply(200, b"x" * BIG)

    house.gate.answers = large
    for reads in (True, False):
        exchange = house.post()
        await exchange.send()
        assert house.held.all.held == BIG
        assert not exchange.connection.transport.reading  # who does not read is not read
        if reads:
            exchange.connection.protocol.resume_writing()
            assert exchange.connection.transport.reading
        else:
            exchange.leave()
        await settle()
        assert house.held.all.held == 0


# ── standing streams ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("headers", "status", "reason"),
    [
        ({"mcp_session_id": None}, 405, "http.method"),
        ({"mcp_protocol_version": b"2026-07-28"}, 405, "http.method"),
        ({"accept": b"application/json"}, 406, "http.accept"),
        ({"accept": None}, 406, "http.accept"),
        ({"authorization": None}, 401, "auth.missing"),
        ({"host": b"evil.example.com"}, 421, "http.host"),
        ({"origin": b"https://evil.example.com"}, 403, "http.origin"),
    ],
)
async def test_a_stream_is_for_sessions_of_legacy_clients(
    house: House, headers: dict[str, bytes | None], status: int, reason: str
) -> None:
    done = await house.get("/mcp", **headers).run()
    assert (done.status, done.reason) == (status, reason)
    assert house.gate.followed == []


async def test_a_stream_begins_at_once_at_its_endpoint(house: House) -> None:
    exchange = house.get("/mcp/files", mcp_protocol_version=b"2025-03-26")
    await exchange.send()
    assert (exchange.status, exchange.parts) == (200, b"")
    assert exchange.headers[b"content-type"] == b"text/event-stream"
    assert exchange.headers[b"x-accel-buffering"] == b"no"
    assert house.gate.followed[0].endpoint == "files"
    exchange.leave()


async def test_a_stream_gives_signs_of_life(house: House) -> None:
    exchange = house.get(mcp_protocol_version=b"2025-03-26")
    await exchange.send()
    for now in (1000.0, 1000.0 + edge.KEEP_ALIVE):
        exchange.connection.protocol.sweep(now)
    assert exchange.parts == b":\n\n"
    exchange.leave()


@pytest.mark.parametrize("lost", [True, False])
async def test_what_nobody_reads_is_cut_sooner_on_a_stream(house: House, lost: bool) -> None:
    exchange = house.get() if lost else house.post()
    await exchange.send()
    transport, protocol = exchange.connection.transport, exchange.connection.protocol
    transport.unread = 900
    protocol.sweep(0.0)
    protocol.sweep(edge.PATIENCE + 1)
    assert transport.aborted is lost
    exchange.leave()
