from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.errors import Refused
from bawn.transport.body import LARGE, Body, Chunks

BEHIND = b"GET / HTTP/1.1\r\n"


def coded(parts: list[bytes]) -> bytes:
    """The parts as chunks, with their end."""
    return b"".join(b"%X\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


@given(
    st.lists(st.binary(min_size=1, max_size=40), max_size=5),
    st.lists(st.integers(0, 300), max_size=6),
)
def test_chunks_in_any_pieces_are_the_body_and_what_lies_behind(
    parts: list[bytes], cuts: list[int]
) -> None:
    data = coded(parts) + BEHIND
    places = sorted({0, len(data), *(cut % len(data) for cut in cuts)})
    chunks, body, behind = Chunks(), b"", b""
    for start, end in pairwise(places):
        if chunks.done:
            behind += data[start:end]
            continue
        part, rest = chunks.feed(data[start:end])
        body, behind = body + part, behind + rest
    assert chunks.done
    assert body == b"".join(parts)
    assert behind == BEHIND


def feed(chunks: Chunks, data: bytes, step: int) -> None:
    """Let it arrive in pieces."""
    for at in range(0, len(data), step):
        chunks.feed(data[at : at + step])


@pytest.mark.parametrize(
    "data",
    [
        b"5;x=y\r\nhello\r\n0\r\n\r\n",
        b"5 \r\nhello\r\n",
        b" 5\r\nhello\r\n",
        b"-5\r\nhello\r\n",
        b"0x5\r\nhello\r\n",
        b"5_0\r\n",
        b"\r\nhello\r\n",
        b"5\nhello\r\n",
        b"5\r\nhello\n0\r\n\r\n",
        b"5\r\nhelloX\r\n",
        b"123456789\r\n",
        b"0\r\nx: y\r\n\r\n",
        b"0\r\n\n",
        b"g",
        b"5\rx",
        b"000000000\r\n\r\n",
    ],
)
def test_other_chunks_are_refused_in_any_pieces(data: bytes) -> None:
    for step in (len(data), 1):
        with pytest.raises(Refused) as caught:
            feed(Chunks(), data, step)
        assert caught.value.reason.id == "http.framing"


def test_a_body_ends_where_its_length_says() -> None:
    body = Body(5, 0.0)
    assert body.feed(b"hel") == b""
    rest = body.feed(b"lo" + BEHIND)
    assert (rest, body.done) == (BEHIND, True)
    assert body.take() == b"hello"


def test_it_is_full_until_more_of_it_is_wanted() -> None:
    body = Body(3 * LARGE, 0.0)
    found = []
    for _ in range(2):
        body.feed(b"x" * LARGE)
        found.append(body.full)
    assert found == [False, True]
    assert body.want(3 * LARGE)
    assert not body.full


async def test_whoever_waits_goes_on_when_it_is_there_or_will_never_be() -> None:
    for feed in (True, False):
        body = Body(5, 0.0)
        assert body.want(100)
        waiting = asyncio.create_task(body.come())
        await asyncio.sleep(0)
        body.feed(b"hel")
        await asyncio.sleep(0)
        assert not waiting.done()
        if feed:
            body.feed(b"lo")
        else:
            body.wake()
        await waiting
        assert body.done is feed


def test_a_dropped_body_is_read_for_nothing() -> None:
    body = Body(10, 0.0)
    body.feed(b"hello")
    body.drop()
    assert body.feed(b"hello" + BEHIND) == BEHIND
    assert body.done
    assert body.take() == b""


def test_little_is_worth_reading_for_nothing() -> None:
    assert Body(LARGE, 0.0).little
    assert not Body(LARGE + 1, 0.0).little
    assert not Body(None, 0.0).little
