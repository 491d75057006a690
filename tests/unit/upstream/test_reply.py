from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.errors import UPSTREAM_INVALID, UPSTREAM_TOO_LARGE, Refused
from bawn.upstream.reply import HEADER_LIMIT, ReplyParser, header_map, idle_seconds, is_stream

OK = b"HTTP/1.1 200 OK\r\n"
LENGTH = OK + b"Content-Length: 2\r\n\r\n{}"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n1;x=y\r\n{\r\n1\r\n}\r\n0\r\nT: 1\r\n\r\n"
EMPTY = OK + b"Content-Length: 0\r\n\r\n"


def parser(limit: int = 1000) -> ReplyParser:
    fresh = ReplyParser()
    fresh.begin(limit)
    return fresh


def parts(data: bytes, cuts: list[int]) -> list[bytes]:
    bounds = [0, *sorted(cut % len(data) for cut in cuts), len(data)]
    return [data[a:b] for a, b in pairwise(bounds) if a < b]


@given(
    st.sampled_from(
        [
            LENGTH,
            CHUNKED,
            LENGTH.replace(b"{}", b"\r\n"),
            b"HTTP/1.1 103 Hints\r\nX: y\r\n\r\n" + LENGTH,
        ]
    ),
    st.lists(st.integers(0, 1000), max_size=8),
)
def test_a_reply_is_the_same_in_any_pieces(data: bytes, cuts: list[int]) -> None:
    reply = parser()
    *before, last = parts(data, cuts)
    for piece in before:
        reply.feed(piece)
        assert not reply.done
    reply.feed(last)
    assert (reply.done, reply.reusable, reply.status) == (True, True, 200)
    assert reply.take() in {b"{}", b"\r\n"}


@given(
    st.sampled_from([LENGTH, CHUNKED, EMPTY, LENGTH.replace(b"{}", b"\r\n")]),
    st.one_of(
        st.binary(min_size=1, max_size=9),
        st.text("\r\n{}", min_size=1, max_size=9).map(str.encode),
        st.sampled_from([LENGTH, EMPTY, b"HTTP/1.1 200 {}"]),
    ),
    st.lists(st.integers(0, 1000), max_size=4),
)
def test_a_connection_with_anything_behind_the_reply_is_not_reusable(
    data: bytes, surplus: bytes, cuts: list[int]
) -> None:
    reply = parser()
    for piece in parts(data + surplus, [cut % len(data) for cut in cuts]):
        reply.feed(piece)
    assert (reply.done, reply.reusable, reply.status) == (True, False, 200)
    assert len(reply.take()) == (0 if data is EMPTY else 2)


def test_one_parser_reads_one_reply_after_the_other() -> None:
    reply = ReplyParser()
    for data in (LENGTH, CHUNKED, EMPTY, LENGTH):
        reply.begin(2)
        reply.feed(data)
        assert reply.reusable


@pytest.mark.parametrize(
    "data",
    [
        OK.replace(b"1.1", b"1.0") + b"Content-Length: 2\r\n\r\n{}",
        OK + b"Connection: close\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n",
        b"HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n",
    ],
)
def test_some_good_replies_end_their_connection(data: bytes) -> None:
    reply = parser()
    reply.feed(data)
    assert (reply.done, reply.reusable) == (True, False)


def test_the_end_of_the_connection_completes_only_what_has_no_other_end() -> None:
    until_close = parser()
    until_close.feed(OK + b"\r\n{")
    until_close.feed(b"}")
    assert not until_close.done
    assert until_close.finish()
    assert (until_close.take(), until_close.reusable) == (b"{}", False)
    for data in (b"", OK, LENGTH[:-1], CHUNKED[:-1], b"HTTP/1.1 100 Continue\r\n\r\n"):
        cut = parser()
        if data:
            cut.feed(data)
        assert not cut.finish()


@pytest.mark.parametrize("size", [1, 7, 4096, 1 << 20])
def test_a_header_section_may_have_64_kib_however_it_comes(size: int) -> None:
    def feed(length: int) -> ReplyParser:
        head = OK + b"Content-Length: 2\r\nX: "
        data = head + b"x" * (length - len(head) - 4) + b"\r\n\r\n"
        reply = parser()
        for at in range(0, len(data), size):
            reply.feed(data[at : at + size])
        reply.feed(b"{}")
        return reply

    assert feed(HEADER_LIMIT).reusable
    with pytest.raises(Refused) as caught:
        feed(HEADER_LIMIT + 1)
    assert caught.value.reason is UPSTREAM_INVALID


def test_body_data_renews_what_framing_may_take() -> None:
    data = OK + b"Transfer-Encoding: chunked\r\n\r\n" + (b"1;" + b"e" * 20_000 + b"\r\nx\r\n") * 9
    reply = parser()
    reply.feed(data + b"0\r\n\r\n")
    assert reply.take() == b"x" * 9


def test_the_body_is_bounded_but_not_a_stream() -> None:
    for head in (b"Content-Length: 3\r\n\r\n", b"\r\n"):
        with pytest.raises(Refused) as caught:
            parser(2).feed(OK + head + b"{ }")
        assert caught.value.reason is UPSTREAM_TOO_LARGE
        stream = parser(2)
        stream.feed(OK + b"Content-Type: text/event-stream\r\n" + head + b"{ }")
        assert (stream.streaming, stream.take(), stream.take()) == (True, b"{ }", b"")


def test_a_length_over_the_limit_is_refused_before_the_body() -> None:
    with pytest.raises(Refused) as caught:
        parser(2).feed(OK + b"Content-Length: 3\r\n\r\n")
    assert caught.value.reason is UPSTREAM_TOO_LARGE


def test_trailers_change_nothing() -> None:
    reply = parser()
    reply.feed(CHUNKED.replace(b"T: 1", b"T: 1\r\nContent-Type: text/event-stream"))
    assert reply.headers == {b"transfer-encoding": b"chunked"}
    assert reply.reusable


def test_headers_are_told_by_lower_case_name_the_last_counts_and_cookies_do_not() -> None:
    pairs = [(b"A", b" 1\t"), (b"a", b"2"), (b"Set-Cookie", b"x"), (b"B", b"")]
    assert header_map(pairs) == {b"a": b"2", b"b": b""}


@pytest.mark.parametrize("name", [b"content-length", b"transfer-encoding", b"content-encoding"])
def test_what_decides_on_the_body_is_said_once(name: bytes) -> None:
    with pytest.raises(Refused):
        header_map([(name, b"identity"), (name.title(), b"identity")])


@pytest.mark.parametrize("coding", [b"gzip", b"chunked, chunked", b"chunked\t", b"identity", b""])
def test_no_transfer_coding_but_chunked(coding: bytes) -> None:
    with pytest.raises(Refused):
        header_map([(b"Transfer-Encoding", coding)])


@pytest.mark.parametrize(
    ("media", "expected"),
    [
        (b"text/event-stream", True),
        (b"Text/Event-Stream ; charset=utf-8", True),
        (b"text/event-streams", False),
        (b"application/json; x=text/event-stream", False),
        (None, False),
    ],
)
def test_tells_an_event_stream_by_its_media_type(media: bytes | None, expected: bool) -> None:
    assert is_stream(media) is expected


@pytest.mark.parametrize(
    ("hint", "seconds"),
    [
        (None, 4.0),
        (b"timeout=5", 4.0),
        (b"max=100, Timeout=30", 29.0),
        (b"timeout=1", 0.0),
        (b"timeout=0", -1.0),
        (b"timeout=" + b"9" * 500, 60.0),
        (b"timeout=x", 4.0),
        (b"timeout=-5", 4.0),
    ],
)
def test_a_connection_rests_as_long_as_the_peer_allows_less_a_second(
    hint: bytes | None, seconds: float
) -> None:
    assert idle_seconds(hint) == seconds
