"""Attacks on the message layer: each is refused with its reason, and no server is reached."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any, Final

import pytest

from bawn.ports import Arrival
from tests.gate import (
    ADA,
    LEGACY,
    META,
    MODERN,
    VIC,
    House,
    arrive,
    legacy,
    modern,
    session_of,
    stopped,
)

READ: Final = {"name": "files__read", "arguments": {"path": "/a"}}
HEADERS: Final[dict[bytes, bytes | None]] = {
    b"mcp-protocol-version": MODERN.encode(),
    b"mcp-method": b"tools/call",
    b"mcp-name": b"files__read",
}
HONEST: Final = modern("tools/call", READ).body.decode()


def _raw(body: str | bytes) -> Arrival:
    """A body as it is, under the headers of the honest call."""
    return arrive(body if isinstance(body, bytes) else body.encode(), HEADERS)


def _batch(version: str, *messages: str) -> Arrival:
    """Several messages as one, as a client of this version would send them."""
    return arrive(f"[{','.join(messages)}]".encode(), {b"mcp-protocol-version": version.encode()})


def _edited(old: str, new: str) -> Arrival:
    """The honest call with one change in its text."""
    assert HONEST.count(old) == 1
    return _raw(HONEST.replace(old, new))


async def test_the_honest_call_that_the_attacks_change_is_served() -> None:
    house = House()
    await house.answer(_raw(HONEST))
    assert len(house.sent) == 1


# ── two readings of one body ──────────────────────────────────────────────────────────────────────

NAME = '"name":"files__read"'
TWO_READINGS: Final[dict[str, Arrival]] = {
    "a second method": _edited('"id":1', '"id":1,"method":"tools/list"'),
    "a second id": _edited('"id":1', '"id":1,"id":2'),
    "a second params": _edited('"id":1', '"id":1,"params":{}'),
    "a second name": _edited(NAME, f'{NAME},"name":"files__write"'),
    "a second name, the first escaped": _edited(NAME, f'"n\\u0061me":"files__write",{NAME}'),
    "a second key deep in the arguments": _edited(
        '"path":"/a"', '"x":[{"y":[{"path":"/a","path":"/b"}]}]'
    ),
    "the same value twice": _edited(NAME, f"{NAME},{NAME}"),
    "a second __proto__": _edited('"path":"/a"', '"__proto__":1,"__proto__":2'),
    "a number beyond doubles": _edited('"/a"', "1e400"),
    "a negative number beyond doubles": _edited('"/a"', "-1e999"),
    "NaN": _edited('"/a"', "NaN"),
    "Infinity": _edited('"/a"', "Infinity"),
    "an integer of too many digits": _edited('"/a"', "9" * 5000),
    "a hexadecimal number": _edited('"/a"', "0x10"),
    "a leading zero": _edited('"id":1', '"id":01'),
    "a lone high surrogate": _edited('"/a"', '"\\ud800"'),
    "a lone low surrogate": _edited('"/a"', '"\\udc00"'),
    "surrogates the wrong way round": _edited('"/a"', '"\\udc00\\ud800"'),
    "a lone surrogate as a key": _edited('"path"', '"\\ud800"'),
    "a surrogate in the name": _edited('"files__read"', '"files__read\\udfff"'),
    "a surrogate in UTF-8": _raw(HONEST.encode().replace(b"/a", b"\xed\xa0\x80")),
    "an overlong slash": _raw(HONEST.encode().replace(b"/a", b"\xc0\xaf")),
    "Latin-1": _raw(HONEST.replace("/a", "/é").encode("latin-1")),
    "a byte order mark": _raw(b"\xef\xbb\xbf" + HONEST.encode()),
    "UTF-16": _raw(HONEST.encode("utf-16")),
    "UTF-16 without a mark": _raw(HONEST.encode("utf-16-be")),
    "UTF-32": _raw(HONEST.encode("utf-32")),
    "a null byte at the end": _raw(HONEST + "\0"),
    "a raw line end in a string": _edited('"/a"', '"/a\n"'),
    "a comment": _edited('"id":1', '/* */"id":1'),
    "a comma too many": _edited('"id":1', '"id":1,'),
    "single quotes": _raw(HONEST.replace('"', "'")),
    "a second message behind": _raw(HONEST + HONEST),
    "a second message on its own line": _raw(HONEST + "\n" + HONEST),
    "half a message": _raw(HONEST[: len(HONEST) // 2]),
    "nothing": _raw(""),
    "only space": _raw(" \n"),
}  # fmt: skip


@pytest.mark.parametrize("arrival", TWO_READINGS.values(), ids=TWO_READINGS)
async def test_a_body_with_two_readings_or_none_is_refused(arrival: Arrival) -> None:
    error = await stopped(House(), arrival, "message.json")
    assert error["code"] == -32700


# ── bombs ─────────────────────────────────────────────────────────────────────────────────────────

BOMBS: Final = {
    "brackets to the limit of a body": "[" * (4 << 20),
    "lists in lists": "[" * 100_000 + "]" * 100_000,
    "objects in objects": '{"a":' * 50_000 + "1" + "}" * 50_000,
    "one level too many": _edited('"/a"', "[" * 62 + "]" * 62).body.decode(),
    "many empty lists": _edited('"/a"', "[" + "[]," * 100_000 + "[]]").body.decode(),
    "many numbers in one list": _edited('"/a"', "[" + "0," * 100_000 + "0]").body.decode(),
    "many keys": _edited(
        '"path":"/a"', ",".join(f'"{n}":0' for n in range(100_001))
    ).body.decode(),
    "brackets behind escaped quotes": _edited('"/a"', '["\\\\",' + "[" * 70 + "]" * 70 + ']').body.decode(),
}  # fmt: skip


@pytest.mark.parametrize("body", BOMBS.values(), ids=BOMBS)
async def test_a_bomb_is_refused(body: str) -> None:
    await stopped(House(), _raw(body), "message.limits")


@pytest.mark.parametrize(
    "text",
    ["," * 300_000, "[" * 300_000, "{[" * 100_000, '\\"[,' * 100_000, "\\\\" * 200_000],
    ids=["commas", "brackets", "braces", "escaped quotes", "backslashes"],
)
async def test_what_only_looks_like_a_bomb_is_served(text: str) -> None:
    house = House()
    await house.answer(_edited('"/a"', f'"{text}"'))
    assert house.sent[0].params["arguments"]["path"] == json.loads(f'"{text}"')


# ── case variants and the envelope ────────────────────────────────────────────────────────────────

SHAPES: Final[dict[str, Arrival]] = {
    "Method beside method": _edited('"id":1', '"id":1,"Method":"tools/list"'),
    "PARAMS beside params": _edited('"id":1', '"id":1,"PARAMS":{}'),
    "iD": _edited('"id":1', '"iD":1'),
    "Name beside name": _edited(NAME, f'"Name":"files__write",{NAME}'),
    "name with a fullwidth look, folded by none": _edited('"id":1', '"id":1,"JSONRPC":"2.0"'),
    "params with a long s": _edited('"id":1', '"id":1,"param\u017f":{}'),
    "task with a Kelvin sign": _edited(NAME, f'"tas\u212a":{{}},{NAME}'),
    "id with a dotless i": _edited('"id":1', '"id":1,"\u0131d":2'),
    "id with a dotted capital I": _edited('"id":1', '"id":1,"\u0130d":2'),
    "_Meta beside _meta": _edited(NAME, f'"_Meta":{{}},{NAME}'),
    "a version in capitals": _edited(f'"{META}protocolVersion"', f'"{META}ProtocolVersion"'),
    "a token of another case": _edited(f'"{META}protocolVersion"', f'"ProgressToken":1,"{META}protocolVersion"'),
    "a batch": _raw(f"[{HONEST}]"),
    "an empty batch": _raw("[]"),
    "a batch of a version that has none": _batch(LEGACY, HONEST),
    "an empty batch of the version that has them": _batch("2025-03-26"),
    "a batch of too many": _batch("2025-03-26", *["{}"] * 65),
    "a response with two outcomes": _raw('{"jsonrpc":"2.0","id":1,"result":{},"error":{}}'),
    "a response that is a list": _raw('{"jsonrpc":"2.0","id":1,"result":[]}'),
    "a response without an id": _raw('{"jsonrpc":"2.0","result":{}}'),
    "a response with a second id": _raw('{"jsonrpc":"2.0","id":1,"ID":2,"result":{}}'),
    "a request with a result": _edited('"id":1', '"id":1,"result":{}'),
    "a request with an error": _edited('"id":1', '"id":1,"error":null'),
    "JSON-RPC 1.0": _edited('"2.0"', '"1.0"'),
    "a version as a number": _edited('"2.0"', "2.0"),
    "no version": _edited('"jsonrpc":"2.0",', ""),
    "id null": _edited('"id":1', '"id":null'),
    "id true": _edited('"id":1', '"id":true'),
    "id 1.0": _edited('"id":1', '"id":1.0'),
    "id as a list": _edited('"id":1', '"id":[1]'),
    "id as an object": _edited('"id":1', '"id":{"toString":1}'),
    "method as a list": _edited('"method":"tools/call"', '"method":["tools/call"]'),
    "no method": _edited('"method":"tools/call",', ""),
    "a string": _raw('"tools/call"'),
    "null": _raw("null"),
}  # fmt: skip


@pytest.mark.parametrize("arrival", SHAPES.values(), ids=SHAPES)
async def test_a_message_of_another_shape_is_refused(arrival: Arrival) -> None:
    await stopped(House(), arrival, "message.shape")


PARAMS: Final[dict[str, Arrival]] = {
    "params as a list": _raw('{"jsonrpc":"2.0","id":1,"method":"tools/call","params":["files__read"]}'),
    "_meta as a list": _raw('{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"_meta":[]}}'),
    "no _meta at all": _raw('{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"files__read"}}'),
    "no capabilities": _edited(f',"{META}clientCapabilities":{{}}', ""),
    "capabilities as a list": _edited(f'"{META}clientCapabilities":{{}}', f'"{META}clientCapabilities":[]'),
    "a version that is no string": _edited(f'"{MODERN}"', f'["{MODERN}"]'),
    "a name that is a list": modern("tools/call", {"name": ["files__read"]}),
    "a name that is an object": modern("tools/call", {"name": {"name": "files__read"}}),
    "no name": modern("tools/call", {"arguments": {}}),
    "uri as a list": modern("resources/read", {"uri": ["file:///a"]}),
    "a cancellation of everything": legacy("notifications/cancelled", {"requestId": None}, id_=None),
}  # fmt: skip


@pytest.mark.parametrize("arrival", PARAMS.values(), ids=PARAMS)
async def test_parameters_of_another_type_are_refused(arrival: Arrival) -> None:
    await stopped(House(), arrival, "message.params")


# ── methods ───────────────────────────────────────────────────────────────────────────────────────


UNSERVED: Final = (
    "TOOLS/CALL", "tools/call ", "tools//call", "tools/call\0", "tools\\call", "", "__class__",
    "rpc.discover", "sampling/createMessage", "elicitation/create", "roots/list", "tasks/list",
    "tasks/result", "notifications/cancelled", "$/cancelRequest",
)  # fmt: skip


@pytest.mark.parametrize("ask", [modern, legacy])
@pytest.mark.parametrize("at", [None, "files"])
@pytest.mark.parametrize("method", UNSERVED)
async def test_a_method_that_is_not_served_goes_nowhere(
    ask: Callable[..., Arrival], at: str | None, method: str
) -> None:
    await stopped(House(), ask(method, READ, at=at), "method.unknown")


@pytest.mark.parametrize(
    ("ask", "method"),
    [
        (modern, "resources/subscribe"),
        (modern, "resources/unsubscribe"),
        (modern, "logging/setLevel"),
        (legacy, "subscriptions/listen"),
        (legacy, "tasks/get"),
        (legacy, "tasks/update"),
        (legacy, "tasks/cancel"),
        (legacy, "server/discover"),
    ],
)
async def test_a_method_of_another_era_goes_nowhere(
    ask: Callable[..., Arrival], method: str
) -> None:
    params = {"uri": "file:///a", "taskId": "t", "level": "debug"}
    await stopped(House(), ask(method, params), "method.unknown")


async def test_an_answer_that_nobody_asked_for_is_let_go() -> None:
    house = House()
    session = await session_of(house)
    answer = {"jsonrpc": "2.0", "id": 1, "result": {"roles": ["admin"]}}
    for who, at, status in ((ADA, None, 202), (VIC, None, 404), (ADA, "files", 404)):
        headers: dict[bytes, bytes | None] = {b"mcp-session-id": session.encode()}
        assert (await house.answer(arrive(answer, headers, who=who, at=at))).status == status
    await stopped(house, arrive(answer), "session.unknown")
    assert house.journal == []


@pytest.mark.parametrize("method", ["initialize", "ping"])
async def test_a_modern_request_cannot_use_the_handshake(method: str) -> None:
    params = {"protocolVersion": LEGACY, "capabilities": {}}
    await stopped(House(), modern(method, params), "method.unknown")


async def test_a_call_without_an_id_is_no_call() -> None:
    house = House()
    for arrival in (legacy("tools/call", READ, id_=None), _edited('"id":1,', "")):
        assert (await house.answer(arrival)).status == 202
    assert house.journal == []


# ── what must pass unharmed, and what answers must not do ─────────────────────────────────────────


async def test_dangerous_keys_survive_as_plain_data() -> None:
    house = House()
    arguments = {
        "__proto__": {"polluted": True}, "constructor": {"prototype": {}}, "hasOwnProperty": 1,
        "toString": None, "$ref": "http://example.com", "": 1, "a.b": 2, "\u0000": 3, "NAME": 4,
    }  # fmt: skip
    await house.answer(modern("tools/call", READ | {"arguments": arguments}))
    assert house.sent[0].params["arguments"] == arguments


async def test_a_legacy_caller_declares_in_its_handshake_and_nowhere_else() -> None:
    house = House()
    declared: dict[str, Any] = {
        META + "clientCapabilities": {"sampling": {}, "elicitation": {}, "roots": {}}
    }
    await house.answer(modern("tools/call", READ, meta=declared))
    session = await session_of(house)
    await house.answer(legacy("tools/call", READ | {"_meta": declared}, session=session))
    of_modern, of_legacy = (
        sent.params["_meta"][META + "clientCapabilities"] for sent in house.sent
    )
    assert of_modern == declared[META + "clientCapabilities"]
    assert of_legacy == {}


async def test_the_callers_headers_do_not_travel_on() -> None:
    house = House()
    await house.answer(
        modern(
            "tools/call", READ, headers={b"authorization": b"Bearer s3cr3t", b"cookie": b"s3cr3t"}
        )
    )
    assert "s3cr3t" not in repr(house.sent[0])


async def test_an_answer_never_repeats_what_it_refuses() -> None:
    house = House()
    for arrival in (
        _raw('{"s3cr3t":1,"s3cr3t":1}'),
        _edited('"id":1', '"id":1,"Method":"s3cr3t"'),
        modern("s3cr3t"),
        modern("tools/call", {"name": "s3cr3t"}),
        modern("resources/read", {"uri": "s3cr3t"}),
        modern("tools/list", {"cursor": "s3cr3t"}),
        legacy("tools/list", session="s3cr3t"),
        modern("tools/call", READ, headers={b"mcp-name": b"s3cr3t"}),
    ):
        reply = await house.answer(arrival)
        assert b"s3cr3t" not in reply.body


async def test_a_flood_of_ids_leaves_nothing_behind() -> None:
    house = House()
    await asyncio.gather(
        *(house.answer(legacy("tools/call", READ, id_=f"{n}" * 50)) for n in range(100))
    )
    assert house.in_flight == 0
    assert house.nothing_in_flight
