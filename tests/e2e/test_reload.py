"""A changed configuration: what is good is taken over without a gap, what is not leaves all as it is."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.caller import Caller, a_caller, words
from tests.e2e.conftest import StartGate
from tests.e2e.gate_process import Gate, wait_until
from tests.e2e.local_server import local
from tests.e2e.remote_process import Raw, raw_server
from tests.e2e.runner_process import exists, until

pytestmark = pytest.mark.e2e


@pytest.fixture
def raw(tmp_path: Path) -> Iterator[Raw]:
    with raw_server(tmp_path) as server:
        yield server


@pytest.fixture
def files(tmp_path: Path) -> str:
    """One local server."""
    return "servers:\n" + local("files", "legacy", diary=tmp_path / "d", isolation="shared")


def reload(up: Gate) -> str:
    """Take over the file as its owner does."""
    up.cli("trust", "--yes")
    return up.cli("reload")


async def tools(caller: Caller) -> set[str]:
    """The names that are listed."""
    return {tool["name"] for tool in (await caller.ask("tools/list"))["result"]["tools"]}


async def test_a_new_server_is_served_and_calls_in_flight_are_finished(
    gate: StartGate, files: str, raw: Raw
) -> None:
    old = files + f"  far: {{url: '{raw.base}/modern'}}\n"
    up = gate(old).until_ok()
    before = up.pids()
    async with a_caller(up.url, up.token()) as alice, a_caller(up.url, up.token()) as other:
        held = asyncio.create_task(alice.tool("far__hold"))
        await until(lambda: bool(raw.entries("holding")))
        up.write(old + f"  more: {{url: '{raw.base}/modern'}}\n")
        reloading = asyncio.create_task(asyncio.to_thread(reload, up))
        await until(lambda: up.pids()["worker"] != before["worker"])
        wait_until(lambda: "more" in up.readyz()["servers"])
        assert words(await other.tool("more__echo", x=1)) == '{"x": 1}'
        assert not held.done()
        assert exists(before["worker"])
        raw.release()
        assert words(await held) == "{}"
        assert await reloading == "applied: servers.more\n"
    wait_until(lambda: not exists(before["worker"]))
    after = up.pids()
    assert (after["supervisor"], after["runner"]) == (before["supervisor"], before["runner"])


async def test_while_the_old_worker_finishes_its_calls_the_new_one_may_die_and_the_gate_may_end(
    gate: StartGate, raw: Raw
) -> None:
    servers = f"servers:\n  far: {{url: '{raw.base}/modern'}}\n"
    up = gate(servers).until_ok()
    old = up.pids()["worker"]
    async with a_caller(up.url, up.token()) as alice:
        held = asyncio.create_task(alice.tool("far__hold"))
        await until(lambda: bool(raw.entries("holding")))
        up.write(servers + "limits: {page: 7}\n")
        await until(lambda: up.pids()["worker"] != old)
        killed = up.pids()["worker"]
        os.kill(killed, signal.SIGKILL)
        await until(lambda: up.pids()["worker"] != killed)
        async with a_caller(up.url, up.token()) as bob:
            assert await bob.text("far__echo") == "{}"
        up.signal(signal.SIGTERM)
        await until(lambda: not up.listens)
        assert not held.done()
        raw.release()
        assert words(await held) == "{}"
    assert up.stop() == 0
    assert not exists(old)


async def test_a_legacy_session_lives_on(gate: StartGate, files: str) -> None:
    up = gate(files).until_ok()
    async with a_caller(up.url, up.token()) as alice:
        hello = {
            "jsonrpc": "2.0", "id": 1, "method": "initialize",
            "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {}},
        }  # fmt: skip
        accept = {"accept": "application/json, text/event-stream"}
        begun = await alice.http.post(up.url, json=hello, headers=accept)
        session = {"mcp-session-id": begun.headers["mcp-session-id"]}
        up.write(files + "limits: {page: 7}\n")
        wait_until(lambda: "applied: limits.page" in up.log_text())
        listing = {"jsonrpc": "2.0", "id": 2, "method": "tools/list"}
        listed = await alice.http.post(up.url, json=listing, headers={**accept, **session})
        assert len(listed.json()["result"]["tools"]) == 7


def test_a_bad_file_keeps_the_old_one_and_says_what_is_wrong(gate: StartGate, files: str) -> None:
    up = gate(files).until_ok()
    before = up.pids()
    for bad, said in {
        "servers: {files: {comand: [x]}}\n": "comand",
        "servers: [\n": "bawn.yaml",
        "servers: {UPPER: {url: http://127.0.0.1:1/}}\n": "UPPER",
    }.items():
        up.write(bad)
        done = up.run("reload")
        assert done.returncode == 2
        assert said in done.stderr
    wait_until(lambda: "configuration not taken over, the old one goes on" in up.log_text())
    up.config.unlink()
    assert up.run("reload").returncode == 2
    up.write(files)
    assert reload(up) == "nothing changed\n"
    assert up.pids() == before
    assert up.readyz()["servers"].keys() == {"files"}


def test_what_no_worker_can_serve_is_told_and_changes_nothing(gate: StartGate, files: str) -> None:
    up = gate(files).until_ok()
    before = up.pids()
    missing = "{type: bearer, token: '${file:nowhere}'}"
    up.write(files + f"  far: {{url: 'http://127.0.0.1:1/mcp', auth: {missing}}}\n")
    up.cli("trust", "--yes")
    done = up.run("reload")
    assert done.returncode == 2
    assert "nowhere" in done.stderr
    assert "goes on with its old configuration" in done.stderr
    assert up.pids() == before
    up.write("identity: {mode: none}\n" + files)
    up.cli("trust", "--yes")
    done = up.run("reload")
    assert done.returncode == 2
    assert "--insecure-no-auth" in done.stderr
    assert up.pids() == before
    assert up.readyz()["status"] == "ready"


def test_another_state_directory_is_another_gates(gate: StartGate, files: str) -> None:
    up = gate(files).until_ok()
    text = up.config.read_text()
    up.config.write_text(text.replace("state: ./state", "state: ./other"))
    wait_until(lambda: "waiting for `bawn reload`: state" in up.log_text())
    up.cli("trust", "--yes")
    done = up.run("reload")
    assert done.returncode == 1
    assert str(up.home / "other") in done.stderr
    up.config.write_text(text)
    assert up.readyz()["status"] == "ready"


async def test_limits_are_applied_by_themselves(gate: StartGate, files: str) -> None:
    up = gate(files).until_ok()
    async with a_caller(up.url, up.token()) as alice:
        assert await alice.text("files__echo", x="y" * 2000)
        up.write(files + "limits: {body: 1000}\n")
        await until(lambda: "applied: limits.body" in up.log_text())
        reply = await alice.send("tools/call", {"name": "files__echo", "x": "y" * 2000})
        assert reply.status_code == 413
        assert reply.json()["error"]["data"]["reason"] == "http.body"
        assert await alice.text("files__echo", x="y") == '{"x": "y"}'


async def test_a_changed_command_waits_for_its_owner(
    gate: StartGate, files: str, tmp_path: Path
) -> None:
    up = gate(files).until_ok()
    async with a_caller(up.url, up.token()) as alice:
        first = json.loads(await alice.text("files__where"))["pid"]
        changed = "servers:\n" + local("files", "modern", diary=tmp_path / "d", isolation="shared")
        up.write(changed)
        waiting = "waiting for `bawn reload`: servers.files.command"
        await until(lambda: waiting in up.log_text())
        assert json.loads(await alice.text("files__where"))["pid"] == first
        assert up.readyz()["servers"]["files"]["version"] == "2025-06-18"
        done = up.run("reload")
        assert done.returncode == 2  # nobody has consented to the new command
        assert "consent" in done.stderr
        assert reload(up) == "applied: servers.files.command\n"
        up.until_ok()
        assert json.loads(await alice.text("files__where"))["pid"] != first
    assert up.readyz()["servers"]["files"]["version"] == "2026-07-28"
    wait_until(lambda: not exists(first))


async def test_the_listener_moves(gate: StartGate, files: str) -> None:
    up = gate(files).until_ok()
    old = up.port
    moved = Gate(up.home / "elsewhere", files)
    up.port = moved.port
    up.write(files)
    assert reload(up) == "applied: listen\n"
    up._tokens.clear()
    async with a_caller(up.url, up.token()) as alice:
        assert await tools(alice)
        with pytest.raises(OSError, match="Connect call failed"):
            await asyncio.open_connection("127.0.0.1", old)


def test_without_a_gate_there_is_nothing_to_reload(tmp_path: Path, files: str) -> None:
    down = Gate(tmp_path / "g", files)
    down.cli("trust", "--yes")
    done = down.run("reload")
    assert done.returncode == 1
    assert "no gate" in done.stderr
    assert "bawn up" in done.stderr
