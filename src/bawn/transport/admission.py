"""Who and what comes in: host and origin, credentials, media types and the size of a body."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from time import time
from typing import Final
from urllib.parse import unquote

from bawn.config.server import SERVER_ID
from bawn.errors import (
    HTTP_ACCEPT,
    HTTP_BODY,
    HTTP_MEDIA_TYPE,
    HTTP_NOT_FOUND,
    LIMIT_HELD,
    Reason,
    Refused,
)
from bawn.model import Peer, Principal
from bawn.ports import Arrival, Identity, Meter, Reply
from bawn.protocol import replies
from bawn.transport.body import LARGE
from bawn.transport.head import Head
from bawn.transport.held import Held
from bawn.transport.origin import OriginGuard
from bawn.transport.relay import HEADER as RELAYED
from bawn.transport.relay import Relay
from bawn.transport.request import Request

log = logging.getLogger("bawn.transport")

JSON: Final = b"application/json"
STREAM: Final = b"text/event-stream"

_FINE: Final = 1024

Challenge = Callable[[Reason, str | None], str | None]


class Admission:
    """Lets messages in, bounded and authenticated, and words the refusals.

    A `private` one serves the worker's own siblings alone: who they speak for is in a header that
    only they can seal. `servers` are those that have an endpoint of their own, and their tenants:
    to callers of others they are not there.
    """

    def __init__(
        self,
        identity: Identity,
        guard: OriginGuard,
        meter: Meter,
        *,
        servers: Mapping[str, str],
        challenge: Challenge,
        body_limit: int,
        body_time: float,
        held: Held,
        relay: Relay | None = None,
        private: bool = False,
    ) -> None:
        if private and relay is None:
            raise ValueError("a private endpoint needs a relay, to open what the others seal")
        self.guard: Final = guard
        self.private: Final = private
        self.held: Final = held
        self._identity = identity
        self._meter = meter
        self._servers: dict[bytes, str | None] = {f"/{n}".encode(): n for n in servers}
        self._servers[b""] = None
        self._tenants = dict(servers)
        self._mcp = {b"/mcp" + path: server for path, server in self._servers.items()}
        self._fine: set[tuple[bytes | None, ...]] = set()
        self._challenge = challenge
        self._body_limit = body_limit
        self._body_time = body_time
        self._small = min(LARGE, body_limit)
        self._relay = relay

    def endpoint(self, request: Request, prefix: bytes, principal: Principal) -> str | None:
        """The endpoint that the path names below `prefix`, to this caller.

        Raises:
            Refused: http.not_found, for another tenant's too.
        """
        # the path as it was sent: an escaped one would name an endpoint in a second way
        rest = request.head.target[len(prefix) :]
        if rest not in self._servers:
            raise Refused(HTTP_NOT_FOUND)
        endpoint = self._servers[rest]
        if endpoint is not None and self._is_foreign(principal, endpoint):
            raise Refused(HTTP_NOT_FOUND)
        return endpoint

    def arrived(
        self, request: Request, peer: Peer, principal: Principal, endpoint: str | None
    ) -> Arrival:
        """What comes from this caller for this endpoint."""
        named, project = request.head.headers, None
        if peer.uid is not None and b"bawn-project" in named:
            project = unquote(named[b"bawn-project"].decode("latin-1"))
        return Arrival(principal, endpoint, named, request.body, peer, project, self.private)

    def at_once(self, request: Request) -> Arrival | None:
        """The arrival of a small POST whose headers have passed every check before; None for others.

        Raises:
            Refused: auth.*
        """
        head, body = request.head, request.body
        named, length, peer = head.headers, head.length, request.peer
        if length != len(body) or length > self._small or head.target not in self._mcp:
            return None
        if head.method != b"POST" or peer.uid is not None or _claims(named) not in self._fine:
            return None
        principal = self._identity.recognise(named.get(b"authorization"), peer, time())
        if principal is None:
            return None
        endpoint = self._mcp[head.target]
        if endpoint is not None and self._is_foreign(principal, endpoint):
            return None
        return Arrival(principal, endpoint, named, body, peer)

    def _is_foreign(self, principal: Principal, endpoint: str) -> bool:
        return self._tenants[endpoint] != principal.tenant

    def remember(self, request: Request, peer: Peer) -> None:
        """Know the headers of a POST that passed again."""
        if not self.private and peer.uid is None and len(self._fine) < _FINE:
            self._fine.add(_claims(request.head.headers))

    def peer(self, request: Request) -> Peer:
        """Where a request comes from, if it may come from there.

        Raises:
            Refused: http.host, http.origin or http.not_found.
        """
        head = request.head
        peer = self._sealed_peer(head) if self.private else request.peer
        if not self.private and peer.uid is None:
            self.guard.check(head.headers.get(b"host"), head.headers.get(b"origin"))
        if b"?" in head.target:
            raise Refused(HTTP_NOT_FOUND, detail="a query in the URL, where tokens get logged")
        return peer

    def recognised(self, request: Request, peer: Peer) -> Principal | None:
        """Who is asking, when that is known without I/O.

        Before the path is judged: a stranger learns nothing of which servers there are.

        Raises:
            Refused: auth.*
        """
        authorization = request.head.headers.get(b"authorization")
        return self._identity.recognise(authorization, peer, time())

    async def who(self, request: Request) -> tuple[Peer, Principal]:
        """Where a request comes from, and who is asking.

        Raises:
            Refused: http.host, http.origin, http.not_found or auth.*
        """
        peer = self.peer(request)
        return peer, self.recognised(request, peer) or await self.verified(request)

    async def verified(self, request: Request) -> Principal:
        """Who is asking, of a token not seen before.

        Raises:
            Refused: auth.*
        """
        return await self._identity.verify(
            request.head.headers.get(b"authorization") or b"", time()
        )

    def _sealed_peer(self, head: Head) -> Peer:
        peer = self._relay.peer(head.headers.get(RELAYED)) if self._relay is not None else None
        if peer is None:
            raise Refused(HTTP_NOT_FOUND, detail="not from another worker")
        return peer

    async def gather(self, request: Request, principal: Principal) -> None:
        """Have the body come whole; large ones when there is room for them.

        Raises:
            Refused: http.body or limit.held.
        """
        length = request.head.length
        if length == len(request.body) and length <= self._small:
            return
        limit = self._body_limit
        if length is None:
            length = len(request.body) if await request.gather(self._small) else limit
        if length > limit:
            raise Refused(HTTP_BODY, f"at most {limit} bytes")
        if length > LARGE:
            try:
                async with asyncio.timeout(self._body_time):
                    await self.held.take(principal.key, length)
            except TimeoutError:
                raise Refused(LIMIT_HELD) from None
            request.grant = (principal.key, length)
        if not await request.gather(limit) or len(request.body) > limit:
            raise Refused(HTTP_BODY, f"at most {limit} bytes")

    def refusal(self, request: Request, refused: Refused) -> Reply:
        """What a caller is told who is not let in."""
        self.note(request, refused)
        refused.challenge = self._challenge(refused.reason, _endpoint_of(request.head.target))
        return replies.refusal(refused, id_=None, trace="", method="", modern=True)

    def note(self, request: Request, refused: Refused) -> None:
        """Count and log a refusal."""
        self._meter.refusal(refused.reason.id)
        said = {"reason": refused.reason.id, "detail": refused.detail}
        log.info("refused", extra={**said, "peer": request.peer.address})


def _claims(named: Mapping[bytes, bytes]) -> tuple[bytes | None, ...]:
    """What of the headers is judged the same each time."""
    get = named.get
    return get(b"host"), get(b"origin"), get(b"content-type"), get(b"accept")


def check_message(content_type: bytes) -> None:
    """See that a body claims to be JSON.

    Raises:
        Refused: http.media_type.
    """
    if content_type != JSON and content_type.partition(b";")[0].strip().lower() != JSON:
        raise Refused(HTTP_MEDIA_TYPE)


def check_accept(accept: bytes, *media: bytes) -> None:
    """See that the caller reads all of these.

    Raises:
        Refused: http.accept.
    """
    for each in media:
        if each not in accept:
            break
    else:
        return
    ranges = accept.lower()
    if b"*/*" not in ranges and any(each not in ranges for each in media):
        raise Refused(HTTP_ACCEPT, f"this one needs {' and '.join(m.decode() for m in media)}")


def _endpoint_of(target: bytes) -> str | None:
    """The endpoint that a path names, served or not: a challenge must not tell which servers there are."""
    path = unquote(target.partition(b"?")[0].decode("ascii"))
    for root in ("/mcp/", "/sse/"):
        if path.startswith(root):
            server = path.removeprefix(root)
            return server if SERVER_ID.fullmatch(server) else None
    return None
