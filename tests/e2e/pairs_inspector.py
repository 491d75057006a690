"""What the Inspector's command line does with every server of a plan, one process for each request."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bawn.model import Json

PROGRAM = "node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js"
Ask = Callable[..., Json]


class _FailedError(Exception):
    """The Inspector says that something did not work."""


def tools(ask: Ask, step: Json) -> Json:
    """The names of a list."""
    return {"names": [tool["name"] for tool in ask("tools/list")["tools"]]}


def call(ask: Ask, step: Json) -> Json:
    """What a tool says."""
    given = ("--tool-name", step["name"], "--tool-args-json", json.dumps(step["arguments"]))
    return {"says": "\n".join(b.get("text", "") for b in ask("tools/call", *given)["content"])}


def prompts(ask: Ask, step: Json) -> Json:
    """The names, and the text of one."""
    names = [prompt["name"] for prompt in ask("prompts/list")["prompts"]]
    pairs = [f"{name}={value}" for name, value in step["arguments"].items()]
    got = ask("prompts/get", "--prompt-name", step["name"], "--prompt-args", *pairs)
    return {"names": names, "says": got["messages"][0]["content"]["text"]}


def resources(ask: Ask, step: Json) -> Json:
    """The URIs, and the text of one."""
    names = [each["uri"] for each in ask("resources/list")["resources"]]
    return {"names": names, "says": _text(ask, step)}


def templates(ask: Ask, step: Json) -> Json:
    """The templates, and the text of what one of them gives."""
    listed = ask("resources/templates/list")["resourceTemplates"]
    return {"names": [each["uriTemplate"] for each in listed], "says": _text(ask, step)}


def links(ask: Ask, step: Json) -> Json:
    """The resource that a result links to, and the size of what is there."""
    given = ("--tool-name", step["name"], "--tool-args-json", json.dumps(step["arguments"]))
    blocks = ask("tools/call", *given)["content"]
    (uri,) = [block["uri"] for block in blocks if block["type"] == "resource_link"]
    (there,) = ask("resources/read", "--uri", uri)["contents"]
    return {"link": uri, "size": len(there.get("blob") or there["text"])}


def _text(ask: Ask, step: Json) -> str:
    text: str = ask("resources/read", "--uri", step["uri"])["contents"][0]["text"]
    return text


SEES: Mapping[str, Callable[[Ask, Json], Json]] = {
    "tools": tools,
    "call": call,
    "prompts": prompts,
    "resources": resources,
    "templates": templates,
    "links": links,
}


def inspector(place: Path, url: str, token: str, era: str) -> Ask:
    """Ask one endpoint; gives the result of a method."""
    env = {**os.environ, "HOME": str(place), "NO_COLOR": "1"}
    header = f"Authorization: Bearer {token}"

    def ask(method: str, *arguments: str) -> Json:
        done = subprocess.run(
            [
                "node", PROGRAM, "--cli", url, "--transport", "http", "--protocol-era", era,
                "--format", "json", "--quiet", "--header", header, "--method", method, *arguments,
            ],
            cwd=place, env=env, capture_output=True, text=True, stdin=subprocess.DEVNULL,
            check=False, timeout=60,
        )  # fmt: skip
        if done.returncode:
            raise _FailedError(f"{method}: {done.returncode}: {done.stderr or done.stdout}")
        result: Json = json.loads(done.stdout)["result"]
        return result

    return ask


def play(place: Path, url: str, token: str, servers: dict[str, dict[str, Json]]) -> Json:
    """What is seen of all servers of a plan; every other one in the other era."""
    eras = dict(zip(servers, ("modern", "legacy") * len(servers), strict=False))

    def visit(server: str) -> Json:
        ask = inspector(place, f"{url}/{server}", token, eras[server])
        return {"version": "", "seen": {f: _see(ask, f, s) for f, s in servers[server].items()}}

    with ThreadPoolExecutor(2) as pool:
        return dict(zip(servers, pool.map(visit, servers), strict=True))


def _see(ask: Ask, feature: str, step: Json) -> Json:
    try:
        return SEES[feature](ask, step)
    except (_FailedError, subprocess.TimeoutExpired, LookupError, ValueError) as error:
        return {"failed": f"{type(error).__name__}: {error}"}
