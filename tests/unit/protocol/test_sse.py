from __future__ import annotations

import itertools
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.errors import UPSTREAM_TOO_LARGE, Refused
from bawn.protocol import sse
from bawn.protocol.sse import Event, Parser

UNLIMITED = 1 << 20


def parse(*chunks: bytes, limit: int = UNLIMITED) -> list[Event]:
    parser = Parser(limit)
    return [event for chunk in chunks for event in parser.feed(chunk)]


def message(data: bytes) -> Event:
    return Event(b"message", data)


def by_the_book(stream: bytes) -> list[Event]:
    """WHATWG HTML 9.2.6, line by line over the whole stream, with nothing clever."""
    stream = stream.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    lines = stream.split(b"\n")[:-1]  # what no line end follows is no line yet
    events, data, name = [], b"", b""
    for line in lines:
        field, _, value = line.partition(b":")
        value = value[1:] if value[:1] == b" " else value
        if not line:
            if data:
                events.append(Event(name or b"message", data[:-1]))
            data, name = b"", b""
        elif field == b"data":
            data += value + b"\n"
        elif field == b"event":
            name = value
    return events


pieces = st.sampled_from(
    [
        b"data",
        b"event",
        b"id",
        b"retry",
        b"Data",
        b":",
        b": ",
        b" ",
        b"\r",
        b"\n",
        b"\r\n",
        b"\n\n",
        b"x",
        b"{}",
        b"message",
        b"\xef\xbb\xbf",
        b"\xff",
        b"\x00",
        b"\x0b",
        b"\x85",
        b"\x1c",
    ]
)
streams = st.lists(pieces, max_size=40).map(b"".join)


@st.composite
def chunked_streams(draw: st.DrawFn) -> tuple[bytes, list[bytes]]:
    stream = draw(streams)
    cuts = sorted(draw(st.sets(st.integers(0, len(stream)), max_size=12)))
    bounds = [0, *cuts, len(stream)]
    return stream, [stream[a:b] for a, b in itertools.pairwise(bounds)]


@given(chunked_streams())
def test_every_chunking_gives_the_events_of_the_specification(
    case: tuple[bytes, list[bytes]],
) -> None:
    stream, chunks = case
    assert parse(*chunks) == by_the_book(stream)


@given(chunked_streams(), st.integers(0, 24))
def test_the_limit_strikes_alike_in_every_chunking(
    case: tuple[bytes, list[bytes]], limit: int
) -> None:
    stream, chunks = case

    def refused(*parts: bytes) -> bool:
        try:
            parse(*parts, limit=limit)
        except Refused:
            return True
        return False

    assert refused(*chunks) == refused(stream)


@given(st.binary())
def test_what_the_writer_writes_the_parser_reads(data: bytes) -> None:
    expected = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    assert parse(sse.event(data)) == [message(expected)]


def test_the_writer_frames_json_in_one_line() -> None:
    assert sse.event(b'{"a": 1}') == b'event: message\ndata: {"a": 1}\n\n'


def test_a_keep_alive_is_no_event_and_disturbs_none() -> None:
    assert parse(sse.KEEP_ALIVE + sse.event(b"1") + sse.KEEP_ALIVE) == [message(b"1")]


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
def test_any_line_end_ends_a_line_at_once(end: bytes) -> None:
    assert parse(b"data: 1" + end + end) == [message(b"1")]
    assert parse(*[bytes([b]) for b in b"data: 1" + end + b"data:2" + end + end]) == [
        message(b"1\n2")
    ]


def test_the_name_is_that_of_the_last_event_field_and_does_not_last() -> None:
    stream = b"event: a\nevent: b\ndata: 1\n\ndata: 2\n\nevent:\ndata: 3\n\n"
    assert parse(stream) == [Event(b"b", b"1"), message(b"2"), message(b"3")]


def test_an_event_of_exactly_the_limit_passes_and_one_byte_more_does_not() -> None:
    event = b"data: " + b"x" * 94 + b"\n\n"
    assert parse(event * 5, limit=100) == [message(b"x" * 94)] * 5
    with pytest.raises(Refused) as caught:
        parse(event, limit=99)
    assert caught.value.reason is UPSTREAM_TOO_LARGE


@pytest.mark.parametrize("line", [b"data: x", b": comment", b"id: 1", b"nothing"])
def test_a_line_without_end_is_refused_at_the_limit(line: bytes) -> None:
    parser = Parser(1000)
    for _ in range(1000 // len(line)):
        assert parser.feed(line) == []
    with pytest.raises(Refused):
        parser.feed(line)


@pytest.mark.parametrize("line", [b"data\n", b"data:x\n", b"data: xy\n", b"event: x\n"])
def test_an_event_without_end_is_refused_while_little_is_held(line: bytes) -> None:
    limit = 1 << 16
    parser = Parser(limit)
    refused = False
    while not refused:
        try:
            assert parser.feed(line * 100) == []
        except Refused:
            refused = True
        held = sum(map(sys.getsizeof, (parser._data, parser._line, parser._name)))
        assert held < 2 * limit


def test_comments_and_unknown_fields_are_endless_at_will() -> None:
    parser = Parser(100)
    for _ in range(1000):
        assert parser.feed(b": still here\nid: 7\nretry: 1\nwhat: ever\n\n") == []


# ── where a stream has come to ──────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("stream", "last_id", "retry"),
    [
        (b"id: 1\ndata: a\n\n", b"1", None),
        (b"id: 1\ndata:\n\n", b"1", None),  # an empty one only primes
        (b"id: 1\n\nid: 2\ndata: a", b"1", None),  # the second has not ended
        (b"id: 1\n\ndata: a\n\n", b"1", None),
        (b"id: 1\n\nid\n\n", b"", None),
        (b"id: 1\n\nid: \0\n\n", b"1", None),
        (b"id: " + b"x" * 1025 + b"\n\n", b"", None),
        (b"retry: 500\n", b"", 500),
        (b"retry: 500\nretry: x\nretry:\nretry: -1\nretry: 9999999999\n", b"", 500),
    ],
)
def test_ids_and_pauses_are_remembered(stream: bytes, last_id: bytes, retry: int | None) -> None:
    parser = Parser(UNLIMITED)
    parser.feed(stream)
    assert (parser.last_id, parser.retry) == (last_id, retry)
