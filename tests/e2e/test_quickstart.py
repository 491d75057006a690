"""First light: official clients of both eras use four real servers through one gate."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client
from mcp_types import TextContent, TextResourceContents

from bawn.model import Json
from tests.e2e.caller import a_caller, reason, words
from tests.e2e.conftest import StartGate
from tests.e2e.gate_process import Gate

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).resolve().parents[2]
QUICK = ROOT / ".quickstart"
EXAMPLES = ROOT / "examples"
FILES = EXAMPLES / "quickstart" / "files"
HELLO = (FILES / "hello.txt").read_text(encoding="utf-8")
SERVERS = ("files", "everything", "git", "time")
TOOLS = {
    "files__read_text_file",
    "everything__get-sum",
    "git__git_log",
    "time__convert_time",
}


def quickstart() -> str:
    """The servers of examples/quickstart.yaml, for a configuration that lies elsewhere."""
    text = (EXAMPLES / "quickstart.yaml").read_text(encoding="utf-8")
    servers = text[text.index("servers:") :]
    return servers.replace("../.quickstart", str(QUICK)).replace("./quickstart/files", str(FILES))


@pytest.fixture(scope="module")
def up(shared_gate: StartGate) -> Gate:
    missing = [
        part for part in ("node", "venv", "repository", "clients") if not (QUICK / part).is_dir()
    ]
    assert not missing, f"{QUICK} lacks {missing}: `make test` installs what these tests use"
    return shared_gate(quickstart()).until_ok()


@pytest.fixture(scope="module")
def clients(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The TypeScript clients beside the packages that they import."""
    place = tmp_path_factory.mktemp("clients")
    (place / "node_modules").symlink_to(QUICK / "clients" / "node_modules")
    for script in (ROOT / "tests/e2e/clients").glob("*.mjs"):
        shutil.copy(script, place)
    return place


@asynccontextmanager
async def sdk(url: str, token: str, mode: str) -> AsyncIterator[Client]:
    """The official Python client at this endpoint."""
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=60) as http,
        Client(streamable_http_client(url, http_client=http), mode=mode) as client,
    ):
        yield client


async def said(client: Client, name: str, **arguments: Any) -> str:
    """The text of a tool's result."""
    result = await client.call_tool(name, arguments)
    (content,) = result.content
    assert isinstance(content, TextContent)
    assert not result.is_error, content.text
    return content.text


# ── the Python SDK ──────────────────────────────────────────────────────────────────────────────

MODES = pytest.mark.parametrize(
    ("mode", "version"),
    [("2026-07-28", "2026-07-28"), ("auto", "2026-07-28"), ("legacy", "2025-11-25")],
)


@MODES
async def test_the_python_sdk_lists_what_all_four_servers_offer(
    up: Gate, mode: str, version: str
) -> None:
    async with sdk(up.url, up.token(), mode) as client:
        assert client.protocol_version == version
        if client.server_info is not None:  # a pinned version is adopted without asking
            assert client.server_info.name == "bawn"
        tools = [tool.name for tool in (await client.list_tools()).tools]
        assert len(tools) == len(set(tools)) > 35
        assert set(tools) >= TOOLS
        assert {name.partition("__")[0] for name in tools} == set(SERVERS)
        prompts = [prompt.name for prompt in (await client.list_prompts()).prompts]
        assert "everything__simple-prompt" in prompts
        assert len((await client.list_resources()).resources) >= 5
        assert len((await client.list_resource_templates()).resource_templates) == 2


@MODES
async def test_the_python_sdk_calls_every_server(up: Gate, mode: str, version: str) -> None:
    async with sdk(up.url, up.token(), mode) as client:
        assert HELLO in await said(client, "files__read_text_file", path=str(FILES / "hello.txt"))
        repository = str(QUICK / "repository")
        assert "Commit: " in await said(client, "git__git_log", repo_path=repository, max_count=1)
        converted = await said(
            client, "time__convert_time",
            source_timezone="UTC", time="12:00", target_timezone="Asia/Tokyo",
        )  # fmt: skip
        assert "21:00" in json.loads(converted)["target"]["datetime"]
        assert await said(client, "everything__get-sum", a=2, b=3) == "The sum of 2 and 3 is 5."


@MODES
async def test_the_python_sdk_reads_resources_prompts_and_progress(
    up: Gate, mode: str, version: str
) -> None:
    told: list[float] = []

    async def heard(progress: float, total: float | None, message: str | None) -> None:
        told.append(progress)

    async with sdk(up.url, up.token(), mode) as client:
        uri = str((await client.list_resources()).resources[0].uri)
        (content,) = (await client.read_resource(uri)).contents
        assert isinstance(content, TextResourceContents)
        assert len(content.text) > 100
        generated = await client.read_resource("demo://resource/dynamic/text/7")
        assert isinstance(generated.contents[0], TextResourceContents)
        prompt = await client.get_prompt("everything__args-prompt", {"city": "Cork"})
        assert isinstance(prompt.messages[0].content, TextContent)
        assert "Cork" in prompt.messages[0].content.text
        arguments = {"duration": 0.4, "steps": 4}
        await client.call_tool(
            "everything__trigger-long-running-operation", arguments, progress_callback=heard
        )
    assert told == [1, 2, 3, 4]


@MODES
async def test_a_tools_own_failure_and_an_unknown_tool_are_told_apart(
    up: Gate, mode: str, version: str
) -> None:
    async with sdk(up.url, up.token(), mode) as client:
        failed = await client.call_tool("files__read_text_file", {"path": "no-such-file.txt"})
        assert failed.is_error
        with pytest.raises(MCPError, match="Not known here"):
            await client.call_tool("files__no_such_tool", {})
        assert await said(client, "everything__echo", message="still here") == "Echo: still here"


@MODES
async def test_one_server_is_served_alone_under_its_own_names(
    up: Gate, mode: str, version: str
) -> None:
    async with sdk(f"{up.url}/time", up.token(server="time"), mode) as client:
        tools = [tool.name for tool in (await client.list_tools()).tools]
        assert sorted(tools) == ["convert_time", "get_current_time"]
        assert "UTC" in await said(client, "get_current_time", timezone="UTC")


# ── the TypeScript SDKs ─────────────────────────────────────────────────────────────────────────


def node(*command: str, cwd: Path, status: int = 0) -> str:
    """The standard output of a Node program."""
    env = {**os.environ, "HOME": str(cwd), "NO_COLOR": "1"}
    done = subprocess.run(
        ["node", *command], cwd=cwd, env=env, capture_output=True, text=True,
        stdin=subprocess.DEVNULL, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == status, f"{done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout if status == 0 else done.stderr


@pytest.mark.parametrize(
    ("script", "modes", "version"),
    [
        ("client2.mjs", ("modern",), "2026-07-28"),
        ("client2.mjs", ("auto",), "2026-07-28"),
        ("client2.mjs", ("legacy",), "2025-11-25"),
        ("sdk1.mjs", (), "2025-11-25"),
    ],
)
def test_the_typescript_sdks_use_all_four_servers(
    up: Gate, clients: Path, script: str, modes: tuple[str, ...], version: str
) -> None:
    arguments = (up.url, up.token(), str(FILES), str(QUICK / "repository"), *modes)
    seen: Json = json.loads(node(script, *arguments, cwd=clients))
    assert seen["version"] == version
    assert set(seen["tools"]) >= TOOLS
    assert {name.partition("__")[0] for name in seen["tools"]} == set(SERVERS)
    assert "everything__simple-prompt" in seen["prompts"]
    assert len(seen["templates"]) == 2
    assert HELLO in seen["file"]
    assert "Commit: " in seen["log"]
    assert "21:00" in seen["time"]["target"]["datetime"]
    assert seen["sum"] == "The sum of 2 and 3 is 5."
    assert seen["resource"]["uri"] == seen["resources"][0]
    assert "Cork" in seen["prompt"]
    assert seen["progress"] == [1, 2, 3, 4]
    assert seen["unknown"] == -32602
    assert seen.get("session") is (True if script == "sdk1.mjs" else None)


# ── the Inspector's command line ────────────────────────────────────────────────────────────────

ERAS = pytest.mark.parametrize("era", ["modern", "legacy"])


def inspect(up: Gate, clients: Path, era: str, *arguments: str, token: str | None = None) -> Json:
    """The result of one method, as the Inspector shows it."""
    program = "node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js"
    header = f"Authorization: Bearer {up.token() if token is None else token}"
    shown = node(
        program, "--cli", up.url, "--transport", "http", "--protocol-era", era,
        "--format", "json", "--quiet", "--header", header, *arguments, cwd=clients,
    )  # fmt: skip
    result: Json = json.loads(shown)["result"]
    return result


@ERAS
def test_the_inspector_lists_tools_of_all_four_servers(up: Gate, clients: Path, era: str) -> None:
    listed = inspect(up, clients, era, "--method", "tools/list")
    assert {tool["name"] for tool in listed["tools"]} >= TOOLS


@ERAS
def test_the_inspector_calls_a_tool(up: Gate, clients: Path, era: str) -> None:
    call = ("--method", "tools/call", "--tool-name", "everything__get-sum")
    result = inspect(up, clients, era, *call, "--tool-arg", "a=2", "b=3")
    assert result["content"][0]["text"] == "The sum of 2 and 3 is 5."


@ERAS
def test_the_inspector_reads_a_resource_and_a_prompt(up: Gate, clients: Path, era: str) -> None:
    uri = "demo://resource/dynamic/text/7"
    read = inspect(up, clients, era, "--method", "resources/read", "--uri", uri)
    assert read["contents"][0]["uri"] == uri
    got = inspect(
        up, clients, era,
        "--method", "prompts/get", "--prompt-name", "everything__args-prompt",
        "--prompt-args", "city=Cork",
    )  # fmt: skip
    assert "Cork" in got["messages"][0]["content"]["text"]


# ── who may ─────────────────────────────────────────────────────────────────────────────────────


async def test_without_a_token_the_answer_says_where_to_get_one(up: Gate) -> None:
    async with a_caller(up.url, None) as stranger:
        for method in ("tools/list", "tools/call"):
            reply = await stranger.send(method, {"name": "everything__echo"})
            assert reply.status_code == 401
            metadata = f"{up.base}/.well-known/oauth-protected-resource/mcp"
            assert reply.headers["www-authenticate"] == f'Bearer resource_metadata="{metadata}"'
        document = (await stranger.http.get(metadata)).json()
    assert document["resource"] == up.url


async def test_a_viewer_sees_no_tools_and_calls_none(up: Gate) -> None:
    async with a_caller(up.url, up.token("viewer", sub="vera")) as viewer:
        assert (await viewer.ask("tools/list"))["result"]["tools"] == []
        assert (await viewer.ask("prompts/list"))["result"]["prompts"]
        refused = await viewer.tool("everything__get-sum", a=2, b=3)
        unknown = await viewer.tool("everything__no-such-tool")
    assert reason(refused) == "target.unknown"
    assert refused["error"]["message"] == unknown["error"]["message"]


async def test_a_token_for_one_server_serves_only_there(up: Gate) -> None:
    token = up.token(server="time")
    async with a_caller(f"{up.url}/time", token) as caller:
        assert "UTC" in words(await caller.tool("get_current_time", timezone="UTC"))
    for path in ("", "/files"):
        async with a_caller(f"{up.url}{path}", token) as caller:
            reply = await caller.send("tools/list")
            assert reply.status_code == 401
            assert reply.json()["error"]["data"]["reason"] == "auth.audience"
            assert 'error="invalid_token"' in reply.headers["www-authenticate"]


def test_a_token_from_the_command_line_is_accepted(up: Gate, clients: Path) -> None:
    token = up.cli("token", "--sub", "carol", "--role", "developer").strip()
    call = ("--method", "tools/call", "--tool-name", "everything__echo")
    result = inspect(up, clients, "modern", *call, "--tool-arg", "message=hi", token=token)
    assert result["content"][0]["text"] == "Echo: hi"
    told = up.cli("audit", "tail", "--json", "-n", "1")
    assert "carol" in told
    assert token not in told
