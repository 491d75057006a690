"""The registry API, read-only, in the form of the official MCP registry.

Who asks sees the servers of its own tenant that it may use; with `registry.open`, who presents nothing
sees those that belong to no tenant.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bawn.console.deciders import Deciders
from bawn.console.told import status_of
from bawn.errors import MESSAGE_PARAMS, Refused
from bawn.identity.tokens import refuse_query_token
from bawn.model import Json, Peer, Principal
from bawn.registry import api
from bawn.registry.api import Published
from bawn.transport.cors import Cors

_JSON: Final = "application/json"
_OPEN: Final = "public, max-age=60"
_CLOSED: Final = "private, no-cache"


@dataclass(frozen=True, slots=True)
class Registry:
    """`visible` tells the ids of the servers that somebody may use something of."""

    published: Callable[[], Sequence[Published]]
    deciders: Deciders
    visible: Callable[[Principal], AbstractSet[str]]
    open: bool = False
    cors: Cors = field(default_factory=Cors)

    def routes(self) -> list[Route]:
        """Where it is served."""
        found = []
        for prefix in api.PREFIXES:
            place = f"{prefix}/servers"
            of_one = f"{place}/{{name:path}}/versions"
            found += [
                Route(place, self._told(self.listed), methods=["GET", "OPTIONS"]),
                Route(f"{of_one}/{{version}}", self._told(self.one), methods=["GET", "OPTIONS"]),
                Route(of_one, self._told(self.versions), methods=["GET", "OPTIONS"]),
            ]
        return found

    def listed(self, servers: Sequence[Published], request: Request) -> Json:
        """One page of them."""
        parameters = dict(request.query_params)
        if len(parameters) != len(request.query_params.multi_items()):
            raise Refused(MESSAGE_PARAMS, "a parameter stands there twice")
        return api.listed(servers, api.query(parameters))

    def versions(self, servers: Sequence[Published], request: Request) -> Json | None:
        """The versions of one."""
        return api.versions(servers, request.path_params["name"])

    def one(self, servers: Sequence[Published], request: Request) -> Json | None:
        """One at a version."""
        return api.one(servers, request.path_params["name"], request.path_params["version"])

    async def _servers(self, request: Request) -> tuple[list[Published], str]:
        """What the caller may read, and for how long others may keep the answer."""
        refuse_query_token(request.scope["query_string"])
        peer: Peer = request.scope["state"]["peer"]
        if self.open and "authorization" not in request.headers and peer.uid is None:
            return [each for each in self.published() if not each.tenant], _OPEN
        principal = (await self.deciders.of(request)).principal
        visible = self.visible(principal)
        found = [
            each
            for each in self.published()
            if each.tenant == principal.tenant and each.id in visible
        ]
        return found, _CLOSED

    def _told(self, answer: Callable[[Sequence[Published], Request], Json | None]) -> Any:
        """The answer as a response, or the refusal as one."""

        async def endpoint(request: Request) -> Response:
            if request.method == "OPTIONS":
                return self._preflight(request)
            try:
                servers, keep = await self._servers(request)
                found = answer(servers, request)
            except Refused as refused:
                response = _error(refused.message, status_of(refused), refused.challenge)
            else:
                if found is None:
                    response = _error("Server not found", 404)
                else:
                    response = _answer(request, found, keep)
            self._for_pages(request, response)
            return response

        return endpoint

    def _preflight(self, request: Request) -> Response:
        named = {name.lower(): value for name, value in request.scope["headers"]}
        allowed = self.cors.preflight(b"OPTIONS", named)
        if allowed is None:
            return _error("Method not allowed", 405)
        response = Response(status_code=204)
        for name, value in allowed:
            response.headers[name.decode()] = value.decode("latin-1")
        self._for_pages(request, response)
        return response

    def _for_pages(self, request: Request, response: Response) -> None:
        """Let pages of the origins that the operator lists read it."""
        response.headers["vary"] = "Authorization, Origin"
        origin = request.headers.get("origin")
        for name, value in self.cors.fields(origin.encode("latin-1") if origin else None):
            if name != b"vary":
                response.headers[name.decode()] = value.decode("latin-1")


def _answer(request: Request, found: Json, keep: str) -> Response:
    body = msgspec.json.encode(found)
    tag = f'"{sha256(body).hexdigest()[:32]}"'
    headers = {"etag": tag, "cache-control": keep}
    known = request.headers.get("if-none-match", "")
    if any(each.strip().removeprefix("W/") in {tag, "*"} for each in known.split(",")):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=_JSON, headers=headers)


def _error(message: str, status: int, challenge: str | None = None) -> Response:
    headers = {"cache-control": "no-store"}
    if challenge:
        headers["www-authenticate"] = challenge
    return Response(msgspec.json.encode({"error": message}), status, headers, _JSON)
