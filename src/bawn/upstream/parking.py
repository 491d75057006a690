"""Calls that wait at this worker while their caller is asked something, as legacy servers do mid-call.

A server of a handshake version asks (sampling, elicitation, roots) while its call is open; a caller of
2026-07-28 is asked by a result and comes back with a retry. So the exchange runs in a task of its own:
`run` starts it and returns its answer, or `input_required` with a random id as `requestState` as soon as
the server asks, and all that it asks at once. `resume` brings the answers and waits for what comes next. An id serves once.

Whoever speaks to the server fills `Exchange`: it puts each ask to `Asks.ask`, which says whether it can be
asked (else the exchange answers with an error by itself), and is cancelled when the call is given up (and
then tells the server). It keeps no deadline for the whole call: `limits.total` is held here, for the time
that nobody waits for the caller.

Source: basic/patterns/mrtr (2026-07-28), "Multi Round-Trip Requests".
"""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from functools import partial
from typing import Any, Final, Protocol

from bawn.config import Limits
from bawn.errors import (
    INTERNAL_ERROR,
    INVALID_REQUEST,
    LIMIT_PARKED,
    STATE_LOST,
    UPSTREAM_OUTCOME,
    UPSTREAM_TOTAL,
    Refused,
)
from bawn.model import Answer, Json, Outbound
from bawn.ports import Emit

Answered = Callable[[Json], Awaitable[None]]
"""Takes {"result": …} or {"error": …} towards the server, for one ask.

Raises:
    Refused: it did not arrive; the call is then given up.
"""


class Asks(Protocol):
    """What the server asks during one call; used as long as the exchange runs."""

    @property
    def waiting(self) -> bool:
        """Whether anything is asked that has no answer yet."""

    def ask(self, id_: str | int, request: Json, answer: Answered) -> bool:
        """Put {"method", "params"} to the caller; False when it cannot be asked: answer with an error."""

    def withdraw(self, id_: object) -> bool:
        """The server no longer wants to know (notifications/cancelled); False when it did not ask this."""

    def has(self, id_: object) -> bool:
        """Whether this is asked and has no answer yet."""


Exchange = Callable[[Emit, Asks], Coroutine[Any, Any, Answer]]
"""One call to the server, from its request to its answer; `emit` drops what comes while nobody listens.

Raises:
    Refused: an upstream.* reason.
"""

_ASKS: Final = 16
"""Questions of one call that may be open at once."""

_TOGETHER: Final = 0.02
"""Seconds without another question after which those that came are taken to be all."""

Sleep = Callable[[float], Awaitable[None]]

_NOT_ASKED: Final[Json] = {
    "error": {"code": INTERNAL_ERROR, "message": "The client cannot be asked now"}
}


class Parking:
    """The calls to one server that may be asked back.

    At most `limits.parked` of one principal and `limits.connections` in all wait here, each for
    `limits.input` seconds at most.
    """

    def __init__(self, server: str, limits: Limits, sleep: Sleep = asyncio.sleep) -> None:
        self._server = server
        self._limits = limits
        self._sleep = sleep
        self._parked: dict[str, _Call] = {}
        self._holders: Counter[str] = Counter()
        self._running: set[asyncio.Task[Answer]] = set()

    async def run(self, outbound: Outbound, emit: Emit | None, exchange: Exchange) -> Answer:
        """The server's answer, or what it asks: then the answer is `parked`.

        Raises:
            Refused: limit.parked, upstream.total, or what the exchange raises.
        """
        call = _Call(_owner(outbound), emit, self._limits.total)
        call.task = asyncio.create_task(exchange(call.tell, call))
        call.task.add_done_callback(call.ended)
        self._running.add(call.task)
        call.task.add_done_callback(self._running.discard)
        return await self._attend(call, {}, {})

    async def resume(self, outbound: Outbound, emit: Emit | None) -> Answer:
        """The same for a retry, which brings answers (`inputResponses`, `declined`) to a parked call.

        Raises:
            Refused: state.lost when no call of this caller waits by this id; else as `run`.
        """
        id_ = outbound.params.get("requestState")
        call = self._parked.get(id_) if isinstance(id_, str) else None
        if call is None or call.owner != _owner(outbound):
            raise Refused(STATE_LOST, detail=f"no call to {self._server} waits by this id")
        self._take_out(str(id_), call)
        call.emit = emit
        responses = outbound.params.get("inputResponses")
        return await self._attend(
            call, responses if isinstance(responses, dict) else {}, outbound.declined
        )

    async def aclose(self) -> None:
        """Give up every call; their servers are told."""
        for id_, call in tuple(self._parked.items()):
            self._take_out(id_, call)
        running = tuple(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def _attend(
        self, call: _Call, responses: Mapping[str, Any], declined: Mapping[str, Any]
    ) -> Answer:
        """Bring the answers, wait for the end or the next question; the call ends with its caller."""
        emit = call.emit
        try:
            await self._in_time(call, call.answered(responses, declined))
            while True:
                call.emit = emit
                await self._in_time(call, call.stirred())
                if call.task.cancelled():  # not by its caller, who must not be taken to have gone
                    raise Refused(UPSTREAM_OUTCOME, detail="the gate let go of the call")
                if call.task.done():
                    return call.task.result()
                await self._in_time(call, call.gathered(self._sleep))
                await self._in_time(call, call.hush())
                if call.asks and not call.task.done():  # else it was withdrawn meanwhile
                    return await self._park(call)
        except BaseException:
            call.task.cancel()
            raise

    async def _in_time(self, call: _Call, work: Coroutine[Any, Any, None]) -> None:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        try:
            async with asyncio.timeout(call.left):
                await work
        except TimeoutError:
            raise Refused(UPSTREAM_TOTAL, detail="the time for the whole call is over") from None
        finally:
            call.left -= loop.time() - begun

    async def _park(self, call: _Call) -> Answer:
        most = self._limits
        if self._holders[call.holder] >= most.parked or len(self._parked) >= most.connections:
            await call.turned_away()
            raise Refused(LIMIT_PARKED, detail=f"{len(self._parked)} calls wait for their callers")
        id_ = secrets.token_urlsafe(24)
        self._parked[id_] = call
        self._holders[call.holder] += 1
        loop = asyncio.get_running_loop()
        call.expiry = loop.call_later(most.input, partial(self._expire, id_, call))
        asked = {key: ask.request for key, ask in call.asks.items()}
        result = {"resultType": "input_required", "inputRequests": asked, "requestState": id_}
        return Answer(result=result, parked=True)

    def _take_out(self, id_: str, call: _Call) -> None:
        del self._parked[id_]
        if call.expiry is not None:
            call.expiry.cancel()
        self._holders[call.holder] -= 1
        if not self._holders[call.holder]:
            del self._holders[call.holder]

    def _expire(self, id_: str, call: _Call) -> None:
        self._take_out(id_, call)
        call.task.cancel()


def _owner(outbound: Outbound) -> tuple[str, str]:
    return outbound.isolation, outbound.principal


class _Ask:
    """One open question."""

    __slots__ = ("answer", "id", "request")

    def __init__(self, id_: str | int, request: Json, answer: Answered) -> None:
        self.id = id_
        self.request = request
        self.answer = answer


class _Call:
    """A running exchange and what its server has asked; fills `Asks`."""

    def __init__(self, owner: tuple[str, str], emit: Emit | None, left: float) -> None:
        self.owner = owner
        self.holder = owner[1] or owner[0]  # on whose account it waits
        self.emit = emit
        self.left = left  # seconds that the server still has
        self.asks: dict[str, _Ask] = {}
        self.task: asyncio.Task[Answer]
        self.expiry: asyncio.TimerHandle | None = None
        self._asked = 0
        self._stir = asyncio.Event()
        self._telling = asyncio.Lock()

    async def tell(self, message: Json) -> None:
        """Pass a notification on, if the caller is there to hear it."""
        async with self._telling:
            if self.emit is not None:
                await self.emit(message)

    async def hush(self) -> None:
        """Pass nothing on from now: what is on its way arrives first."""
        async with self._telling:
            self.emit = None

    def ask(self, id_: str | int, request: Json, answer: Answered) -> bool:
        """Fills `Asks`: refuses an id that is open, for the two could not be told apart."""
        if len(self.asks) >= _ASKS or self.has(id_):
            return False
        self._asked += 1
        self.asks[str(self._asked)] = _Ask(id_, request, answer)
        self._stir.set()
        return True

    def withdraw(self, id_: object) -> bool:
        """Fills `Asks`."""
        for key, open_ in self.asks.items():
            if _same(open_.id, id_):
                del self.asks[key]
                return True
        return False

    @property
    def waiting(self) -> bool:
        """Fills `Asks`."""
        return bool(self.asks)

    def has(self, id_: object) -> bool:
        """Fills `Asks`."""
        return any(_same(open_.id, id_) for open_ in self.asks.values())

    def ended(self, task: asyncio.Task[Answer]) -> None:
        """The exchange is over; whatever it has asked is void."""
        self.asks.clear()
        self._stir.set()
        if not task.cancelled():
            task.exception()  # nobody may be there to see it

    async def stirred(self) -> None:
        """Return when there is a question, or the end."""
        while not self.asks and not self.task.done():
            self._stir.clear()
            await self._stir.wait()

    async def gathered(self, sleep: Sleep) -> None:
        """Return when the server has asked no more for a moment, or as many questions as may be open."""
        for _ in range(_ASKS):
            asked = self._asked
            await sleep(_TOGETHER)
            if self._asked == asked:
                return

    async def answered(self, responses: Mapping[str, Any], declined: Mapping[str, Any]) -> None:
        """Tell the server what its questions were answered with; those left out stay open."""
        for key in tuple(self.asks):
            if key in responses and isinstance(responses[key], dict):
                await self._answer(key, {"result": responses[key]})
            elif key in declined or key in responses:
                await self._answer(key, {"error": _error(declined.get(key))})

    async def turned_away(self) -> None:
        """Tell the server that its questions cannot be asked."""
        for key in tuple(self.asks):
            await self._answer(key, _NOT_ASKED)

    async def _answer(self, key: str, outcome: Json) -> None:
        open_ = self.asks.pop(key, None)  # the server may have withdrawn it meanwhile
        if open_ is not None:
            await open_.answer(outcome)


def _same(one: object, other: object) -> bool:
    return type(one) is type(other) and one == other


def _error(error: Any) -> Json:
    if isinstance(error, dict) and type(error.get("code")) is int:
        return {"message": "", **error}
    return {"code": INVALID_REQUEST, "message": "The client's answer is not usable"}
