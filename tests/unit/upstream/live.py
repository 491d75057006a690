"""An event stream that says what the test puts, when it puts it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from bawn.errors import UPSTREAM_OUTCOME, Refused
from bawn.upstream.events import Mark


class Live(AsyncIterator[bytes]):
    """Ends with `end`, breaks with `fail`; `mark` is where it can be taken up again."""

    def __init__(self, *said: Any, mark: Mark | None = None) -> None:
        self.mark = mark or Mark()
        self.closed = False
        self._queue: asyncio.Queue[bytes | Refused | None] = asyncio.Queue()
        for one in said:
            self.say(one)

    def say(self, message: Any) -> None:
        """One event, as bytes or in JSON."""
        raw = message if isinstance(message, bytes) else json.dumps(message).encode()
        self._queue.put_nowait(raw)

    def end(self) -> None:
        """Nothing more comes."""
        self._queue.put_nowait(None)

    def fail(self) -> None:
        """The connection breaks."""
        self._queue.put_nowait(Refused(UPSTREAM_OUTCOME))

    async def __anext__(self) -> bytes:
        said = await self._queue.get()
        if said is None:
            raise StopAsyncIteration
        if isinstance(said, Refused):
            raise said
        return said

    async def aclose(self) -> None:
        """Its reader has let go of it."""
        self.closed = True


async def until(condition: Any) -> None:
    """Wait for what the loop is about to do."""
    for _ in range(1000):
        if condition():
            return
        await asyncio.sleep(0)
    raise AssertionError("it never came to that")


def asked(id_: Any, method: str = "sampling/createMessage", **params: Any) -> dict[str, Any]:
    """What a server asks."""
    return {"jsonrpc": "2.0", "id": id_, "method": method, "params": params}


def told(method: str, **params: Any) -> dict[str, Any]:
    """What a server tells."""
    return {"jsonrpc": "2.0", "method": method, "params": params}


def answered(id_: Any, **result: Any) -> dict[str, Any]:
    """What a server answers."""
    return {"jsonrpc": "2.0", "id": id_, "result": result}
