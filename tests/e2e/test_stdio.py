"""`bawn stdio`: what a desktop client starts, in front of a gate that starts with the first one."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, MCPError
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp_types import TextContent

from bawn.model import Json
from tests.e2e.caller import META, reason, words
from tests.e2e.gate_process import BAWN, Gate, wait_until
from tests.e2e.local_server import entries, local
from tests.e2e.runner_process import exists, until

pytestmark = pytest.mark.e2e

BODY = 1 << 20


def servers(diary: Path) -> str:
    """A legacy server, a modern one, and one that runs where its caller is."""
    return (
        "servers:\n"
        + local("files", "legacy", diary=diary, isolation="shared")
        + local("time", "modern", diary=diary, isolation="shared")
        + local("here", "modern", diary=diary, isolation="project")
        + f"limits: {{body: {BODY}, stop: 1, total: 20, start: 20}}\n"
    )


class Daemon(Gate):
    """A gate that nobody starts by hand."""

    def stop_daemon(self) -> None:
        """End what the first client started."""
        if self.processes():
            os.kill(self.pids()["supervisor"], signal.SIGTERM)
        self.until_gone()


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Daemon]:
    """A trusted configuration whose gate does not run yet."""
    daemon = Daemon(tmp_path / "g", servers(tmp_path / "g" / "diary"))
    daemon.cli("trust", "--yes")
    try:
        yield daemon
        daemon.stop_daemon()
    finally:
        daemon.kill()


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """As `fresh`, for the tests that can share one."""
    home = tmp_path_factory.mktemp("gate")
    shared = Daemon(home, servers(home / "diary"))
    shared.cli("trust", "--yes")
    try:
        yield shared
        shared.stop_daemon()
    finally:
        shared.kill()


def told(daemon: Daemon, event: str) -> list[Json]:
    """What the fixture servers wrote of this event."""
    return entries(daemon.home / "diary", event)


def parameters(daemon: Daemon, *arguments: str) -> StdioServerParameters:
    """What stands in a client's configuration."""
    command = [*BAWN, "stdio", *arguments, "--config", str(daemon.config)]
    return StdioServerParameters(
        command=command[0], args=command[1:], env=daemon.env, cwd=str(daemon.home)
    )


async def said(client: Client, name: str, arguments: Json | None = None) -> str:
    """The text of a tool's result."""
    (content,) = (await client.call_tool(name, arguments or {})).content
    assert isinstance(content, TextContent)
    return content.text


class Bridge:
    """A `bawn stdio` whose lines the test writes and reads itself."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self._last = 0

    def write(self, line: bytes) -> None:
        """Send bytes as they are."""
        assert self.process.stdin is not None
        self.process.stdin.write(line)

    def begin(self, method: str, params: Json | None = None) -> int:
        """Send a modern request; its id."""
        self._last += 1
        whole = {**(params or {}), "_meta": META}
        self.send({"id": self._last, "method": method, "params": whole})
        return self._last

    def send(self, message: Json) -> None:
        """Send any message."""
        line = json.dumps({"jsonrpc": "2.0", **message}, ensure_ascii=False)
        self.write(line.encode() + b"\n")

    async def read(self) -> Json:
        """The next message."""
        assert self.process.stdout is not None
        line = await asyncio.wait_for(self.process.stdout.readline(), 30)
        assert line.endswith(b"\n"), "the bridge has ended"
        message: Json = json.loads(line)
        return message

    async def tool(self, name: str, **arguments: Any) -> Json:
        """Call a tool; the answer."""
        id_ = self.begin("tools/call", {"name": name, "arguments": arguments})
        answer = await self.read()
        assert answer["id"] == id_, answer
        return answer

    async def end(self) -> int:
        """Close its input; its exit code."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        return await asyncio.wait_for(self.process.wait(), 20)


@contextlib.asynccontextmanager
async def bridge(daemon: Daemon, *arguments: str, cwd: Path | None = None) -> AsyncIterator[Bridge]:
    """A bridge for one test; it must end well."""
    process = await asyncio.create_subprocess_exec(
        *BAWN, "stdio", *arguments, "--config", str(daemon.config),
        env=daemon.env, cwd=cwd or daemon.home, limit=8 << 20,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        yield Bridge(process)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.stdin.close() if process.stdin else None
        _, errors = await asyncio.wait_for(process.communicate(), 30)
        assert b"Traceback" not in errors, errors.decode()


# ── the official client ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("mode", "version"),
    [("2026-07-28", "2026-07-28"), ("auto", "2026-07-28"), ("legacy", "2025-11-25")],
)
async def test_the_python_sdk_speaks_to_all_servers_and_to_one(
    daemon: Daemon, mode: str, version: str
) -> None:
    async with Client(stdio_client(parameters(daemon)), mode=mode) as client:
        assert client.protocol_version == version
        tools = {tool.name for tool in (await client.list_tools()).tools}
        assert {"files__echo", "time__echo", "here__echo"} <= tools
        assert await said(client, "files__echo", {"a": 1}) == '{"a": 1}'
        assert await said(client, "time__echo", {"b": 2}) == '{"b": 2}'
    async with Client(stdio_client(parameters(daemon, "--server", "time")), mode=mode) as client:
        assert "echo" in {tool.name for tool in (await client.list_tools()).tools}
        assert await said(client, "echo", {"c": 3}) == '{"c": 3}'
        with pytest.raises(MCPError, match="Not known here"):
            await client.call_tool("files__echo", {})


@pytest.mark.parametrize("mode", ["2026-07-28", "legacy"])
async def test_the_python_sdk_gets_progress(daemon: Daemon, mode: str) -> None:
    steps: list[float] = []

    async def heard(progress: float, total: float | None, message: str | None) -> None:
        steps.append(progress)

    async with Client(stdio_client(parameters(daemon)), mode=mode) as client:
        await client.call_tool("files__progress", {}, progress_callback=heard)
    assert steps == [1, 2, 3]


# ── the daemon ──────────────────────────────────────────────────────────────────────────────────


async def test_the_first_client_starts_the_gate_and_the_gate_outlives_it(fresh: Daemon) -> None:
    assert not fresh.processes()
    async with bridge(fresh) as first:
        assert words(await first.tool("time__echo")) == "{}"
        supervisor = fresh.pids()["supervisor"]
        assert await first.end() == 0
    assert exists(supervisor)
    async with bridge(fresh, "--server", "time") as second:
        assert words(await second.tool("echo")) == "{}"
    assert fresh.pids()["supervisor"] == supervisor
    log = fresh.state / "run" / "bawn.log"
    assert log.stat().st_mode & 0o777 == 0o600


async def test_clients_that_start_at_once_share_one_gate(fresh: Daemon) -> None:
    async def one(server: str) -> str:
        async with bridge(fresh, "--server", server) as client:
            return words(await client.tool("echo"))

    assert await asyncio.gather(*map(one, ("files", "time", "files", "time"))) == ["{}"] * 4
    assert len(told(fresh, "start")) >= 2


async def test_after_a_killed_gate_the_next_client_starts_another(fresh: Daemon) -> None:
    async with bridge(fresh) as first:
        words(await first.tool("time__echo"))
        killed = fresh.pids()
        os.kill(killed["supervisor"], signal.SIGKILL)
        await until(lambda: not any(map(exists, killed.values())))
        refused = await first.tool("time__echo")
        assert refused["error"]["message"] == "The server cannot be reached"
    async with bridge(fresh) as second:
        assert words(await second.tool("time__echo")) == "{}"
    assert fresh.pids()["supervisor"] != killed["supervisor"]


async def test_a_gate_that_cannot_start_is_reported_with_its_log(tmp_path: Path) -> None:
    untrusted = Daemon(tmp_path, servers(tmp_path / "diary"))
    log = untrusted.state / "run" / "bawn.log"
    async with bridge(untrusted) as client:
        assert client.process.stderr is not None
        said = (await client.process.stderr.readline()).decode()
        assert await client.process.wait() == 1
    assert f"the gate did not start; {log} says why" in said
    assert "consent" in log.read_text()
    assert not untrusted.processes()


def test_a_server_that_is_not_configured_is_refused_by_name(daemon: Daemon) -> None:
    done = daemon.run("stdio", "--server", "nobody")
    assert done.returncode == 2
    assert "no server 'nobody'" in done.stderr
    assert "files, time, here" in done.stderr


# ── messages ────────────────────────────────────────────────────────────────────────────────────


async def test_large_messages_pass_both_ways(daemon: Daemon) -> None:
    text = "ä" * (BODY // 4)
    async with bridge(daemon) as client:
        echoed = json.loads(words(await client.tool("time__echo", text=text)))
        assert echoed["text"] == text
        assert len(words(await client.tool("files__huge", size=3 << 20))) == 3 << 20


async def test_a_message_over_the_limit_is_refused_and_the_next_one_is_served(
    daemon: Daemon,
) -> None:
    async with bridge(daemon) as client:
        client.begin("tools/call", {"name": "time__echo", "arguments": {"x": "y" * (3 * BODY)}})
        refused = await client.read()
        assert refused["error"]["code"] == -32700
        assert words(await client.tool("time__echo")) == "{}"


async def test_malformed_lines_are_answered_and_do_not_end_the_conversation(
    daemon: Daemon,
) -> None:
    lines = {
        b"not json": -32700,
        b"\xff\xfe": -32700,
        b'{"jsonrpc":"2.0","id":1,"id":1,"method":"ping"}': -32700,
        b"[" * 5000: -32700,
        b"[]": -32600,
        b'"text"': -32600,
        b"{}": -32600,
        b'{"jsonrpc":"2.0","id":null,"method":"ping"}': -32600,
        b'{"jsonrpc":"2.0","id":"x","method":"no/such"}': -32601,
    }
    async with bridge(daemon) as client:
        for line, code in lines.items():
            client.write(line + b"\n")
            answer = await client.read()
            assert answer["error"]["code"] == code, (line[:50], answer)
            assert answer["id"] == ("x" if b'"x"' in line else None)
        client.write(b"\n  \n\r\n")
        client.write(b'{"jsonrpc":"2.0","id":7,"result":{}}\n')  # an answer that nobody asked for
        client.write(b'{"jsonrpc":"2.0","method":"notifications/unheard-of"}\r\n')
        assert words(await client.tool("time__echo")) == "{}"


async def test_a_line_in_pieces_is_one_message(daemon: Daemon) -> None:
    async with bridge(daemon) as client:
        line = json.dumps(
            {"jsonrpc": "2.0", "id": 9, "method": "tools/list", "params": {"_meta": META}}
        ).encode()
        assert client.process.stdin is not None
        for byte in (line[:1], line[1:40], line[40:], b"\n"):
            client.write(byte)
            await client.process.stdin.drain()
        assert (await client.read())["id"] == 9


async def test_requests_run_side_by_side(daemon: Daemon) -> None:
    async with bridge(daemon) as client:
        client.begin("tools/call", {"name": "files__hang"})
        quick = client.begin("tools/call", {"name": "time__echo", "arguments": {}})
        assert (await client.read())["id"] == quick


async def test_the_end_of_input_ends_the_bridge_and_its_calls(daemon: Daemon) -> None:
    before = len(told(daemon, "hanging")), len(told(daemon, "notifications/cancelled"))
    async with bridge(daemon) as client:
        client.begin("tools/call", {"name": "files__hang"})
        await until(lambda: len(told(daemon, "hanging")) > before[0])
        assert await client.end() == 0
    await until(lambda: len(told(daemon, "notifications/cancelled")) > before[1])


def test_input_that_is_no_pipe_is_refused(daemon: Daemon) -> None:
    done = daemon.run("stdio")  # with /dev/null
    assert done.returncode == 2
    assert "standard input is a file, expected a pipe" in done.stderr


# ── cancelling ──────────────────────────────────────────────────────────────────────────────────


async def test_a_modern_cancellation_reaches_the_server_and_ends_the_call_silently(
    daemon: Daemon,
) -> None:
    before = len(told(daemon, "hanging")), len(told(daemon, "notifications/cancelled"))
    async with bridge(daemon) as client:
        id_ = client.begin("tools/call", {"name": "files__hang"})
        await until(lambda: len(told(daemon, "hanging")) > before[0])
        client.send(
            {
                "method": "notifications/cancelled",
                "params": {"requestId": id_, "_meta": META},
            }
        )
        await until(lambda: len(told(daemon, "notifications/cancelled")) > before[1])
        assert words(await client.tool("time__echo")) == "{}"


async def test_a_legacy_cancellation_reaches_the_server(daemon: Daemon) -> None:
    before = len(told(daemon, "hanging")), len(told(daemon, "notifications/cancelled"))
    async with bridge(daemon) as client:
        hello = {"protocolVersion": "2025-06-18", "capabilities": {}}
        hello["clientInfo"] = {"name": "old", "version": "1"}
        client.send({"id": "init", "method": "initialize", "params": hello})
        assert (await client.read())["result"]["protocolVersion"] == "2025-06-18"
        client.send({"method": "notifications/initialized"})
        client.send({"id": "h", "method": "tools/call", "params": {"name": "files__hang"}})
        await until(lambda: len(told(daemon, "hanging")) > before[0])
        client.send({"method": "notifications/cancelled", "params": {"requestId": "h"}})
        answer = await client.read()
        assert (answer["id"], reason(answer)) == ("h", "call.cancelled")
        await until(lambda: len(told(daemon, "notifications/cancelled")) > before[1])
        client.send({"id": "p", "method": "ping"})
        assert await client.read() == {"jsonrpc": "2.0", "id": "p", "result": {}}


# ── who and where ───────────────────────────────────────────────────────────────────────────────


async def test_the_caller_is_known_by_its_user_without_any_token(daemon: Daemon) -> None:
    async with bridge(daemon) as client:
        words(await client.tool("time__echo", mark="who"))

    def recorded() -> bool:
        return f"uid:{os.geteuid()}" in daemon.cli("audit", "tail", "--json", "-n", "3")

    wait_until(recorded, what="the audit's record")


@pytest.mark.parametrize("name", ["plain", "zwölf Ärger %41"])
async def test_a_project_server_runs_where_the_client_runs(
    daemon: Daemon, tmp_path: Path, name: str
) -> None:
    project = tmp_path / name
    project.mkdir()
    async with bridge(daemon, "--server", "here", cwd=project) as client:
        assert json.loads(words(await client.tool("where")))["cwd"] == str(project)
