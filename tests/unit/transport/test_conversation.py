from __future__ import annotations

import asyncio

import pytest

from bawn.errors import Refused
from bawn.model import Json
from bawn.ports import Arrival, Emit, Reply
from bawn.transport.conversation import IN_FLIGHT, Conversation, _is_initialized
from bawn.transport.held import Held
from bawn.transport.passing import Passing
from tests.unit.transport.edges import REMOTE, settle
from tests.unit.transport.house import ALICE, FakeGate
from tests.unit.transport.test_request import FakeLine, asked


class SlowLine(FakeLine):
    """A caller who reads when the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = asyncio.Event()
        self.reads.set()

    async def drained(self) -> None:
        """Fills `request.Line`."""
        await self.reads.wait()


class Scene:
    """A conversation whose reader is slow."""

    def __init__(self) -> None:
        _, request = asked(b"GET /sse HTTP/1.1")
        self.line = SlowLine()
        request._line = self.line
        self.gate, self.held = FakeGate(), Held(1 << 24)
        self.arrival = Arrival(ALICE, None, {}, b"{}", REMOTE)
        self.it = Conversation(self.gate, Passing(None), self.held, request, self.arrival, "/mcp")
        self.running = asyncio.create_task(self.it.run(b"/messages/x"))
        self.let_go = 0

    def take(self, body: bytes = b"{}") -> None:
        """A message comes."""

        def gone() -> None:
            self.let_go += 1

        self.it.take(Arrival(ALICE, None, {}, body, REMOTE), gone)


async def test_one_message_at_most_lies_unread_and_the_others_count_as_held() -> None:
    async def large(arrival: Arrival, emit: Emit) -> Reply:
        return Reply(200, b"x" * 100_000)

    scene = Scene()
    await settle()
    scene.gate.answers = large
    scene.line.reads.clear()
    for _ in range(5):
        scene.take()
    await settle()
    assert scene.line.written.count(b"x" * 100_000) == 1
    assert scene.held.all.held == 500_000
    scene.line.reads.set()
    await settle()
    assert scene.line.written.count(b"x" * 100_000) == 5
    assert (scene.held.all.held, scene.let_go) == (0, 5)
    scene.it.leave()
    await scene.running


async def test_what_is_emitted_comes_before_its_answer_and_in_order() -> None:
    async def telling(arrival: Arrival, emit: Emit) -> Reply:
        for number in range(3):
            note: Json = {"n": number}
            await emit(note)
        return Reply(200, b'{"n":3}')

    scene = Scene()
    scene.gate.answers = telling
    scene.take()
    await settle()
    at = [scene.line.written.index(b'{"n":%d}' % number) for number in range(4)]
    assert at == sorted(at)
    scene.it.leave()
    await scene.running


async def test_beyond_the_bound_nothing_is_begun_and_nothing_is_let_go() -> None:
    async def endless(arrival: Arrival, emit: Emit) -> Reply:
        await asyncio.Event().wait()
        raise AssertionError("unreachable")

    scene = Scene()
    scene.gate.answers = endless
    for _ in range(IN_FLIGHT):
        scene.take()
    with pytest.raises(Refused):
        scene.take()
    await settle()
    scene.running.cancel()
    await asyncio.gather(scene.running, return_exceptions=True)
    await settle()
    assert scene.let_go == IN_FLIGHT


async def test_a_message_whose_answer_broke_holds_up_no_other(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def broken(arrival: Arrival, emit: Emit) -> Reply:
        raise RuntimeError("a defect")

    scene = Scene()
    scene.gate.answers = broken
    scene.take()
    await settle()
    assert "answering a message failed" in caplog.text
    assert scene.let_go == 1
    scene.it.leave()
    await scene.running


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"method":"notifications/initialized"}', True),
        (b'{"method":"x","params":{"a":"notifications/initialized"}}', False),
        (b'["notifications/initialized"]', False),
        (b'"notifications/initialized', False),
        (b"{}", False),
    ],
)
def test_the_end_of_the_handshake_is_known(body: bytes, expected: bool) -> None:
    assert _is_initialized(body) is expected
