"""What a caller may not use is as if it were not there: to the byte, and to the clock."""

from __future__ import annotations

import asyncio
import json
import random
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from statistics import median, quantiles
from time import perf_counter

import pytest

from bawn.model import Json
from tests.e2e.caller import META, a_caller, mirrored
from tests.e2e.conftest import StartGate
from tests.e2e.gate_process import Gate
from tests.e2e.policed import killed, remote, written
from tests.e2e.remote_process import Raw, raw_server
from tests.e2e.wire import Answer, Wire

pytestmark = pytest.mark.e2e

RULES = """
@id("one") permit (principal, action == Action::"call one/echo", resource);
@id("own") permit (principal in Role::"admin", action in Action::"use", resource)
when { context.hour >= 0 };
@id("asks") @ask("oncall")
forbid (principal, action in Action::"tools/call", resource in Server::"two");
@id("none") forbid (principal in Role::"developer", action, resource in Server::"three")
unless { resource.name == "echo" };
"""
SERVERS = ("one", "two", "three")
NAMED = (
    "headers",
    "hold",
    "garbage",
    "two",
    "early",
    "never",
    "huge",
    "cut",
    "nan",
    "deep",
    "gzip",
)
"""Tools with a rule of their own each, so that the engine has to think of each apart."""

RULES += "".join(
    f'permit (principal in Role::"{tool}-user", action == Action::"call {server}/{tool}", resource)'
    "when { context.hour >= 0 };\n"
    for server in SERVERS
    for tool in NAMED
)
GUESSES = 400
SLIGHT = 25e-6
"""Seconds: where the machine is so calm that tenths of the times lie within microseconds."""


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Raw]:
    with raw_server(tmp_path_factory.mktemp("raw")) as server:
        yield server


@pytest.fixture(scope="module")
def up(shared_gate: StartGate, tmp_path_factory: pytest.TempPathFactory, raw: Raw) -> Gate:
    place = written(tmp_path_factory.mktemp("policy"), {"rules.cedar": RULES})
    servers = remote(raw, *SERVERS) + remote(raw, "four", tenant="other")
    return shared_gate(f"policy: '{place}'\nservers:\n{servers}").until_ok()


@pytest.fixture(scope="module")
def hidden(up: Gate) -> list[str]:
    """All names that an administrator sees, and a developer does not."""
    return asyncio.run(_hidden(up))


async def _hidden(up: Gate) -> list[str]:
    shown = []
    for role in ("admin", "developer"):
        async with a_caller(up.url, up.token(role, sub=role)) as caller:
            tools = (await caller.ask("tools/list"))["result"]["tools"]
            shown.append([tool["name"] for tool in tools])
    assert shown[1] == ["one__echo"]
    found = [name for name in shown[0] if name not in shown[1]]
    assert len(found) > 100
    return found


def absent(name: str) -> str:
    """A name of the same shape and length that nothing has."""
    server, _, tool = name.partition("__")
    return f"{server}__{tool[::-1].swapcase()}"


def request(up: Gate, token: str, name: str, method: str = "tools/call") -> bytes:
    """A whole request of this call."""
    params: Json = {"name": name, "arguments": {"a": 1}}
    body = json.dumps(
        {"jsonrpc": "2.0", "id": 7, "method": method, "params": {**params, "_meta": META}}
    ).encode()
    headers = {
        "host": f"127.0.0.1:{up.port}", "authorization": f"Bearer {token}",
        "content-type": "application/json", "content-length": str(len(body)),
        **mirrored(method, params),
    }  # fmt: skip
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"POST /mcp HTTP/1.1\r\n{lines}\r\n".encode() + body


@asynccontextmanager
async def connected(up: Gate) -> AsyncIterator[Wire]:
    """One connection."""
    wire = Wire(("127.0.0.1", up.port))
    try:
        yield wire
    finally:
        wire.close()


def told(answer: Answer) -> tuple[int, Json, bytes]:
    """All of an answer but its trace and the time of day, to the byte."""
    body, found = re.subn(rb'"trace":"[0-9a-f]{32}"', b"", answer.body)
    assert found == 1, answer.body
    return answer.status, {k: v for k, v in answer.headers.items() if k != "date"}, body


async def seconds(wire: Wire, calls: list[tuple[bytes, str]]) -> dict[str, list[float]]:
    """How long each kind of calls took, one after the other; all must be answered alike."""
    taken: dict[str, list[float]] = {kind: [] for _, kind in calls}
    first: tuple[int, Json, bytes] | None = None
    for call, kind in calls:
        began = perf_counter()
        answer = await wire.exchange(call, 20)
        taken[kind].append(perf_counter() - began)
        first = first or told(answer)
        assert told(answer) == first, call
    return taken


def alike(taken: dict[str, list[float]]) -> None:
    """See that neither kind's median stands out among the other kind's times, but by next to nothing."""
    one, other = taken["hidden"], taken["absent"]
    for each, among in ((one, other), (other, one)):
        tenths = quantiles(among, n=10)
        found = median(one), median(other), tenths
        assert tenths[0] - SLIGHT <= median(each) <= tenths[-1] + SLIGHT, found


def shuffled(calls: list[tuple[bytes, str]]) -> list[tuple[bytes, str]]:
    """The calls in random order."""
    random.Random(4).shuffle(calls)
    return calls


async def test_a_hidden_tool_is_answered_as_none_to_the_byte_and_as_fast(
    up: Gate, hidden: list[str]
) -> None:
    token = up.token()
    assert {"two__echo", "three__headers"} <= set(hidden)
    for name in (hidden[0], "two__echo", "three__headers", "four__echo"):
        kinds = {"hidden": name, "absent": absent(name)}
        calls = [(request(up, token, guess), kind) for kind, guess in kinds.items()] * GUESSES
        async with connected(up) as wire:
            taken = await seconds(wire, shuffled(calls))
        assert {kind: len(times) for kind, times in taken.items()} == dict.fromkeys(kinds, GUESSES)
        alike(taken)


async def test_the_first_guesses_at_a_fresh_worker_tell_nothing_either(
    up: Gate, hidden: list[str]
) -> None:
    await killed(up, "worker 0")
    token = up.token(sub="quite new")
    guesses = [(name, "hidden") for name in hidden] + [(absent(name), "absent") for name in hidden]
    async with connected(up) as wire:
        alike(await seconds(wire, shuffled([(request(up, token, n), kind) for n, kind in guesses])))


async def test_the_first_guesses_of_new_callers_tell_nothing_either(
    up: Gate, hidden: list[str]
) -> None:
    calls = []
    for number in range(100):
        token = up.token(sub=f"number {number}")
        kind = ("hidden", "absent")[number % 2]
        name = hidden[number]
        calls.append((request(up, token, name if kind == "hidden" else absent(name)), kind))
    async with connected(up) as wire:
        alike(await seconds(wire, shuffled(calls)))
