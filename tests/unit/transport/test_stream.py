from __future__ import annotations

import asyncio

import pytest

from bawn.config import Limits
from bawn.errors import SESSION_UNKNOWN, Refused
from bawn.model import Json
from bawn.ports import Arrival, Emit, Reply
from bawn.transport.standing import Standing
from bawn.transport.stream import apart, frame
from tests.fakes import counting_sealer
from tests.unit.transport.edges import settle
from tests.unit.transport.house import Exchange, House, message

SESSION: dict[bytes, bytes | None] = {
    b"mcp-session-id": b"s",
    b"mcp-protocol-version": b"2025-11-25",
}
ANSWER = b'{"jsonrpc":"2.0","id":1,"result":{}}'


def note(number: int) -> Json:
    """Something told."""
    return {"method": "notifications/progress", "params": {"progress": number}}


class Script:
    """A gate that tells what it is told to, one thing after another."""

    def __init__(self) -> None:
        self._said: asyncio.Queue[Json | None] = asyncio.Queue()
        self.cancelled = 0
        self.running = 0

    async def __call__(self, arrival: Arrival, emit: Emit) -> Reply:
        self.running += 1
        try:
            while (said := await self._said.get()) is not None:
                await emit(said)
            return Reply(200, ANSWER)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.running -= 1

    async def say(self, *said: Json | None) -> None:
        """Have it tell these; None is the end."""
        for each in said:
            self._said.put_nowait(each)
        await settle()


class Scene:
    """An endpoint, and the gate behind it."""

    def __init__(self, resume: float = 60.0, **limits: int) -> None:
        bounds = Limits(resume=resume, **limits)
        self.house = House(standing=Standing.within(bounds, counting_sealer()))
        self.script = Script()
        self.house.gate.answers = self.house.gate.follows = self.script

    async def call(self, **headers: bytes | None) -> Exchange:
        """A call in flight."""
        named = {**SESSION, **{k.replace("_", "-").encode(): v for k, v in headers.items()}}
        exchange = self.house.post(body=b"{}", headers=named)
        await exchange.send()
        return exchange

    async def get(self, **headers: bytes | None) -> Exchange:
        """A GET of the session's stream."""
        exchange = self.house.get(**headers)
        await exchange.send()
        return exchange


@pytest.fixture
def scene() -> Scene:
    return Scene()


def progress(exchange: Exchange) -> list[bytes]:
    """The numbers that came, and the answer."""
    told = [event.data for event in exchange.events if event.data]
    return [b"answer" if data == ANSWER else data[-3:-2] for data in told]


# ── how a stream begins ─────────────────────────────────────────────────────────────────────────


async def test_a_stream_of_this_version_begins_with_an_id_and_no_data(scene: Scene) -> None:
    for begin in (scene.call, scene.get):
        exchange = await begin()
        await scene.script.say(note(1))
        first, second = exchange.events
        assert exchange.parts.startswith(b"id: " + first.id + b"\nretry: 500\ndata: \n\n")
        assert (first.data, progress(exchange)) == (b"", [b"1"])
        assert first.id.rpartition(b".")[0] == second.id.rpartition(b".")[0]
        assert len(first.id) > 20
        await scene.script.say(None)
        assert exchange.is_over


@pytest.mark.parametrize("version", [b"2025-06-18", b"2025-03-26", None])
async def test_older_clients_get_ids_and_no_event_without_data(
    scene: Scene, version: bytes | None
) -> None:
    exchange = await scene.call(mcp_protocol_version=version)
    await scene.script.say(note(1))
    (event,) = exchange.events
    assert event.id
    assert progress(exchange) == [b"1"]


async def test_an_answer_that_needs_no_stream_is_plain_json(scene: Scene) -> None:
    exchange = await scene.call()
    await scene.script.say(None)
    assert exchange.headers[b"content-type"] == b"application/json"
    assert exchange.body == ANSWER
    assert scene.house.standing.replay._logs == {}


@pytest.mark.parametrize(
    "headers",
    [{"mcp_protocol_version": b"2026-07-28"}, {"mcp_session_id": None}],
    ids=["modern", "no session"],
)
async def test_streams_without_a_session_have_no_ids(
    scene: Scene, headers: dict[str, bytes | None]
) -> None:
    exchange = await scene.call(last_event_id=b"p.x.1", **headers)
    await scene.script.say(note(1))
    assert [event.id for event in exchange.events] == [b""]
    exchange.leave()
    await settle()
    assert scene.script.cancelled == 1


async def test_a_sign_of_life_begins_the_stream_and_lets_its_caller_come_back(scene: Scene) -> None:
    exchange = await scene.call()
    for now in (1000.0, 1011.0):
        exchange.connection.protocol.sweep(now)
    (event,) = exchange.events
    assert event.id
    exchange.leave()
    await settle()
    resumed = await scene.get(last_event_id=event.id)
    await scene.script.say(None)
    assert progress(resumed) == [b"answer"]


# ── interrupted and resumed ─────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("standing", [False, True])
async def test_what_was_missed_is_told_and_then_what_follows(scene: Scene, standing: bool) -> None:
    exchange = await (scene.get() if standing else scene.call())
    await scene.script.say(note(1), note(2))
    seen = exchange.events[1].id
    exchange.leave()
    await scene.script.say(note(3))
    resumed = await scene.get(last_event_id=seen)
    assert progress(resumed) == [b"2", b"3"]
    await scene.script.say(note(4), None)
    assert progress(resumed)[:3] == [b"2", b"3", b"4"]
    assert progress(resumed)[3:] == ([] if standing else [b"answer"])
    assert resumed.is_over
    assert scene.script.cancelled == 0
    assert len(scene.house.gate.followed) == int(standing)


async def test_an_answer_that_came_meanwhile_is_told_and_ends_the_stream(scene: Scene) -> None:
    exchange = await scene.call()
    await scene.script.say(note(1))
    exchange.leave()
    await scene.script.say(None)
    for _ in range(2):
        resumed = await scene.get(last_event_id=exchange.events[0].id)
        assert progress(resumed) == [b"1", b"answer"]
        assert resumed.is_over


async def test_a_stream_is_resumed_as_often_as_it_breaks(scene: Scene) -> None:
    exchange = await scene.call()
    await scene.script.say(note(1))
    for number in range(2, 6):
        last = exchange.events[-1].id
        exchange.leave()
        await scene.script.say(note(number))
        exchange = await scene.get(last_event_id=last)
        assert progress(exchange) == [b"%d" % number]
    await scene.script.say(None)
    assert progress(exchange)[-1] == b"answer"


async def test_who_comes_back_before_the_loss_is_noticed_takes_over(scene: Scene) -> None:
    exchange = await scene.call()
    await scene.script.say(note(1))
    second = await scene.get(last_event_id=exchange.events[-1].id)
    assert exchange.is_over
    third = await scene.get(last_event_id=exchange.events[0].id)
    assert second.is_over
    await scene.script.say(note(2), None)
    assert progress(third) == [b"1", b"2", b"answer"]
    assert progress(second) == []


@pytest.mark.parametrize("pipelined", [False, True])
async def test_the_connection_of_who_comes_back_on_another_serves_its_next_request(
    scene: Scene, pipelined: bool
) -> None:
    exchange = await scene.call()
    await scene.script.say(note(1))
    first, again = exchange.connection, message("/mcp", b"{}", headers=SESSION)
    if pipelined:
        first.protocol.data_received(again)
    resumed = await scene.get(last_event_id=exchange.events[-1].id)
    if not pipelined:
        first.protocol.data_received(again)
    await settle()
    assert len(scene.house.gate.arrived) == 2  # the call may be waiting for just that
    await scene.script.say(None, None)
    assert progress(resumed) == [b"answer"]
    ended, _, answered = bytes(first.transport.written).partition(b"0\r\n\r\n")
    assert ANSWER not in ended
    assert answered.startswith(b"HTTP/1.1 200 ")
    assert answered.endswith(ANSWER)
    assert not first.transport.closing
    assert not first.state.tasks


async def test_what_fails_after_its_caller_came_back_on_another_connection_spoils_that_one_alone(
    scene: Scene,
) -> None:
    async def fails(arrival: Arrival, emit: Emit) -> Reply:
        await emit(note(1))
        await failing.wait()
        raise RuntimeError("broken")

    failing, scene.house.gate.answers = asyncio.Event(), fails
    exchange = await scene.call()
    resumed = await scene.get(last_event_id=exchange.events[-1].id)
    failing.set()
    await settle()
    assert resumed.is_over
    assert not exchange.connection.transport.closing
    assert not exchange.connection.transport.aborted
    scene.house.gate.answers = scene.script
    exchange.connection.protocol.data_received(message("/mcp", b"{}", headers=SESSION))
    await scene.script.say(None)
    assert bytes(exchange.connection.transport.written).endswith(ANSWER)


async def test_who_does_not_come_back_in_time_has_cancelled() -> None:
    scene = Scene(resume=0.001)
    exchange = await scene.call()
    await scene.script.say(note(1))
    exchange.leave()
    async with asyncio.timeout(30):
        while scene.script.running:
            await asyncio.sleep(0)
    assert scene.script.cancelled == 1
    assert not exchange.connection.state.tasks


async def test_before_any_id_leaving_cancels_at_once(scene: Scene) -> None:
    calls = [await scene.call(), await scene.call(mcp_protocol_version=b"2025-06-18")]
    streams = [await scene.get(mcp_protocol_version=b"2025-06-18")]
    for exchange in (*calls, *streams):
        exchange.leave()
    await settle()
    assert scene.script.cancelled == 3


async def test_what_is_told_to_a_gone_caller_is_told_once_it_is_back_in_order(scene: Scene) -> None:
    exchange = await scene.call()
    await scene.script.say(note(0))
    exchange.leave()
    await scene.script.say(*map(note, range(1, 10)))
    resumed = await scene.get(last_event_id=exchange.events[-1].id)
    assert progress(resumed) == [b"%d" % number for number in range(1, 10)]
    numbers = [int(event.id.rpartition(b".")[2]) for event in resumed.events]
    assert numbers == sorted(set(numbers))


# ── what cannot be resumed ──────────────────────────────────────────────────────────────────────


async def test_a_standing_stream_that_is_gone_is_begun_anew(scene: Scene) -> None:
    fresh = await scene.get(last_event_id=b"g.of-another-life.7")
    await scene.script.say(note(1))
    assert progress(fresh) == [b"1"]
    assert len(scene.house.gate.followed) == 1


@pytest.mark.parametrize("last", [b"p.of-another-life.7", b"", b"garbage", b"\xff", b"x" * 3000])
async def test_a_call_that_is_gone_is_refused_with_a_reason(scene: Scene, last: bytes) -> None:
    refused = await scene.get(last_event_id=last)
    assert (refused.status, refused.reason) == (400, "stream.unknown")
    assert scene.house.gate.followed == []


@pytest.mark.parametrize(
    "headers", [{"authorization": b"Bearer bob"}, {"mcp_session_id": b"t"}], ids=["who", "session"]
)
async def test_an_id_serves_its_own_session_and_principal_only(
    scene: Scene, headers: dict[str, bytes | None]
) -> None:
    exchange = await scene.call()
    await scene.script.say(note(1))
    stolen = await scene.get(last_event_id=exchange.events[0].id, **headers)
    assert (stolen.status, stolen.reason) == (400, "stream.unknown")
    assert not exchange.is_over


async def test_a_session_that_does_not_stand_is_refused_before_any_stream(scene: Scene) -> None:
    def unknown(arrival: Arrival) -> None:
        raise Refused(SESSION_UNKNOWN)

    scene.house.gate.opens = unknown
    for last in (None, b"g.x.1", b"p.x.1"):
        refused = await scene.get(last_event_id=last)
        assert (refused.status, refused.reason) == (404, "session.unknown")


async def test_with_its_session_a_stream_is_forgotten(scene: Scene) -> None:
    exchange = await scene.get()
    await scene.script.say(note(1))
    done = await scene.house.post(body=b"", method="DELETE", headers=SESSION).run()
    assert done.status == 204
    await scene.script.say(None)
    assert exchange.is_over
    again = await scene.get(last_event_id=exchange.events[0].id)
    assert progress(again) == []


# ── the events themselves ───────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("message", [b'{"a":1}', b"[1]", b""])
def test_an_id_in_front_of_the_data_comes_apart_again(message: bytes) -> None:
    sent = frame(b"g.x.1", message, inline=True)
    assert apart(sent.partition(b"data: ")[2].removesuffix(b"\n\n")) == (b"g.x.1", message)
    if message:
        assert apart(message) == (b"", message)
