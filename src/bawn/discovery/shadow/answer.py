"""What an answer to a probe says: whether it is MCP at all, which era, and who may call."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, Literal, NamedTuple

from bawn.discovery.shadow.sighting import Access

_META_SERVER: Final = "io.modelcontextprotocol/serverInfo"
_VERSION_ERRORS: Final = frozenset([-32020, -32021, -32022])


class Answer(NamedTuple):
    """The beginning of an HTTP response; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def is_stream(self) -> bool:
        """Whether it is a stream of events."""
        return self.headers.get("content-type", "").lower().startswith("text/event-stream")

    @property
    def is_enough(self) -> bool:
        """Whether a stream has said what is wanted of it: one event with data."""
        if not self.is_stream:
            return False
        blocks = self.body.replace(b"\r\n", b"\n").split(b"\n\n")[:-1]
        lines = (line for block in blocks for line in block.split(b"\n"))
        return any(line.startswith(b"data:") and line[5:].strip() for line in lines)

    @property
    def is_rpc(self) -> bool:
        """Whether its body is a JSON-RPC message."""
        return self.message is not None

    @property
    def message(self) -> dict[str, Any] | None:
        """The JSON-RPC message in it, if there is one."""
        text = self._data() if self.is_stream else self.body
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            return None
        is_rpc = isinstance(found, dict) and found.get("jsonrpc") == "2.0"
        return found if is_rpc else None

    def _data(self) -> bytes:
        lines = self.body.replace(b"\r\n", b"\n").split(b"\n")
        data = [line[5:].strip() for line in lines if line.startswith(b"data:")]
        return next((line for line in data if line.startswith(b"{")), b"")


class Verdict(NamedTuple):
    """A server that was recognised."""

    era: Literal["modern", "legacy", "sse", ""]
    access: Access
    name: str = ""
    evidence: tuple[str, ...] = ()


def verdict(answer: Answer) -> Verdict | None:
    """What answered; None when nothing in it is MCP's."""
    if answer.status in {401, 403}:
        return _guarded(answer)
    message = answer.message
    if message is not None and (found := _told(message, answer)) is not None:
        return found
    if answer.is_stream and answer.status == 200 and _names_endpoint(answer.body):
        return Verdict("sse", "open", "", ("HTTP+SSE of 2024-11-05: an `endpoint` event",))
    if "mcp-session-id" in answer.headers:
        return Verdict("legacy", "", "", ("answers with Mcp-Session-Id",))
    return None


def _guarded(answer: Answer) -> Verdict | None:
    challenge = answer.headers.get("www-authenticate", "")
    if "resource_metadata" in challenge.lower():
        return Verdict("", "guarded", "", ("asks for a token (RFC 9728 resource metadata)",))
    if answer.is_rpc:
        return Verdict("", "guarded", "", (f"HTTP {answer.status} with a JSON-RPC error",))
    return None


def _told(message: dict[str, Any], answer: Answer) -> Verdict | None:
    result = message.get("result")
    if isinstance(result, dict):
        return _result(result)
    error = message.get("error")
    if not isinstance(error, dict):
        return None
    code = error.get("code")
    if code in _VERSION_ERRORS:
        return Verdict("modern", "", "", (f"JSON-RPC error {code} of 2026-07-28",))
    if "mcp-session-id" in answer.headers:
        return Verdict("legacy", "", "", ("JSON-RPC error with Mcp-Session-Id",))
    said = str(error.get("message", "")).lower()
    if any(word in said for word in ("mcp", "session", "initiali", "protocol version")):
        return Verdict("legacy", "", "", (f"JSON-RPC error {code}: speaks of sessions",))
    return None  # some other JSON-RPC service


def _result(result: dict[str, Any]) -> Verdict | None:
    versions = result.get("supportedVersions")
    if isinstance(versions, list):
        meta = result.get("_meta")
        info = meta.get(_META_SERVER) if isinstance(meta, dict) else None
        shown = ", ".join(str(version)[:32] for version in versions[:8])
        return Verdict("modern", "open", _name(info), (f"server/discover: speaks {shown}",))
    version = result.get("protocolVersion")
    if isinstance(version, str) and "capabilities" in result:
        name = _name(result.get("serverInfo"))
        return Verdict("legacy", "open", name, (f"initialize: speaks {version[:32]}",))
    return None


def _name(info: Any) -> str:
    name = info.get("name") if isinstance(info, dict) else None
    return name if isinstance(name, str) else ""


def _names_endpoint(body: bytes) -> bool:
    block = body.replace(b"\r\n", b"\n").partition(b"\n\n")[0]
    lines = [line.strip() for line in block.split(b"\n")]
    return b"event: endpoint" in lines or b"event:endpoint" in lines
