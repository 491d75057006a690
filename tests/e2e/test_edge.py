"""The listener for clients, byte by byte: what is let in, what is refused, and with which status."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator

import pytest

from bawn.model import Json
from bawn.protocol import versions
from tests.e2e.caller import ACCEPT, META, Caller, a_caller, mirrored, reason, words
from tests.e2e.conftest import StartGate
from tests.e2e.gate_process import Gate
from tests.e2e.remote_process import Raw, raw_server
from tests.e2e.runner_process import until

pytestmark = pytest.mark.e2e

BODY, HEADER, DEPTH = 20_000, 4096, 16


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Raw]:
    with raw_server(tmp_path_factory.mktemp("raw")) as server:
        yield server


@pytest.fixture(scope="module")
def up(raw: Raw, shared_gate: StartGate) -> Gate:
    return shared_gate(
        f"servers:\n  far: {{url: '{raw.base}/modern'}}\n"
        "hosts: [gate.example.com]\n"
        "origins: [https://app.example.com]\n"
        f"limits: {{body: {BODY}, header: {HEADER}, json_depth: {DEPTH}, json_nodes: 500, "
        "calls_per_principal: 3, calls_per_server: 5}\n"
    ).until_ok()


BODY_OK = json.dumps(
    {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": {"name": "far__echo", "arguments": {}, "_meta": META},
    }
).encode()


def lines(up: Gate, **changes: str | None) -> list[str]:
    """The header of a good request, with some fields changed or left out."""
    fields: dict[str, str | None] = {
        "host": f"127.0.0.1:{up.port}",
        "authorization": f"Bearer {up.token()}",
        "content-type": "application/json",
        "content-length": str(len(BODY_OK)),
        **mirrored("tools/call", {"name": "far__echo"}),
        **{name.replace("_", "-"): value for name, value in changes.items()},
    }
    return [f"{name}: {value}" for name, value in fields.items() if value is not None]


def request(header: list[str], body: bytes = BODY_OK, first: str = "POST /mcp HTTP/1.1") -> bytes:
    """The bytes of a request."""
    return "\r\n".join([first, *header, "", ""]).encode("latin-1") + body


class Answered:
    """Everything that came back until the gate had nothing more to say."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        head, _, rest = raw.partition(b"\r\n\r\n")
        self.status = int(head.split(b" ", 2)[1]) if head else 0
        self.head = head.decode("latin-1").lower()
        length = next((v for v in self.head.split("\r\n") if v.startswith("content-length:")), ":0")
        self.body = rest[: int(length.partition(":")[2])]
        self.more = rest[len(self.body) :]

    @property
    def json(self) -> Json:
        """The body."""
        told: Json = json.loads(self.body)
        return told


async def exchange(up: Gate, *pieces: bytes, until_close: bool = False) -> Answered:
    """Write the pieces one after another; read one response, or all until the gate closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", up.port)
    try:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        if until_close:
            return Answered(await asyncio.wait_for(reader.read(), 15))
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 15)
        found = Answered(head)
        length = found.head.partition("content-length:")[2].split("\r\n")[0]
        return Answered(head + await asyncio.wait_for(reader.readexactly(int(length or 0)), 15))
    finally:
        writer.close()


async def answered(up: Gate, **changes: str | None) -> Answered:
    """The answer to a good request with some header fields changed."""
    return await exchange(up, request(lines(up, **changes)))


async def test_a_good_request_is_answered_in_any_pieces(up: Gate) -> None:
    whole = request(lines(up))
    for cut in (1, 20, len(whole) // 2, len(whole) - 1):
        found = await exchange(up, whole[:cut], whole[cut:])
        assert found.status == 200, found.raw
        assert words(found.json) == "{}"


# ── names ───────────────────────────────────────────────────────────────────────────────────────


async def test_only_the_gates_own_names_are_hosts(up: Gate) -> None:
    good = (f"127.0.0.1:{up.port}", f"LOCALHOST:{up.port}", f"[::1]:{up.port}", "gate.example.com")
    for host in good:
        assert (await answered(up, host=host)).status == 200, host
    bad = (
        "evil.example.com",
        f"evil.example.com:{up.port}",
        "127.0.0.1",
        f"127.0.0.1:{up.port}.",
    )
    for host in bad:
        found = await answered(up, host=host)
        assert (found.status, reason(found.json)) == (421, "http.host"), host


async def test_only_allowed_origins_may_call(up: Gate) -> None:
    good = (f"http://127.0.0.1:{up.port}", f"http://localhost:{up.port}", "https://app.example.com")
    for origin in good:
        assert (await answered(up, origin=origin)).status == 200, origin
    for origin in (
        "https://evil.example.com",
        "null",
        "",
        f"https://127.0.0.1:{up.port}",
        "file://",
    ):
        found = await answered(up, origin=origin)
        assert (found.status, reason(found.json)) == (403, "http.origin"), origin


@pytest.mark.parametrize("path", ["/", "/.well-known/oauth-protected-resource", "/nothing"])
async def test_names_are_checked_beside_the_mcp_endpoints_too(up: Gate, path: str) -> None:
    header = [f"host: evil.example.com:{up.port}"]
    found = await exchange(up, request(header, b"", f"GET {path} HTTP/1.1"))
    assert found.status == 421


# ── two readings ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("first", "extra"),
    [
        ("POST http://127.0.0.1/mcp HTTP/1.1", []),
        ("POST //mcp HTTP/1.1", []),
        ("POST /mcp/ HTTP/1.1", []),
        ("POST /mcp%2Ffar HTTP/1.1", []),
        ("POST /mcp/%66ar HTTP/1.1", []),
        ("POST /mcp/../mcp HTTP/1.1", []),
        ("POST /mcp?access_token=x HTTP/1.1", []),
        ("POST /mcp? HTTP/1.1", ["host: 127.0.0.1"]),
        ("CONNECT 127.0.0.1:80 HTTP/1.1", []),
        ("POST /mcp HTTP/1.1", ["host: 127.0.0.1"]),
        ("POST /mcp HTTP/1.1", ["authorization: Bearer another"]),
        ("POST /mcp HTTP/1.1", ["mcp-method: tools/list"]),
        ("POST /mcp HTTP/1.1", ["mcp-name: far__echo"]),
        ("POST /mcp HTTP/1.1", ["MCP-Protocol-Version: 2026-07-28"]),
        ("POST /mcp HTTP/1.1", ["content-type: text/plain"]),
        ("POST /mcp HTTP/1.1", ["origin: https://app.example.com", "origin: https://evil.example.com"]),
        ("POST /mcp HTTP/1.1", [f"content-length: {len(BODY_OK)}"]),
        ("POST /mcp HTTP/1.1", ["content-length: 7"]),
        ("POST /mcp HTTP/1.1", ["transfer-encoding: chunked"]),
        ("POST /mcp HTTP/1.1", ["transfer-encoding: identity"]),
        ("POST /mcp HTTP/1.1", ["name : space before the colon"]),
        ("POST /mcp HTTP/1.1", [" folded: line"]),
        ("POST /mcp HTTP/1.1", ["bad\x01name: x"]),
        ("POST /mcp HTTP/1.1", ["x: a\x00b"]),
        ("POST /mcp HTTP/9.9", []),
        ("GET /mcp HTTP/1.1", []),
        ("DELETE /mcp HTTP/1.1", []),
    ],
)  # fmt: skip
async def test_what_could_be_read_in_two_ways_never_reaches_a_server(
    up: Gate, raw: Raw, first: str, extra: list[str]
) -> None:
    before = len(raw.messages("/modern", "tools/call"))
    found = await exchange(up, request([*lines(up), *extra], first=first))
    assert 400 <= found.status < 500 or found.status == 505, found.raw
    assert len(raw.messages("/modern", "tools/call")) == before


@pytest.mark.parametrize("host", [None, ""])
async def test_without_any_host_the_request_is_refused(up: Gate, host: str | None) -> None:
    found = await answered(up, host=host)
    assert (found.status, found.json["error"]) == (400, "http.one_host")


async def test_trailers_are_refused(up: Gate, raw: Raw) -> None:
    before = len(raw.messages("/modern", "tools/call"))
    header = lines(up, content_length=None, transfer_encoding="chunked")
    body = b"%x\r\n%b\r\n0\r\nx: y\r\n\r\n" % (len(BODY_OK), BODY_OK)
    found = await exchange(up, request(header, body))
    assert (found.status, found.json["error"]) == (400, "http.framing")
    assert len(raw.messages("/modern", "tools/call")) == before


@pytest.mark.parametrize("protocol", ["websocket", "h2c", "whatever"])
async def test_an_upgrade_is_refused_and_the_body_is_not_taken_for_a_request(
    up: Gate, raw: Raw, protocol: str
) -> None:
    before = len(raw.messages("/modern", "tools/call"))
    smuggled = request(lines(up))
    size = str(len(smuggled))
    header = lines(up, connection="upgrade", upgrade=protocol, content_length=size)
    found = await exchange(up, request(header, smuggled), until_close=True)
    assert found.status == 400
    assert b'"error":"http.upgrade"' in found.body
    assert not found.more
    assert len(raw.messages("/modern", "tools/call")) == before
    assert "websockets" not in up.log_text()


async def test_pipelined_requests_are_answered_in_order_and_each_alone(up: Gate) -> None:
    many = b"".join(request(lines(up)) for _ in range(3))
    last = request(lines(up, connection="close"))
    found = await exchange(up, many + last, until_close=True)
    assert found.raw.count(b"HTTP/1.1 200") == 4
    stranger = request(lines(up, authorization=None, connection="close"))
    found = await exchange(up, request(lines(up)) + stranger, until_close=True)
    assert found.status == 200
    assert Answered(found.more).status == 401


@pytest.mark.parametrize("authorised", [True, False])
async def test_an_answer_to_head_has_no_body_to_be_taken_for_the_next_answer(
    up: Gate, authorised: bool
) -> None:
    token = f"Bearer {up.token()}" if authorised else None
    header = lines(up, content_length=None, authorization=token)
    head = request(header, b"", "HEAD /mcp HTTP/1.1")
    last = request(lines(up, connection="close"))
    found = await exchange(up, head + last, until_close=True)
    assert found.status == (405 if authorised else 401)
    _, _, rest = found.raw.partition(b"\r\n\r\n")
    assert rest.startswith(b"HTTP/1.1 200 OK\r\n"), rest[:100]


# ── bounds ──────────────────────────────────────────────────────────────────────────────────────


async def test_a_large_header_is_refused_before_it_is_kept(up: Gate) -> None:
    assert (await answered(up, x_pad="y" * (HEADER // 2))).status == 200
    found = await answered(up, x_pad="y" * HEADER)
    assert found.status == 431
    assert b"http.header" in found.body
    many = [f"x-{n}: {n}" for n in range(HEADER // 4)]
    assert (await exchange(up, request([*lines(up), *many]))).status == 431
    endless = [b"POST /mcp HTTP/1.1\r\nx: ", *[b"y" * 1000 for _ in range(HEADER // 1000 + 1)]]
    assert (await exchange(up, *endless)).status == 431
    assert (
        await exchange(up, request(lines(up), first=f"POST /{'m' * HEADER} HTTP/1.1"))
    ).status == 431


async def test_a_large_body_is_refused_whether_announced_or_not(up: Gate) -> None:
    big = b'{"x": "' + b"y" * BODY + b'"}'
    announced = request(lines(up, content_length=str(len(big))), b"")
    found = await exchange(up, announced)
    assert (found.status, reason(found.json)) == (413, "http.body")
    header = lines(up, content_length=None, transfer_encoding="chunked")
    chunks = b"".join(b"1000\r\n" + b"z" * 0x1000 + b"\r\n" for _ in range(8))
    found = await exchange(up, request(header, chunks))
    assert (found.status, reason(found.json)) == (413, "http.body")


async def test_deep_and_wide_messages_are_refused(up: Gate) -> None:
    async with a_caller(up.url, up.token()) as alice:
        deep: object = 1
        for _ in range(DEPTH):
            deep = [deep]
        for arguments in ({"x": deep}, {"x": [0] * 600}):
            reply = await alice.send("tools/call", {"name": "far__echo", "arguments": arguments})
            assert reply.status_code == 400
            assert reason(reply.json()) == "message.limits"
        assert await alice.text("far__echo", x=[[1]]) == '{"x": [[1]]}'


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", -32700),
        (b"{", -32700),
        (b"\xff\xfe", -32700),
        (b"\xef\xbb\xbf" + BODY_OK, -32700),
        (BODY_OK.replace(b'"id": 1', b'"id": 1, "id": 2'), -32700),
        (BODY_OK.replace(b'"arguments": {}', b'"arguments": {"a": {"b": 1, "b": 2}}'), -32700),
        (BODY_OK.replace(b'"arguments": {}', b'"arguments": {"a": 1e999}'), -32700),
        (BODY_OK.replace(b'"arguments": {}', b'"arguments": {"a": NaN}'), -32700),
        (BODY_OK.replace(b'"arguments": {}', b'"arguments": {"a": "\\ud800"}'), -32700),
        (b"[" + BODY_OK + b"]", -32600),
        (BODY_OK.replace(b'"id": 1', b'"id": null'), -32600),
        (BODY_OK.replace(b'"id": 1', b'"id": 1.5'), -32600),
        (BODY_OK.replace(b'"id": 1', b'"id": 1, "Method": "x"'), -32600),
        (BODY_OK.replace(b'"name": "far__echo"', b'"name": "far__headers"'), -32020),
        (BODY_OK.replace(b'"tools/call"', b'"tools/list"'), -32020),
        (BODY_OK + b"x", -32700),
    ],
)
async def test_a_body_with_more_than_one_meaning_is_refused(
    up: Gate, raw: Raw, body: bytes, code: int
) -> None:
    before = len(raw.messages("/modern", "tools/call"))
    found = await exchange(up, request(lines(up, content_length=str(len(body))), body))
    assert found.status == 400, found.raw
    assert found.json["error"]["code"] == code
    assert len(raw.messages("/modern", "tools/call")) == before


@pytest.mark.parametrize(
    ("field", "value", "status"),
    [
        ("content_type", "text/plain", 415),
        ("content_type", None, 415),
        ("content_type", "application/json; charset=utf-8", 200),
        ("accept", "application/json", 406),
        ("accept", None, 406),
        ("accept", "*/*", 200),
        ("mcp_protocol_version", "2024-01-01", 400),
        ("mcp_name", None, 400),
        ("mcp_name", "=?base64?ZmFyX19lY2hv?=", 200),
    ],
)
async def test_header_fields_are_judged(
    up: Gate, field: str, value: str | None, status: int
) -> None:
    assert (await answered(up, **{field: value})).status == status


async def test_an_unsupported_version_is_told_what_is_served(up: Gate) -> None:
    async with a_caller(up.url, up.token()) as alice:
        meta = {**META, versions.META_VERSION: "2027-01-01"}
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": meta}}
        headers = {**ACCEPT, "mcp-protocol-version": "2027-01-01", "mcp-method": "tools/list"}
        reply = await alice.http.post(up.url, json=body, headers=headers)
    assert reply.status_code == 400
    error = reply.json()["error"]
    assert error["code"] == -32022
    assert versions.MODERN in error["data"]["supported"]


# ── calls in flight ─────────────────────────────────────────────────────────────────────────────


async def holding(raw: Raw, caller: Caller, count: int) -> list[asyncio.Task[Json]]:
    """This many calls that wait at the server."""
    before = len(raw.entries("never"))
    calls = [asyncio.create_task(caller.tool("far__never")) for _ in range(count)]
    await until(lambda: len(raw.entries("never")) == before + count)
    return calls


async def dropped(raw: Raw, calls: list[asyncio.Task[Json]]) -> None:
    """Let the callers go away, and wait until the server knows."""
    before = len(raw.entries("closed"))
    for call in calls:
        call.cancel()
    await until(lambda: len(raw.entries("closed")) == before + len(calls))


async def test_calls_in_flight_are_bounded_for_a_principal_and_for_a_server(
    up: Gate, raw: Raw
) -> None:
    async with (
        a_caller(up.url, up.token()) as alice,
        a_caller(up.url, up.token(sub="bob")) as bob,
        a_caller(up.url, up.token(sub="carol")) as carol,
    ):
        hers = await holding(raw, alice, 3)
        assert await alice.refusal("far__echo") == "limit.principal"
        assert await bob.text("far__echo") == "{}"
        his = await holding(raw, bob, 2)
        assert await carol.refusal("far__echo") == "limit.server"
        await dropped(raw, hers)
        assert await carol.text("far__echo") == "{}"
        assert await alice.text("far__echo") == "{}"
        await dropped(raw, his)
    assert up.readyz()["servers"]["far"]["in_flight"] == 0
