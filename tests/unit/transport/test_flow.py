from __future__ import annotations

import asyncio

from bawn.transport.flow import Flow
from bawn.transport.held import Held
from tests.unit.transport.edges import FakeTransport


class Line(Flow):
    """A connection that only flows."""

    held = Held(1000)

    def __init__(self) -> None:
        self.transport = self._transport = FakeTransport()


async def test_a_writer_waits_only_while_the_caller_reads_too_slowly() -> None:
    line = Line()
    await line.drained()
    line.pause_writing()
    waiting = asyncio.create_task(line.drained())
    await asyncio.sleep(0)
    assert not waiting.done()
    line.resume_writing()
    await waiting
    line.resume_writing()


def test_an_answer_counts_as_held_only_while_it_is_unread() -> None:
    line = Line()
    line.count_unread(700)
    assert line.held.all.held == 0
    line.pause_writing()
    line.count_unread(700)
    assert line.held.all.held == 700
    line.resume_writing()
    line.resume_writing()
    assert line.held.all.held == 0


def test_who_reads_nothing_is_cut_and_who_reads_slowly_is_not() -> None:
    line = Line()
    for now, unread in ((0, 900), (9, 900), (12, 800), (20, 800), (22, 0), (30, 900), (40, 900)):
        line.transport.unread = unread
        line.cut_unread(now, 10)
        assert not line.transport.aborted, now
    line.cut_unread(41, 10)
    assert line.transport.aborted
