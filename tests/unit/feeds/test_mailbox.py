from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from bawn.feeds.mailbox import Mailbox
from bawn.model import Json


async def test_what_waits_is_taken_at_once_and_once() -> None:
    mailbox = Mailbox()
    mailbox.put("a", {"n": 1})
    mailbox.put("b", {"n": 2})
    assert await mailbox.take() == [{"n": 1}, {"n": 2}]
    taking = asyncio.create_task(mailbox.take())
    await asyncio.sleep(0)
    assert not taking.done()
    mailbox.put("a", {"n": 3})
    assert await taking == [{"n": 3}]


async def test_only_the_last_word_on_a_thing_is_told_in_the_order_of_the_things() -> None:
    mailbox = Mailbox()
    for number in range(1000):
        mailbox.put("a", {"a": number})
        mailbox.put("b", {"b": number})
    assert await mailbox.take() == [{"a": 999}, {"b": 999}]


async def test_what_was_not_read_yet_can_be_seen() -> None:
    mailbox = Mailbox()
    assert mailbox.waiting("a") is None
    mailbox.put("a", {"n": 1})
    assert mailbox.waiting("a") == {"n": 1}
    await mailbox.take()
    assert mailbox.waiting("a") is None


async def test_what_waits_at_the_end_is_told_before_it() -> None:
    mailbox = Mailbox()
    mailbox.put("a", {"n": 1})
    mailbox.end()
    assert mailbox.ended
    assert await mailbox.take() == [{"n": 1}]
    assert await mailbox.take() is None
    assert await mailbox.take() is None


async def test_the_end_wakes_who_waits() -> None:
    mailbox = Mailbox()
    taking = asyncio.create_task(mailbox.take())
    await asyncio.sleep(0)
    mailbox.end()
    assert await taking is None


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 9))))
def test_a_reader_ends_up_with_the_last_word_on_everything(puts: list[tuple[str, int]]) -> None:
    async def run() -> dict[str, Json]:
        mailbox, heard = Mailbox(), dict[str, Json]()
        for thing, number in puts:
            mailbox.put(thing, {"thing": thing, "n": number})
            if number % 3 == 0:
                heard |= {each["thing"]: each for each in await mailbox.take() or []}
        mailbox.end()
        while (told := await mailbox.take()) is not None:
            heard |= {each["thing"]: each for each in told}
        return heard

    last = {thing: {"thing": thing, "n": number} for thing, number in puts}
    assert asyncio.run(run()) == last
