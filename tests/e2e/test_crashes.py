"""Processes that are killed, and processes that are told to end: what serves again, what is left."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from bawn.model import Json
from tests.e2e.caller import Caller, a_caller, reason, words
from tests.e2e.conftest import StartGate
from tests.e2e.gate_process import Gate, wait_until
from tests.e2e.local_server import entries, local
from tests.e2e.remote_process import Raw, raw_server
from tests.e2e.runner_process import exists, until

pytestmark = pytest.mark.e2e

LIMITS = "limits: {stop: 1}\n"


@pytest.fixture
def raw(tmp_path: Path) -> Iterator[Raw]:
    with raw_server(tmp_path) as server:
        yield server


@pytest.fixture
def diary(tmp_path: Path) -> Path:
    return tmp_path / "children"


@pytest.fixture
def servers(raw: Raw, diary: Path) -> str:
    """A local server and a remote one."""
    return (
        "servers:\n"
        + local("files", "legacy", diary=diary, isolation="shared")
        + f"  far: {{url: '{raw.base}/modern'}}\n"
        + LIMITS
    )


async def serves_again(caller: Caller, name: str) -> None:
    """Wait until a call succeeds."""
    loop = asyncio.get_running_loop()
    give_up = loop.time() + 15
    while True:
        try:
            answer = await caller.tool(name)
        except Exception as broken:  # noqa: BLE001 - whatever a client sees while a process is gone
            answer = {"error": repr(broken)}
        if "result" in answer:
            return
        assert loop.time() < give_up, answer
        await asyncio.sleep(0.05)


# ── killed ──────────────────────────────────────────────────────────────────────────────────────


async def test_a_killed_worker_is_replaced_and_sessions_live_on(
    gate: StartGate, servers: str
) -> None:
    up = gate(servers).until_ok()
    before = up.pids()
    accept = {"accept": "application/json, text/event-stream"}
    async with a_caller(up.url, up.token()) as alice:
        child = json.loads(await alice.text("files__where"))["pid"]
        params: Json = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {}}
        hello = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}
        begun = await alice.http.post(up.url, json=hello, headers=accept)
        os.kill(before["worker"], signal.SIGKILL)
        await until(lambda: not exists(before["worker"]))
        await serves_again(alice, "files__echo")
        await serves_again(alice, "far__echo")
        session = {**accept, "mcp-session-id": begun.headers["mcp-session-id"]}
        listing = {"jsonrpc": "2.0", "id": 2, "method": "tools/list"}
        listed = await alice.http.post(up.url, json=listing, headers=session)
        assert listed.json()["result"]["tools"]
        assert json.loads(await alice.text("files__where"))["pid"] == child
    after = up.pids()
    assert after["worker"] != before["worker"]
    assert (after["runner"], after["supervisor"]) == (before["runner"], before["supervisor"])
    assert "the worker 0 ended (-9)" in up.log_text()
    assert up.run("audit", "tail").returncode == 0


async def test_a_killed_runner_is_replaced_and_its_children_are_gone(
    gate: StartGate, servers: str
) -> None:
    up = gate(servers).until_ok()
    before = up.pids()
    async with a_caller(up.url, up.token()) as alice:
        child = json.loads(await alice.text("files__where"))["pid"]
        os.kill(before["runner"], signal.SIGKILL)
        await until(lambda: not exists(child))
        assert await alice.text("far__echo") == "{}"
        await serves_again(alice, "files__echo")
        assert json.loads(await alice.text("files__where"))["pid"] != child
    after = up.pids()
    assert after["runner"] != before["runner"]
    assert after["worker"] == before["worker"]


async def test_a_killed_child_is_replaced_and_its_call_says_that_it_died(
    gate: StartGate, servers: str, diary: Path
) -> None:
    up = gate(servers).until_ok()
    async with a_caller(up.url, up.token()) as alice:
        child = json.loads(await alice.text("files__where"))["pid"]
        hanging = asyncio.create_task(alice.tool("files__hang"))
        await until(lambda: bool(entries(diary, "hanging")))
        os.kill(child, signal.SIGKILL)
        assert reason(await hanging) == "upstream.died"
        assert await alice.text("far__echo") == "{}"
        await serves_again(alice, "files__echo")
    tail = [json.loads(line) for line in up.cli("audit", "tail", "--json").splitlines()]
    assert [call["status"] for call in tail if call["name"] == "hang"] == ["upstream.died"]


async def test_after_a_killed_supervisor_nothing_is_left_and_the_next_gate_serves(
    gate: StartGate, raw: Raw, diary: Path
) -> None:
    # the stubborn child outlives the first gate by `stop`: the second must not suffer from that
    servers = (
        "servers:\n"
        + local("files", "stubborn", diary=diary, isolation="shared")
        + f"  far: {{url: '{raw.base}/modern'}}\n"
        + "limits: {stop: 3}\n"
    )
    up = gate(servers).until_ok()
    async with a_caller(up.url, up.token()) as alice:
        words(await alice.tool("files__spawn"))
        held = asyncio.create_task(alice.send("tools/call", {"name": "far__hold"}))
        await until(lambda: bool(raw.entries("holding")))
        killed = up.pids()
        started = up.processes()
        assert len(started) >= 5
        os.kill(killed["supervisor"], signal.SIGKILL)
        assert up.process is not None
        assert up.process.wait(10) == -signal.SIGKILL
        raw.release()
        await asyncio.wait({held}, timeout=20)
        held.cancel()
    again = Gate(up.home, servers, port=up.port, management_port=up.management_port)
    try:
        start_when_free(again)
        again.until_ok()
        wait_until(lambda: not [pid for pid in started if exists(pid)])
        async with a_caller(again.url, again.token()) as alice:
            assert await alice.text("far__echo") == "{}"
            # a new worker has no connection to the runner yet: its socket must still be there
            os.kill(again.pids()["worker"], signal.SIGKILL)
            await serves_again(alice, "files__echo")
        assert again.run("audit", "tail").returncode == 0
        again.stop()
    finally:
        again.kill()


def start_when_free(gate: Gate) -> None:
    """Start it as a service manager does: again, while what was killed still holds the port."""

    def started() -> bool:
        try:
            gate.start()
        except AssertionError:
            assert "cannot be bound" in gate.log_text()
            return False
        return True

    wait_until(started, what="a start")


# ── told to end ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_calls_in_flight_are_finished_and_no_new_ones_are_taken(
    gate: StartGate, servers: str, raw: Raw, number: int
) -> None:
    up = gate(servers).until_ok()
    async with a_caller(up.url, up.token()) as alice:
        assert await alice.text("files__echo") == "{}"
        held = asyncio.create_task(alice.tool("far__hold"))
        await until(lambda: bool(raw.entries("holding")))
        up.signal(number)
        await until(lambda: not up.listens)
        assert not held.done()
        raw.release()
        assert words(await held) == "{}"
    assert up.stop() == 0
    tail = [json.loads(line) for line in up.cli("audit", "tail", "--json").splitlines()]
    assert [call["status"] for call in tail if call["name"] == "hold"] == ["ok"]
    assert "Traceback" not in up.log_text()


async def test_the_end_of_the_gate_is_the_end_of_stubborn_children(
    gate: StartGate, diary: Path
) -> None:
    server = "servers:\n" + local("files", "stubborn", diary=diary, isolation="shared")
    up = gate(server + "limits: {stop: 0.5}\n").until_ok()
    async with a_caller(up.url, up.token()) as alice:
        grandchild = int(await alice.text("files__spawn"))
    assert up.stop() == 0
    assert not exists(grandchild)


def test_a_gate_told_to_end_while_it_starts_leaves_nothing(tmp_path: Path, diary: Path) -> None:
    server = "servers:\n" + local("files", "mute", diary=diary, isolation="shared")
    up = Gate(tmp_path / "g", server + "limits: {start: 20, stop: 0.5}\n")
    try:
        starting = threading.Thread(target=start_quietly, args=(up,))
        starting.start()
        wait_until(lambda: bool(entries(diary, "start")), what="the start of a child")
        up.signal(signal.SIGTERM)
        starting.join(30)
        assert up.process is not None
        up.process.wait(20)
        up.until_gone()
        assert "Traceback" not in up.log_text()
    finally:
        up.kill()


def start_quietly(up: Gate) -> None:
    """Start a gate that may be told to end meanwhile."""
    try:
        up.start()
    except AssertionError:
        assert "bawn is up" not in up.log_text()
