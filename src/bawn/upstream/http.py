"""A remote server of either era: finds out which, once, and keeps to it until it fails.

Source: basic/versioning, "Negotiation" (2026-07-28): a modern request first; a recognised modern
answer decides, and anything else means `initialize`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec

from bawn.errors import (
    HEADER_MISMATCH,
    REASONS,
    UNSUPPORTED_VERSION,
    UPSTREAM_INVALID,
    UPSTREAM_STATUS,
    Refused,
)
from bawn.model import Answer, Json, Outbound
from bawn.pins.verifying import Verifying
from bawn.ports import Emit, UpstreamSessions
from bawn.protocol import headers, legacy_server, own, versions
from bawn.protocol.capabilities import offered
from bawn.upstream.exchange import Wire
from bawn.upstream.legacy import Legacy
from bawn.upstream.modern import Modern
from bawn.upstream.verify import LOST, Verify, listed

_PROBE = ((headers.VERSION, versions.MODERN.encode()), (headers.METHOD, b"server/discover"))

_OF_THE_HOP = frozenset({HEADER_MISMATCH, UNSUPPORTED_VERSION})


class Remote:
    """Implements `ports.Upstream` for a `url`; `store` holds the sessions that all workers share.

    `verify` is for processes whose calls rely on what another has listed; `always`: each of them does.
    """

    def __init__(
        self,
        wire: Wire,
        store: UpstreamSessions | None = None,
        verify: Verify | None = None,
        *,
        always: bool = False,
    ) -> None:
        self._wire = wire
        self._store = store
        self._verify = verify
        self._verifying: Verifying | None = None
        self._always = always
        self._unsure = always
        self._speaker: Modern | Legacy | None = None
        self._doubted = False
        self._probing = asyncio.Lock()

    async def call(self, outbound: Outbound, emit: Emit | None = None) -> Answer:
        """Send one canonical request in the server's era.

        Raises:
            Refused: an upstream.* reason.
        """
        speaker = self._speaker
        if speaker is None or self._doubted:
            speaker = await self._found()
        try:
            if self._unsure and isinstance(speaker, Modern):
                await self._check(speaker, outbound)
            answer = self._judged(outbound, await speaker.call(outbound, emit))
        except Refused as refused:
            if refused.reason in LOST and self._verify is not None:
                self._unsure = True  # what answers next may be another release of it
                if self._verifying is not None:
                    self._verifying.doubt_all()
            if refused.reason in (UPSTREAM_STATUS, UPSTREAM_INVALID):
                self._doubted = True  # it may speak another version now: ask at the next call
            raise
        return answer

    async def _check(self, speaker: Modern, outbound: Outbound) -> None:
        """See that what a call relies on is offered as it was approved."""
        if self._verify is None:
            return
        if self._verifying is None:
            self._verifying = self._verify()

        async def ask(method: str, params: Json) -> Json:
            listing = msgspec.structs.replace(
                outbound, method=method, params=own.asking(params), name=None, headers=()
            )
            return listed(await speaker.call(listing), method)

        await self._verifying.check(outbound.method, outbound.params.get("name"), ask)
        self._unsure = self._always or not self._verifying.quiet

    def _judged(self, outbound: Outbound, answer: Answer) -> Answer:
        """An error about this hop, and not about the call, is neither passed on nor believed."""
        if answer.error is None:
            return answer
        if answer.error["code"] in _OF_THE_HOP:
            detail = f"the server refused the gate's own headers: {answer.error['code']}"
            raise Refused(UPSTREAM_INVALID, detail=detail)
        if outbound.method == "server/discover":  # a server of the era that was found knows it
            self._doubted = True
        data = answer.error.get("data")
        if isinstance(data, dict) and str(data.get("reason")) in REASONS:
            return Answer(error={**answer.error, "data": {"server": data}})  # it is not the gate's
        return answer

    def stays(self, capabilities: Mapping[str, Any], *, shared: bool) -> bool:
        """Fills `ports.Upstream`: a legacy server asks on a stream that one worker alone can hold."""
        if isinstance(self._speaker, Modern):
            return False
        if isinstance(self._speaker, Legacy) and self._speaker.is_old:
            return True  # each worker has a session of its own there
        return bool(offered(capabilities, shared=shared))

    async def aclose(self) -> None:
        """Let go of sessions; the client belongs to others too and stays open."""
        if self._speaker is not None:
            await self._speaker.aclose()

    async def _found(self) -> Modern | Legacy:
        async with self._probing:
            if self._speaker is None or self._doubted:
                modern = await self._is_modern()
                if not isinstance(self._speaker, Modern if modern else Legacy):
                    await self.aclose()  # else its sessions stay as they are
                    self._speaker = (
                        Modern(self._wire)
                        if modern
                        else Legacy(self._wire, self._store, self._verify)
                    )
                self._doubted = False
            return self._speaker

    async def _is_modern(self) -> bool:
        params = legacy_server.discover_params()
        try:
            answer = await self._wire.ask(0, "server/discover", params, _PROBE, _ignore)
        except Refused as refused:
            if refused.reason in (UPSTREAM_STATUS, UPSTREAM_INVALID):
                return False
            raise
        return legacy_server.speaks_modern({"result": answer.result, "error": answer.error})


async def _ignore(message: object) -> None:
    """A probe has no caller to tell."""
