from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bawn.errors import Refused
from bawn.protocol import envelope, inbound, strict
from bawn.protocol import familiar as rooms
from bawn.protocol.familiar import Familiar
from bawn.protocol.inbound import Notification, Request
from bawn.protocol.strict import JsonLimits

LIMITS = JsonLimits(8, 2000)
META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": {"name": "inspector", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}
NAMED = {
    b"mcp-protocol-version": b"2026-07-28",
    b"mcp-method": b"tools/call",
    b"mcp-name": b"files__read",
}
PARAMS: dict[str, Any] = {"name": "files__read", "arguments": {"path": "/a"}, "_meta": META}
MESSAGE: dict[str, Any] = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": PARAMS}


def _written(tree: Any) -> bytes:
    return json.dumps(tree, separators=(",", ":"), ensure_ascii=False).encode()


def _judged(body: bytes, named: dict[bytes, bytes] = NAMED) -> Request | Notification:
    return inbound.read(envelope.read(strict.careful(body, LIMITS)), named, None)


def _knowing(body: bytes, named: dict[bytes, bytes] = NAMED) -> Familiar:
    familiar = Familiar(LIMITS)
    familiar.remember(body, named, _judged(body, named))
    return familiar


BODY = _written(MESSAGE)
FAMILIAR = _knowing(BODY)


def _message(**changes: Any) -> bytes:
    return _written({**MESSAGE, "params": {**PARAMS, **changes}})


# ── what is recognised ──────────────────────────────────────────────────────────────────────────


def test_a_call_is_recognised_once_one_like_it_was_judged() -> None:
    assert Familiar(LIMITS).read(BODY, NAMED) is None
    assert FAMILIAR.read(BODY, NAMED) == _judged(BODY)


@pytest.mark.parametrize("id_", [0, -1, 2**70, "", "7", "é\n"])
@pytest.mark.parametrize("arguments", [{}, {"a": [1, 2.5, None, "é"]}, [], "x", 5, {"name": "x"}])
def test_id_and_arguments_are_those_of_the_call_itself(id_: object, arguments: object) -> None:
    body = _written({**MESSAGE, "id": id_, "params": {**PARAMS, "arguments": arguments}})
    read = FAMILIAR.read(body, NAMED)
    assert read is None or read == _judged(body)
    if isinstance(arguments, dict) and id_ != 2**70:
        assert read is not None
        assert type(read.id) is type(id_)


@pytest.mark.parametrize("outer", list(itertools.permutations(MESSAGE)))
def test_keys_may_stand_in_any_order(outer: tuple[str, ...]) -> None:
    for inner in itertools.permutations(PARAMS):
        params = {key: PARAMS[key] for key in inner}
        body = _written({key: {**MESSAGE, "params": params}[key] for key in outer})
        assert FAMILIAR.read(body, NAMED) == _judged(body)


def test_a_name_beyond_ascii_is_recognised() -> None:
    named = {**NAMED, b"mcp-name": b"=?base64?w6Q=?="}
    body = _message(name="ä")
    assert _knowing(body, named).read(body, named) == _judged(body, named)


# ── what is not ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"id":1', b'"id":1,"id":1'),
        (b'"id":1', b'"id":true'),
        (b'"id":1', b'"id":null'),
        (b'"id":1', b'"id":1.0'),
        (b'"id":1', b'"id":"\\ud800"'),
        (b'"id":1,', b""),
        (b'"id":1', b'"ID":1'),
        (b'"id":1', b'"id":1,"x":0'),
        (b'"id":1', b'"id":1,"":0'),
        (b'"id":1', b'"id":1,"result":{}'),
        (b'"2.0"', b'"2.1"'),
        (b'"2.0"', b"2.0"),
        (b'"params":{', b'"params":{"name":"files__write",'),
        (b'"_meta"', b'"arguments":{"path":"/b"},"_meta"'),
        (b'"_meta"', b'"Arguments":{},"_meta"'),
        (b'"_meta"', b'"task":{},"_meta"'),
        (b'"_meta"', b'"requestState":"x","_meta"'),
        (b'"_meta"', b'"_meta":{},"_meta"'),
        (b'"path":"/a"', b'"path":"/b","path":"/a"'),
        (b'"/a"', b'"\\u002fa"'),
        (b'"/a"', b'"\\/a"'),
        (b'"/a"', b'"\xff"'),
        (b'"/a"', b'"\\ud800"'),
        (b'"/a"', b"1e5"),
        (b'"/a"', b"NaN"),
        (b'"/a"', b" 1"),
        (b'{"path":"/a"}', b"null"),
        (b'"arguments":{"path":"/a"},', b""),
        (b'"files__read"', b'"files__rea\\u0064"'),
        (b'"inspector"', b'"Inspector"'),
        (b'"version":"1"', b'"version": "1"'),
        (b"}}}", b"}}} "),
        (b"}}}", b"}}}{}"),
        (b"}}}", b"}}"),
        (b'"tools/call"', b'"tools/Call"'),
        (b'"tools/call"', b'"prompts/get"'),
    ],
)
def test_anything_else_in_the_body_has_to_be_judged(old: bytes, new: bytes) -> None:
    assert BODY.count(old) == 1
    assert FAMILIAR.read(BODY.replace(old, new), NAMED) is None


@pytest.mark.parametrize("name", sorted(NAMED))
@pytest.mark.parametrize("value", [None, b"", b"files__write", b"2025-11-25", b"tools/list"])
def test_with_other_headers_it_has_to_be_judged(name: bytes, value: bytes | None) -> None:
    named = {key: given for key, given in NAMED.items() if key != name}
    assert FAMILIAR.read(BODY, named if value is None else {**named, name: value}) is None


def test_arguments_may_be_as_deep_as_the_limit_of_the_message_lets_them() -> None:
    most: Any = {}
    for _ in range(LIMITS.depth - 3):
        most = [most]
    assert FAMILIAR.read(_message(arguments=most), NAMED) == _judged(_message(arguments=most))
    with pytest.raises(Refused):
        _judged(_message(arguments=[most]))
    assert FAMILIAR.read(_message(arguments=[most]), NAMED) is None


def test_a_long_body_has_to_be_judged() -> None:
    body = _message(arguments={"text": "x" * LIMITS.short})
    assert FAMILIAR.read(body, NAMED) is None


_PIECES = [
    b"", b" ", b"\n", b",", b'"', b"\\", b"{", b"}", b"[", b"]", b"1", b"e9", b'"":0,', b'"id":2,',
    b'"x":1,', b'"name":"a",', b'"arguments":{},', b'"_meta":{},', b"\\u0061", b"\x01", b"\xff",
]  # fmt: skip


@given(
    st.lists(
        st.tuples(st.integers(0, len(BODY)), st.integers(0, 8), st.sampled_from(_PIECES)),
        min_size=1,
        max_size=3,
    )
)
@example([(1, 0, b'"":0,')])
@example([(26, 0, b'"id":2,')])
def test_whatever_is_recognised_is_what_judging_would_find(
    edits: list[tuple[int, int, bytes]],
) -> None:
    body = BODY
    for at, cut, piece in edits:
        body = body[:at] + piece + body[at + cut :]
    read = FAMILIAR.read(body, NAMED)
    if read is not None:
        assert read == _judged(body)


# ── what is remembered ──────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("key", ["progressToken", "traceparent"])
def test_what_comes_once_only_is_not_remembered(key: str) -> None:
    body = _message(_meta={**META, key: "x"})
    assert _knowing(body).read(body, NAMED) is None


def test_a_name_that_json_has_to_escape_is_not_remembered() -> None:
    named = {**NAMED, b"mcp-name": b'a"b'}
    body = _message(name='a"b')
    assert _knowing(body, named).read(body, named) is None


def test_other_messages_are_not_remembered() -> None:
    listed = _written({**MESSAGE, "method": "tools/list", "params": {"_meta": META}})
    legacy = _written({**MESSAGE, "params": {"name": "files__read", "arguments": {}}})
    for body, named in (
        (listed, {**NAMED, b"mcp-method": b"tools/list"}),
        (legacy, {b"mcp-protocol-version": b"2025-11-25"}),
        (
            _written({"jsonrpc": "2.0", "method": "notifications/x", "params": {"_meta": META}}),
            NAMED,
        ),
    ):
        familiar = _knowing(body, named)
        assert familiar.read(body, named) is None
        assert not familiar._judged


def test_a_bounded_number_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rooms, "_REMEMBERED", 3)
    familiar = Familiar(LIMITS)
    for number in range(8):
        body = _message(_meta={**META, "x": number})
        familiar.remember(body, NAMED, _judged(body))
        assert familiar.read(body, NAMED) is not None
        assert len(familiar._judged) <= 3
