"""Callers of a drill: over the gate's Unix socket, as its owner, each on a connection of its own.

They call without end and remember what came of every call.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from enum import StrEnum
from itertools import count, cycle
from pathlib import Path
from typing import Final, Self

import httpx2

from bawn.model import Json
from bawn.protocol import headers, legacy_server, strict, versions

PATIENCE: Final = 10.0
"""Seconds after which a call counts as unanswered."""
REST: Final = 0.02
"""Seconds between two calls of one caller: a drill is no load test."""


class Fate(StrEnum):
    """What came of a call."""

    ANSWERED = "answered"
    ERROR = "error"
    RESET = "reset"
    UNANSWERED = "unanswered"


@dataclass(frozen=True, slots=True)
class Probe:
    """What the callers call."""

    method: str
    params: Json

    @property
    def server(self) -> str | None:
        """The server that it reaches; None when it ends at the gate itself."""
        name: str = self.params.get("name", "")
        return name.partition("__")[0] if self.method == "tools/call" else None


AT_THE_GATE: Final = (Probe("tools/list", {}), Probe("server/discover", {}))
"""Calls that the gate answers by itself."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One call: seconds of the loop's clock, what came of it, and the reason id of an error."""

    caller: int
    began: float
    ended: float
    fate: Fate
    reason: str = ""


class Callers:
    """So many callers of the gate at this socket, while the block lasts."""

    def __init__(self, socket: Path, probes: Sequence[Probe], number: int) -> None:
        self.number = number
        self.attempts: list[Attempt] = []
        self._socket = str(socket)
        self._probes = probes
        self._held = AsyncExitStack()
        self._ids = count(1)

    async def __aenter__(self) -> Self:
        clients = []
        for _ in range(self.number):
            transport = httpx2.AsyncHTTPTransport(uds=self._socket)
            client = httpx2.AsyncClient(transport=transport, timeout=PATIENCE)
            clients.append(await self._held.enter_async_context(client))
        calling = [
            asyncio.create_task(self._call_on(number, client))
            for number, client in enumerate(clients)
        ]
        self._held.push_async_callback(_end, calling)
        return self

    async def __aexit__(self, *caught: object) -> None:
        await self._held.aclose()

    def since(self, moment: float) -> list[Attempt]:
        """The calls that ended after a moment: those that were in flight then are among them."""
        return [attempt for attempt in self.attempts if attempt.ended >= moment]

    async def _call_on(self, number: int, client: httpx2.AsyncClient) -> None:
        for probe in cycle(self._probes):
            self.attempts.append(await self._attempt(number, client, probe))
            await asyncio.sleep(REST)

    async def _attempt(self, number: int, client: httpx2.AsyncClient, probe: Probe) -> Attempt:
        loop = asyncio.get_running_loop()
        began, reason = loop.time(), ""
        try:
            reply = await client.post(
                "http://localhost/mcp", content=self._body(probe), headers=dict(_headers(probe))
            )
            fate, reason = _judged(reply)
        except httpx2.TimeoutException:
            fate = Fate.UNANSWERED
        except httpx2.TransportError:
            fate = Fate.RESET
        return Attempt(number, began, loop.time(), fate, reason)

    def _body(self, probe: Probe) -> bytes:
        params = {**probe.params, **legacy_server.discover_params()}
        message = {"jsonrpc": "2.0", "id": next(self._ids), "method": probe.method}
        return strict.encode({**message, "params": params})


async def _end(calling: Sequence[asyncio.Task[None]]) -> None:
    for task in calling:
        task.cancel()
    await asyncio.gather(*calling, return_exceptions=True)


def _headers(probe: Probe) -> Iterator[tuple[bytes, bytes]]:
    yield b"content-type", b"application/json"
    yield b"accept", b"application/json, text/event-stream"
    yield headers.VERSION, versions.MODERN.encode()
    yield headers.METHOD, probe.method.encode()
    if "name" in probe.params:
        yield headers.NAME, headers.encode(probe.params["name"])


def _judged(reply: httpx2.Response) -> tuple[Fate, str]:
    """A tool's own error is an answer: the gate did its part."""
    try:
        text = reply.text.rpartition("data:")[2] if _is_stream(reply) else reply.text
        error = strict.careful(text.strip().encode(), strict.JsonLimits()).get("error")
    except Exception:  # noqa: BLE001 - whatever is no JSON-RPC answer is told by its status
        return Fate.ERROR, f"HTTP {reply.status_code}"
    if error is None:
        return Fate.ANSWERED, ""
    data = error.get("data")
    reason = data.get("reason") if isinstance(data, dict) else None
    return (Fate.ERROR, str(reason)) if reason else (Fate.ANSWERED, "")


def _is_stream(reply: httpx2.Response) -> bool:
    return reply.headers.get("content-type", "").startswith("text/event-stream")


def errors(attempts: Sequence[Attempt]) -> dict[str, int]:
    """How many calls were refused, by reason id."""
    return dict(Counter(a.reason for a in attempts if a.fate is Fate.ERROR))
