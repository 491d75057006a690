"""What a legacy server asks over HTTP, and whose caller it is put to.

On the stream of a call it concerns that call. What comes elsewhere names none: it goes to the newest call
of its session that may be asked and does not wait for its caller yet; else to the newest that may be asked.

Sources: client/sampling, client/elicitation and client/roots (2025-11-25).
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Coroutine
from functools import partial
from typing import Any, Final

from bawn.errors import INTERNAL_ERROR, INVALID_PARAMS, METHOD_NOT_FOUND, Refused
from bawn.model import Json
from bawn.protocol import capabilities, legacy_server
from bawn.upstream.exchange import Relay
from bawn.upstream.line import Line
from bawn.upstream.parking import Asks
from bawn.upstream.sessions import Session

log = logging.getLogger("bawn.upstream")

_ASIDE: Final = 64
"""Messages to one server beside its calls; requests of its own beyond that go unanswered."""
_LATE: Final = 0.02  # seconds
_WAITING: Final = 64
"""Overheard messages that may wait for one caller; more go unheard."""
_OVER: Final = "The call that this belonged to is over"


class OpenCall:
    """A call that the server works on, by the id that is its progress token too."""

    __slots__ = ("_telling", "_waiting", "asks", "id", "overheard", "relay")

    def __init__(self, id_: int, relay: Relay, asks: Asks | None) -> None:
        self.id = id_
        self.relay = relay
        self.asks = asks
        self.overheard: list[str | int] = []  # what it was asked, but not on its own stream
        self._waiting: deque[Json] = deque()
        self._telling: asyncio.Task[None] | None = None

    @property
    def is_waiting(self) -> bool:
        """Whether its caller is being asked something."""
        return self.asks is not None and self.asks.waiting

    def asked(self, id_: str | int) -> None:
        """It was asked this elsewhere; what is settled already is of no interest."""
        self.overheard = [one for one in self.overheard if self.asks and self.asks.has(one)]
        self.overheard.append(id_)

    def tell(self, message: Json) -> None:
        """Pass an overheard notification on, after those before it and as fast as its caller reads."""
        if len(self._waiting) < _WAITING:
            self._waiting.append(message)
        if self._telling is None or self._telling.done():
            self._telling = asyncio.create_task(self._tell())

    async def heard_out(self, session: Session) -> None:
        """Wait a moment for what the server says of it on the session's own stream, if there is one.

        Between two connections nothing has an order: what was said first may come last.
        """
        if session.identified and not session.is_silent:
            await asyncio.sleep(_LATE)
            if self._telling is not None:
                await asyncio.wait({self._telling})

    def end(self) -> None:
        """Pass nothing on any more."""
        if self._telling is not None:
            self._telling.cancel()

    async def _tell(self) -> None:
        while self._waiting:
            await self.relay(self._waiting.popleft())


class Questions:
    """The open calls of one server's sessions, and what is sent beside them."""

    def __init__(self) -> None:
        self._calls: dict[Session, list[OpenCall]] = {}
        self._sending: set[asyncio.Task[None]] = set()

    def begin(self, session: Session, call: OpenCall) -> None:
        """From now, what is overheard in the session may be this call's.

        Only where the server may ask: such a session is that of one caller.
        """
        if session.offered:
            self._calls.setdefault(session, []).append(call)

    def end(self, line: Line, session: Session, call: OpenCall) -> None:
        """The call is over: what was asked for its sake elsewhere, nobody will answer."""
        calls = self._calls.get(session)
        if calls is None or call not in calls:
            return
        calls.remove(call)
        if not calls:
            del self._calls[session]
        call.end()
        for id_ in call.overheard:
            if call.asks is not None and call.asks.withdraw(id_):
                self._decline(line, session, id_, INTERNAL_ERROR, _OVER)

    async def told(self, line: Line, session: Session, call: OpenCall, message: Json) -> None:
        """Something came on the stream of a call."""
        session.heard(message)
        if "id" in message:
            if "method" in message:
                self._asked(line, session, message, call.asks)
        elif message.get("method") != "notifications/cancelled":
            await call.relay(message)
        elif call.asks is None or not call.asks.withdraw(_request_id(message)):
            self._withdrawn(session, message)

    def overheard(self, line: Line, session: Session, message: Json) -> None:
        """Fills `line.Overheard`."""
        method, params = message.get("method"), message.get("params")
        calls = self._calls.get(session, [])
        if "id" in message:
            if "method" in message:
                self._asked_aside(line, session, message)
        elif method == "notifications/cancelled":
            self._withdrawn(session, message)
        elif method == "notifications/message":
            wanting = [call for call in calls if call.relay.wants_log]
            if len(wanting) == 1:
                wanting[0].tell(message)
        elif method == "notifications/progress" and isinstance(params, dict):
            token = params.get("progressToken")
            for call in calls:
                if type(token) is int and call.id == token:
                    call.tell(message)

    def send(self, line: Line, session: Session, message: Json) -> None:
        """Send a message beside the calls; whether it arrives is no call's concern."""
        self._spawn(self._send(line, session, message))

    def aclose(self) -> None:
        """Send no more."""
        for sending in tuple(self._sending):
            sending.cancel()

    def _asked_aside(self, line: Line, session: Session, request: Json) -> None:
        """Put a question to the call that it is taken to belong to."""
        askable = [call for call in self._calls.get(session, ()) if call.asks is not None]
        free = (call for call in reversed(askable) if not call.is_waiting)
        call = next(free, askable[-1] if askable else None)
        asks = None if call is None else call.asks
        if self._asked(line, session, request, asks) and call is not None:
            call.asked(request["id"])

    def _asked(self, line: Line, session: Session, request: Json, asks: Asks | None) -> bool:
        """Whether a question is put to a caller now; if not, it is answered here."""
        method, id_ = request["method"], request["id"]
        if len(self._sending) >= _ASIDE:
            return False
        if method == "ping":
            self.send(line, session, {"id": id_, "result": {}})
            return False
        refuse = partial(self._decline, line, session, id_)
        if not capabilities.may_ask(method, session.offered):
            refuse(METHOD_NOT_FOUND, "Not offered by this client")
        elif not capabilities.fits(method, request.get("params"), session.offered):
            refuse(INVALID_PARAMS, "Not offered by this client in this way")
        elif asks is None or not _is_id(id_):
            refuse(INTERNAL_ERROR, "No call is open whose client could be asked")
        elif self._is_open(session, id_):
            refuse(INTERNAL_ERROR, "A request with this id is open")
        elif asks.ask(
            id_, legacy_server.to_canonical_ask(request), partial(_answer, line, session, id_)
        ):
            return True
        else:
            refuse(INTERNAL_ERROR, "Too much is asked at once")
        return False

    def _is_open(self, session: Session, id_: str | int) -> bool:
        """Whether a call of this session is being asked this already: answers could not be told apart."""
        return any(
            call.asks is not None and call.asks.has(id_) for call in self._calls.get(session, ())
        )

    def _withdrawn(self, session: Session, message: Json) -> None:
        id_ = _request_id(message)
        for call in self._calls.get(session, ()):
            if call.asks is not None and call.asks.withdraw(id_):
                return

    def _decline(self, line: Line, session: Session, id_: Any, code: int, why: str) -> None:
        self.send(line, session, {"id": id_, "error": {"code": code, "message": why}})

    async def _send(self, line: Line, session: Session, message: Json) -> None:
        try:
            await line.tell(session, message)
        except Refused as refused:
            log.warning("a message did not arrive", extra={"detail": str(refused)})

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)


async def _answer(line: Line, session: Session, id_: str | int, outcome: Json) -> None:
    """Fills `parking.Answered`."""
    await line.tell(session, {"id": id_, **outcome})


def _request_id(message: Json) -> object:
    params = message.get("params")
    return params.get("requestId") if isinstance(params, dict) else None


def _is_id(id_: object) -> bool:
    return isinstance(id_, str) or type(id_) is int
