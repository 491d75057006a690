"""What a server asks a modern caller, and the caller's way back: sealed, bound, and used once.

Source: basic/patterns/mrtr (2026-07-28).
"""

from __future__ import annotations

from collections.abc import Callable

from bawn.errors import STATE_INVALID, STATE_USED, UPSTREAM_INVALID, Refused
from bawn.model import Answer, Call, Item
from bawn.ports import Graves
from bawn.protocol import rounds
from bawn.protocol.rounds import STATE, State
from bawn.protocol.sealing import Sealer
from bawn.protocol.strict import encode


class Rounds:
    """Hands out states and takes them back; `slot` is this worker's place, `lasts` in seconds."""

    def __init__(
        self,
        sealer: Sealer,
        graves: Graves,
        clock: Callable[[], float],
        random_bits: Callable[[], int],
        slot: int,
        lasts: float,
    ) -> None:
        self._sealer = sealer
        self._graves = graves
        self._clock = clock
        self._random_bits = random_bits
        self._slot = slot
        self._lasts = lasts

    def state(
        self, call: Call, item: Item, answer: Answer, view: str, *, approval: str = "",
        consented: frozenset[str] = frozenset(),
    ) -> str:  # fmt: skip
        """The state with which the caller of this call may come back.

        Raises:
            Refused: upstream.invalid, when the server's own is too large to be carried.
        """
        inner = (answer.result or {}).get(STATE)
        if isinstance(inner, str) and len(encode(inner)) > rounds.LONGEST:
            detail = f"its requestState is longer than {rounds.LONGEST}"
            raise Refused(UPSTREAM_INVALID, detail=detail)
        return rounds.seal(
            self._sealer,
            State(
                principal=call.principal.key,
                endpoint=call.endpoint,
                server=item.server,
                method=call.method,
                name=item.name,
                digest=rounds.digest(call.method, call.params),
                inner=inner,
                parked=answer.parked,
                owner=self._slot,
                view=view,
                expires=self._clock() + self._lasts,
                nonce=f"{self._random_bits():032x}",
                approval=approval,
                consented=consented,
            ),
        )

    def opened(self, call: Call) -> State:
        """The state that a retry brings, held against whose it is and what it asks.

        Raises:
            Refused: state.invalid.
        """
        state = rounds.opened(self._sealer, call.params.get(STATE))
        asked = (call.principal.key, call.endpoint, call.method)
        if asked != (state.principal, state.endpoint, state.method):
            raise Refused(
                STATE_INVALID, detail="it was given to another caller, or for another method"
            )
        if state.digest != rounds.digest(call.method, call.params):
            raise Refused(STATE_INVALID, detail="the request differs from the one it was given for")
        if self._clock() >= state.expires:
            raise Refused(STATE_INVALID, "it has expired")
        return state

    def elsewhere(self, state: State) -> bool:
        """Whether the call waits in another worker."""
        return state.parked and state.owner != self._slot

    def use(self, state: State, item: Item) -> None:
        """Use a state up, for the server and the item that it was given for.

        Raises:
            Refused: state.invalid, state.used; store.unavailable, and then it does not serve either.
        """
        if (state.server, state.name) != (item.server, item.name):
            raise Refused(
                STATE_INVALID, detail="what it was given for stands for something else now"
            )
        # kept as long as it opens, and beyond: a clock set back must not make it serve twice
        if not self._graves.once(f"round {state.nonce}", state.expires):
            raise Refused(STATE_USED)
