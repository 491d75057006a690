"""A small MCP server on standard input and output, of both eras: it lists tools, and answers calls with a text.

Sources: transports/stdio and basic/patterns/subscriptions (2026-07-28), basic/lifecycle (2025-11-25).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Final, Protocol, TextIO

from bawn.errors import INVALID_PARAMS, METHOD_NOT_FOUND, UNSUPPORTED_VERSION
from bawn.model import Json
from bawn.protocol import listening, versions

LEGACY: Final = versions.HANDSHAKE[0]
CHANGED: Final = "notifications/tools/list_changed"

_LISTEN: Final = "subscriptions/listen"
_CAPABILITIES: Final[Json] = {"tools": {"listChanged": True}}
_CACHE: Final[Json] = {"ttlMs": 0, "cacheScope": "private"}


class Offer(Protocol):
    """What a server offers."""

    name: str

    def tools(self) -> Sequence[Json]:
        """The definitions of its tools, as they are now."""

    def call(self, name: str, arguments: Json) -> str:
        """What a tool that it lists says."""


class Speaker:
    """Speaks to one client, and tells it when a call has changed the tools."""

    def __init__(self, offer: Offer, write: TextIO) -> None:
        self._offer = offer
        self._write = write
        self._listens: list[str | int] = []
        self._initialised = False

    def run(self, lines: Iterable[str]) -> None:
        """Serve until the client closes its end."""
        for line in lines:
            message = json.loads(line)
            if "method" not in message:
                continue
            if "id" in message:
                self._request(message)
            elif message["method"] == "notifications/cancelled":
                self._cancelled(message.get("params") or {})

    def _request(self, message: Json) -> None:
        params = message.get("params") or {}
        version = (params.get("_meta") or {}).get(versions.META_VERSION)
        if version is not None and version != versions.MODERN:
            data = {"supported": [versions.MODERN], "requested": version}
            self._fail(message, UNSUPPORTED_VERSION, "This version is not spoken here", data)
        elif message["method"] == _LISTEN and version is not None:
            self._listen(message, params)
        else:
            self._answer(message, params, modern=version is not None)

    def _answer(self, message: Json, params: Json, *, modern: bool) -> None:
        method = message["method"]
        before = self._offer.tools()
        if method == "tools/call":
            if params.get("name") not in {tool["name"] for tool in before}:
                self._fail(message, INVALID_PARAMS, "There is no such tool")
                return
            said = self._offer.call(params["name"], params.get("arguments") or {})
            result: Json | None = {"content": [{"type": "text", "text": said}]}
        else:
            result = self._known(method, modern=modern)
        if result is None:
            self._fail(message, METHOD_NOT_FOUND, "This method is not known here")
            return
        if self._offer.tools() != before:  # before the answer: who has that may rely on being told
            self._announce()
        complete: Json = {"resultType": "complete"} if modern else {}
        self._send({"id": message["id"], "result": {**complete, **result}})

    def _known(self, method: str, *, modern: bool) -> Json | None:
        """The result of a request that is no call; None for one that is not known."""
        info = {"name": self._offer.name, "version": "1"}
        if method == "tools/list":
            return {"tools": list(self._offer.tools()), **(_CACHE if modern else {})}
        if method == "server/discover" and modern:
            spoken = {"supportedVersions": [versions.MODERN], "_meta": {versions.META_SERVER: info}}
            return {**spoken, "capabilities": _CAPABILITIES, **_CACHE}
        if method == "initialize":
            self._initialised = True
            return {"protocolVersion": LEGACY, "capabilities": _CAPABILITIES, "serverInfo": info}
        return {} if method == "ping" else None

    def _listen(self, message: Json, params: Json) -> None:
        asked = params.get("notifications") or {}
        granted = listening.Filter(tools=asked.get("toolsListChanged") is True)
        if granted.tools:
            self._listens.append(message["id"])
        self._send(listening.acknowledged(granted, message["id"]))

    def _cancelled(self, params: Json) -> None:
        self._listens = [id_ for id_ in self._listens if id_ != params.get("requestId")]

    def _announce(self) -> None:
        for id_ in self._listens:
            self._send(listening.notification(CHANGED, None, id_))
        if self._initialised:
            self._send({"method": CHANGED})

    def _fail(self, message: Json, code: int, text: str, data: Json | None = None) -> None:
        error: Json = {"code": code, "message": text, **({"data": data} if data else {})}
        self._send({"id": message["id"], "error": error})

    def _send(self, message: Json) -> None:
        self._write.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
        self._write.flush()
