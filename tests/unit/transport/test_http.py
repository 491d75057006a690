from __future__ import annotations

import asyncio
import json

import pytest

from bawn.model import Json
from bawn.ports import Arrival, Emit, Reply
from bawn.transport import http, watch
from tests.unit.transport.asgi import ALICE, LOCAL, OWNER, Exchange, House

NOTE: Json = {"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progress": 1}}


@pytest.fixture
def house() -> House:
    return House()


# ── what is let in ──────────────────────────────────────────────────────────────────────────────


async def test_a_good_message_arrives_whole_with_who_sent_it_and_where(house: House) -> None:
    done = await house.post("/mcp/files", body=b'{"x":1}').run()
    (arrival,) = house.gate.arrived
    assert (arrival.principal, arrival.endpoint, arrival.body) == (ALICE, "files", b'{"x":1}')
    assert arrival.project is None
    assert (done.status, done.body) == (200, b'{"fine":true}')
    assert done.headers == {b"content-type": b"application/json", b"content-length": b"13"}


async def test_the_aggregate_has_no_server(house: House) -> None:
    await house.post().run()
    assert house.gate.arrived[0].endpoint is None


async def test_a_token_that_is_not_known_yet_is_verified(house: House) -> None:
    assert (await house.post(headers={b"authorization": b"Bearer slow"}).run()).status == 200


async def test_a_body_in_parts_is_one_body(house: House) -> None:
    await house.post(parts=[b'{"a', b'":', b"1}", b""]).run()
    assert house.gate.arrived[0].body == b'{"a":1}'


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
        ({"headers": {b"host": None}}, 421, "http.host"),
        ({"headers": {b"origin": b"https://evil.example.com"}}, 403, "http.origin"),
        ({"query": b"x=1"}, 404, "http.not_found"),
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
        ({"headers": {b"content-length": b"-1"}}, 413, "http.body"),
        ({"headers": {b"content-length": b"1_0"}}, 413, "http.body"),
        ({"body": b"x" * 1001}, 413, "http.body"),
        ({"parts": [b"x" * 600, b"y" * 600]}, 413, "http.body"),
        ({"more": [(b"authorization", b"Bearer alice")]}, 400, "header.mismatch"),
        ({"more": [(b"host", b"gate.example.com")]}, 400, "header.mismatch"),
        ({"more": [(b"mcp-name", b"a"), (b"mcp-name", b"b")]}, 400, "header.mismatch"),
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


async def test_an_escaped_path_is_no_second_name(house: House) -> None:
    exchange = house.post("/mcp/files")
    exchange.scope["raw_path"] = b"/mcp/%66iles"
    assert (await exchange.run()).reason == "http.not_found"


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


async def test_a_caller_who_leaves_before_the_body_is_there_is_forgotten(house: House) -> None:
    exchange = house.post(parts=[])
    exchange.leave()
    assert (await exchange.run()).sent == []
    assert house.gate.arrived == []


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


async def test_a_long_silence_is_broken_by_comments(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "AFTER", 0.001)
    monkeypatch.setattr(http, "KEEP_ALIVE", 0.001)
    exchange = house.post()

    async def slow(arrival: Arrival, emit: Emit) -> Reply:
        while len(exchange.sent) < 4:
            await asyncio.sleep(0.001)
        return Reply(200, b'{"fine":true}')

    house.gate.answers = slow
    done = await exchange.run()
    assert done.body.startswith(b":\n\n:\n\n")
    assert events(done) == [{"fine": True}]


# ── callers who go away ─────────────────────────────────────────────────────────────────────────


async def test_a_caller_who_goes_away_cancels_the_call_and_gets_nothing(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "AFTER", 0.001)
    cancelled = asyncio.Event()

    async def endless(arrival: Arrival, emit: Emit) -> Reply:
        exchange.leave()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise
        raise AssertionError("unreachable")

    house.gate.answers = endless
    exchange = house.post()
    assert (await exchange.run()).sent == []
    assert cancelled.is_set()
    current = asyncio.current_task()
    assert current is not None
    assert not current.cancelling()


async def test_somebody_elses_cancellation_is_passed_on(house: House) -> None:
    async def endless(arrival: Arrival, emit: Emit) -> Reply:
        await asyncio.Event().wait()
        raise AssertionError("unreachable")

    house.gate.answers = endless
    task = asyncio.create_task(house.post().run())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_call_that_ended_is_not_cancelled_by_a_caller_who_leaves_afterwards(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "AFTER", 0.001)

    async def lasting(arrival: Arrival, emit: Emit) -> Reply:
        await asyncio.sleep(0.01)  # long enough to be looked after
        return Reply(200, b'{"fine":true}')

    house.gate.answers = lasting
    exchange = house.post()
    done = await exchange.run()
    exchange.leave()
    await asyncio.sleep(0)
    assert (done.status, done.json) == (200, {"fine": True})
