"""The listener for clients under attack: each case is one line, with the refusal that is expected.

Whatever was sent, the gate saw no message, the connection ended, and the next caller was served.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

import pytest

from tests.attacks.listener import Listener
from tests.unit.transport.house import message

BODY: Final = b'{"jsonrpc":"2.0","id":1,"method":"ping"}'
GOOD: Final = message("/mcp", BODY)
HEAD, _, _ = GOOD.partition(b"\r\n\r\n")
LINE, _, FIELDS = HEAD.partition(b"\r\n")
LENGTH: Final = b"content-length: %d" % len(BODY)
CHUNK: Final = b"%x\r\n%b\r\n" % (len(BODY), BODY)
LAST: Final = b"0\r\n\r\n"


@pytest.fixture(scope="module")
def gate() -> Iterator[Listener]:
    with Listener() as listener:
        yield listener


def line(first: bytes) -> bytes:
    """A good request with another request line."""
    return GOOD.replace(LINE, first, 1)


def plus(*fields: bytes) -> bytes:
    """A good request with more header lines."""
    return b"\r\n".join([HEAD, *fields, b"", b""]) + BODY


def but(old: bytes, new: bytes) -> bytes:
    """A good request in which something stands in the place of something else."""
    assert old in GOOD
    return GOOD.replace(old, new, 1)


def chunks(body: bytes, *fields: bytes, coding: bytes = b"chunked") -> bytes:
    """A good request whose body comes in chunks."""
    head = HEAD.replace(LENGTH, b"transfer-encoding: " + coding)
    return b"\r\n".join([head, *fields, b"", b""]) + body


def without(field: bytes) -> bytes:
    """A good request that lacks a header."""
    kept = [each for each in HEAD.split(b"\r\n") if not each.startswith(field + b":")]
    return b"\r\n".join([*kept, b"", b""]) + BODY


SYNTAX, FRAMING, TARGET = (400, "http.syntax"), (400, "http.framing"), (400, "http.target")
VERSION, HOST, HEADER = (505, "http.version"), (400, "http.one_host"), (431, "http.header")
TWICE, METHOD, UPGRADE = (400, "header.mismatch"), (405, "http.method"), (400, "http.upgrade")
EXPECT, ENCODING, SLOW = (417, "http.expect"), (415, "http.encoding"), (408, "http.slow")

Case = tuple[str, tuple[bytes, ...], tuple[int, str]]

CASES: Final[list[Case]] = [
    # ── two lengths ──
    ("CL and TE", (chunks(CHUNK + LAST, LENGTH),), FRAMING),
    ("TE and CL", (plus(b"transfer-encoding: chunked"),), FRAMING),
    ("CL.TE with a smuggled request", (chunks(LAST + GOOD, b"content-length: 5"),), FRAMING),
    ("two CLs", (plus(b"content-length: 7"),), FRAMING),
    ("two equal CLs", (plus(LENGTH),), FRAMING),
    ("a list of CLs", (but(LENGTH, LENGTH + b", 40"),), FRAMING),
    ("a list of equal CLs", (but(LENGTH, LENGTH + b"," + LENGTH[16:]),), FRAMING),
    ("CL with a plus", (but(LENGTH, b"content-length: +40"),), FRAMING),
    ("CL with a minus", (but(LENGTH, b"content-length: -1"),), FRAMING),
    ("CL in hex", (but(LENGTH, b"content-length: 0x28"),), FRAMING),
    ("CL with a blank within", (but(LENGTH, b"content-length: 4 0"),), FRAMING),
    ("CL with an underscore", (but(LENGTH, b"content-length: 4_0"),), FRAMING),
    ("CL with a leading zero", (but(LENGTH, b"content-length: 040"),), FRAMING),
    ("CL with a fraction", (but(LENGTH, b"content-length: 40.0"),), FRAMING),
    ("CL beyond 64 bits", (but(LENGTH, b"content-length: 18446744073709551656"),), FRAMING),
    ("CL in other digits", (but(LENGTH, "content-length: ٤٠".encode()),), FRAMING),
    ("empty CL", (but(LENGTH, b"content-length: "),), FRAMING),
    ("CL after a NUL", (but(LENGTH, b"content-length: \x0040"),), SYNTAX),
    # ── codings ──
    ("TE gzip, chunked", (chunks(CHUNK + LAST, coding=b"gzip, chunked"),), FRAMING),
    ("TE chunked, identity", (chunks(CHUNK + LAST, coding=b"chunked, identity"),), FRAMING),
    ("TE identity", (chunks(BODY, coding=b"identity"),), FRAMING),
    ("TE xchunked", (chunks(CHUNK + LAST, coding=b"xchunked"),), FRAMING),
    ("TE in capitals", (chunks(CHUNK + LAST, coding=b"CHUNKED"),), FRAMING),
    ("TE with a tab", (chunks(CHUNK + LAST, coding=b"\tchunked"),), FRAMING),
    ("TE with a blank behind", (chunks(CHUNK + LAST, coding=b"chunked "),), FRAMING),
    ("TE with a vertical tab", (chunks(CHUNK + LAST, coding=b"\x0bchunked"),), SYNTAX),
    ("TE quoted", (chunks(CHUNK + LAST, coding=b'"chunked"'),), FRAMING),
    ("empty TE", (chunks(CHUNK + LAST, coding=b""),), FRAMING),
    ("two TEs", (chunks(CHUNK + LAST, b"transfer-encoding: chunked"),), FRAMING),
    ("two TEs, one of them identity", (chunks(CHUNK, b"transfer-encoding: identity"),), FRAMING),
    ("TE before a blank and the colon", (plus(b"transfer-encoding : chunked"),), SYNTAX),
    ("TE in HTTP/1.0", (chunks(CHUNK + LAST).replace(b"/1.1", b"/1.0", 1),), FRAMING),
    ("a compressed body", (plus(b"content-encoding: gzip"),), ENCODING),
    ("a body compressed twice", (plus(b"content-encoding: identity, br"),), ENCODING),
    # ── chunks ──
    ("a chunk extension", (chunks(CHUNK.replace(b"\r\n", b";a=b\r\n", 1) + LAST),), FRAMING),
    ("a long chunk extension", (chunks(b"28;" + b"a" * 60_000),), FRAMING),
    ("a chunk extension with a bare LF", (chunks(b"28;\n\r\n" + BODY + b"\r\n" + LAST),), FRAMING),
    ("a chunk size with a sign", (chunks(b"+28\r\n" + BODY + b"\r\n" + LAST),), FRAMING),
    ("a chunk size in 0x", (chunks(b"0x28\r\n" + BODY + b"\r\n" + LAST),), FRAMING),
    ("a chunk size with a blank", (chunks(b"28 \r\n" + BODY + b"\r\n" + LAST),), FRAMING),
    ("a chunk size that overflows", (chunks(b"100000028\r\n" + BODY + b"\r\n" + LAST),), FRAMING),
    ("an empty chunk size", (chunks(b"\r\n" + BODY + b"\r\n" + LAST),), FRAMING),
    ("a chunk size that is no number", (chunks(b"zz\r\n" + BODY + b"\r\n" + LAST),), FRAMING),
    ("a chunk line with a bare LF", (chunks(b"28\n" + BODY + b"\r\n" + LAST),), FRAMING),
    ("a chunk longer than it says", (chunks(b"27\r\n" + BODY + b"\r\n" + LAST),), FRAMING),
    ("a chunk that ends in a bare LF", (chunks(b"28\r\n" + BODY + b"\n" + LAST),), FRAMING),
    ("a trailer", (chunks(CHUNK + b"0\r\nx: y\r\n\r\n"),), FRAMING),
    ("a trailer that steers", (chunks(CHUNK + b"0\r\nauthorization: Bearer x\r\n\r\n"),), FRAMING),
    ("a trailer in pieces", (chunks(CHUNK + b"0\r"), b"\nx", b": y\r\n\r\n"), FRAMING),
    # ── lines ──
    ("bare LF everywhere", (GOOD.replace(b"\r\n", b"\n"),), SYNTAX),
    ("a bare LF among the lines", (but(b"\r\naccept", b"\naccept"),), SYNTAX),
    ("a bare CR among the lines", (but(b"\r\naccept", b"\raccept"),), SYNTAX),
    ("a bare CR in a value", (plus(b"x: a\rb"),), SYNTAX),
    ("CR CR LF", (but(b"\r\naccept", b"\r\r\naccept"),), SYNTAX),
    ("a folded line", (plus(b"x: a", b" b"),), SYNTAX),
    ("a line folded by a tab", (plus(b"x: a", b"\tb"),), SYNTAX),
    ("a first line that is folded", (line(LINE + b"\r\n folded: x"),), SYNTAX),
    ("a blank before the colon", (plus(b"x : y"),), SYNTAX),
    ("a tab before the colon", (plus(b"x\t: y"),), SYNTAX),
    ("no name", (plus(b": y"),), SYNTAX),
    ("no colon", (plus(b"xy"),), SYNTAX),
    ("NUL in a value", (plus(b"x: a\x00b"),), SYNTAX),
    ("NUL in a name", (plus(b"x\x00: y"),), SYNTAX),
    ("a control character in a value", (plus(b"x: a\x08b"),), SYNTAX),
    ("DEL in a value", (plus(b"x: a\x7fb"),), SYNTAX),
    ("a letter beyond ASCII in a name", (plus("ſize: 1".encode()),), SYNTAX),
    ("brackets in a name", (plus(b"x(y): z"),), SYNTAX),
    ("an empty line first", (b"\r\n" + GOOD,), SYNTAX),
    ("a BOM first", (b"\xef\xbb\xbf" + GOOD,), SYNTAX),
    # ── targets ──
    ("absolute-form", (line(b"POST http://gate.example.com/mcp HTTP/1.1"),), TARGET),
    ("absolute-form of another host", (line(b"POST http://evil.example.com/mcp HTTP/1.1"),), TARGET),
    ("authority-form", (line(b"POST gate.example.com:80 HTTP/1.1"),), TARGET),
    ("asterisk-form", (line(b"OPTIONS * HTTP/1.1"),), TARGET),
    ("a fragment", (line(b"POST /mcp#x HTTP/1.1"),), TARGET),
    ("a target beyond ASCII", (line("POST /mcp/ſ HTTP/1.1".encode()),), TARGET),
    ("a target with a tab", (line(b"POST /mcp\tx HTTP/1.1"),), TARGET),
    ("a target with a blank", (line(b"POST /mcp /x HTTP/1.1"),), SYNTAX),
    ("no target", (line(b"POST HTTP/1.1"),), SYNTAX),
    ("two blanks in the request line", (line(b"POST  /mcp HTTP/1.1"),), SYNTAX),
    ("a tab in the request line", (line(b"POST\t/mcp HTTP/1.1"),), SYNTAX),
    ("CONNECT", (line(b"CONNECT gate.example.com:80 HTTP/1.1"),), METHOD),
    ("TRACE", (line(b"TRACE /mcp HTTP/1.1"),), METHOD),
    ("a method in small letters", (line(b"post /mcp HTTP/1.1"),), SYNTAX),
    ("a method that nobody knows", (line(b"SMUGGLE /mcp HTTP/1.1"),), SYNTAX),
    ("an endless method", (b"A" * 5000,), HEADER),
    ("an over-long method", (line(b"A" * 100 + b" /mcp HTTP/1.1"),), SYNTAX),
    ("an over-long request line", (line(b"POST /" + b"m" * 5000 + b" HTTP/1.1"),), HEADER),
    # ── versions ──
    ("HTTP/0.9", (b"GET /mcp\r\n\r\n",), SYNTAX),
    ("HTTP/1.2", (line(b"POST /mcp HTTP/1.2"),), VERSION),
    ("HTTP/2.0", (line(b"POST /mcp HTTP/2.0"),), VERSION),
    ("HTTP/1.10", (line(b"POST /mcp HTTP/1.10"),), VERSION),
    ("http/1.1", (line(b"POST /mcp http/1.1"),), SYNTAX),
    ("ICE/1.0", (line(b"POST /mcp ICE/1.0"),), SYNTAX),
    ("the HTTP/2 preface", (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",), VERSION),
    ("a TLS ClientHello", (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"x" * 500,), SYNTAX),
    ("an SSH greeting", (b"SSH-2.0-OpenSSH_9.2\r\n\r\n",), SYNTAX),
    ("PROXY protocol", (b"PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\n" + GOOD,), SYNTAX),
    # ── names ──
    ("no Host", (without(b"host"),), HOST),
    ("an empty Host", (but(b"host: gate.example.com", b"host: "),), HOST),
    ("two Hosts", (plus(b"host: evil.example.com"),), HOST),
    ("two equal Hosts", (plus(b"Host: gate.example.com"),), HOST),
    ("no Host in HTTP/1.0", (without(b"host").replace(b"/1.1", b"/1.0", 1),), HOST),
    # ── headers that steer ──
    ("two tokens", (plus(b"authorization: Bearer slow"),), TWICE),
    ("two media types", (plus(b"content-type: text/plain"),), TWICE),
    ("two Origins", (plus(b"origin: https://app.example.com", b"origin: null"),), TWICE),
    ("two versions of the protocol", (plus(*[b"mcp-protocol-version: 2026-07-28"] * 2),), TWICE),
    ("two methods", (plus(b"mcp-method: a", b"Mcp-Method: b"),), TWICE),
    ("two names", (plus(b"mcp-name: a", b"MCP-NAME: a"),), TWICE),
    ("two sessions", (plus(b"mcp-session-id: a", b"mcp-session-id: b"),), TWICE),
    ("two of any MCP header", (plus(b"mcp-param-x: a", b"mcp-param-x: b"),), TWICE),
    ("two directories", (plus(b"bawn-project: /a", b"bawn-project: /b"),), TWICE),
    # ── other protocols, other wishes ──
    ("an upgrade to WebSocket", (plus(b"connection: upgrade", b"upgrade: websocket"),), UPGRADE),
    ("an upgrade to h2c", (plus(b"connection: x, Upgrade", b"upgrade: h2c", b"http2-settings: x"),), UPGRADE),
    ("an expectation", (plus(b"expect: 200-ok"),), EXPECT),
    ("an expectation and another", (plus(b"expect: 100-continue, x"),), EXPECT),
    # ── too much, too slow ──
    ("a huge header", (plus(b"x: " + b"y" * 5000),), HEADER),
    ("an endless header in pieces", (HEAD, *[b"y" * 500] * 10), HEADER),
    ("many small headers", (plus(*[b"x: y"] * 100),), HEADER),
    ("a header that stops", (HEAD[:50],), SLOW),
    ("a body that stops", (GOOD[:-1],), SLOW),
    ("a chunk that stops", (chunks(CHUNK[:-10]),), SLOW),
    ("chunks that do not end", (chunks(CHUNK),), SLOW),
]  # fmt: skip


@pytest.mark.parametrize(
    ("parts", "refusal"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_it_is_refused(gate: Listener, parts: tuple[bytes, ...], refusal: tuple[int, str]) -> None:
    before = len(gate.house.gate.arrived)
    answer = gate.attack(*parts)
    head, _, body = answer.partition(b"\r\n\r\n")
    status, reason = refusal
    assert head.startswith(b"HTTP/1.1 %d " % status), answer
    assert json.loads(body)["error"] == reason
    assert b"connection: close" in head
    assert gate.house.meter.refusals[-1] == reason
    assert len(gate.house.gate.arrived) == before
    gate.is_well()


def test_the_suite_is_as_large_as_it_claims() -> None:
    assert len({case[0] for case in CASES}) == len(CASES) >= 100


@pytest.mark.parametrize(
    "good",
    [
        GOOD,
        chunks(CHUNK + LAST),
        chunks(CHUNK + b"000\r\n\r\n"),
        line(b"POST /mcp HTTP/1.0"),
        plus(b"accept-encoding: gzip", b"x-forwarded-proto: https", b"forwarded: host=evil"),
        plus(b"x-forwarded-host: evil.example.com", b"x-forwarded-for: 10.0.0.1"),
        plus(b"bawn-relay: forged"),
        plus(b"te: trailers", b"content-encoding: identity"),
        plus(b"x: a", b"x: b", "y: ü".encode()),
        plus(b"x:", b"y:\tz\t"),
    ],
)
def test_what_is_no_attack_is_served(gate: Listener, good: bytes) -> None:
    before = len(gate.house.gate.arrived)
    answer = gate.attack(good.replace(b"\r\n", b"\r\nconnection: close\r\n", 1))
    assert answer.startswith(b"HTTP/1.1 200 "), answer
    (arrival,) = gate.house.gate.arrived[before:]
    assert arrival.body == BODY
    assert arrival.peer.address == "127.0.0.1"
    assert not arrival.settled


def test_a_smuggled_request_is_the_body_of_its_carrier(gate: Listener) -> None:
    smuggled = message("/mcp/files", b"{}")
    carrier = message("/mcp", smuggled, more=[(b"connection", b"close")])
    before = len(gate.house.gate.arrived)
    assert gate.attack(carrier).count(b"HTTP/1.1 ") == 1
    (arrival,) = gate.house.gate.arrived[before:]
    assert (arrival.endpoint, arrival.body) == (None, smuggled)


def test_each_pipelined_request_is_judged_alone(gate: Listener) -> None:
    stranger = message("/mcp", b"{}", headers={b"authorization": None})
    before = len(gate.house.gate.arrived)
    answer = gate.attack(GOOD + stranger + GOOD + line(b"POST * HTTP/1.1") + GOOD)
    statuses = [part[:3] for part in answer.split(b"HTTP/1.1 ")[1:]]
    assert statuses == [b"200", b"401", b"200", b"400"]
    assert len(gate.house.gate.arrived) == before + 2


def test_a_caller_who_hangs_up_at_any_point_leaves_nothing(gate: Listener) -> None:
    for cut in range(0, len(GOOD), 7):
        gate.attack(GOOD[:cut], end=True)
    gate.is_well()
