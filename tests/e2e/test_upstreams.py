"""Remote servers of both eras, good and bad: what goes wrong in one call stays in that call."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from bawn.model import Json
from bawn.protocol import versions
from tests.e2e.caller import META, Caller, a_caller, mirrored, reason, words
from tests.e2e.conftest import StartGate
from tests.e2e.gate_process import Gate, free_port, wait_until
from tests.e2e.remote_process import Raw, legacy_server, modern_server, raw_server
from tests.e2e.runner_process import until

pytestmark = pytest.mark.e2e

SECRET = "upstream-secret-4711"
LIMITS = "limits: {first_byte: 2.5, total: 4.5, connect: 2.5, result: 1048576}\n"


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Raw]:
    with raw_server(tmp_path_factory.mktemp("raw"), SECRET) as server:
        yield server


@pytest.fixture(scope="module")
def up(
    tmp_path_factory: pytest.TempPathFactory, raw: Raw, shared_gate: StartGate
) -> Iterator[Gate]:
    place = tmp_path_factory.mktemp("remote")
    secret = place / "secret"
    secret.write_text(SECRET)
    secret.chmod(0o600)
    with modern_server(place) as modern, legacy_server(place) as legacy:
        servers = (
            "servers:\n"
            f"  modern: {{url: '{modern}'}}\n"
            f"  legacy: {{url: '{legacy}'}}\n"
            f"  odd: {{url: '{raw.base}/modern'}}\n"
            f"  odd-reference: {{url: '{raw.base}/modern', http: reference}}\n"
            f"  old: {{url: '{raw.base}/legacy'}}\n"
            f"  locked: {{url: '{raw.base}/locked'}}\n"
            f"  unguarded: {{url: '{raw.base}/guarded'}}\n"
            f"  guarded: {{url: '{raw.base}/guarded', "
            f"auth: {{type: bearer, token: '${{file:{secret}}}'}}}}\n"
            f"  gone: {{url: 'http://127.0.0.1:{free_port()}/mcp'}}\n"
        )
        yield shared_gate(servers + LIMITS).until_ok(
            "modern", "legacy", "odd", "odd-reference", "old", "guarded"
        )


# ── good servers ────────────────────────────────────────────────────────────────────────────────


async def test_a_modern_server_serves_tools_resources_prompts_and_progress(up: Gate) -> None:
    async with a_caller(up.url, up.token()) as alice:
        assert await alice.text("modern__add", a=2, b=3) == "5"
        read = await alice.ask("resources/read", {"uri": "modern://greeting"})
        assert read["result"]["contents"][0]["text"] == "hello"
        got = await alice.ask("prompts/get", {"name": "modern__ask", "arguments": {"about": "x"}})
        assert got["result"]["messages"][0]["content"]["text"] == "Tell me about x."
        *told, answer = await streamed(alice, "modern__steps", {"count": 3}, progressToken="mine")
    assert [note["params"]["progress"] for note in told] == [1, 2, 3]
    assert {note["params"]["progressToken"] for note in told} == {"mine"}
    assert words(answer) == "done"


async def test_a_legacy_server_serves_a_modern_caller(up: Gate) -> None:
    async with a_caller(up.url, up.token()) as alice:
        assert await alice.text("legacy__get-sum", a=2, b=3) == "The sum of 2 and 3 is 5."
        uri = "demo://resource/dynamic/text/3"
        read = (await alice.ask("resources/read", {"uri": uri}))["result"]
        assert (read["contents"][0]["uri"], read["resultType"]) == (uri, "complete")
        *told, answer = await streamed(
            alice, "legacy__trigger-long-running-operation", {"duration": 0.2, "steps": 2},
            progressToken=7,
        )  # fmt: skip
    assert [note["params"]["progress"] for note in told] == [1, 2]
    assert {note["params"]["progressToken"] for note in told} == {7}
    assert "completed" in words(answer)
    servers = up.readyz()["servers"]
    assert (servers["legacy"]["version"], servers["modern"]["version"]) == (
        "2025-11-25",
        "2026-07-28",
    )


async def streamed(caller: Caller, name: str, arguments: Json, **meta: object) -> list[Json]:
    """Every message of the stream that answers a call."""
    params = {"name": name, "arguments": arguments}
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call"}
    whole = {**body, "params": {**params, "_meta": {**META, **meta}}}
    reply = await caller.http.post(
        caller.url, json=whole, headers=mirrored("tools/call", params), timeout=30
    )
    if reply.headers["content-type"] == "application/json":
        return [reply.json()]
    assert reply.headers["content-type"] == "text/event-stream"
    lines = [line for line in reply.text.splitlines() if line.startswith("data: ")]
    return [json.loads(line.removeprefix("data: ")) for line in lines]


# ── bad answers ─────────────────────────────────────────────────────────────────────────────────

FAULTS = {
    "garbage": "upstream.invalid",
    "not-http": "upstream.invalid",
    "wrong-id": "upstream.invalid",
    "wrong-id-event": "upstream.invalid",
    "no-result": "upstream.invalid",
    "early": "upstream.outcome_unknown",
    "early-body": "upstream.outcome_unknown",
    "never": "upstream.first_byte",
    "redirect": "upstream.status",
    "status-404": "upstream.status",
    "html-500": "upstream.status",
    "locked": "upstream.sign_in",
    "forbidden": "upstream.sign_in",
    "huge": "upstream.too_large",
    "huge-chunked": "upstream.too_large",
    "huge-event": "upstream.too_large",
    "endless": "upstream.total",
    "cut": "upstream.outcome_unknown",
    "duplicate": "upstream.invalid",
    "nan": "upstream.invalid",
    "deep": "upstream.invalid",
    "batch": "upstream.invalid",
    "batch-event": "upstream.invalid",
    "text-event": "upstream.invalid",
    "gzip": "upstream.invalid",
    "two-lengths": "upstream.invalid",
    "empty": "upstream.invalid",
    "number": "upstream.invalid",
    "no-content": "upstream.status",
    "input-required": "upstream.invalid",
    "unknown-type": "upstream.invalid",
}


@pytest.mark.parametrize("server", ["odd", "odd-reference"])
@pytest.mark.parametrize("fault", FAULTS)
async def test_a_bad_answer_is_one_refusal_with_its_reason_and_hurts_nobody_else(
    up: Gate, server: str, fault: str
) -> None:
    async with a_caller(up.url, up.token()) as alice:
        bad, good = await asyncio.gather(
            alice.send("tools/call", {"name": f"{server}__{fault}"}),
            alice.send("tools/call", {"name": "modern__add", "arguments": {"a": 1, "b": 1}}),
        )
        assert (bad.status_code, reason(bad.json())) == (200, FAULTS[fault])
        assert words(good.json()) == "2"
        assert await alice.text(f"{server}__echo", x=1) == '{"x": 1}'


def test_a_redirect_is_never_followed(up: Gate, raw: Raw) -> None:
    assert not raw.requests("/elsewhere")
    assert not raw.requests("/elsewhere", "GET")


@pytest.mark.parametrize("server", ["odd", "odd-reference"])
@pytest.mark.parametrize("twice", ["two", "two-events"])
async def test_of_two_answers_the_first_counts_and_the_second_reaches_nobody(
    up: Gate, server: str, twice: str
) -> None:
    async with (
        a_caller(up.url, up.token()) as alice,
        a_caller(up.url, up.token(sub="bob")) as bob,
    ):
        for _ in range(3):
            assert await alice.text(f"{server}__{twice}") == "good"
            answers = await asyncio.gather(
                *(bob.tool(f"{server}__echo", n=n) for n in range(3)),
                *(alice.tool(f"{server}__echo", n=n) for n in range(3)),
            )
            assert [json.loads(words(answer))["n"] for answer in answers] == [0, 1, 2] * 2


@pytest.mark.parametrize("server", ["odd", "odd-reference"])
async def test_a_lone_surrogate_in_a_result_is_mended_visibly(up: Gate, server: str) -> None:
    async with a_caller(up.url, up.token()) as alice:
        assert await alice.text(f"{server}__surrogate") == "a\ufffdb"


async def test_a_servers_own_error_reaches_the_caller_as_it_is(up: Gate) -> None:
    async with a_caller(up.url, up.token()) as alice:
        answer = await alice.tool("odd__error")
        assert answer["error"] == {"code": -33050, "message": "its own", "data": {"x": [1]}}
        broken = await alice.tool("odd__status-500")
        assert broken["error"]["message"] == "broken"


async def test_progress_is_the_callers_own_and_goes_up(up: Gate) -> None:
    async with a_caller(up.url, up.token()) as alice:
        *told, answer = await streamed(alice, "odd__progress", {}, progressToken="t")
        assert [note["params"]["progress"] for note in told] == [1, 2, 4]
        assert words(answer) == "done"
        (answer,) = await streamed(alice, "odd__progress", {})
        assert words(answer) == "done"


async def test_log_messages_come_only_when_asked_for(up: Gate) -> None:
    async with a_caller(up.url, up.token()) as alice:
        (answer,) = await streamed(alice, "odd__logs", {})
        assert words(answer) == "logged"
        level = {versions.META_LOG_LEVEL: "info"}
        *told, answer = await streamed(alice, "old__logs", {}, **level)
    assert [note["params"]["level"] for note in told] == ["warning"]
    assert words(answer) == "logged"


# ── sessions of legacy servers ──────────────────────────────────────────────────────────────────


async def test_each_principal_has_a_session_of_its_own(up: Gate) -> None:
    async with (
        a_caller(up.url, up.token()) as alice,
        a_caller(up.url, up.token(sub="bob")) as bob,
    ):
        callers = (alice, bob, alice, bob)
        used = [json.loads(await caller.text("old__headers")) for caller in callers]
    ids = [headers["mcp-session-id"] for headers in used]
    assert ids[0] == ids[2] != ids[1] == ids[3]
    assert {headers["mcp-protocol-version"] for headers in used} == {"2025-06-18"}


async def test_concurrent_first_calls_begin_one_session(up: Gate, raw: Raw) -> None:
    before = len(raw.messages("/legacy", "initialize"))
    async with a_caller(up.url, up.token(sub="many")) as many:
        answers = await asyncio.gather(*(many.tool("old__echo", n=n) for n in range(8)))
    assert [json.loads(words(answer))["n"] for answer in answers] == list(range(8))
    assert len(raw.messages("/legacy", "initialize")) == before + 1


async def test_a_forgotten_session_is_begun_anew_once(up: Gate, raw: Raw) -> None:
    async with a_caller(up.url, up.token(sub="carol")) as carol:
        await carol.text("old__forget")
        before = len(raw.messages("/legacy", "initialize"))
        answers = await asyncio.gather(*(carol.tool("old__echo", n=n) for n in range(5)))
        assert [json.loads(words(answer))["n"] for answer in answers] == list(range(5))
        assert len(raw.messages("/legacy", "initialize")) == before + 1


async def test_a_server_that_forgets_every_session_is_refused_and_recovers(up: Gate) -> None:
    async with a_caller(up.url, up.token(sub="dave")) as dave:
        await dave.text("old__forget", stillborn=1)
        assert await dave.refusal("old__echo") == "upstream.status"
        assert await dave.text("old__echo", x=1) == '{"x": 1}'


async def test_one_callers_bad_answer_costs_nobody_a_session(up: Gate) -> None:
    async with (
        a_caller(up.url, up.token()) as alice,
        a_caller(up.url, up.token(sub="bob")) as bob,
    ):
        before = json.loads(await bob.text("old__headers"))["mcp-session-id"]
        assert await alice.refusal("old__garbage") == "upstream.invalid"
        assert json.loads(await bob.text("old__headers"))["mcp-session-id"] == before


async def test_what_a_legacy_server_asks_is_answered_without_the_caller(up: Gate) -> None:
    async with a_caller(up.url, up.token()) as alice:
        ping, sampling = json.loads(await alice.text("old__ask-back"))
    assert ping == {"jsonrpc": "2.0", "id": "p", "result": {}}
    assert (sampling["id"], sampling["error"]["code"]) == ("s", -32601)


async def test_workers_share_each_principals_session_and_leave_it_when_they_stop(
    raw: Raw, gate: StartGate
) -> None:
    """What others may still use ends at the server, in its time; the gate ends its own session alone."""
    began = len(raw.entries("path"))
    servers = f"servers:\n  old: {{url: '{raw.base}/legacy'}}\n"
    up = gate(servers + LIMITS + "workers: 2\n").until_ok()
    used = set()
    for sub in ("alice", "bob") * 6:  # a connection each: any worker may have it
        async with a_caller(up.url, up.token(sub=sub)) as caller:
            used.add((sub, json.loads(await caller.text("old__headers"))["mcp-session-id"]))
    up.stop()
    since = raw.entries("path")[began:]
    ended = {r["headers"]["mcp-session-id"] for r in since if r["method"] == "DELETE"}
    begun = [r for r in since if '"initialize"' in r["body"]]
    assert len(used) == 2
    assert len(begun) == 3  # two callers', and the gate's own
    assert not ended & {session for _, session in used}


# ── cancelling ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("server", ["odd", "odd-reference"])
async def test_a_caller_who_goes_away_closes_the_call_to_a_modern_server(
    up: Gate, raw: Raw, server: str
) -> None:
    never, closed = len(raw.entries("never")), len(raw.entries("closed"))
    async with a_caller(up.url, up.token()) as alice:
        call = asyncio.create_task(alice.tool(f"{server}__never"))
        await until(lambda: len(raw.entries("never")) > never)
        call.cancel()
    await until(lambda: len(raw.entries("closed")) > closed, 2)  # before first_byte


async def test_a_caller_who_goes_away_is_told_to_a_legacy_server(up: Gate, raw: Raw) -> None:
    before = len(raw.messages("/legacy", "notifications/cancelled"))
    never = len(raw.entries("never"))
    async with a_caller(up.url, up.token()) as alice:
        call = asyncio.create_task(alice.tool("old__never"))
        await until(lambda: len(raw.entries("never")) > never)
        call.cancel()
    await until(lambda: len(raw.messages("/legacy", "notifications/cancelled")) > before)
    cancelled = raw.messages("/legacy", "notifications/cancelled")[-1]
    assert cancelled["params"]["requestId"] == raw.entries("never")[-1]["never"]


# ── credentials ─────────────────────────────────────────────────────────────────────────────────


async def test_the_callers_credential_and_headers_never_reach_a_server(up: Gate, raw: Raw) -> None:
    token = up.token()
    async with a_caller(up.url, token) as alice:
        for server in ("odd", "odd-reference", "old", "guarded", "modern"):
            call = {"name": f"{server}__headers", "arguments": {}}
            reply = await alice.http.post(
                alice.url,
                json={
                    "jsonrpc": "2.0",
                    "id": 1,
                    "method": "tools/call",
                    "params": {**call, "_meta": META},
                },
                headers={
                    **mirrored("tools/call", call),
                    "cookie": "a=b",
                    "x-forwarded-for": "192.0.2.1",
                    "x-api-key": "mine",
                    "proxy-authorization": "Basic x",
                },
            )
            seen = json.loads(words(reply.json()))
            allowed = {
                "host", "content-length", "content-type", "accept", "accept-encoding",
                "mcp-protocol-version", "mcp-method", "mcp-name", "mcp-session-id", "user-agent",
            }  # fmt: skip
            extra = {"authorization"} if server == "guarded" else set()
            assert seen.keys() <= allowed | extra, server
            if server != "old":
                assert seen["mcp-name"] == "headers"
            assert seen.get("authorization") == (f"Bearer {SECRET}" if extra else None)
    assert token not in raw.text


async def test_a_server_that_wants_credentials_needs_sign_in_and_is_not_down(up: Gate) -> None:
    def noticed() -> bool:
        states = up.readyz()["servers"]
        return all(states[name]["state"] == "needs sign-in" for name in ("locked", "unguarded"))

    wait_until(noticed)
    async with a_caller(up.url, up.token()) as alice:
        tools = (await alice.ask("tools/list"))["result"]["tools"]
        assert "guarded__echo" in {tool["name"] for tool in tools}
        assert not [tool for tool in tools if tool["name"].startswith(("locked__", "gone__"))]
    async with a_caller(f"{up.url}/locked", up.token()) as alice:
        assert await alice.refusal("echo") == "server.unavailable"
    assert up.readyz()["status"] == "ready"


async def test_a_server_that_cannot_be_reached_is_failing_and_says_why(up: Gate) -> None:
    wait_until(lambda: up.readyz()["servers"]["gone"]["state"] == "failing")
    assert "upstream.unreachable" in up.readyz()["servers"]["gone"]["detail"]
    async with a_caller(f"{up.url}/gone", up.token()) as alice:
        assert await alice.refusal("echo") == "server.unavailable"


def test_no_secret_is_in_any_file_or_log_of_the_gate(up: Gate, tmp_path: Path) -> None:
    written = [up.log, *(path for path in up.state.rglob("*") if path.is_file())]
    for path in written:
        content = path.read_bytes()
        assert SECRET.encode() not in content, path
        assert up.token().encode() not in content, path
