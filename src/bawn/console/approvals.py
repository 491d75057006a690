"""The HTTP API of approvals: list, show, grant, deny."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.routing import Route

from bawn.approvals.book import NOTE, Book
from bawn.approvals.viewed import Viewed
from bawn.console.deciders import Deciders
from bawn.console.told import told
from bawn.errors import HTTP_BODY, HTTP_MEDIA_TYPE, MESSAGE_PARAMS, Refused
from bawn.model import Json
from bawn.storage.approvals import Verdict

PATH: Final = "/api/v1/approvals"
STATES: Final = ("pending", "granted", "denied", "used", "expired", "void")
LARGEST: Final = 16 << 10  # bytes of a body


class _Decision(msgspec.Struct, forbid_unknown_fields=True):
    """The body of a decision, which may be left out."""

    note: str = ""


_decode: Final = msgspec.json.Decoder(_Decision).decode


@dataclass(frozen=True, slots=True)
class Api:
    """Answers with JSON, errors too; who asks sees its own share of the book."""

    book: Book
    deciders: Deciders

    def routes(self) -> list[Route]:
        """Where it is served."""
        return [
            Route(PATH, told(self.listed), methods=["GET"]),
            Route(f"{PATH}/{{id}}", told(self.one), methods=["GET"]),
            Route(f"{PATH}/{{id}}/grant", told(self.grant), methods=["POST"]),
            Route(f"{PATH}/{{id}}/deny", told(self.deny), methods=["POST"]),
        ]

    async def listed(self, request: Request) -> Json:
        """The newest that the caller may see, of one state or of all."""
        decider = await self.deciders.of(request)
        state = request.query_params.get("state", "")
        if state and state not in STATES:
            raise Refused(MESSAGE_PARAMS, f"`state` is one of {', '.join(STATES)}")
        found: list[Json] = []
        for several in self.book.listed(decider, state):
            found += map(as_json, several)
            await asyncio.sleep(0)
        return {"approvals": found}

    async def one(self, request: Request) -> Json:
        """One of them."""
        decider = await self.deciders.of(request)
        return as_json(self.book.find(request.path_params["id"], decider))

    async def grant(self, request: Request) -> Json:
        """Consent to one."""
        return await self._decide(request, "grant")

    async def deny(self, request: Request) -> Json:
        """Say no to one."""
        return await self._decide(request, "deny")

    async def _decide(self, request: Request, verdict: Verdict) -> Json:
        decider = await self.deciders.of(request)
        note = await _note(request)
        return as_json(self.book.decide(request.path_params["id"], decider, verdict, note))


def as_json(seen: Viewed) -> Json:
    """An approval for programs. Times are in seconds since the epoch; `arguments` is JSON text.

    `arguments` is cut off where `whole` is false, and null for who may neither decide nor asked for it.
    """
    asked = seen.request
    hidden = not asked.arguments
    rules = [
        {
            "rule": ask.rule,
            "place": place,
            "roles": sorted(ask.roles),
            "caller": ask.confirm,
            "count": ask.count,
        }
        for ask, place in zip(asked.asks, asked.places, strict=True)
    ]
    return {
        "id": seen.id,
        "state": seen.state,
        "created": seen.created,
        "expires": seen.expires,
        "needs": seen.needs,
        "decides": seen.decides,
        "decided": seen.decided,
        "who": asked.who,
        "issuer": asked.issuer,
        "agent": asked.agent,
        "tenant": asked.tenant,
        "client": asked.client,
        "endpoint": asked.endpoint,
        "server": asked.server,
        "kind": asked.kind,
        "name": asked.name,
        "method": asked.method,
        "arguments": None if hidden else asked.arguments,
        "characters": asked.characters,
        "whole": asked.whole,
        "sha256": None if hidden else asked.digest,
        "trace": asked.trace,
        "rules": rules,
        "votes": [msgspec.to_builtins(vote) for vote in seen.votes],
    }


async def bounded(request: Request, most: int = LARGEST) -> bytes:
    """The body of a request.

    Raises:
        Refused: http.body.
    """
    held = bytearray()
    async for chunk in request.stream():
        held += chunk
        if len(held) > most:
            raise Refused(HTTP_BODY, f"expected at most {most} bytes")
    return bytes(held)


async def _note(request: Request) -> str:
    body = await bounded(request)
    if not body:
        return ""
    if media_type(request) != "application/json":
        raise Refused(HTTP_MEDIA_TYPE)
    try:
        return _decode(body).note[:NOTE]
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise Refused(MESSAGE_PARAMS, 'expected {"note": "…"}, or no body') from None


def media_type(request: Request) -> str:
    """The media type of a body, without its parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()
