"""The pages on which people decide approvals: after a sign-in, or by a link that decides once.

GET only shows. A form counts when it comes from our own origin, with a token that was made for this
browser or link and this approval.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, urlsplit

import msgspec
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from bawn.approvals.book import Book
from bawn.approvals.links import Link, Links
from bawn.approvals.viewed import Decider
from bawn.console import page
from bawn.console.approvals import Api, bounded, media_type
from bawn.console.deciders import COOKIE, SIGNED_IN, Deciders, fingerprint
from bawn.console.html import HEADERS
from bawn.console.told import status_of
from bawn.errors import (
    APPROVAL_UNKNOWN,
    HTTP_MEDIA_TYPE,
    HTTP_ORIGIN,
    MESSAGE_PARAMS,
    Refused,
)
from bawn.protocol.sealing import Sealer, Unsealed
from bawn.storage.approvals import Verdict

PATH: Final = "/approvals"
LARGEST: Final = 32 << 10  # bytes of a form: a token, or a note with all of it escaped

_PURPOSE: Final = "approval form"
_VERDICTS: Final[dict[str, Verdict]] = {"grant": "grant", "deny": "deny"}

Endpoint = Callable[[Request], Awaitable[Response]]


class _Form(msgspec.Struct, frozen=True):
    """What the token of a form says: for which approval, browser or link it was made, until when."""

    approval: str
    holder: str
    until: float


def routes(
    book: Book, deciders: Deciders, links: Links, sealer: Sealer, base_url: str
) -> list[Route]:
    """The API and the pages of approvals, for the listener that clients reach and for the socket."""
    return [*Api(book, deciders).routes(), *Pages(book, deciders, links, sealer, base_url).routes()]


@dataclass(frozen=True, slots=True)
class Pages:
    """Answers with HTML, refusals too."""

    book: Book
    deciders: Deciders
    links: Links
    sealer: Sealer
    base_url: str

    def routes(self) -> list[Route]:
        """Where they are served."""
        return [
            Route(f"{PATH}/sign-in", self._told(self.sign_in), methods=["POST"]),
            Route(f"{PATH}/link/{{token}}", self._told(self.linked), methods=["GET"]),
            Route(f"{PATH}/link/{{token}}/{{verdict}}", self._told(self.by_link), methods=["POST"]),
            Route(f"{PATH}/{{id}}", self._told(self.one), methods=["GET"]),
            Route(f"{PATH}/{{id}}/{{verdict}}", self._told(self.decided), methods=["POST"]),
        ]

    async def one(self, request: Request) -> Response:
        """The page of one approval, or the sign-in before it."""
        id_ = request.path_params["id"]
        decider = self.deciders.signed_in(request)
        if decider is None:
            return _html(page.sign_in(id_))
        seen = self.book.find(id_, decider)
        return _html(page.approval(seen, id_, self._form(id_, request.cookies[COOKIE])))

    async def sign_in(self, request: Request) -> Response:
        """Check a token, have the browser keep the sign-in, and go on to the page."""
        form = await self._posted(request)
        id_ = form.get("id", "")
        if not id_.isalnum() or not id_.isascii():  # it becomes a part of an address
            raise Refused(APPROVAL_UNKNOWN)
        try:
            token = form.get("token", "").strip()
            _, cookie = await self.deciders.sign_in(token, request.scope["state"]["peer"])
        except Refused as refused:
            return _html(page.sign_in(id_, refused.message), status_of(refused))
        response = RedirectResponse(id_, 303, HEADERS)
        self.deciders.keep(response, cookie)
        return response

    async def decided(self, request: Request) -> Response:
        """Decide as who signed in."""
        form = await self._posted(request)
        id_, verdict = request.path_params["id"], _verdict(request)
        decider = self.deciders.signed_in(request)
        if decider is None:
            told = "The sign-in is over; nothing was decided."
            return _html(page.sign_in(id_, told, "../sign-in"), 401)
        self._check(form, id_, request.cookies[COOKIE])
        self.book.decide(id_, decider, verdict, form.get("note", ""))
        return RedirectResponse(f"../{id_}", 303, HEADERS)

    async def linked(self, request: Request) -> Response:
        """The page of one approval, for the approver whose link it is."""
        token = request.path_params["token"]
        link, decider = self._opened(token)
        seen = self.book.find(link.approval, decider)
        return _html(page.approval(seen, token, self._form(link.approval, token)))

    async def by_link(self, request: Request) -> Response:
        """Decide as the approver whose link it is, once."""
        form = await self._posted(request)
        token, verdict = request.path_params["token"], _verdict(request)
        link, decider = self._opened(token)
        self._check(form, link.approval, token)
        if not self.book.find(link.approval, decider).decides:
            raise Refused(APPROVAL_UNKNOWN)  # before the link is used up
        self.links.use(link)
        seen = self.book.decide(link.approval, decider, verdict, form.get("note", ""))
        return _html(page.approval(msgspec.structs.replace(seen, decides=False), "", ""))

    def _opened(self, token: str) -> tuple[Link, Decider]:
        link, who = self.links.opened(token)
        return link, msgspec.structs.replace(self.deciders.let_in(who), oversees=False)

    def _form(self, approval: str, secret: str) -> str:
        until = self.deciders.clock() + SIGNED_IN
        form = _Form(approval, fingerprint(secret), until)
        return self.sealer.seal(_PURPOSE, msgspec.to_builtins(form))

    def _check(self, form: dict[str, str], approval: str, secret: str) -> None:
        """See that a form is one that we made for this approval and this browser or link.

        Raises:
            Refused: http.origin.
        """
        try:
            made = msgspec.convert(self.sealer.open(_PURPOSE, form.get("form", "")), _Form)
        except (Unsealed, msgspec.ValidationError):
            raise Refused(HTTP_ORIGIN, "load the page anew and decide there") from None
        expected = (approval, fingerprint(secret))
        if (made.approval, made.holder) != expected or made.until <= self.deciders.clock():
            raise Refused(HTTP_ORIGIN, "the form is over; load the page anew and decide there")

    async def _posted(self, request: Request) -> dict[str, str]:
        """The fields of a form that came from our own pages.

        Raises:
            Refused: http.origin, http.media_type, http.body, message.params.
        """
        if request.headers.get("origin", "").lower() not in self._origins(request):
            raise Refused(HTTP_ORIGIN, detail="a form came from another page than ours")
        if media_type(request) != "application/x-www-form-urlencoded":
            raise Refused(HTTP_MEDIA_TYPE)
        body = await bounded(request, LARGEST)
        try:
            return dict(parse_qsl(body.decode("ascii"), strict_parsing=True, max_num_fields=8))
        except ValueError:
            raise Refused(MESSAGE_PARAMS, "expected the fields of the form") from None

    def _origins(self, request: Request) -> set[str]:
        """Our own: the public one, and without TLS also that of the Host, which the listener checked."""
        parts = urlsplit(self.base_url)
        own = {f"{parts.scheme}://{parts.netloc}".lower()}
        if parts.scheme == "http":
            own.add(f"http://{request.headers.get('host', '')}".lower())
        return own

    @staticmethod
    def _told(answer: Endpoint) -> Endpoint:
        """The answer, or the refusal as a page."""

        async def endpoint(request: Request) -> Response:
            try:
                return await answer(request)
            except Refused as refused:
                return _html(page.problem(refused.message), status_of(refused))

        return endpoint


def _verdict(request: Request) -> Verdict:
    verdict = _VERDICTS.get(request.path_params["verdict"])
    if verdict is None:
        raise Refused(APPROVAL_UNKNOWN)
    return verdict


def _html(content: str, status: int = 200) -> Response:
    return HTMLResponse(content, status, HEADERS)
