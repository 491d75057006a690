"""A legacy server with sessions, behind an HTTP client that is none."""

from __future__ import annotations

import asyncio
from typing import Any

from bawn.model import Json
from bawn.ports import HttpReply
from tests.unit.upstream.scripted import Asked, Server, error, reply, result

INITIALIZED: Json = {
    "protocolVersion": "2025-06-18",
    "capabilities": {"tools": {}},
    "serverInfo": {"name": "old", "version": "1"},
    "instructions": "be good",
}


class Old:
    """A server with sessions; `behave` answers what comes in a session that it knows."""

    def __init__(self, *, identified: bool = True) -> None:
        self.server = Server(self.answer)
        self.sessions: set[bytes] = set()
        self.begun = 0
        self.identified = identified
        self.initialized: Json = INITIALIZED
        self.behave: Any = result
        self.gone: Any = error  # how it says that it does not know a session
        self.gate = asyncio.Event()
        self.gate.set()

    async def answer(self, asked: Asked) -> HttpReply:
        await asyncio.sleep(0)
        if asked.method == "DELETE":
            self.sessions.discard(asked.session)
            return reply()
        if asked.method == "initialize":
            await self.gate.wait()
            self.begun += 1
            session = f"s{self.begun}" if self.identified else ""
            self.sessions.add(session.encode())
            return result(asked, self.initialized, session)
        if asked.session not in self.sessions:
            refusal: HttpReply = self.gone(asked, -32001, 404, id_=None)
            return refusal
        if (
            asked.message.get("method", "").startswith("notifications/")
            or "id" not in asked.message
        ):
            return reply(status=202)
        if "method" not in asked.message:
            return reply(status=202)
        found: HttpReply = self.behave(asked)
        return found

    def used(self) -> list[bytes]:
        """The sessions of the calls, in order."""
        return [asked.session for asked in self.server.of("tools/call")]
