"""From bytes to one reply: HTTP/1.1 framing without a socket (RFC 9112, section 6).

Two readers that disagree on where a reply ends hand one caller another's answer. So whatever could
be read in two ways is refused here, and whatever is left over makes the connection unfit for reuse.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from bawn.errors import UPSTREAM_INVALID, UPSTREAM_TOO_LARGE, Refused
from bawn.upstream.share import FREE

HEADER_LIMIT: Final = 64 << 10
"""Most bytes of a header section; and, counted from its end or the body data before, of chunk
extensions or trailers. There up to twice as many pass, for what comes together is counted together."""

_INTERIM_REPLIES: Final = 8
_IDLE_SECONDS: Final = 4.0  # common servers close after 5
_IDLE_MOST: Final = 60.0
_IDLE_MARGIN: Final = 1.0
# Headers that decide what the body is: said twice, they could be read in two ways.
_ONCE: Final = frozenset({b"content-length", b"transfer-encoding", b"content-encoding"})
_BODYLESS: Final = frozenset({204, 304})
_VERSIONS: Final = frozenset({"1.0", "1.1"})
_END: Final = b"\r\n\r\n"  # of a header section, and of a chunked body


def invalid(detail: str) -> Refused:
    """The refusal of a reply whose HTTP is not good."""
    return Refused(UPSTREAM_INVALID, detail=detail)


def too_large(limit: int) -> Refused:
    """The refusal of a body over the limit."""
    return Refused(UPSTREAM_TOO_LARGE, detail=f"the body is over {limit} bytes")


def header_map(pairs: Sequence[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """A header section by lower-case name; the last of a name counts, cookies are dropped.

    Raises:
        Refused: upstream.invalid when the framing is ambiguous or the body is encoded.
    """
    headers = {name.lower(): value.strip(b" \t") for name, value in pairs}
    if len(headers) != len(pairs):
        _check_repetitions(pairs)
    headers.pop(b"set-cookie", None)
    if b"transfer-encoding" in headers:
        _check_coding(pairs)
        if b"content-length" in headers:
            raise invalid("Transfer-Encoding and Content-Length are both there")
    if headers.get(b"content-encoding", b"identity").lower() != b"identity":
        raise invalid("the body is compressed, though identity was asked for")
    return headers


def _check_repetitions(pairs: Sequence[tuple[bytes, bytes]]) -> None:
    names = [name.lower() for name, _ in pairs]
    for name in _ONCE:
        if names.count(name) > 1:
            raise invalid(f"{name.decode()} is there twice")


def _check_coding(pairs: Sequence[tuple[bytes, bytes]]) -> None:
    for name, value in pairs:
        # Compared as it came: the parser does not take trailing blanks as we would.
        if name.lower() == b"transfer-encoding" and value.lower() != b"chunked":
            raise invalid("Transfer-Encoding is not chunked")


@lru_cache(maxsize=64)
def is_stream(content_type: bytes | None) -> bool:
    """Whether the body is an event stream."""
    return (content_type or b"").partition(b";")[0].strip().lower() == b"text/event-stream"


@lru_cache(maxsize=64)
def idle_seconds(keep_alive: bytes | None) -> float:
    """How long a connection may rest between exchanges: the peer's Keep-Alive hint, less a margin."""
    for parameter in (keep_alive or b"").split(b","):
        name, _, value = parameter.strip().partition(b"=")
        if name.lower() == b"timeout" and value.isdigit():
            return min(float(value) - _IDLE_MARGIN, _IDLE_MOST)
    return _IDLE_SECONDS


class ReplyParser:
    """Reads the replies of one connection, one at a time: `begin`, then `feed` until `done`.

    `status` is 0 until the header section of the final reply is there. `reusable` means that the
    reply ended where it said it would, with nothing behind it. `limit` is that of the body; an
    event stream's is its reader's business, who must `take` the body as it comes. `wants` is what a
    body of more than `share.FREE` bytes will take, at most: its length, or else the limit.
    """

    __slots__ = (
        "_before",
        "_body",
        "_budget",
        "_counted",
        "_fresh",
        "_http",
        "_interim",
        "_interims",
        "_limit",
        "_pairs",
        "_sized",
        "_until_close",
        "done",
        "headers",
        "reusable",
        "status",
        "streaming",
        "wants",
    )

    def __init__(self) -> None:
        self._http = HttpResponseParser(self)
        self.begin(0)

    def begin(self, limit: int) -> None:
        """Expect the next reply."""
        self._limit = limit
        self._budget = HEADER_LIMIT
        self._fresh = True
        self._pairs: list[tuple[bytes, bytes]] = []
        self._body: bytes | bytearray = b""
        self._before = b""  # the last bytes of what was fed before
        self._sized = False  # the body's length is known
        self._counted = 0  # bytes of such a body in what is being fed
        self._interim = False
        self._interims = 0
        self._until_close = False
        self.status = 0
        self.headers: dict[bytes, bytes] = {}
        self.streaming = False
        self.reusable = False
        self.done = False
        self.wants = 0

    def feed(self, data: bytes) -> None:
        """Take bytes from the wire.

        Raises:
            Refused: upstream.invalid or .too_large; the connection is of no use afterwards.
        """
        if self._fresh:
            self._fresh = False
            if data[:1] != b"H":  # the parser would let pass empty lines and RTSP
                raise invalid("the reply does not begin as HTTP")
        headed = self.status > 0
        self._counted = 0
        try:
            if len(data) <= self._budget:
                self._budget -= len(data)
                self._http.feed_data(data)
            else:
                self._feed_in_portions(memoryview(data))
        except (HttpParserError, HttpParserUpgrade) as error:
            if not self.done:
                cause = error.__context__
                raise cause if isinstance(cause, Refused) else invalid(str(error)) from None
            self.reusable = False
        if self.done:
            self.reusable = self.reusable and self._ended_with(data, headed)
        else:
            self._before = (self._before + data[-5:])[-5:]

    def _feed_in_portions(self, data: memoryview) -> None:
        while data:
            portion = data[: self._budget]
            if not portion:
                raise invalid(f"a header section or chunk framing is over {HEADER_LIMIT} bytes")
            self._budget -= len(portion)
            self._http.feed_data(portion)  # body data among it renews the budget
            data = data[len(portion) :]

    def _ended_with(self, data: bytes, headed: bool) -> bool:
        """Whether no byte of `data` lies behind the reply, not even a line end the parser skips."""
        rest = len(data) - self._counted
        if headed and self._sized:
            return not rest
        if rest < 5:
            data, rest = self._before + data[:rest], rest + len(self._before)
        return data.startswith(_END, rest - 4) and data[rest - 5] not in _END

    def finish(self) -> bool:
        """The peer has ended its side; whether that completes the reply."""
        if self.status and self._until_close:
            self.done = True
        return self.done

    def take(self) -> bytes:
        """The body so far, which is then no longer held."""
        body, self._body = self._body, b""
        return bytes(body)

    # ── called by httptools ──

    def on_message_begin(self) -> None:
        """A message starts; there may be but one, after interim replies."""
        if self.done:
            raise invalid("bytes after the end of the reply")

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header field, or one of a trailer, which counts for nothing."""
        if not self.status:
            self._pairs.append((name, value))

    def on_headers_complete(self) -> None:
        """The header section has ended: decide how the body is framed."""
        http = self._http
        status = http.get_status_code()
        headers = header_map(self._pairs)
        length = headers.get(b"content-length")
        framed = length is not None or b"transfer-encoding" in headers
        if status < 200:
            self._skip(status, framed)
            return
        reusable = http.should_keep_alive()
        if not reusable and http.get_http_version() not in _VERSIONS:
            raise invalid("the reply is of an unknown version of HTTP")
        if status in _BODYLESS:
            reusable = reusable and not framed
        else:
            self.streaming = is_stream(headers.get(b"content-type"))
            self._until_close = not framed
            self._sized = length is not None
            if length is not None and not self.streaming:
                self._expect(int(length))
        self._budget = HEADER_LIMIT
        self.reusable = reusable
        self.headers = headers
        self.status = status

    def _expect(self, length: int) -> None:
        if length > self._limit:
            raise too_large(self._limit)
        if length > FREE:
            self.wants = length

    def _skip(self, status: int, framed: bool) -> None:
        self._interims += 1
        if status == 101 or framed or self._interims > _INTERIM_REPLIES:
            raise invalid(f"an interim reply ({status}) that was not asked for")
        self._interim = True
        self._pairs = []

    def on_body(self, data: bytes) -> None:
        """A piece of the body."""
        self._budget = HEADER_LIMIT
        if not self._body:
            self._body = data
        else:
            if isinstance(self._body, bytes):  # one buffer, so that tiny pieces stay cheap to hold
                self._body = bytearray(self._body)
            self._body += data
        if self._sized:
            self._counted += len(data)
        elif not self.streaming:
            self._measure(len(self._body))

    def _measure(self, size: int) -> None:
        """Hold the limit where no length was announced."""
        if size > self._limit:
            raise too_large(self._limit)
        if size > FREE:
            self.wants = self._limit

    def on_message_complete(self) -> None:
        """The reply has ended, unless it was an interim one."""
        if self._interim:
            self._interim = False
        else:
            self.done = True
