"""Who looks at approvals: a bearer token, the gate's own user over the socket, or a short sign-in.

A sign-in is a sealed cookie that says who presented a token a moment ago. It stands for nothing but
approvals, and whoever is switched off meanwhile is refused at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Final
from urllib.parse import urlsplit

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from bawn.approvals.viewed import Decider
from bawn.errors import AUTH_AUDIENCE, AUTH_EXPIRED, AUTH_INVALID, GATE_CUT, Refused
from bawn.identity.tokens import refuse_query_token
from bawn.model import Peer, Principal
from bawn.ports import Identity
from bawn.protocol.sealing import Sealer, Unsealed

COOKIE: Final = "bawn_approvals"
SIGNED_IN: Final = 900.0  # seconds
_LONGEST: Final = (
    3_800  # bytes: browsers drop a cookie of more than 4,096 with its name and attributes
)
_PURPOSE: Final = "approvals sign-in"


class _SignedIn(msgspec.Struct, frozen=True):
    """What the cookie holds: the principal but for what cannot stand in JSON, and until when."""

    subject: str
    issuer: str
    roles: frozenset[str]
    token: str
    agent: str
    tenant: str
    until: float

    @property
    def principal(self) -> Principal:
        return Principal(
            self.subject, self.issuer, self.roles, self.until,
            token=self.token, agent=self.agent, tenant=self.tenant,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Deciders:
    """Tells who is asking. `is_cut`: switched off by the operator; `oversees`: may see all of its tenant.

    `clock` gives seconds since the epoch; `base_url` is the gate's, as browsers see it.
    """

    identity: Identity
    sealer: Sealer
    is_cut: Callable[[Principal], bool]
    oversees: Callable[[Principal], bool]
    clock: Callable[[], float]
    base_url: str

    async def of(self, request: Request) -> Decider:
        """Who sent a request with a token, or over the gate's own socket.

        Raises:
            Refused: auth.*, gate.cut.
        """
        refuse_query_token(request.scope["query_string"])
        header = request.headers.get("authorization")
        raw = header.encode("latin-1") if header is not None else None
        return self.let_in(await self._known(raw, request.scope["state"]["peer"]))

    async def sign_in(self, token: str, peer: Peer) -> tuple[Decider, str]:
        """Who presents this token, and the cookie that says so.

        Raises:
            Refused: auth.*, gate.cut.
        """
        if not token.isascii() or not token:
            raise Refused(AUTH_INVALID, detail="expected a token, in ASCII")
        decider = self.let_in(await self._known(b"Bearer " + token.encode(), peer))
        who, now = decider.principal, self.clock()
        signed = _SignedIn(
            who.subject, who.issuer, who.roles, who.token, who.agent, who.tenant,
            min(now + SIGNED_IN, who.expires),
        )  # fmt: skip
        cookie = self.sealer.seal(_PURPOSE, msgspec.to_builtins(signed))
        if len(cookie) > _LONGEST:
            raise Refused(AUTH_INVALID, "the token has too many roles for a browser; use the API")
        return decider, cookie

    def signed_in(self, request: Request) -> Decider | None:
        """Who signed in with this browser, if that still stands.

        Raises:
            Refused: gate.cut.
        """
        try:
            opened = self.sealer.open(_PURPOSE, request.cookies.get(COOKIE, ""))
            signed = msgspec.convert(opened, _SignedIn)
        except (Unsealed, msgspec.ValidationError):
            return None
        if signed.until <= self.clock():
            return None
        return self.let_in(signed.principal)

    def keep(self, response: Response, cookie: str) -> None:
        """Have the browser keep a sign-in."""
        parts = urlsplit(self.base_url)
        response.set_cookie(
            COOKIE,
            cookie,
            max_age=int(SIGNED_IN),
            path=f"{parts.path.rstrip('/')}/approvals",
            secure=parts.scheme == "https",
            httponly=True,
            samesite="strict",
        )

    def let_in(self, principal: Principal) -> Decider:
        """This principal as one who may look at approvals.

        Raises:
            Refused: auth.audience, auth.expired, gate.cut.
        """
        if principal.endpoint is not None:
            detail = "a token for one server decides no approvals; expected one for /mcp"
            raise Refused(AUTH_AUDIENCE, detail=detail)
        if principal.expires <= self.clock():
            raise Refused(AUTH_EXPIRED)
        if self.is_cut(principal):
            raise Refused(GATE_CUT)
        return Decider(principal, self.oversees(principal))

    async def _known(self, authorization: bytes | None, peer: Peer) -> Principal:
        found = self.identity.recognise(authorization, peer, self.clock())
        if found is None:
            found = await self.identity.verify(authorization or b"", self.clock())
        return found


def fingerprint(secret: str) -> str:
    """What a form is bound to, of a cookie or link."""
    return sha256(secret.encode()).hexdigest()
