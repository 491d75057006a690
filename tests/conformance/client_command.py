"""`python -m tests.conformance.client_command direct|SOCKET URL`: the client that the suite tests.

The suite starts its own server, appends that server's URL and says by environment what is asked.
At a socket the client is given a gate in front of that server, and talks to the gate; see clients.py.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import socket
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Final

import httpx2
import mcp_types as types
from mcp import Client, MCPError
from mcp.client import ClientRequestContext
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from ruamel.yaml import YAML

Drive = Callable[[Client], Awaitable[None]]
MODERN: Final = "2026-07-28"


async def _elicited(
    context: ClientRequestContext, params: types.ElicitRequestParams
) -> types.ElicitResult:
    del context
    asked = getattr(params, "requested_schema", {}).get("properties", {})
    defaults = {name: field["default"] for name, field in asked.items() if "default" in field}
    defaults |= {
        name: True for name, field in asked.items() if name == "confirmed" or "ok" in field
    }
    return types.ElicitResult(action="accept", content=defaults)


async def list_tools(client: Client) -> None:
    """Only list."""
    await client.list_tools()


async def call_add(client: Client) -> None:
    """List and call."""
    await client.list_tools()
    await client.call_tool("add_numbers", {"a": 5, "b": 3})


async def call_each(client: Client) -> None:
    """Call every tool that is listed."""
    for tool in (await client.list_tools()).tools:
        wanted = tool.input_schema.get("required", ())
        with suppress(MCPError):
            await client.call_tool(tool.name, dict.fromkeys(wanted, "x"))


async def call_as_told(client: Client) -> None:
    """Make the calls that the suite wants."""
    await client.list_tools()
    context = json.loads(os.environ.get("MCP_CONFORMANCE_CONTEXT", "{}"))
    for call in context["toolCalls"]:
        await client.call_tool(call["name"], call["arguments"])


async def everything(client: Client) -> None:
    """List and use one of each kind."""
    for tool in (await client.list_tools()).tools[:1]:
        await client.call_tool(tool.name, {})
    for resource in (await client.list_resources()).resources[:1]:
        await client.read_resource(resource.uri)
    for prompt in (await client.list_prompts()).prompts[:1]:
        await client.get_prompt(prompt.name)


async def rounds(client: Client) -> None:
    """Answer what is asked back, and call something else."""
    await client.list_tools()
    for name in ("echo_state", "unrelated", "no_state", "no_result_type"):
        with suppress(
            MCPError, ValueError
        ):  # the SDK's client refuses an answer without resultType
            await client.call_tool(f"test_mrtr_{name}", {})


async def give_schema_back(client: Client) -> None:
    """Send a tool's schema back as it was received."""
    tools = {tool.name: tool for tool in (await client.list_tools()).tools}
    focal = tools.pop("json_schema_2020_12_tool")
    (echo,) = tools
    await client.call_tool(echo, {"schema": focal.input_schema})


SCENARIOS: Final[dict[str, Drive]] = {
    "initialize": list_tools,
    "tools_call": call_add,
    "elicitation-sep1034-client-defaults": call_each,
    "sse-retry": call_each,
    "request-metadata": list_tools,
    "http-standard-headers": everything,
    "http-custom-headers": call_as_told,
    "http-invalid-tool-headers": call_each,
    "json-schema-ref-no-deref": list_tools,
    "json-schema-2020-12-preservation": give_schema_back,
    "sep-2322-client-request-state": rounds,
}


def skill(url: str, load: bool) -> None:
    """List the skills; with `load`, load the first: no file of it before its SKILL.md is verified."""
    entry = _raw(url, "skills/list")["skills"][0]
    if not load:
        return
    text = _read(url, entry["uri"])
    listed = next(file for file in entry["resources"] if file["uri"] == entry["uri"])
    digest = f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
    front = YAML(typ="safe").load(text.split("---")[1])
    if (digest, len(text.encode()), front) == (
        listed["digest"],
        listed["size"],
        entry["frontmatter"],
    ):
        for file in entry["resources"]:
            _read(url, file["uri"])


def _read(url: str, uri: str) -> str:
    return str(_raw(url, "resources/read", uri=uri)["contents"][0]["text"])


def _raw(url: str, method: str, **params: str) -> dict[str, Any]:
    capabilities: dict[str, Any] = {"extensions": {"io.modelcontextprotocol/skills": {}}}
    meta = {
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientCapabilities": capabilities,
        "io.modelcontextprotocol/clientInfo": {"name": "driver", "version": "1"},
    }
    headers = {
        "Accept": "application/json, text/event-stream",
        "MCP-Protocol-Version": MODERN,
        "Mcp-Method": method,
        **({"Mcp-Name": params["uri"]} if params else {}),
    }
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": {**params, "_meta": meta}}
    got = httpx2.post(url, json=body, headers=headers, timeout=30).json()
    if "error" in got:
        raise SystemExit(f"{method}: {got['error']}")
    result: dict[str, Any] = got["result"]
    return result


async def _drive(url: str, drive: Drive) -> None:
    wire = os.environ["MCP_CONFORMANCE_PROTOCOL_VERSION"]
    mode = "auto" if wire in MODERN_PROTOCOL_VERSIONS else "legacy"
    async with Client(url, mode=mode, elicitation_callback=_elicited) as client:
        await drive(client)


def main(path: str, url: str) -> None:
    """Drive one scenario, direct or through a gate."""
    scenario = os.environ["MCP_CONFORMANCE_SCENARIO"]

    def play(at: str) -> None:
        if scenario.startswith("sep-2640-client-"):
            skill(at, load="verify" in scenario)
        else:
            asyncio.run(_drive(at, SCENARIOS[scenario]))

    if path == "direct":
        play(url)
        return
    with socket.socket(socket.AF_UNIX) as door, door.makefile("r") as told:
        door.connect(path)
        door.sendall(f"{url}\n".encode())
        play(told.readline().strip())


if __name__ == "__main__":
    main(*sys.argv[1:])
