"""`requestState`: what the gate has to know when a caller comes back with what a server asked for.

The caller carries it, so it is sealed, bound to who asked what, and serves once. The server's own
state, if it gave one, lies inside. Source: basic/patterns/mrtr (2026-07-28).
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any, Final

import msgspec

from bawn.errors import MESSAGE_PARAMS, STATE_INVALID, Refused
from bawn.model import Json
from bawn.protocol.sealing import Sealer, Unsealed

STATE: Final = "requestState"
RESPONSES: Final = "inputResponses"
LONGEST: Final = 64 << 10
"""Bytes of a server's own state, written as JSON: sealed, it has to fit into what `Sealer.open` reads."""

_PURPOSE: Final = "round"
_OWN: Final = frozenset({"_meta", STATE, RESPONSES})

_encode: Final = msgspec.json.Encoder(order="deterministic").encode


class State(msgspec.Struct, frozen=True):
    """What was asked, by whom and of which server; `inner` is the server's own state, if it has one.

    `owner` is the slot of the worker in which the call is `parked`; `view` is what it was decided by.
    `approval` names what the gate itself asked for: then nothing has reached the server yet. `consented`
    is what was consented to when the call left.
    """

    principal: str
    endpoint: str | None
    server: str
    method: str
    name: str
    digest: str
    inner: str | None
    parked: bool
    owner: int
    view: str
    expires: float
    nonce: str
    approval: str = ""
    consented: frozenset[str] = frozenset()


def digest(method: str, params: Json) -> str:
    """Equal for requests that ask the same, whatever their metadata and the order of their keys."""
    return sha256(_encode([method, asked(params)])).hexdigest()


def asked(params: Json) -> Json:
    """What a request asks: its params without metadata, and without what belongs to a way back."""
    return {key: value for key, value in params.items() if key not in _OWN}


def seal(sealer: Sealer, state: State) -> str:
    """The state as its caller carries it."""
    return sealer.seal(_PURPOSE, msgspec.to_builtins(state))


def opened(sealer: Sealer, text: Any) -> State:
    """What was sealed, not yet held against the request that brings it.

    Raises:
        Refused: state.invalid.
    """
    try:
        return msgspec.convert(sealer.open(_PURPOSE, text), State)
    except (Unsealed, msgspec.ValidationError) as error:
        raise Refused(
            STATE_INVALID, detail="it was not sealed by this gate, or long ago"
        ) from error


def is_retry(params: Json) -> bool:
    """Whether a request brings what a server asked for.

    Raises:
        Refused: message.params when one of its two parameters is of a wrong type.
    """
    if STATE not in params and RESPONSES not in params:
        return False
    if not isinstance(params.get(STATE, ""), str):
        raise Refused(MESSAGE_PARAMS, f"`{STATE}` must be a string")
    responses = params.get(RESPONSES, {})
    if not isinstance(responses, dict) or not all(isinstance(v, dict) for v in responses.values()):
        raise Refused(MESSAGE_PARAMS, f"`{RESPONSES}` must be an object of objects")
    return True


def unwrapped(params: Json, inner: str | None) -> Json:
    """The params with the server's own state in the place of ours: none when it gave none."""
    kept = {key: value for key, value in params.items() if key != STATE}
    return kept if inner is None else {**kept, STATE: inner}
