"""Real servers of npm and PyPI beside a real gate are found, one is moved behind it, and all is taken back."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp_types import TextContent

from bawn.model import Json
from tests.e2e.conftest import StartGate
from tests.e2e.gate_process import Gate
from tests.e2e.remote_process import legacy_server

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")]

ROOT = Path(__file__).resolve().parents[2]
QUICK = ROOT / ".quickstart"
TIME = [str(QUICK / "venv/bin/mcp-server-time"), "--local-timezone", "UTC"]
GIT = [str(QUICK / "venv/bin/mcp-server-git"), "--repository", str(QUICK / "repository")]
FIXTURES = ROOT / "tests/unit/discovery/fixtures"

CLIENT = """
import json, subprocess, sys
for command in json.loads(sys.argv[1]):
    subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
print("ready", flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="module")
def up(shared_gate: StartGate) -> Gate:
    """A gate with `time`, in a home with the files of many clients."""
    gate = shared_gate(f"servers:\n  time: {{command: {json.dumps(TIME)}}}\n").until_ok()
    shutil.copytree(FIXTURES / "home", gate.home, dirs_exist_ok=True)
    shutil.copytree(gate.home / ".config", gate.home / "xdg-config", dirs_exist_ok=True)
    entries = {
        "clock": {"command": TIME[0], "args": TIME[1:]},
        "history": {"command": GIT[0], "args": GIT[1:]},
    }
    (gate.home / ".cursor" / "mcp.json").write_text(
        json.dumps({"mcpServers": entries}, indent="\t")
    )
    return gate


@contextmanager
def a_client(place: Path, *commands: list[str]) -> Iterator[int]:
    """A process that is called `cursor`, with these servers as its children; its pid."""
    program = place / "cursor"
    program.symlink_to(sys.executable)
    with subprocess.Popen(
        [str(program), "-c", CLIENT, json.dumps(commands)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield process.pid
        finally:
            process.kill()


def discovered(gate: Gate, *arguments: str) -> list[Json]:
    """The rows of `bawn discover`."""
    done = gate.run("discover", "--json", *arguments)
    assert done.returncode in {0, 1}, done.stderr
    rows: list[Json] = json.loads(done.stdout)["servers"]
    return rows


def of(rows: list[Json], kind: str, name: str) -> Json:
    """The one row of this class and name."""
    (found,) = (row for row in rows if (row["class"], row["name"]) == (kind, name))
    return found


def seen_by(row: Json, source: str) -> list[Json]:
    """What one source saw of a server."""
    return [each for each in row["sightings"] if each["source"] == source]


def test_shadow_servers_are_found_beside_the_gate(up: Gate, tmp_path: Path) -> None:
    with a_client(tmp_path, TIME, GIT) as pid, legacy_server(tmp_path) as url:
        rows = discovered(up, "--ports")
    # PyPI, registered: the client's entry and the process that it started are past the gate
    bypass = of(rows, "bypass", "time")
    assert [each["name"] for each in seen_by(bypass, "client")] == ["clock"]
    (process,) = (each for each in seen_by(bypass, "process") if each["parent"] == pid)
    assert process["client"] == "cursor"
    # PyPI, not registered: entry and process are one server
    unknown = of(rows, "unknown", "history")
    assert [each["parent"] for each in seen_by(unknown, "process")] == [pid]
    assert len(seen_by(unknown, "client")) == 1
    # npm over HTTP on loopback: told by its socket, and by what it answers
    port = url.rpartition(":")[2].partition("/")[0]
    (found,) = (
        row for row in rows if any(f":{port}" in each.get("url", "") for each in row["sightings"])
    )
    assert found["class"] == "unknown"
    assert {each["source"] for each in found["sightings"]} >= {"probe", "socket", "process"}
    assert seen_by(found, "probe")[0]["access"] == "open"
    assert found["level"] == "error"
    # the files of more than ten clients were understood
    clients = {each["client"] for row in rows for each in seen_by(row, "client")}
    assert len(clients) >= 10


async def test_what_runs_behind_the_gate_is_known(up: Gate) -> None:
    entry = {"command": sys.executable, "args": ["-m", "bawn", "stdio", "--config", str(up.config)]}
    async with stdio(up, entry) as client:
        called = await client.call_tool("time__get_current_time", {"timezone": "UTC"})
        assert not called.is_error
        rows = discovered(up)
    known = of(rows, "known", "time")
    assert {each["ours"] for each in seen_by(known, "process")} == {True}


def of_clients(gate: Gate) -> dict[Path, bytes]:
    """Every client file of the home, byte for byte."""
    own = (gate.state, gate.home / "xdg-state")
    return {
        each: each.read_bytes()
        for each in gate.home.rglob("*.json*")
        if not any(each.is_relative_to(place) for place in own)
    }


def stdio(gate: Gate, entry: Json) -> Client:
    """What a client starts by its entry."""
    parameters = StdioServerParameters(
        command=entry["command"], args=entry["args"], env={**gate.env, "PYTHONPATH": ""}
    )
    return Client(stdio_client(parameters))


async def test_a_server_is_adopted_called_through_the_gate_and_given_back(up: Gate) -> None:
    path = up.home / ".cursor" / "mcp.json"
    before = of_clients(up)
    told = up.run("discover", "--no-processes", "--adopt", "history", "--yes")
    assert told.returncode == 0, told.stdout + told.stderr
    assert f"    {' '.join(GIT)}\n" in told.stdout
    assert "A running gate takes it up with `bawn reload`." in told.stdout
    up.cli("reload")
    up.until_ok("history")
    entry = json.loads(path.read_text())["mcpServers"]["history"]
    assert entry["args"][-2:] == ["--server", "history"]
    async with stdio(up, entry) as client:
        arguments: dict[str, Any] = {"repo_path": str(QUICK / "repository"), "max_count": 1}
        result = await client.call_tool("git_log", arguments)
        (content,) = result.content
        assert isinstance(content, TextContent)
        assert "Commit: " in content.text
    assert of(discovered(up, "--no-processes"), "behind", "history")["level"] == "note"
    assert "history" in up.cli("audit", "tail", "--json", "-n", "5")
    undone = subprocess.run(
        [sys.executable, "-m", "bawn", "disconnect", "--all", "--yes"],
        env=up.env, cwd=up.home, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert undone.returncode == 0, undone.stdout + undone.stderr
    assert of_clients(up) == before


def test_an_exclusive_client_has_the_gate_alone_until_it_is_taken_back(up: Gate) -> None:
    path = up.home / ".cursor" / "mcp.json"
    before = path.read_bytes()
    up.cli("connect", "cursor", "--exclusive", "--yes")
    assert list(json.loads(path.read_text())["mcpServers"]) == ["bawn"]
    rows = discovered(up, "--no-processes")
    of_cursor = [
        row["class"] for row in rows if any(e.get("client") == "cursor" for e in row["sightings"])
    ]
    assert of_cursor == ["behind"]
    subprocess.run(
        [sys.executable, "-m", "bawn", "disconnect", "cursor", "--yes"],
        env=up.env, cwd=up.home, capture_output=True, check=True, timeout=60,
    )  # fmt: skip
    assert path.read_bytes() == before
