"""A client of the demo's gate: it speaks 2026-07-28, and what it sends is what the story says."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import closing
from itertools import count
from time import monotonic
from types import TracebackType
from typing import Final, Self

import httpx2

from bawn.model import Json
from bawn.protocol import headers, legacy_server, strict, versions

PATIENCE: Final = 30.0
"""Seconds until an answer, or anything on a stream, has to be there."""

_DATA: Final = "data:"


class CallerError(Exception):
    """The gate did not answer as gates do."""


class Caller:
    """Calls one endpoint with one token; to be closed."""

    def __init__(self, url: str, token: str, transport: httpx2.BaseTransport | None = None) -> None:
        self._url = url
        self._ids = count(1)
        # proxies of the environment are for addresses elsewhere
        self._http = httpx2.Client(
            headers={"authorization": f"Bearer {token}"},
            timeout=PATIENCE,
            trust_env=False,
            transport=transport,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        caught: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._http.close()

    def tool(self, name: str, arguments: Json) -> Json:
        """The answer to a call, a JSON-RPC message.

        Raises:
            CallerError: there is none.
        """
        return self._ask("tools/call", {"name": name, "arguments": arguments})

    def tools(self) -> frozenset[str]:
        """The names of the tools that are offered.

        Raises:
            CallerError: they cannot be listed.
        """
        found: set[str] = set()
        params: Json = {}
        while True:
            result = self._ask("tools/list", params).get("result")
            if not isinstance(result, dict):
                raise CallerError("the gate does not list its tools")
            found.update(tool["name"] for tool in result["tools"])
            if not result.get("nextCursor"):
                return frozenset(found)
            params = {"cursor": result["nextCursor"]}

    def until(self, offered: Callable[[frozenset[str]], bool]) -> None:
        """Wait until this is true of the names of the tools that are offered.

        Raises:
            CallerError: it does not come to be in time, or the gate does not tell.
        """
        with closing(self._changes()) as changes:
            for _ in changes:
                if offered(self.tools()):
                    return

    def _changes(self) -> Generator[None, None, None]:
        """Once as soon as the gate tells us, then each time that the list of tools changes."""
        ends = monotonic() + PATIENCE  # what keeps a stream alive is no news
        params: Json = {"notifications": {"toolsListChanged": True}}
        content, sent = self._message("subscriptions/listen", params)
        try:
            with self._http.stream("POST", self._url, content=content, headers=sent) as reply:
                for line in reply.iter_lines():
                    if line.startswith(_DATA):
                        yield
                    if monotonic() > ends:
                        raise CallerError("its servers are not listed as they should be")
        except httpx2.HTTPError as error:
            raise CallerError(f"the gate tells nothing: {type(error).__name__}") from None
        raise CallerError("the gate ended the stream")

    def _ask(self, method: str, params: Json) -> Json:
        content, sent = self._message(method, params)
        try:
            reply = self._http.post(self._url, content=content, headers=sent)
            stream = reply.headers.get("content-type", "").startswith("text/event-stream")
            text = reply.text.rpartition(_DATA)[2] if stream else reply.text
            answer: Json = strict.careful(text.strip().encode(), strict.JsonLimits())
        except httpx2.HTTPError as error:
            raise CallerError(f"the gate does not answer: {type(error).__name__}") from None
        except Exception:  # noqa: BLE001 - whatever is no message is told by its status
            raise CallerError(f"the gate answered HTTP {reply.status_code}, and no JSON") from None
        return answer

    def _message(self, method: str, params: Json) -> tuple[bytes, dict[bytes, bytes]]:
        message = {"jsonrpc": "2.0", "id": next(self._ids), "method": method}
        sent = {
            b"content-type": b"application/json",
            b"accept": b"application/json, text/event-stream",
            headers.VERSION: versions.MODERN.encode(),
            headers.METHOD: method.encode(),
        }
        if "name" in params:
            sent[headers.NAME] = headers.encode(params["name"])
        body = {**message, "params": {**params, **legacy_server.discover_params()}}
        return strict.encode(body), sent
