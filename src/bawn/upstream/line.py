"""How messages travel in the sessions of a legacy server, whichever of the two HTTP transports it has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

from bawn.errors import UPSTREAM_STATUS, Refused
from bawn.model import Answer, Json
from bawn.ports import UpstreamSession
from bawn.upstream.exchange import OnMessage
from bawn.upstream.sessions import Session

INTRODUCTION: Final = 256 << 10
"""Most bytes of an answer to `initialize`: it is kept with its session."""


class SessionGoneError(Exception):
    """The server does not know the session any more, and did not take the message."""


class OtherTransportError(Refused):
    """`initialize` met a status by which servers with another transport answer a POST."""

    def __init__(self, status: int) -> None:
        super().__init__(UPSTREAM_STATUS, detail=f"HTTP {status} to initialize")


class Line(Protocol):
    """One way to a legacy server; begins and ends sessions, as `sessions.Handshake`."""

    async def begin(self, offered: Json) -> UpstreamSession:
        """Begin a session in which the server may ask what is offered.

        Raises:
            Refused: an upstream.* reason.
        """

    async def end(self, session: UpstreamSession) -> None:
        """End a session, as far as the server listens. Never raises."""

    async def ask(
        self,
        session: Session,
        id_: int,
        method: str,
        params: Json,
        on_message: OnMessage,
        *,
        lasting: bool = False,
    ) -> Answer:
        """Send a request and hold its answer; what the server says meanwhile goes to `on_message`.

        With `lasting`, whoever asks keeps the deadline for the whole.

        Raises:
            SessionGoneError: it was not taken.
            Refused: an upstream.* reason.
        """

    async def tell(self, session: Session, message: Json) -> None:
        """Send a notification or a response.

        Raises:
            Refused: it did not arrive, or was not taken.
        """

    async def hear(self, session: Session, listener: Listener) -> bool:
        """Tell this one what the server says outside of calls; False when it says nothing there.

        Raises:
            SessionGoneError: the session is not known.
            Refused: an upstream.* reason.
        """

    def leave(self, session: Session, listener: Listener) -> None:
        """Tell this one no more."""

    def close(self) -> None:
        """Close whatever streams stand for sessions."""


class Listener(Protocol):
    """Whoever hears what a server says outside of calls."""

    def take(self, message: Json) -> None:
        """A notification came."""

    def fail(self, failure: Refused) -> None:
        """No more comes."""


Overheard = Callable[[Line, Session, Json], None]
"""Takes what names no call, or none on whose stream it came: questions, log messages and the like."""

_OF_CALLS: Final = frozenset(
    {"notifications/cancelled", "notifications/message", "notifications/progress"}
)


def concerns_listeners(message: Json) -> bool:
    """Whether a message that came outside of calls is a notification for whoever listens."""
    method = message.get("method")
    return isinstance(method, str) and "id" not in message and method not in _OF_CALLS
