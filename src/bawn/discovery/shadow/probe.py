"""A safe probe of an address: is it an MCP server, of which era, and does it ask who is calling?

`server/discover` first (2026-07-28), `initialize` for everybody else, at last `GET /sse` (2024-11-05). Nothing
else is ever sent: no call, no list, no credentials; a session that was begun is ended. Bounds on time, bytes,
concurrency and rate hold for every target; no redirect is followed.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Collection, Iterable
from typing import Any, Final, NamedTuple

import httpx2

from bawn import __version__
from bawn.discovery.shadow.answer import Answer, Verdict, verdict
from bawn.discovery.shadow.sighting import Look, Sighting, Unseen, clipped, masked_text
from bawn.discovery.shadow.sockets import Endpoint

MODERN: Final = "2026-07-28"
LEGACY: Final = "2025-11-25"
PATHS: Final = ("/mcp", "/")
SSE_PATH: Final = "/sse"
MAX_BODY: Final = 64 << 10
MAX_TARGETS: Final = 65_536
_INFO: Final = {"name": "bawn-discover", "version": __version__}
_ACCEPT: Final = "application/json, text/event-stream"
_META: Final = "io.modelcontextprotocol/"


class Limits(NamedTuple):
    """`timeout` is seconds for one exchange, `rate` targets begun per second."""

    timeout: float = 2.0
    concurrency: int = 16
    rate: float = 50.0


LIMITS: Final = Limits()


class Target(NamedTuple):
    """An address to probe. `paths` are tried in turn; `scheme` is http or https."""

    endpoint: Endpoint
    scheme: str = "http"
    paths: tuple[str, ...] = PATHS

    @property
    def origin(self) -> str:
        """Its URL without a path."""
        return f"{self.scheme}://{self.endpoint}"


async def probe(
    targets: Iterable[Target],
    *,
    own: Collection[Endpoint] = (),
    limits: Limits = LIMITS,
    transport: httpx2.AsyncBaseTransport | None = None,
) -> Look:
    """Probe each target; `own` are the gate's listeners. What does not answer is not there."""
    wanted = tuple(dict.fromkeys(targets))
    unseen: list[Unseen] = []
    if len(wanted) > MAX_TARGETS:
        left = len(wanted) - MAX_TARGETS
        unseen.append(Unseen("probe", "", f"more than {MAX_TARGETS} addresses", left))
        wanted = wanted[:MAX_TARGETS]
    free = asyncio.Semaphore(limits.concurrency)
    pace = _Pace(limits.rate)
    async with httpx2.AsyncClient(
        transport=transport,
        timeout=limits.timeout,
        follow_redirects=False,
        trust_env=False,
        limits=httpx2.Limits(max_connections=limits.concurrency, max_keepalive_connections=0),
        headers={"Accept-Encoding": "identity", "User-Agent": f"bawn-discover/{__version__}"},
    ) as client:

        async def one(target: Target) -> Sighting | None:
            async with free:
                await pace.turn()
                return await _Prober(client, target, limits.timeout).run(own)

        found = await asyncio.gather(*(one(target) for target in wanted))
    return Look(tuple(sighting for sighting in found if sighting is not None), tuple(unseen))


class _Pace:
    """Lets so many begin in a second, evenly."""

    def __init__(self, rate: float) -> None:
        self._gap = 1 / rate
        self._next = 0.0

    async def turn(self) -> None:
        now = time.monotonic()
        at = max(now, self._next)
        self._next = at + self._gap
        if at > now:
            await asyncio.sleep(at - now)


class _Prober:
    """One target's exchanges, one after the other."""

    def __init__(self, client: httpx2.AsyncClient, target: Target, timeout: float) -> None:
        self._client = client
        self._target = target
        self._timeout = timeout

    async def run(self, own: Collection[Endpoint]) -> Sighting | None:
        for path in self._target.paths:
            answer = await self._post(path, _discover(), _discover_headers())
            if answer is None:
                return None  # nothing speaks HTTP there
            found = verdict(answer)
            if found is None or (found.era != "modern" and found.access != "guarded"):
                found = await self._legacy(path, answer) or found
            if found is not None:
                return self._sighting(path, found, own)
        answer = await self._exchange("GET", SSE_PATH, {"Accept": "text/event-stream"})
        found = verdict(answer) if answer is not None else None
        return self._sighting(SSE_PATH, found, own) if found is not None else None

    async def _legacy(self, path: str, first: Answer) -> Verdict | None:
        if first.status in {404, 405, 501} and not first.is_rpc:
            return None
        answer = await self._post(path, _initialize(), {})
        found = verdict(answer) if answer is not None else None
        session = answer.headers.get("mcp-session-id") if answer is not None else None
        if session:
            await self._exchange("DELETE", path, {"Mcp-Session-Id": session[:1024]})
        return found

    async def _post(
        self, path: str, body: dict[str, Any], headers: dict[str, str]
    ) -> Answer | None:
        headers = {"Content-Type": "application/json", "Accept": _ACCEPT, **headers}
        return await self._exchange("POST", path, headers, json.dumps(body).encode())

    async def _exchange(
        self, method: str, path: str, headers: dict[str, str], body: bytes | None = None
    ) -> Answer | None:
        """One exchange: status, headers and the beginning of the body; None when there is no answer."""
        taken = bytearray()
        answer: Answer | None = None
        try:
            async with (
                asyncio.timeout(self._timeout),
                self._client.stream(
                    method, self._target.origin + path, headers=headers, content=body
                ) as reply,
            ):
                answer = Answer(reply.status_code, {k.lower(): v for k, v in reply.headers.items()})
                async for chunk in reply.aiter_raw():
                    taken += chunk[: MAX_BODY - len(taken)]
                    answer = answer._replace(body=bytes(taken))
                    if len(taken) >= MAX_BODY or answer.is_enough:
                        break
        except (httpx2.HTTPError, httpx2.InvalidURL, TimeoutError, ValueError):
            pass  # what came before it counts: a stream that never ends has told enough
        return answer

    def _sighting(self, path: str, found: Verdict, own: Collection[Endpoint]) -> Sighting:
        endpoint = self._target.endpoint
        evidence = [*found.evidence]
        if found.access == "open" and not endpoint.is_loopback:
            evidence.append("open to anybody who reaches it: it asks for no credentials")
        return Sighting(
            source="probe",
            what="sse" if found.era == "sse" else "http",
            name=clipped(found.name)[:128] or str(endpoint),
            where=str(endpoint),
            url=masked_text(self._target.origin + path),
            access=found.access,
            seen=time.time(),
            ours=endpoint in own,
            evidence=tuple(clipped(line)[:512] for line in evidence),
        )


def _discover() -> dict[str, Any]:
    meta = {
        f"{_META}protocolVersion": MODERN,
        f"{_META}clientCapabilities": {},
        f"{_META}clientInfo": _INFO,
    }
    return {"jsonrpc": "2.0", "id": 1, "method": "server/discover", "params": {"_meta": meta}}


def _discover_headers() -> dict[str, str]:
    return {"MCP-Protocol-Version": MODERN, "Mcp-Method": "server/discover"}


def _initialize() -> dict[str, Any]:
    params = {"protocolVersion": LEGACY, "capabilities": {}, "clientInfo": _INFO}
    return {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}
