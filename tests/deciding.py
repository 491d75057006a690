"""The pages and the API of approvals over a real book, as browsers and programs reach them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, cast

import httpx2
from starlette.applications import Starlette

from bawn.console.deciders import Deciders
from bawn.console.pages import routes
from bawn.errors import AUTH_INVALID, AUTH_MISSING, Refused
from bawn.model import Peer, Principal
from bawn.transport.asgi import Receive, Scope, Send
from tests.approving import Office, person

BASE = "https://gate.example.com"
REMOTE = Peer("192.0.2.1")
OWNER = Peer("unix", 1000)


class FakeIdentity:
    """`Bearer SUBJECT.ROLE.…` is that person; `later.` before it needs a look at the issuer's keys."""

    def __init__(self) -> None:
        self.changes: dict[str, Any] = {}

    def recognise(self, authorization: bytes | None, peer: Peer, now: float) -> Principal | None:
        if authorization is None:
            if peer.uid is not None:
                return Principal("uid:1000", "local", frozenset({"oncall"}), float("inf"))
            raise Refused(AUTH_MISSING, challenge="Bearer")
        if authorization.startswith(b"Bearer later."):
            return None
        return self._person(authorization.decode("latin-1"))

    async def verify(self, authorization: bytes, now: float) -> Principal:
        return self._person(authorization.decode("latin-1").replace("later.", ""))

    def _person(self, authorization: str) -> Principal:
        scheme, _, token = authorization.partition(" ")
        subject, *roles = token.split(".")
        if scheme != "Bearer" or subject == "bad":
            raise Refused(AUTH_INVALID, detail="why is the operator's to know", challenge="Bearer")
        return person(subject, *roles, **self.changes)


class Desk(Office):
    """An Office with a front."""

    def __init__(self, path: Path, base: str = BASE, **config: Any) -> None:
        super().__init__(path, **config)
        self.base = base
        self.identity = FakeIdentity()
        self.cut: set[str] = set()

    def front(self) -> Starlette:
        deciders = Deciders(
            self.identity,
            self.sealer,
            lambda who: who.subject in self.cut,
            lambda who: bool(who.roles & {"operator"}),
            self.clock,
            self.base,
        )
        return Starlette(
            routes=list(routes(self.book, deciders, self.links(), self.sealer, self.base))
        )

    def browser(self, peer: Peer = REMOTE, **headers: str) -> httpx2.AsyncClient:
        """A client with its own cookies."""
        app = self.front()

        async def called(scope: Scope, receive: Receive, send: Send) -> None:
            scope["state"] = {"peer": peer}
            await app(scope, receive, send)

        transport = httpx2.ASGITransport(app=cast(Any, called))
        return httpx2.AsyncClient(transport=transport, base_url=self.base, headers=headers)

    def api(self, token: str) -> httpx2.AsyncClient:
        """A program with a token."""
        return self.browser(authorization=f"Bearer {token}")

    async def signed_in(self, id_: str, token: str) -> httpx2.AsyncClient:
        """A browser of somebody who has signed in."""
        browser = self.browser()
        posted = await browser.post(
            "/approvals/sign-in", data={"id": id_, "token": token}, headers={"origin": self.base}
        )
        assert posted.status_code == 303, posted.text
        return browser


def form_of(html: str) -> str:
    """The token of the form on a page."""
    found = re.search(r'name="form" value="([^"]+)"', html)
    assert found is not None, html
    return found[1]
