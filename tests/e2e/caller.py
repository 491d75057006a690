"""A caller of the gate, without any SDK: what it sends is what the test says."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2

from bawn.model import Json
from bawn.protocol import headers, versions

ACCEPT = {"accept": "application/json, text/event-stream"}
META: Json = {
    versions.META_VERSION: versions.MODERN,
    versions.META_CAPABILITIES: {},
    versions.META_CLIENT: {"name": "test", "version": "0"},
}


class Caller:
    """Sends modern requests to one endpoint; every answer is a whole JSON-RPC message."""

    def __init__(self, http: httpx2.AsyncClient, url: str, meta: Json | None = None) -> None:
        self.http = http
        self.url = url
        self.meta = META if meta is None else {**META, **meta}
        self._last = 0

    async def send(
        self, method: str, params: Json | None = None, **options: Any
    ) -> httpx2.Response:
        """One request; the reply as it came."""
        self._last += 1
        body = {
            "jsonrpc": "2.0",
            "id": self._last,
            "method": method,
            "params": {**(params or {}), "_meta": self.meta},
        }
        return await self.http.post(
            self.url, json=body, headers=mirrored(method, params or {}), **options
        )

    async def ask(self, method: str, params: Json | None = None) -> Json:
        """One request; its answer."""
        reply = await self.send(method, params)
        assert reply.headers["content-type"] == "application/json", reply.text
        answer: Json = reply.json()
        assert answer["id"] == json.loads(reply.request.content)["id"], answer
        return answer

    async def tool(self, name: str, **arguments: Any) -> Json:
        """Call a tool; its answer."""
        return await self.ask("tools/call", {"name": name, "arguments": arguments})

    async def text(self, name: str, **arguments: Any) -> str:
        """Call a tool that must succeed; what it says."""
        return words(await self.tool(name, **arguments))

    async def refusal(self, name: str, **arguments: Any) -> str:
        """Call a tool that must be refused; the reason id."""
        return reason(await self.tool(name, **arguments))


def mirrored(method: str, params: Json) -> dict[str, str]:
    """The headers that go with a modern body."""
    made = {**ACCEPT, "mcp-protocol-version": versions.MODERN, "mcp-method": method}
    known = versions.METHODS.get(method)
    name = params.get(known.named) if known is not None and known.named else None
    if isinstance(name, str):
        made["mcp-name"] = headers.encode(name).decode()
    return made


@asynccontextmanager
async def a_caller(
    url: str, token: str | None, meta: Json | None = None, **options: Any
) -> AsyncIterator[Caller]:
    """A caller with this token, `meta` more in each `_meta`; `transport` may lead to a Unix socket."""
    sent = {"authorization": f"Bearer {token}"} if token else {}
    async with httpx2.AsyncClient(headers=sent, timeout=60, **options) as http:
        yield Caller(http, url, meta)


def words(answer: Json) -> str:
    """The text of a tool's result."""
    assert "result" in answer, answer
    assert not answer["result"].get("isError"), answer
    said: str = answer["result"]["content"][0]["text"]
    return said


def reason(answer: Json) -> str:
    """The reason id of a refusal."""
    assert "error" in answer, answer
    found: str = answer["error"]["data"]["reason"]
    return found
