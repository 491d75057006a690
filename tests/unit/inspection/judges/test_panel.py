"""Who is asked, who is waited for, and what becomes of those who cannot answer."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from bawn.errors import Refused
from bawn.inspection.judges.panel import Panel
from bawn.model import Call, Item, Json
from bawn.ports import Placed
from tests.unit.inspection.judges.juries import CALL, DOWN, ITEM, FakeClient, judge, verdict

FOUND = verdict({"place": "/content/0/text", "severity": "high"})
RESULT: Json = {"content": [{"type": "text", "text": "hello"}]}


class Book:
    """What was written down."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []

    def __call__(self, way: str, call: Call, item: Item, found: Sequence[Placed]) -> None:
        self.lines += [(way, each.rule) for _, each in found]


async def _settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_one_that_decides_is_waited_for_and_what_it_finds_counts() -> None:
    client = FakeClient(FOUND)
    asked = Panel([judge(client, mode="decide")], Book()).ask("outputs", CALL, ITEM, RESULT)

    assert asked is not None
    assert [(place, each.rule) for place, each in await asked] == [
        ("/content/0/text", "judge/nan/finding")
    ]


async def test_one_that_watches_holds_up_no_call_and_what_it_finds_is_written_down() -> None:
    book, client = Book(), FakeClient(FOUND)
    panel = Panel([judge(client)], book)

    assert panel.ask("outputs", CALL, ITEM, RESULT) is None
    await _settle()

    assert book.lines == [("outputs", "judge/nan/finding")]


@pytest.mark.parametrize(
    ("settings", "direction"),
    [
        ({"directions": ["arguments"]}, "outputs"),
        ({"servers": ["mail*"]}, "outputs"),
        ({}, "arguments"),
    ],
)
async def test_what_is_not_its_business_it_is_not_shown(settings: Json, direction: str) -> None:
    client = FakeClient(FOUND)
    given: Json = {key: tuple(value) for key, value in settings.items()}

    assert (
        Panel([judge(client, **{"mode": "decide", **given})], Book()).ask(
            direction, CALL, ITEM, RESULT
        )
        is None
    )
    assert client.requests == []


async def test_one_that_should_decide_and_cannot_refuses() -> None:
    asked = Panel([judge(FakeClient(DOWN), mode="decide")], Book()).ask(
        "outputs", CALL, ITEM, RESULT
    )

    assert asked is not None
    with pytest.raises(Refused, match=r"inspection\.judge"):
        await asked


async def test_where_it_is_set_so_the_call_passes_without_it() -> None:
    lenient = judge(FakeClient(DOWN), mode="decide", on_failure="pass")
    asked = Panel([lenient, judge(FakeClient(FOUND), mode="decide")], Book()).ask(
        "outputs", CALL, ITEM, RESULT
    )

    assert asked is not None
    assert len(await asked) == 1


async def test_a_watcher_that_fails_is_nobodys_business() -> None:
    book = Book()
    panel = Panel([judge(FakeClient(DOWN))], book)

    assert panel.ask("outputs", CALL, ITEM, RESULT) is None
    await _settle()
    await panel.aclose()

    assert book.lines == []
