"""A legacy client that is asked, as the tests of questions need it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

from bawn.model import Json, Principal
from bawn.ports import Reply
from tests.gate import (
    ABLE,
    ADA,
    House,
    arrive,
    legacy,
    session_of,
)

READ: Json = {"name": "files__read", "arguments": {"path": "/a"}}
SUMMARY: Json = {"name": "files__summary"}
YES: Json = {"action": "accept", "content": {}}


class Caller:
    """A legacy client: it takes what comes on the stream of its call, and answers what it is asked.

    `answers` gives the outcome for a request: {"result": …}, {"error": …}, or None to keep silent.
    """

    def __init__(
        self, house: House, session: str | None, answers: Callable[[Json], Json | None]
    ) -> None:
        self.house = house
        self.session = session
        self.answers = answers
        self.told: list[Json] = []
        self.asked = asyncio.Event()

    async def emit(self, message: Json) -> None:
        self.told.append(message)
        if "id" in message:
            self.asked.set()
            outcome = self.answers(message)
            if outcome is not None:
                assert (await self.post(message["id"], outcome)).status == 202

    async def post(
        self, id_: object, outcome: Json, *, who: Principal = ADA, at: str | None = None,
        session: str | None = None,
    ) -> Reply:  # fmt: skip
        named = (session or self.session or "").encode() or None
        body = {"jsonrpc": "2.0", "id": id_, **outcome}
        return await self.house.answer(arrive(body, {b"mcp-session-id": named}, who=who, at=at))

    async def call(self, method: str = "tools/call", params: Json = READ) -> Json:
        arrival = legacy(method, params, session=self.session)
        reply = await self.house.gateway.answer(arrival, self.emit)
        body: Json = json.loads(reply.body)
        return body

    def requests(self) -> list[Json]:
        return [message for message in self.told if "id" in message]


async def caller_of(
    house: House, answers: Callable[[Json], Json | None], capabilities: Json | None = None
) -> Caller:
    declared = ABLE if capabilities is None else capabilities
    return Caller(house, await session_of(house, capabilities=declared), answers)


def yes(_: Json) -> Json:
    return {"result": YES}


def silent(_: Json) -> None:
    return None


def error(_: Json) -> Json:
    return {"error": {"code": -1, "message": "the user is out"}}


def waiting_in(house: House) -> int:
    return len(house.gateway._stages.asks._waiting)
