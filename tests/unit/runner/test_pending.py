"""The clock of one call."""

from __future__ import annotations

import asyncio

import pytest

from bawn.errors import UPSTREAM_DIED, Refused
from bawn.model import Answer, Json
from bawn.runner.pending import Deadlines, Pending


def pending() -> Pending:
    return Pending(7, "tools/call", None, cancellable=True)


def watched(first_byte: float, total: float) -> Pending:
    made = pending()
    made.watch(Deadlines(first_byte, total), lambda late, reason, detail: late.fail(reason, detail))
    return made


async def refusal(late: Pending) -> str:
    with pytest.raises(Refused) as refused:
        await asyncio.wait_for(late.answered, 30)
    return refused.value.reason.id


async def test_silence_ends_at_the_first_byte_and_speech_at_the_total() -> None:
    assert await refusal(watched(0.01, 5)) == "upstream.first_byte"
    late = watched(0.01, 0.05)
    late.heard = True
    assert await refusal(late) == "upstream.total"


async def test_time_does_not_pass_while_the_caller_is_asked() -> None:
    late = watched(0.02, 0.02)
    late.ask()
    late.ask()
    done, _ = await asyncio.wait({late.answered}, timeout=0.1)
    assert not done
    late.settle()
    done, _ = await asyncio.wait({late.answered}, timeout=0.1)
    assert not done
    late.settle()
    assert await refusal(late) == "upstream.total"


async def test_no_deadline_counts_once_it_is_no_longer_watched() -> None:
    late = watched(0.01, 0.01)
    late.unwatch()
    done, _ = await asyncio.wait({late.answered}, timeout=0.05)
    assert not done


async def test_a_refusal_never_replaces_an_answer() -> None:
    late = pending()
    late.answered.set_result(Answer(result={}))
    late.fail(UPSTREAM_DIED, "gone")
    assert (await late.answered).result == {}


async def test_the_callers_token_is_replaced_and_remembered() -> None:
    late = pending()
    params = {"_meta": {"progressToken": "theirs", "x": 1}, "n": 2}
    assert late.with_token(params) == {"_meta": {"progressToken": 7, "x": 1}, "n": 2}
    assert params["_meta"] == {"progressToken": "theirs", "x": 1}
    assert late.token == "theirs"
    odd: list[Json] = [{}, {"_meta": {}}, {"_meta": 3}]
    for without in odd:
        assert pending().with_token(without) is without
