"""What one listener serves: the MCP endpoints, the resource metadata, and for probes the health.

The edge hands the MCP paths to `mcp` straight away; everything else is Starlette's.
"""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from time import time
from typing import Any, Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bawn import __version__
from bawn.app import health
from bawn.app.assemble import Assembly
from bawn.app.health import Report
from bawn.app.siblings import PATH as FIGURES
from bawn.app.web import is_cut, routes, serves
from bawn.errors import HTTP_NOT_FOUND, Refused
from bawn.identity.metadata import WELL_KNOWN
from bawn.identity.tokens import refuse_query_token
from bawn.model import Health, Peer, Principal
from bawn.policy.roles import may_manage
from bawn.protocol.headers import single
from bawn.telemetry import exposition
from bawn.telemetry import figures as counted
from bawn.telemetry.figures import Figures
from bawn.transport.asgi import Receive, Scope, Send
from bawn.transport.http import McpEndpoint
from bawn.transport.origin import OriginGuard, for_listener

_ANYBODY: Final = Principal("anybody", "management.open", frozenset(), float("inf"))


def mcp_endpoint(rooms: Assembly, guard: OriginGuard, *, private: bool) -> McpEndpoint:
    """The MCP endpoints, for clients or, `private`, for other workers."""
    config = rooms.config
    return McpEndpoint(
        rooms.gateway,
        rooms.identity,
        guard,
        rooms.meter,
        servers=config.tenants,
        challenge=rooms.identity.resources.challenge,
        body_limit=config.limits.body,
        body_time=config.limits.body_time,
        held=rooms.held,
        relay=rooms.relay,
        private=private,
        standing=rooms.standing,
    )


class DataFront:
    """The listener for clients, on TCP and on the Unix socket.

    The owner's own processes reach health and figures here too, over the socket.
    """

    def __init__(self, rooms: Assembly) -> None:
        config = rooms.config
        self._guard = for_listener(config.listen, config)
        self.mcp = mcp_endpoint(rooms, self._guard, private=False)
        more = routes(rooms, self._guard.cors)
        self._public = _starlette([Route(WELL_KNOWN + "{rest:path}", _metadata(rooms)), *more])
        self._management = management(rooms, open_to_all=False, more=more)

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["state"]["peer"].uid is not None:
            return self._management(scope, receive, send)
        return _guarded(self._guard, self._public, scope, receive, send)


class PrivateFront:
    """A worker's own socket, for the other workers: messages that are passed on, and its figures."""

    def __init__(self, rooms: Assembly) -> None:
        self.mcp = mcp_endpoint(
            rooms, for_listener(rooms.config.listen, rooms.config), private=True
        )

        async def figures(request: Request) -> Response:
            own = rooms.siblings.own()
            return Response(counted.encode(own), media_type="application/json")

        self._figures = _starlette([Route(FIGURES, figures)])

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        return self._figures(scope, receive, send)


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


def management(rooms: Assembly, *, open_to_all: bool, more: Sequence[Route] = ()) -> Starlette:
    """Health and figures: whether it works for everybody, details for who may see them."""
    servers = rooms.config.servers
    required = [name for name, server in servers.items() if server.required]

    async def allowed(request: Request, what: str) -> Principal | None:
        """Who may see this, of all tenants; the gate's own owner where everybody may."""
        if open_to_all:
            return _ANYBODY
        authorization = request.headers.get("authorization")
        raw = authorization.encode("latin-1") if authorization is not None else None
        peer: Peer = request.scope["state"]["peer"]
        refuse_query_token(request.scope["query_string"])
        principal = rooms.identity.recognise(raw, peer, time())
        if principal is None:
            principal = await rooms.identity.verify(raw or b"", time())
        fine = (
            principal.endpoint is None
            and not is_cut(rooms, principal)
            and may_manage(principal, what)
        )
        return principal if fine else None

    async def healthz(request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def readyz(request: Request) -> Response:
        report = health.read(rooms.places.health)
        ready = serves(rooms) and rooms.audit.healthy and not health.failing(report, required)
        body: dict[str, Any] = {"status": "ready" if ready else "not ready"}
        try:
            principal = await allowed(request, "status")
        except Refused:
            principal = None
        if principal is not None:
            body |= _details(rooms, report, await rooms.siblings.figures(), principal)
        return JSONResponse(body, 200 if ready else 503)

    async def metrics(request: Request) -> Response:
        principal = await allowed(request, "metrics")
        if principal is None or not _sees_all(principal):
            raise Refused(HTTP_NOT_FOUND)
        report = health.read(rooms.places.health)
        states = {name: state.health for name, state in report.servers.items()}
        workers = await rooms.siblings.figures()
        assured = exposition.Assured(time(), report.trust, report.waiting, report.vulnerabilities)
        content = exposition.render(workers, states, report.items, tuple(Health), assured)
        return Response(content, media_type=exposition.CONTENT_TYPE)

    return _starlette(
        [Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", metrics), *more]
    )


def _sees_all(principal: Principal) -> bool:
    """Whether nobody's tenant is hidden: from the gate's own user, and who belongs to none."""
    return not principal.token or not principal.tenant


def _details(
    rooms: Assembly, report: Report, workers: dict[str, Figures], principal: Principal
) -> dict[str, Any]:
    edition = rooms.follower.edition
    in_flight = {
        name: sum(each.in_flight.get(name, 0) for each in workers.values())
        for name in report.servers
    }
    servers = {
        name: {
            "state": state.health.value,
            "required": rooms.config.servers[name].required,
            "version": state.version,
            "detail": state.detail,
            "checked": state.checked,
            "in_flight": in_flight[name],
            "confined": report.confinement.get(name),
            "failed": [
                {"dimension": each.dimension, "detail": each.detail}
                for each in report.trust.get(name, ())
                if each.verdict == "failed"
            ],
            "waiting": report.waiting.get(name, 0),
        }
        for name, state in report.servers.items()
        if name in rooms.config.servers
        and (_sees_all(principal) or rooms.config.servers[name].tenant == principal.tenant)
    }
    healthy = all(each.audit_healthy for each in workers.values())
    return {
        "version": __version__,
        "view": report.view,
        "items": report.items if _sees_all(principal) else {},
        "longest_name": report.longest_name if _sees_all(principal) else "",
        "audit": "writing" if healthy else "failing",
        "policy": report.policy if _sees_all(principal) else [],
        "across": report.across if _sees_all(principal) else [],
        "workers": len(workers),
        "cuts": len(edition.cuts) if edition is not None else 0,
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
