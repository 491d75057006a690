"""What a server asks a legacy caller: requests on the stream of the call, answered by other messages.

Sources: the client feature pages and basic/transports (2025-11-25).
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Final, TypeAlias

import msgspec

from bawn.config import Limits
from bawn.errors import INPUT_FAILED, INPUT_UNDECLARED, LIMIT_HELD, LIMIT_PARKED, Refused
from bawn.model import Call, Json
from bawn.policy.isolation import account
from bawn.ports import Arrival, Emit
from bawn.protocol import asking, legacy_client
from bawn.protocol.envelope import Response
from bawn.protocol.strict import encode

_Named: TypeAlias = tuple[str, str | None, str | None, str]
"""Who was asked, at which endpoint, in which session, under which id."""

_DIGITS: Final = 6
_LONGEST: Final = 64
_HELD: Final = 16 << 20
"""Bytes of one principal's answers that wait for others of the same calls."""
_CANCEL: Final = "notifications/cancelled"


class Answers(msgspec.Struct, frozen=True):
    """What came back, by the server's keys: results, and the errors of what was not answered."""

    responses: Json
    declined: Json


class Asks:
    """Asks callers and waits for them. `slot` tells whose ask an id is, `patience` is in seconds.

    `most` calls of one principal wait at once.
    """

    def __init__(
        self,
        random_bits: Callable[[], int],
        slot: int,
        patience: float,
        most: int = Limits().parked,
    ) -> None:
        self._random_bits = random_bits
        self._slot = slot
        self._patience = patience
        self._most = most
        self._waiting: dict[_Named, asyncio.Future[Response]] = {}
        self._calls: Counter[str] = Counter()  # that wait, by principal
        self._held: Counter[str] = Counter()  # bytes of answers while others are awaited

    async def ask(
        self, call: Call, requests: Json, emit: Emit, patience: float | None = None
    ) -> Answers:
        """Ask the caller of this call everything at once, and wait for all answers.

        Raises:
            Refused: input.undeclared, when the client cannot be asked this; input.failed when it
                does not answer in time; limit.parked.
        """
        lacking = asking.undeclared(requests, legacy_client.capabilities(call.client))
        if call.session is None:
            lacking = lacking or {}
        if lacking is not None:
            raise Refused(INPUT_UNDECLARED, data={"requiredCapabilities": lacking})
        asked = {key: self._message(call, request) for key, request in requests.items()}
        whose = account(call.principal)
        if asked and self._calls[whose] >= self._most:
            raise Refused(LIMIT_PARKED, f"{self._most} are")
        self._calls[whose] += 1
        waiting = {key: self._expect(call, message["id"]) for key, message in asked.items()}
        try:
            for message in asked.values():
                await emit(message)
            if waiting:
                await asyncio.wait(
                    waiting.values(), timeout=self._patience if patience is None else patience
                )
            late = [asked[key]["id"] for key, answer in waiting.items() if not answer.done()]
            if late:
                await self._withdraw(late, emit)
                raise Refused(INPUT_FAILED, "the client did not answer in time")
            found = {key: answer.result() for key, answer in waiting.items()}
        finally:
            for message in asked.values():
                self._forget(_named(call, message["id"]))
            self._calls -= Counter({whose: 1})  # whoever has none is forgotten
        return Answers(
            {
                key: legacy_client.input_result(requests[key]["method"], answer.result)
                for key, answer in found.items()
                if answer.result is not None
            },
            {key: answer.error for key, answer in found.items() if answer.error is not None},
        )

    def elsewhere(self, id_: object) -> int | None:
        """The worker that asked this, if it is another one: it need not be the one that has the session."""
        slot, dot, _ = str(id_)[:_LONGEST].partition(".")
        asked = dot and slot.isascii() and slot.isdigit() and len(slot) < _DIGITS
        return int(slot) if asked and int(slot) != self._slot else None

    def answered(self, arrival: Arrival, session: str | None, response: Response) -> None:
        """Take an answer; one that nobody waits for any more is let go.

        Raises:
            Refused: limit.held, when too much lies here already that waits for other answers.
        """
        named = (account(arrival.principal), arrival.endpoint, session, str(response.id))
        waiting = self._waiting.get(named)
        if waiting is None or waiting.done():
            return
        size = _size(response)
        if self._held[named[0]] + size > _HELD:
            raise Refused(LIMIT_HELD, "answers of this caller wait for others of the same calls")
        self._held[named[0]] += size
        waiting.set_result(response)

    def _message(self, call: Call, request: Json) -> Json:
        version = call.client.version
        made = legacy_client.input_request(request["method"], request.get("params") or {}, version)
        if made is None:
            raise Refused(INPUT_UNDECLARED, f"a client of {version} cannot be asked this")
        id_ = f"{self._slot}.{self._random_bits():032x}"
        return {"jsonrpc": "2.0", "id": id_, **made}

    def _expect(self, call: Call, id_: str) -> asyncio.Future[Response]:
        answer: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        self._waiting[_named(call, id_)] = answer
        return answer

    def _forget(self, named: _Named) -> None:
        waiting = self._waiting.pop(named, None)
        if waiting is not None and waiting.done():
            self._held -= Counter({named[0]: _size(waiting.result())})

    async def _withdraw(self, ids: Iterable[str], emit: Emit) -> None:
        for id_ in ids:
            told = {"requestId": id_, "reason": "it took too long"}
            await emit({"jsonrpc": "2.0", "method": _CANCEL, "params": told})


def instead(result: Json, declined: Json) -> Json:
    """What stands for the errors of a legacy client where only results can: a cancelled elicitation.

    Raises:
        Refused: input.failed, for anything but elicitations.
    """
    for key, error in declined.items():
        if result["inputRequests"][key]["method"] != "elicitation/create":
            code = error.get("code")
            raise Refused(INPUT_FAILED, detail=f"the client answered with error {code!r:.20}")
    return {key: {"action": "cancel"} for key in declined}


def _size(response: Response) -> int:
    return len(encode(response.result if response.error is None else response.error))


def _named(call: Call, id_: str) -> _Named:
    return account(call.principal), call.endpoint, call.session, id_
