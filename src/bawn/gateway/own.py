"""The methods that concern the gate itself: getting to know it, and what it remembers of a client."""

from __future__ import annotations

from typing import Final

from bawn.catalogue import Catalogue
from bawn.errors import METHOD_UNKNOWN, Refused
from bawn.gateway.legacy import LegacySessions
from bawn.gateway.path import Path
from bawn.gateway.subscriptions import Subscriptions
from bawn.model import Call, Endpoint
from bawn.ports import Arrival, Emit, Reply
from bawn.protocol import envelope, lifecycle, replies
from bawn.protocol.inbound import Request
from bawn.protocol.sessions import Sessions

METHODS: Final = frozenset(
    {"initialize", "server/discover", "logging/setLevel", "subscriptions/listen"}
    | {"resources/subscribe", "resources/unsubscribe"}
)
"""What is answered here, besides ping."""


class Own:
    """Answers for the gate, at the endpoint that was asked."""

    def __init__(
        self,
        path: Path,
        catalogue: Catalogue,
        sessions: Sessions,
        legacy: LegacySessions,
        subscriptions: Subscriptions,
    ) -> None:
        self._path = path
        self._catalogue = catalogue
        self._sessions = sessions
        self._legacy = legacy
        self._subscriptions = subscriptions

    async def answer(
        self, call: Call, asked: Request, arrival: Arrival, endpoint: Endpoint, emit: Emit
    ) -> Reply:
        """Answer one of `METHODS`.

        Raises:
            Refused: as the method demands.
        """
        match asked.method.name:
            case "initialize":
                return self._begin(asked, arrival, endpoint)
            case "server/discover":
                told = self._catalogue.instructions(endpoint, arrival.principal)
                return Reply(200, envelope.result(asked.id, lifecycle.discover(endpoint, told)))
            case "logging/setLevel":
                return self._legacy.set_level(call, asked)
            case "resources/subscribe":
                return await self._legacy.subscribe(endpoint, call, asked)
            case "resources/unsubscribe":
                return await self._legacy.unsubscribe(endpoint, call, asked)
            case "subscriptions/listen":
                return await self._subscriptions.listen(endpoint, call, asked, emit)
        raise Refused(METHOD_UNKNOWN)

    def _begin(self, asked: Request, arrival: Arrival, endpoint: Endpoint) -> Reply:
        client = lifecycle.handshake(asked.params)
        owner = self._path.owner_for(client, endpoint, arrival.principal)
        session = self._sessions.begin(client, arrival, owner)
        told = self._catalogue.instructions(endpoint, arrival.principal)
        body = envelope.result(asked.id, lifecycle.initialize(client, endpoint, told))
        return Reply(200, body, (replies.JSON_TYPE, (b"mcp-session-id", session.encode())))
