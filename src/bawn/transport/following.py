"""The stream of a legacy session, read from the gate over all interruptions.

Source: basic/transports, "Listening for Messages from the Server" (2025-11-25).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from bawn.errors import HTTP_CROWDED, STREAM_UNKNOWN, Refused
from bawn.ports import HttpClient, HttpReply, HttpRequest
from bawn.transport.stream import apart

log = logging.getLogger("bawn.stdio")

PAUSE: Final = 0.5
"""Seconds until an interrupted stream is asked for anew; each time in vain it takes twice as long."""

_LONGEST: Final = 30.0

Tell = Callable[[bytes], Awaitable[None]]
Ask = Callable[[bytes], HttpRequest]
"""The request for the stream; for what came after this event, when it names one."""


async def follow(client: HttpClient, ask: Ask, tell: Tell, pause: float = PAUSE) -> None:
    """Tell every message of the stream, until the gate says that there is none (any more)."""
    last, waiting = b"", pause
    while True:
        heard = False
        try:
            reply = await client.send(ask(last))
            if reply.events is None:
                if reply.release is not None:
                    reply.release()
                if not _may_come(reply, last):
                    return
                last = b""
            else:
                async for data in reply.events:
                    heard = True
                    id_, message = apart(data)
                    last = id_ or last
                    if message:
                        await tell(message)
        except Refused as refused:
            log.info("the session's stream was interrupted: %s", refused)
        waiting = pause if heard else min(2 * waiting, _LONGEST)
        await asyncio.sleep(waiting)


def _may_come(reply: HttpReply, last: bytes) -> bool:
    """Whether another attempt may have the stream: without the event, or when there is room again."""
    if reply.status == STREAM_UNKNOWN.status and last:
        return True
    return reply.status == HTTP_CROWDED.status
