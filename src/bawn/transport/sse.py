"""HTTP+SSE for clients of 2024-11-05: GET /sse opens a stream, POST /messages/{handle} writes to it.

Source: basic/transports, "HTTP with SSE" (2024-11-05). A handle names a stream and opens none: each
message is authenticated anew, and has to be of whom the stream is.
"""

from __future__ import annotations

import secrets
from typing import Final

import msgspec

from bawn.errors import HTTP_CROWDED, HTTP_METHOD, HTTP_NOT_FOUND, SESSION_UNKNOWN, Refused
from bawn.ports import Gate, Reply
from bawn.transport.admission import STREAM, Admission, check_accept, check_message
from bawn.transport.conversation import Conversation
from bawn.transport.passing import Passing
from bawn.transport.request import Request
from bawn.transport.standing import Standing

PATH: Final = b"/sse"
MESSAGES: Final = b"/messages/"

ACCEPTED: Final = Reply(202, b"")
_UNGUESSABLE: Final = 16  # bytes


class SseEndpoint:
    """Opens conversations, and finds the one that a message belongs to."""

    def __init__(
        self, gate: Gate, admission: Admission, passing: Passing, standing: Standing
    ) -> None:
        self._gate = gate
        self._admission = admission
        self._passing = passing
        self._standing = standing

    async def handle(self, request: Request) -> Reply | None:
        """Answer one request; None when it was a stream, which has told everything.

        Raises:
            Refused: http.*, auth.*, session.unknown or limit.messages.
        """
        if self._standing.sealer is None:
            await self._admission.who(request)
            raise Refused(HTTP_NOT_FOUND)
        if request.head.target.startswith(MESSAGES):
            return await self._take(request)
        await self._open(request)
        return None

    async def _open(self, request: Request) -> None:
        peer, principal = await self._admission.who(request)
        endpoint = self._admission.endpoint(request, PATH, principal)
        head, standing = request.head, self._standing
        if head.method != b"GET" or self._admission.private or standing.sealer is None:
            raise Refused(HTTP_METHOD)
        check_accept(head.headers.get(b"accept", b""), STREAM)
        await self._admission.gather(request, principal)
        arrival = self._admission.arrived(request, peer, principal, endpoint)
        path = head.target.replace(PATH, b"/mcp", 1).decode()
        held = self._admission.held
        if standing.holders[principal.key] >= standing.most:
            raise Refused(HTTP_CROWDED, f"a caller has {standing.most} such streams at most")
        name = secrets.token_urlsafe(_UNGUESSABLE)
        handle = standing.seal(standing.sealer, principal, endpoint, name)
        conversation = Conversation(self._gate, self._passing, held, request, arrival, path)
        standing.conversations[name] = conversation
        standing.holders[principal.key] += 1
        try:
            await conversation.run(MESSAGES + handle.encode())
        finally:
            del standing.conversations[name]
            standing.holders[principal.key] -= 1
            if not standing.holders[principal.key]:
                del standing.holders[principal.key]

    async def _take(self, request: Request) -> Reply:
        peer, principal = await self._admission.who(request)
        head = request.head
        handle = head.target.removeprefix(MESSAGES).decode("ascii")
        endpoint, owner, name = self._standing.opened(handle, principal)
        if head.method != b"POST":
            raise Refused(HTTP_METHOD)
        check_message(head.headers.get(b"content-type", b""))
        await self._admission.gather(request, principal)
        arrival = self._admission.arrived(request, peer, principal, endpoint)
        if not self._standing.owns(owner) and not arrival.settled:
            path = head.target.decode()
            reply = await self._passing.forward(arrival, "POST", path, owner, _nothing)
            if reply is None:
                raise Refused(SESSION_UNKNOWN, detail="its worker is gone")
            return reply
        conversation = self._standing.conversations.get(name)
        if conversation is None:
            raise Refused(SESSION_UNKNOWN, detail="its stream has ended")
        # it was settled whose stream this is; who answers the message is another question
        arrival = msgspec.structs.replace(arrival, settled=False)
        grant, held = request.grant, self._admission.held

        def let_go() -> None:
            if grant is not None:
                held.give(*grant)

        conversation.take(arrival, let_go)
        request.grant = None
        return ACCEPTED


async def _nothing(_id: bytes, _message: bytes) -> None:
    """No event comes in answer to a message: its answer is on the stream."""
