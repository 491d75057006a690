"""What one listener serves: the MCP endpoints, the resource metadata, and for probes the health.

The MCP endpoints are a bare ASGI application; everything else is Starlette's.
"""

from __future__ import annotations

from collections.abc import Awaitable
from time import time
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bawn import __version__
from bawn.app.assemble import Assembly
from bawn.errors import HTTP_NOT_FOUND, Refused
from bawn.identity.metadata import WELL_KNOWN
from bawn.identity.tokens import refuse_query_token
from bawn.model import Peer
from bawn.policy.roles import may_manage
from bawn.protocol.headers import single
from bawn.telemetry.exposition import CONTENT_TYPE
from bawn.transport.http import McpEndpoint, Receive, Scope, Send
from bawn.transport.origin import OriginGuard, for_listener


class DataFront:
    """The listener for clients, on TCP and on the Unix socket.

    The owner's own processes reach health and figures here too, over the socket.
    """

    def __init__(self, rooms: Assembly) -> None:
        config = rooms.config
        self._guard = for_listener(config.listen, config)
        self._mcp = McpEndpoint(
            rooms.gateway,
            rooms.identity,
            self._guard,
            rooms.meter,
            servers=config.servers,
            challenge=rooms.identity.resources.challenge,
            body_limit=config.limits.body,
        )
        self._public = _starlette([Route(WELL_KNOWN + "{rest:path}", _metadata(rooms))])
        self._management = management(rooms, open_to_all=False)

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        path: str = scope["path"]
        if path == "/mcp" or path.startswith("/mcp/"):
            return self._mcp(scope, receive, send)
        if scope["state"]["peer"].uid is not None:
            return self._management(scope, receive, send)
        return _guarded(self._guard, self._public, scope, receive, send)


def _starlette(routes: list[Route]) -> Starlette:
    return Starlette(
        routes=routes, exception_handlers={404: _not_found, Refused: _refused, 405: _not_found}
    )


async def _guarded(
    guard: OriginGuard, app: Starlette, scope: Scope, receive: Receive, send: Send
) -> None:
    try:
        headers = single(scope["headers"])
        guard.check(headers.get(b"host"), headers.get(b"origin"))
    except Refused as refused:
        await _problem(refused)(scope, receive, send)
        return
    await app(scope, receive, send)


def management(rooms: Assembly, *, open_to_all: bool) -> Starlette:
    """Health and figures: whether it works for everybody, details for who may see them."""

    async def allowed(request: Request, what: str) -> bool:
        if open_to_all:
            return True
        authorization = request.headers.get("authorization")
        raw = authorization.encode("latin-1") if authorization is not None else None
        peer: Peer = request.scope["state"]["peer"]
        refuse_query_token(request.scope["query_string"])
        principal = rooms.identity.recognise(raw, peer, time())
        if principal is None:
            principal = await rooms.identity.verify(raw or b"", time())
        return principal.endpoint is None and may_manage(principal, what)

    async def healthz(request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def readyz(request: Request) -> Response:
        failing = rooms.steward.failing_required
        writable = rooms.audit.healthy
        ready = not failing and writable
        body: dict[str, Any] = {"status": "ready" if ready else "not ready"}
        try:
            detailed = await allowed(request, "status")
        except Refused:
            detailed = False
        if detailed:
            body |= _details(rooms)
        return JSONResponse(body, 200 if ready else 503)

    async def metrics(request: Request) -> Response:
        if not await allowed(request, "metrics"):
            raise Refused(HTTP_NOT_FOUND)
        return Response(rooms.exposition.render(), media_type=CONTENT_TYPE)

    return _starlette(
        [Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", metrics)]
    )


def _details(rooms: Assembly) -> dict[str, Any]:
    servers = {
        name: {
            "state": state.health.value,
            "required": rooms.config.servers[name].required,
            "version": state.version,
            "detail": state.detail,
            "checked": state.checked,
            "in_flight": rooms.gateway.concurrency.servers.get(name, 0),
            "confined": False if rooms.config.servers[name].command else None,
        }
        for name, state in rooms.steward.states.items()
    }
    return {
        "version": __version__,
        "view": rooms.steward.version,
        "items": rooms.steward.items,
        "longest_name": rooms.steward.longest_name,
        "audit": "writing" if rooms.audit.healthy else "failing",
        "servers": servers,
    }


def _metadata(rooms: Assembly) -> Any:
    async def metadata(request: Request) -> Response:
        document = rooms.identity.resources.lookup(request.scope["path"])
        if document is None:
            raise Refused(HTTP_NOT_FOUND)
        return JSONResponse(document, headers={"cache-control": "max-age=300"})

    return metadata


def _problem(refused: Refused) -> Response:
    headers = {"www-authenticate": refused.challenge} if refused.challenge else None
    body = {"error": refused.reason.id, "message": refused.message}
    return JSONResponse(body, refused.reason.status, headers)


async def _refused(request: Request, refused: Exception) -> Response:
    return _problem(refused if isinstance(refused, Refused) else Refused(HTTP_NOT_FOUND))


async def _not_found(request: Request, error: Exception) -> Response:
    return _problem(Refused(HTTP_NOT_FOUND))
