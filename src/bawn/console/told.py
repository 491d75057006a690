"""What the APIs answer, as HTTP: JSON that nobody keeps, errors too."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bawn.errors import GATE_CUT, Refused
from bawn.model import Json

NO_STORE: Final = {"cache-control": "no-store"}

Endpoint: TypeAlias = Callable[[Request], Awaitable[Response]]


def told(answer: Callable[[Request], Awaitable[Json]]) -> Endpoint:
    """The answer as a response, or the refusal as one."""

    async def endpoint(request: Request) -> Response:
        try:
            return JSONResponse(await answer(request), headers=NO_STORE)
        except Refused as refused:
            return problem(refused)

    return endpoint


def status_of(refused: Refused) -> int:
    """The HTTP status of a refusal: those for MCP calls, where it is 200, are errors here."""
    if refused.reason is GATE_CUT:
        return 403
    return refused.reason.status if refused.reason.status >= 400 else 503


def problem(refused: Refused) -> Response:
    """A refusal as JSON."""
    headers = dict(NO_STORE)
    if refused.challenge:
        headers["www-authenticate"] = refused.challenge
    body = {"error": refused.reason.id, "message": refused.message}
    return JSONResponse(body, status_of(refused), headers)
