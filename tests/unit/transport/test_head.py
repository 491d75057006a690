from __future__ import annotations

import pytest

from bawn.errors import Refused
from bawn.transport.head import HeadReader

READER = HeadReader(1000, 10)


def block(*lines: bytes, first: bytes = b"POST /mcp HTTP/1.1") -> bytes:
    """A header section."""
    return b"\r\n".join([first, b"Host: x", *lines, b"", b""])


def refusal(data: bytes) -> str:
    """Why it is not read."""
    with pytest.raises(Refused) as caught:
        READER.read(data)
    return caught.value.reason.id


def test_what_a_header_section_says() -> None:
    head = READER.read(block(b"Content-Length: 12", b"X-Y:\t a b ", b"Expect: 100-continue"))
    assert (head.method, head.target, head.length) == (b"POST", b"/mcp", 12)
    assert head.fields[1:3] == ((b"content-length", b"12"), (b"x-y", b"a b"))
    assert head.headers[b"host"] == b"x"
    assert head.modern
    assert head.keep_alive
    assert head.awaits


def test_the_same_bytes_are_read_once() -> None:
    reader = HeadReader(10_000, 10)
    assert reader.read(block(b"x: y")) is reader.read(block(b"x: y"))
    large = block(b"x: " + b"y" * 3000)  # not worth remembering
    assert reader.read(large) is not reader.read(large)
    assert reader.read(large) == reader.read(large)


def test_a_refusal_is_not_forgotten_either() -> None:
    for _ in range(2):
        assert refusal(block(b"Host: y")) == "http.one_host"


def test_repeated_fields_are_joined_in_their_order() -> None:
    head = READER.read(block(b"Accept: a", b"x: 1", b"accept: b", b"accept: c"))
    assert head.headers[b"accept"] == b"a, b, c"
    assert len(head.fields) == 5


@pytest.mark.parametrize(
    ("lines", "length"),
    [
        ((), 0),
        ((b"content-length: 0",), 0),
        ((b"content-length: 7",), 7),
        ((b"transfer-encoding: chunked",), None),
    ],
)
def test_a_length_is_said_in_one_way(lines: tuple[bytes, ...], length: int | None) -> None:
    assert READER.read(block(*lines)).length == length


@pytest.mark.parametrize(
    ("line", "first", "keeps"),
    [
        (b"x: y", b"GET / HTTP/1.1", True),
        (b"connection: keep-alive", b"GET / HTTP/1.1", True),
        (b"connection: close", b"GET / HTTP/1.1", False),
        (b"connection: x,\tClose ", b"GET / HTTP/1.1", False),
        (b"connection: keep-alive", b"GET / HTTP/1.0", False),
    ],
)
def test_a_connection_is_kept_by_http_1_1_unless_asked_otherwise(
    line: bytes, first: bytes, keeps: bool
) -> None:
    assert READER.read(block(line, first=first)).keep_alive is keeps


def test_http_1_0_knows_no_expectations() -> None:
    head = READER.read(block(b"expect: 100-continue", first=b"POST / HTTP/1.0"))
    assert not head.awaits
    assert not head.modern


def test_size_and_count_are_bounded() -> None:
    bare = len(block(b"x: "))
    READER.read(block(b"x: " + b"y" * (1000 - bare)))
    assert refusal(block(b"x: " + b"y" * (1001 - bare))) == "http.header"
    READER.read(block(*[b"x: y"] * 9))
    assert refusal(block(*[b"x: y"] * 10)) == "http.header"


@pytest.mark.parametrize(
    "line", [b"x y: z", b"x:\x00", b"x", b" x: y", b"x\xff: y", b"x: a\nb", b"x: a\rb"]
)
def test_what_is_no_field_is_refused(line: bytes) -> None:
    assert refusal(block(line)) == "http.syntax"


def test_what_llhttp_does_not_know_is_refused_though_we_could_read_it() -> None:
    assert refusal(block(first=b"BREW / HTTP/1.1")) == "http.syntax"


def test_a_disagreement_of_the_readers_is_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    from bawn.transport import head

    monkeypatch.setattr(head._Witness, "on_url", lambda *_: None)
    with pytest.raises(Refused) as caught:
        HeadReader(1000, 10).read(block())
    assert "disagree" in caught.value.detail
