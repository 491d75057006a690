"""Official clients make one call that policy asks about, and answer what they are asked."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx2
import mcp_types as types
from mcp import Client, MCPError
from mcp.client.context import ClientRequestContext
from mcp.client.streamable_http import streamable_http_client
from mcp_types import TextContent

from bawn.model import Json
from tests.e2e.gate_process import Gate
from tests.e2e.remote_process import ROOT

MODULES = ROOT / ".quickstart/clients/node_modules"
SCRIPT = ROOT / "tests/e2e/clients/consent.mjs"

VERSIONS: Final = {
    "python-modern": "2026-07-28",
    "python-legacy": "2025-11-25",
    "client2-modern": "2026-07-28",
    "client2-legacy": "2025-11-25",
    "sdk1": "2025-11-25",
}
"""Every client, and the version that it must come to speak."""

Visit = Callable[[str], Awaitable[None]]
"""What a person does at the URL that a client is shown."""


@dataclass
class Outcome:
    """What a client was asked, and what its call came to: text, or the reason of a refusal."""

    version: str = ""
    asked: list[Json] = field(default_factory=list)
    says: str = ""
    reason: str = ""
    data: Json = field(default_factory=dict)


@dataclass(frozen=True)
class Mood:
    """How a client answers: forms by `action`, none at all without one; pages by a `visit`."""

    action: str | None = "accept"
    content: Json | None = None
    visit: Visit | None = None


ABLE: Final = Mood()
UNABLE: Final = Mood(action=None)


@asynccontextmanager
async def python(
    url: str, token: str, mode: str, mood: Mood, heard: list[Json]
) -> AsyncIterator[Client]:
    """The official Python client, which writes down in `heard` what it is asked."""

    async def elicited(
        context: ClientRequestContext, params: types.ElicitRequestParams
    ) -> types.ElicitResult:
        paged = isinstance(params, types.ElicitRequestURLParams)
        shown = params.url if isinstance(params, types.ElicitRequestURLParams) else ""
        heard.append({"mode": "url" if paged else "form", "message": params.message, "url": shown})
        if paged:
            if mood.visit is not None:
                await mood.visit(shown)
            return types.ElicitResult(action="accept")
        if mood.action == "ignore":  # as some clients do: they declare it, and drop the question
            await asyncio.Event().wait()
        content = {"approve": True} if mood.content is None else mood.content
        assert mood.action in ("accept", "decline", "cancel")
        return types.ElicitResult(
            action=mood.action, content=content if mood.action == "accept" else None
        )

    headers = {"Authorization": f"Bearer {token}"}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=60) as http,
        Client(
            streamable_http_client(url, http_client=http), mode=mode,
            elicitation_callback=None if mood.action is None else elicited,
        ) as client,
    ):  # fmt: skip
        yield client


async def called(client: Client, name: str, arguments: Json) -> Outcome:
    """What a call came to."""
    try:
        result = await client.call_tool(name, arguments)
    except MCPError as error:
        data: Json = error.data or {}
        return Outcome(reason=data.get("reason", str(error)), data=data)
    (content,) = result.content
    assert isinstance(content, TextContent)
    return Outcome(says=content.text)


async def play(
    kind: str,
    up: Gate,
    token: str,
    name: str,
    arguments: Json,
    mood: Mood = ABLE,
    granter: str = "",
) -> Outcome:
    """One call by this client; `granter` is the token of who decides when it is shown a page."""
    if kind.startswith("python"):
        return await _python(kind, up, token, name, arguments, _visiting(up, mood, granter))
    assert not mood.content
    assert mood.visit is None
    what = {
        "url": up.url, "token": token, "name": name, "arguments": arguments, "action": mood.action,
        "mode": "legacy" if kind.endswith("legacy") else {"pin": "2026-07-28"},
        "grant": {"base": up.base, "token": granter} if granter else None,
    }  # fmt: skip
    return Outcome(**await asyncio.to_thread(_node, kind.partition("-")[0], what, up.home))


async def _python(
    kind: str, up: Gate, token: str, name: str, arguments: Json, mood: Mood
) -> Outcome:
    heard: list[Json] = []
    mode = "legacy" if kind == "python-legacy" else "auto"
    async with python(up.url, token, mode, mood, heard) as client:
        found = await called(client, name, arguments)
        found.version, found.asked = client.protocol_version, heard
        return found


def _visiting(up: Gate, mood: Mood, granter: str) -> Mood:
    if not granter:
        return mood

    async def visit(url: str) -> None:
        at = f"{up.base}/api/v1/approvals/{url.rpartition('/')[2]}/grant"
        async with httpx2.AsyncClient(headers={"authorization": f"Bearer {granter}"}) as http:
            done = await http.post(at)
            assert done.status_code == 200, done.text

    return Mood(mood.action, mood.content, visit)


def _node(generation: str, what: Json, home: Path) -> Any:
    place = home / "clients"
    if not place.exists():
        place.mkdir()
        (place / "node_modules").symlink_to(MODULES)
        (place / SCRIPT.name).write_bytes(SCRIPT.read_bytes())
    done = subprocess.run(
        ["node", SCRIPT.name, generation], cwd=place, env={**os.environ, "HOME": str(place)},
        input=json.dumps(what), capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert not done.returncode, done.stderr
    return json.loads(done.stdout)
