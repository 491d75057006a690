"""What changes while the server runs, and who is told: listen streams and handshake sessions."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from mcp.server.context import CallNext, HandlerResult
from mcp.shared.exceptions import MCPError
from mcp_types import SubscriptionsListenRequestParams
from pydantic import BaseModel

from tests.conformance.server.asking import Context

SUBSCRIPTION: Final = "io.modelcontextprotocol/subscriptionId"
_LISTS: Final = {
    "notifications/tools/list_changed": "toolsListChanged",
    "notifications/prompts/list_changed": "promptsListChanged",
    "notifications/resources/list_changed": "resourcesListChanged",
}
_HONOURED: Final = (*_LISTS.values(), "resourceSubscriptions", "taskIds")


class Notification(BaseModel):
    """Any notification, also one that the SDK has no model for."""

    method: str
    params: dict[str, Any]


def wants(filters: Mapping[str, Any], event: Notification) -> bool:
    """Whether a stream with these filters is told of this event."""
    if event.method in _LISTS:
        return bool(filters.get(_LISTS[event.method]))
    if event.method == "notifications/resources/updated":
        return event.params["uri"] in filters.get("resourceSubscriptions", ())
    return event.params.get("taskId") in filters.get("taskIds", ())


async def notify(ctx: Context, event: Notification, on_request: bool) -> None:
    """Send a notification on the request's own stream, or on the session's."""
    related = ctx.request_id if on_request else None
    # The SDK asks for one of its own models, but reads only method and params.
    await ctx.session.send_notification(event, related_request_id=related)  # type: ignore[arg-type]


class Feed:
    """The open streams of both eras."""

    def __init__(self) -> None:
        self._streams: dict[asyncio.Queue[Notification], Mapping[str, Any]] = {}
        self._sessions: list[tuple[Context, set[str]]] = []

    async def publish(self, method: str, **params: Any) -> None:
        """Tell everyone who asked for it."""
        event = Notification(method=method, params=params)
        for queue, filters in self._streams.items():
            if wants(filters, event):
                queue.put_nowait(event)
        for ctx, uris in self._sessions:
            if method in _LISTS or params.get("uri") in uris:
                await notify(ctx, event, on_request=False)

    async def listen(self, ctx: Context, _params: SubscriptionsListenRequestParams) -> Any:
        """Serve one subscriptions/listen stream until its client leaves."""
        asked = (ctx.params or {})["notifications"]
        honoured = {name: asked[name] for name in _HONOURED if asked.get(name)}
        meta = {SUBSCRIPTION: ctx.request_id}
        queue: asyncio.Queue[Notification] = asyncio.Queue()
        self._streams[queue] = honoured
        method, params = "notifications/subscriptions/acknowledged", {"notifications": honoured}
        try:
            while True:
                event = Notification(method=method, params={**params, "_meta": meta})
                await notify(ctx, event, on_request=True)
                following = await queue.get()
                method, params = following.method, following.params
        finally:
            del self._streams[queue]

    async def remember(self, ctx: Context, call_next: CallNext) -> HandlerResult:
        """Middleware: keep the session that an initialize opens, for what it will be told."""
        result = await call_next(ctx)
        if ctx.method == "initialize":
            self._sessions.append((ctx, set()))
        return result

    def uris(self, ctx: Context) -> set[str]:
        """What this session subscribed to."""
        for known, uris in self._sessions:
            if known.session.client_params is ctx.session.client_params:
                return uris
        raise MCPError(-32600, "This session was never initialised")
