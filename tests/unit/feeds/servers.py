"""A server that is listened to, and a mailbox that is read, as the tests of feeds need them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Final

from bawn.errors import UPSTREAM_UNREACHABLE, Refused
from bawn.feeds.mailbox import Mailbox
from bawn.model import Answer, Json, Outbound
from bawn.ports import Emit

ACKNOWLEDGED: Final = "notifications/subscriptions/acknowledged"
UPDATED: Final = "notifications/resources/updated"


def listen(
    server: str = "files", isolation: str = "ada", capabilities: Json | None = None
) -> Outbound:
    """A listen without its filter."""
    meta = {"io.modelcontextprotocol/clientCapabilities": capabilities or {}}
    return Outbound(server, "subscriptions/listen", {"_meta": meta}, isolation, "t")


class Stream:
    """One listen as the server has it."""

    def __init__(self, outbound: Outbound, emit: Emit) -> None:
        self.outbound = outbound
        self.wanted: Json = outbound.params["notifications"]
        self._emit = emit
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.cancelled = False

    async def tell(self, method: str, params: Any) -> None:
        """Tell this on the stream."""
        await self._emit({"jsonrpc": "2.0", "method": method, "params": params})

    def end(self, error: Exception | None = None) -> None:
        """End in good order, or break."""
        if error is None:
            self.over.set_result(None)
        else:
            self.over.set_exception(error)


class Server:
    """Fills `ports.Upstream`: `honours` is what it grants of a filter, None for no acknowledgement."""

    def __init__(self) -> None:
        self.honours: Callable[[Json], Json | None] = lambda wanted: wanted
        self.refusing = False
        self.streams: list[Stream] = []
        self.open: list[Stream] = []
        self._changed = asyncio.Condition()

    async def call(self, outbound: Outbound, emit: Emit | None = None) -> Answer:
        """Fills `ports.Upstream`."""
        assert emit is not None
        stream = Stream(outbound, emit)
        self.streams.append(stream)
        self.open.append(stream)
        await self._tell_watchers()
        try:
            if self.refusing:
                raise Refused(UPSTREAM_UNREACHABLE)
            honoured = self.honours(stream.wanted)
            if honoured is not None:
                await stream.tell(ACKNOWLEDGED, {"notifications": honoured})
            await stream.over
        except asyncio.CancelledError:
            stream.cancelled = True
            raise
        finally:
            self.open.remove(stream)
            await self._tell_watchers()
        return Answer(result={"resultType": "complete"})

    def stays(self, capabilities: Mapping[str, Any], *, shared: bool) -> bool:
        """Fills `ports.Upstream`."""
        return False

    async def aclose(self) -> None:
        """Fills `ports.Upstream`."""

    async def until(self, holds: Callable[[], bool]) -> None:
        """Return once this holds of the server's streams."""
        async with self._changed:
            await self._changed.wait_for(holds)

    async def _tell_watchers(self) -> None:
        lock: AbstractAsyncContextManager[Any] = self._changed
        async with lock:
            self._changed.notify_all()


async def read(mailbox: Mailbox) -> list[Json]:
    """What waits in a mailbox, without waiting for more."""
    mailbox.put("mark", {"mark": True})
    return [told for told in await mailbox.take() or [] if told != {"mark": True}]
