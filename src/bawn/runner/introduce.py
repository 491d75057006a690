"""Which era a process speaks: server/discover first, initialize for everybody else.

No single error code is the sign of a legacy server, and silence is one too (transports/stdio,
2026-07-28): whatever is not positively modern is initialised.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from bawn.errors import UPSTREAM_FIRST_BYTE, UPSTREAM_NOT_STARTED, UPSTREAM_TOTAL, Refused
from bawn.model import Answer, Json
from bawn.protocol import legacy_server, versions
from bawn.runner.dialogue import Dialogue
from bawn.runner.pending import Deadlines

PROBE: Final = 5.0
"""Seconds that the probe may take; many a legacy server never answers an unknown method."""


class Era(StrEnum):
    """How a server is spoken to."""

    MODERN = "modern"
    LEGACY = "legacy"


@dataclass(frozen=True, slots=True)
class Introduction:
    """What a process said of itself; `discovered` is the canonical discover result, if it gave one."""

    era: Era
    version: str
    discovered: Json | None


async def introduce(
    dialogue: Dialogue, known: Era | None, start: float, offers: Json | None = None
) -> Introduction:
    """Find out the era, or rely on the known one, and finish the handshake if there is one.

    A legacy server is offered the capabilities in `offers`, and may ask for nothing else.

    Raises:
        Refused: upstream.not_started, upstream.invalid, or whatever ended the dialogue.
    """
    if known is not Era.LEGACY:
        modern = await _probe(dialogue, min(PROBE, start / 2))
        if modern is not None:
            return modern
    answer = await dialogue.ask(
        "initialize",
        legacy_server.initialize_params(offers),
        Deadlines(start, start),
        cancellable=False,
    )
    if answer.result is None:
        return await _not_initialised(dialogue, answer, start)
    version, _, _ = legacy_server.accept_initialize(answer.result)
    dialogue.batches = version == "2025-03-26"
    dialogue.asks.offered = offers or {}
    dialogue.tell("notifications/initialized")
    return Introduction(Era.LEGACY, version, legacy_server.discover_result(answer.result))


async def _probe(dialogue: Dialogue, seconds: float) -> Introduction | None:
    try:
        answer = await dialogue.ask(
            "server/discover",
            legacy_server.discover_params(),
            Deadlines(seconds, seconds),
            cancellable=False,
        )
    except Refused as refused:
        if refused.reason in (UPSTREAM_FIRST_BYTE, UPSTREAM_TOTAL):
            return None
        raise
    if legacy_server.speaks_modern(_message(answer)):
        return Introduction(Era.MODERN, versions.MODERN, answer.result)
    return None


async def _not_initialised(dialogue: Dialogue, answer: Answer, start: float) -> Introduction:
    # A modern server slow to start settles on its era by the probe it read after we gave up on it.
    if legacy_server.speaks_modern(_message(answer)):
        modern = await _probe(dialogue, start)
        if modern is not None:
            return modern
    said = (answer.error or {}).get("message", "")
    raise Refused(UPSTREAM_NOT_STARTED, detail=f"it refused to initialise: {said}")


def _message(answer: Answer) -> Json:
    return {"result": answer.result} if answer.error is None else {"error": answer.error}
