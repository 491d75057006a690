"""Several workers as one gate: one barrier for all, one owner for each session, one set of figures."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from bawn.identity.jwt import read_id
from bawn.model import Json
from bawn.storage import StateDirectory
from tests.e2e.caller import ACCEPT, Caller, mirrored
from tests.e2e.conftest import StartGate
from tests.e2e.gate_process import Gate, wait_until
from tests.e2e.local_server import local
from tests.e2e.policed import crowd as spread
from tests.e2e.remote_process import Raw, raw_server
from tests.e2e.runner_process import exists, until

pytestmark = pytest.mark.e2e

WORKERS = 3
CALLERS = 24


@pytest.fixture
def raw(tmp_path: Path) -> Iterator[Raw]:
    with raw_server(tmp_path) as server:
        yield server


@pytest.fixture
def servers(raw: Raw, tmp_path: Path) -> str:
    """A local server and a remote one, behind several workers."""
    return (
        f"workers: {WORKERS}\nservers:\n"
        + local("files", "legacy", diary=tmp_path / "children", isolation="shared", confine="off")
        + f"  far: {{url: '{raw.base}/modern'}}\n"
    )


@asynccontextmanager
async def crowd(up: Gate, count: int = CALLERS) -> AsyncIterator[list[Caller]]:
    """Callers that each keep a connection of their own, so that they come to different workers."""
    headers = {"authorization": f"Bearer {up.token()}"}
    clients = [httpx2.AsyncClient(headers=headers, timeout=60) for _ in range(count)]
    try:
        yield [Caller(client, up.url) for client in clients]
    finally:
        for client in clients:
            await client.aclose()


def answered(answer: Json) -> str:
    """`ok`, or the reason of a refusal."""
    return "ok" if "result" in answer else answer["error"]["data"]["reason"]


async def all_of(callers: list[Caller], name: str) -> set[str]:
    """What all of them are answered, at once."""
    return set(map(answered, await asyncio.gather(*(each.tool(name) for each in callers))))


def calls_of_workers(up: Gate) -> dict[str, float]:
    """How many calls each worker has made, by the metrics."""
    transport = httpx2.HTTPTransport(uds=str(StateDirectory(up.state).socket("gate.sock")))
    with httpx2.Client(transport=transport) as client:
        text = client.get("http://localhost/metrics").text
    found: dict[str, float] = {}
    for line in text.splitlines():
        if line.startswith("bawn_calls_total{"):
            worker = line.partition('worker="')[2].partition('"')[0]
            found[worker] = found.get(worker, 0) + float(line.rpartition(" ")[2])
    return found


async def test_every_worker_serves_and_the_figures_are_of_all(
    gate: StartGate, servers: str
) -> None:
    up = gate(servers).until_ok()
    pids = up.pids()
    assert len({pids[f"worker {slot}"] for slot in range(WORKERS)}) == WORKERS
    async with spread(up) as callers:
        before = calls_of_workers(up)
        for _ in range(3):
            assert await all_of(callers, "far__echo") == {"ok"}
            assert await all_of(callers, "files__echo") == {"ok"}
    now = calls_of_workers(up)
    counted = {worker: calls - before.get(worker, 0) for worker, calls in now.items()}
    assert sum(counted.values()) == 6 * len(callers)
    assert len(counted) == WORKERS
    assert min(counted.values()) >= 6, counted


async def test_a_cut_is_in_force_on_every_worker_when_it_is_acknowledged(
    gate: StartGate, servers: str
) -> None:
    up = gate(servers).until_ok()
    async with crowd(up) as callers:
        assert await all_of(callers, "far__echo") == {"ok"}
        for _ in range(2):
            up.cli("incident", "cut", "--server", "far", "--why", "it leaks")
            assert await all_of(callers, "far__echo") == {"gate.cut"}
            assert await all_of(callers, "files__echo") == {"ok"}
            up.cli("incident", "restore", "--server", "far")
            assert await all_of(callers, "far__echo") == {"ok"}
        up.cli("incident", "cut", "--principal", "alice")
        assert await all_of(callers, "files__echo") == {"gate.cut"}
        up.cli("incident", "cut", "--all")
        up.cli("incident", "restore", "--principal", "alice")
        assert await all_of(callers, "files__echo") == {"gate.cut"}
        up.cli("incident", "restore", "--all")
        assert await all_of(callers, "files__echo") == {"ok"}
        token = up.token()
        up.cli("incident", "cut", "--token", read_id(token.encode()))
        shown = json.loads(up.cli("incident", "list", "--json"))
        assert [(cut["kind"], cut["why"]) for cut in shown] == [("token", "")]
        assert shown[0]["name"] not in token
        assert await all_of(callers, "files__echo") == {"gate.cut"}


async def test_a_cut_outlives_a_killed_gate(gate: StartGate, servers: str) -> None:
    up = gate(servers).until_ok()
    up.cli("incident", "cut", "--server", "far", "--why", "it leaks")
    up.kill()
    up.start().until_ok("files")
    async with crowd(up, 4) as callers:
        assert await all_of(callers, "far__echo") == {"gate.cut"}
        assert await all_of(callers, "files__echo") == {"ok"}


async def test_under_load_no_call_is_admitted_after_its_cut(gate: StartGate, servers: str) -> None:
    up = gate(servers).until_ok()
    cut = asyncio.Event()
    after: list[str] = []

    async def keep_calling(caller: Caller) -> None:
        for _ in range(10_000):
            late = cut.is_set()
            found = answered(await caller.tool("far__echo"))
            if late:
                after.append(found)
                return

    async with crowd(up) as callers:
        calling = [asyncio.create_task(keep_calling(each)) for each in callers]
        await asyncio.to_thread(up.cli, "incident", "cut", "--server", "far")
        cut.set()
        await asyncio.gather(*calling)
    assert after == ["gate.cut"] * CALLERS


async def test_a_reload_is_in_force_on_every_connection_and_costs_no_call(
    gate: StartGate, servers: str
) -> None:
    up = gate(servers).until_ok()
    stop = asyncio.Event()
    seen: list[str] = []

    async def keep_calling(caller: Caller) -> None:
        while not stop.is_set():
            try:
                seen.append(answered(await caller.tool("far__echo")))
            except httpx2.RemoteProtocolError:
                seen.append("closed")  # between two calls: the client's to try again

    async with crowd(up) as callers:
        calling = [asyncio.create_task(keep_calling(each)) for each in callers]
        for page in (7, 8):
            up.write(servers + f"limits: {{page: {page}}}\nroles: {{r{page}: {{tools: [x]}}}}\n")
            await asyncio.to_thread(up.cli, "trust", "--yes")
            told = await asyncio.to_thread(up.cli, "reload")
            assert "limits.page" in told
        stop.set()
        await asyncio.gather(*calling)
        assert set(seen) <= {"ok", "closed"}, set(seen)
        up.write(servers + "roles: {developer: {tools: [nothing]}}\n")
        await asyncio.to_thread(up.cli, "trust", "--yes")
        await asyncio.to_thread(up.cli, "reload")
        for _ in range(2):
            found = set()
            for caller in callers:
                try:
                    found.add(answered(await caller.tool("far__echo")))
                except httpx2.RemoteProtocolError:
                    found.add("target.unknown")
            assert found == {"target.unknown"}


# ── sessions of legacy clients ──────────────────────────────────────────────────────────────────

HELLO: Json = {
    "jsonrpc": "2.0", "id": 1, "method": "initialize",
    "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t"}},
}  # fmt: skip


async def begun(caller: Caller) -> dict[str, str]:
    """The headers of a session that was begun."""
    reply = await caller.http.post(caller.url, json=HELLO, headers=ACCEPT)
    session: str = reply.headers["mcp-session-id"]
    return {**ACCEPT, "mcp-session-id": session, "mcp-protocol-version": "2025-11-25"}


async def legacy(caller: Caller, session: dict[str, str], name: str, id_: int = 2) -> Any:
    """A tool call in a session."""
    params: Json = {"name": name, "arguments": {}}
    body = {"jsonrpc": "2.0", "id": id_, "method": "tools/call", "params": params}
    reply = await caller.http.post(caller.url, json=body, headers=session)
    if reply.headers["content-type"] == "application/json":
        return reply.json()
    return json.loads(reply.text.rpartition("data: ")[2])  # a slow one becomes a stream


async def test_a_session_is_served_whichever_worker_a_request_comes_to(
    gate: StartGate, servers: str
) -> None:
    up = gate(servers).until_ok()
    async with crowd(up) as callers:
        sessions = [await begun(each) for each in callers[:4]]
        for session in sessions:
            answers = await asyncio.gather(*(legacy(c, session, "far__echo") for c in callers))
            assert set(map(answered, answers)) == {"ok"}
        # all calls of a session were made by its owner
        ended = await callers[5].http.delete(up.url, headers=sessions[0])
        assert ended.status_code == 200
        replies = await asyncio.gather(
            *(
                c.http.post(up.url, json=HELLO | {"method": "ping"}, headers=sessions[0])
                for c in callers
            )
        )
        assert {reply.status_code for reply in replies} == {404}
        assert answered(await legacy(callers[0], sessions[1], "far__echo")) == "ok"


async def test_a_session_outlives_its_owner(gate: StartGate, servers: str) -> None:
    up = gate(servers).until_ok()
    async with crowd(up) as callers:
        sessions = [await begun(each) for each in callers]
        ended = sessions.pop()
        assert (await callers[0].http.delete(up.url, headers=ended)).status_code == 200
        before = up.pids()
        os.kill(before["worker 1"], signal.SIGKILL)
        await until(lambda: not exists(before["worker 1"]))
        async with crowd(up) as fresh:
            for caller, session in zip(fresh, sessions, strict=False):
                assert answered(await legacy(caller, session, "far__echo")) == "ok"
            gone = await fresh[0].http.post(up.url, json=HELLO | {"method": "ping"}, headers=ended)
            assert gone.status_code == 404
    wait_until(lambda: up.pids().get("worker 1", before["worker 1"]) != before["worker 1"])


async def test_a_call_is_cancelled_from_whichever_worker(gate: StartGate, servers: str) -> None:
    up = gate(servers).until_ok()
    async with crowd(up) as callers:
        session = await begun(callers[0])
        for number, caller in enumerate(callers[1:9]):
            hanging = asyncio.create_task(legacy(caller, session, "files__hang", 100 + number))
            other = callers[9 + number]
            told = {
                "jsonrpc": "2.0", "method": "notifications/cancelled",
                "params": {"requestId": 100 + number},
            }  # fmt: skip
            while not hanging.done():
                reply = await other.http.post(up.url, json=told, headers=session)
                assert reply.status_code == 202
                await asyncio.wait({hanging}, timeout=0.05)
            assert answered(await hanging) == "call.cancelled"


# ── the steward ─────────────────────────────────────────────────────────────────────────────────


async def test_calls_go_on_without_the_steward_and_nothing_is_forgotten(
    gate: StartGate, servers: str
) -> None:
    up = gate(servers).until_ok()
    before = up.pids()
    view = up.readyz()["view"]
    async with crowd(up, 6) as callers:
        os.kill(before["steward"], signal.SIGKILL)
        for _ in range(20):
            assert await all_of(callers, "far__echo") == {"ok"}
            assert {s["state"] for s in up.readyz()["servers"].values()} == {"ok"}
            assert up.readyz()["view"] == view
        wait_until(lambda: up.pids().get("steward", before["steward"]) != before["steward"])
        assert await all_of(callers, "far__echo") == {"ok"}


async def test_what_a_new_steward_finds_is_served(gate: StartGate, servers: str, raw: Raw) -> None:
    up = gate(
        servers.replace("servers:", "drift: {max_age: 0.2}\nrefresh: {probe: 0.1}\nservers:")
    ).until_ok()
    os.kill(up.pids()["steward"], signal.SIGKILL)
    up.cli("server", "list")
    wait_until(lambda: "a new view is served" in up.log_text().rpartition("the steward ended")[2])
    async with crowd(up, 6) as callers:
        reply = await callers[0].http.post(
            up.url,
            json={"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}},
            headers={**mirrored("tools/list", {}), "mcp-protocol-version": "2025-11-25"},
        )
        assert {tool["name"].partition("__")[0] for tool in reply.json()["result"]["tools"]} == {
            "files",
            "far",
        }


# ── keys ────────────────────────────────────────────────────────────────────────────────────────


async def test_rotated_keys_end_no_session_and_forgotten_ones_end_all(
    gate: StartGate, servers: str
) -> None:
    up = gate(servers).until_ok()
    async with crowd(up) as callers:
        old = await begun(callers[0])
        up.cli("keys", "rotate")
        new = await begun(callers[1])
        for session in (old, new):
            answers = await asyncio.gather(*(legacy(c, session, "far__echo") for c in callers))
            assert set(map(answered, answers)) == {"ok"}
        shown = json.loads(up.cli("keys", "show", "--json"))
        assert [set(entry) for entry in shown] == [{"made"}, {"made"}]
        up.cli("keys", "rotate", "--forget")
        for session in (old, new):
            answers = await asyncio.gather(*(legacy(c, session, "far__echo") for c in callers))
            assert set(map(answered, answers)) == {"session.unknown"}
        again = await begun(callers[2])
        assert answered(await legacy(callers[3], again, "far__echo")) == "ok"


# ── what runs out ───────────────────────────────────────────────────────────────────────────────


async def test_a_worker_without_descriptors_serves_again_when_it_has_some(
    gate: StartGate, servers: str
) -> None:
    up = gate(servers.replace(f"workers: {WORKERS}", "workers: 1")).until_ok()
    worker = up.pids()["worker"]
    files = Path(f"/proc/{worker}/fd")
    before = len(list(files.iterdir()))
    allowed, most = resource.prlimit(worker, resource.RLIMIT_NOFILE)
    resource.prlimit(worker, resource.RLIMIT_NOFILE, (before + 8, most))
    held = [socket.socket() for _ in range(64)]
    try:
        for each in held:
            each.connect(("127.0.0.1", up.port))
        wait_until(lambda: len(list(files.iterdir())) >= before + 8)
    finally:
        for each in held:
            each.close()
    resource.prlimit(worker, resource.RLIMIT_NOFILE, (allowed, most))
    async with crowd(up, 1) as (caller,):
        assert answered(await caller.tool("far__echo")) == "ok"
        assert answered(await caller.tool("files__echo")) == "ok"
    assert up.pids()["worker"] == worker
    wait_until(lambda: len(list(files.iterdir())) < before + 8)


# ── the configuration is no attack ──────────────────────────────────────────────────────────────


async def test_a_rewritten_configuration_gains_nothing_now_or_at_the_next_start(
    gate: StartGate, servers: str
) -> None:
    up = gate(servers).until_ok()
    mark = up.home / "evil-ran"
    evil = servers + f"  evil: {{command: [touch, {mark}], confine: 'off'}}\n"
    up.write(evil)  # by whoever could write the file: an unconfined server, an agent
    wait_until(lambda: "waiting for `bawn reload`: servers.evil" in up.log_text())
    async with crowd(up, 2) as callers:
        assert await all_of(callers, "far__echo") == {"ok"}
    assert "consent" in up.run("reload").stderr
    up.stop()
    done = up.run("up", "--trust-config")
    assert done.returncode == 2
    assert "changed since" in done.stderr
    assert not mark.exists()


async def test_a_server_is_not_given_the_gates_own_files(gate: StartGate, servers: str) -> None:
    up = gate(servers).until_ok()
    up.write(servers + f"  greedy: {{command: [mcp-server-filesystem, {up.home}]}}\n")
    for command in (("trust", "--yes"), ("config", "check"), ("reload",)):
        done = up.run(*command)
        assert done.returncode == 2, (command, done.stdout, done.stderr)
        assert "greedy" in done.stderr
