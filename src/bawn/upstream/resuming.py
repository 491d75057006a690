"""An event stream that is taken up again where it broke, for servers that gave its events ids.

Source: basic/transports (2025-11-25), "Resumability and Redelivery".
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

from bawn.errors import UPSTREAM_FIRST_BYTE, UPSTREAM_OUTCOME, UPSTREAM_UNREACHABLE, Refused
from bawn.upstream.events import Mark, close, mark

Reopen = Callable[[bytes], Awaitable[AsyncIterator[bytes] | None]]
"""Asks for what follows this event id; None when the server has no such stream.

Raises:
    Refused: an upstream.* reason.
"""

_PAUSE: Final = 1.0  # seconds before asking again, when the server does not say
_SHORTEST: Final = 0.1
_LONGEST: Final = 60.0
_FAILURES: Final = 8  # in a row
_BROKEN: Final = frozenset({UPSTREAM_OUTCOME, UPSTREAM_UNREACHABLE, UPSTREAM_FIRST_BYTE})


async def resumed(events: AsyncIterator[bytes], reopen: Reopen) -> AsyncIterator[bytes]:
    """The data of each event, over as many connections as it takes; whoever reads it ends it.

    Raises:
        Refused: as the stream breaks, when it cannot be taken up again.
    """
    last = Mark()
    while True:
        try:
            async for data in events:
                yield data
            failure = Refused(UPSTREAM_OUTCOME, detail="the event stream ended before the answer")
        except Refused as refused:
            if refused.reason is not UPSTREAM_OUTCOME:
                raise
            failure = refused
        finally:
            await close(events)
        last = _later(last, mark(events))
        if not last.id:
            raise failure
        events = await _again(last, reopen, failure)


def _later(last: Mark, now: Mark) -> Mark:
    return Mark(now.id or last.id, last.retry if now.retry is None else now.retry)


async def _again(last: Mark, reopen: Reopen, failure: Refused) -> AsyncIterator[bytes]:
    pause = _PAUSE if last.retry is None else min(max(last.retry, _SHORTEST), _LONGEST)
    for _ in range(_FAILURES):
        await asyncio.sleep(pause)
        try:
            events = await reopen(last.id)
        except Refused as refused:
            if refused.reason not in _BROKEN:
                raise
            continue
        if events is None:
            break
        return events
    raise failure
