"""One modern tools/call, and whether an answer is the answer to it. Its twin for wrk is call.lua."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

TOOL: Final = "echo"
"""The mock's first tool: it answers with `size` bytes of text that begin with the caller's mark."""


def headers(tool: str, bearer: str) -> dict[str, str]:
    """What a modern client sends besides the body."""
    return {
        "Content-Type": "application/json",
        "Accept": "application/json, text/event-stream",
        "MCP-Protocol-Version": "2026-07-28",
        "Mcp-Method": "tools/call",
        "Mcp-Name": tool,
        "Authorization": f"Bearer {bearer}",
    }


def body(id_: int, tool: str, size: int, mark: str) -> bytes:
    """The message, written as compactly as clients write it."""
    meta = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "bench", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    }
    params = {"name": tool, "arguments": {"size": size, "mark": mark}, "_meta": meta}
    message = {"jsonrpc": "2.0", "id": id_, "method": "tools/call", "params": params}
    return json.dumps(message, separators=(",", ":")).encode()


def problem(reply: Mapping[str, Any], id_: int, size: int, mark: str) -> str:
    """What is wrong with a response to `body(id_, …, size, mark)`; empty when it is the right one."""
    if reply.get("id") != id_:
        return f"it answers request {reply.get('id')!r}, not {id_}"
    if "result" not in reply:
        return f"it is no result: {json.dumps(reply)[:300]}"
    content = reply["result"].get("content") or [{}]
    text = content[0].get("text", "")
    if not text.startswith(f"{mark} "):
        return f"its text begins {text[:40]!r}, not with {mark!r}"
    if len(text) != size:
        return f"its text has {len(text)} characters, not {size}"
    return ""
