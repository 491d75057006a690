"""A judge is shown texts, within bounds, and whatever is no verdict is a failure."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.inspection.judges.judge import SHOWN, Unjudged
from bawn.model import Severity
from tests.fakes import Clock
from tests.unit.inspection.judges.juries import CALL, DOWN, ITEM, FakeClient, judge, texts, verdict

FOUND = {"place": "/0", "severity": "high", "rule": "odd", "start": 1, "end": 3}


async def test_what_it_finds_is_told_with_its_name_and_rule() -> None:
    client = FakeClient(verdict(FOUND))

    [(place, found)] = await judge(client).ask("outputs", CALL, ITEM, texts("abcdef"))

    assert (place, found.rule, found.severity) == ("/0", "judge/nan/odd", Severity.HIGH)
    assert (found.start, found.end) == (1, 3)
    assert client.shown == [
        {
            "direction": "outputs",
            "server": "files",
            "item": "read",
            "method": "tools/call",
            "trace": CALL.trace,
            "texts": [{"place": "/0", "text": "abcdef"}],
        }
    ]


async def test_its_token_goes_with_the_request_and_nothing_else_of_the_caller() -> None:
    client = FakeClient(verdict())

    await judge(client, token="t0ken").ask("outputs", CALL, ITEM, texts("a"))

    assert dict(client.requests[0].headers)[b"authorization"] == b"Bearer t0ken"
    assert b"ada" not in client.requests[0].body


async def test_it_is_shown_so_much_and_no_more() -> None:
    client = FakeClient(verdict())

    await judge(client).ask("outputs", CALL, ITEM, texts("a" * SHOWN, "b" * 10))

    assert [len(each["text"]) for each in client.shown[0]["texts"]] == [SHOWN]


async def test_spans_outside_the_text_are_cut_to_it() -> None:
    wide = {**FOUND, "start": 2, "end": 999}
    client = FakeClient(verdict(wide, {"place": "/9", "severity": "low"}))

    found = await judge(client).ask("outputs", CALL, ITEM, texts("abc"))

    assert [(each.start, each.end) for _, each in found] == [(2, 3), (0, 0)]


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"[]",
        b"{}",
        b'{"findings": [{"place": "/0"}]}',
        b'{"findings": [{"place": "/0", "severity": "worst"}]}',
        b'{"findings": [{"place": "/0", "severity": "high", "rule": "../x"}]}',
        b'{"findings": [{"place": "/0", "severity": "high", "start": -1}]}',
    ],
)
async def test_what_is_no_verdict_is_a_failure(answer: bytes) -> None:
    with pytest.raises(Unjudged):
        await judge(FakeClient(answer)).ask("outputs", CALL, ITEM, texts("a"))


@given(st.binary(max_size=200))
async def test_no_answer_breaks_it(answer: bytes) -> None:
    with pytest.raises(Unjudged, match="nan"):
        await judge(FakeClient(answer)).ask("outputs", CALL, ITEM, texts("a"))


async def test_another_status_is_a_failure() -> None:
    with pytest.raises(Unjudged, match="500"):
        await judge(FakeClient(verdict(), status=500)).ask("outputs", CALL, ITEM, texts("a"))


async def test_after_failures_in_a_row_it_is_left_alone_until_its_rest_is_over() -> None:
    clock, client = Clock(), FakeClient(DOWN, DOWN, verdict())
    nan = judge(client, clock, failures=2, rest=30.0)

    for _ in range(4):
        with pytest.raises(Unjudged):
            await nan.ask("outputs", CALL, ITEM, texts("a"))
    asked = len(client.requests)
    clock.now += 31.0
    found = await nan.ask("outputs", CALL, ITEM, texts("a"))

    assert (asked, found) == (2, [])
