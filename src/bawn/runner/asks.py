"""What a legacy process asks while it works on calls: put to a caller, and its answer brought back.

Standard input and output do not say which call a question belongs to. All calls in one child that
may be asked anything are one principal's, so it goes to the newest that offered it and does not wait
for its caller yet; else to the newest that offered it.

Sources: client/sampling, client/elicitation and client/roots (2025-11-25).
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from bawn.errors import INTERNAL_ERROR, INVALID_PARAMS, METHOD_NOT_FOUND
from bawn.model import Json
from bawn.protocol import capabilities
from bawn.runner.pending import Pending

MOST: Final = 64
"""Open questions of one process,"""
EACH: Final = 8
"""and of one call."""
LONGEST_ID: Final = 256

MIDWAY: Final = frozenset({"tools/call", "prompts/get", "resources/read"})
"""Whose callers can be asked: the methods that may be answered by `input_required`."""


@dataclass(frozen=True, slots=True)
class _Ask:
    """An open question: the process's own id, and the call whose caller is asked."""

    theirs: str | int
    pending: Pending


class Asks:
    """The open questions of one process; `offered` is what it was offered when it was initialised."""

    def __init__(self, send: Callable[[Json], None]) -> None:
        self._send = send
        self.offered: Json = {}
        self._open: dict[str, _Ask] = {}  # by an id of ours, which nobody can guess
        self._theirs: dict[str | int, str] = {}

    def knows(self, theirs: str | int) -> bool:
        """Whether a question of this id is open: a second one could not be answered by itself."""
        return theirs in self._theirs

    def put(self, message: Json, calls: dict[int, Pending]) -> None:
        """Ask a caller, or tell the process why not."""
        theirs, method, params = message["id"], message["method"], message.get("params")
        if not capabilities.may_ask(method, self.offered):
            self._decline(theirs, METHOD_NOT_FOUND, "This was not offered by the client")
            return
        if not capabilities.fits(method, params, self.offered):
            self._decline(theirs, INVALID_PARAMS, "This was not offered in such a way")
            return
        pending = None if len(self._open) >= MOST else _addressee(method, params, calls)
        if pending is None or pending.caller is None:
            self._decline(theirs, INTERNAL_ERROR, "No call is open whose client could be asked")
            return
        ours = secrets.token_urlsafe(24)
        self._open[ours] = _Ask(theirs, pending)
        self._theirs[theirs] = ours
        pending.ask()
        asked = {} if params is None else {"params": params}
        pending.caller.tell({"jsonrpc": "2.0", "id": ours, "method": method, **asked})

    def answer(self, ours: str, outcome: Json) -> bool:
        """Bring {"result"} or {"error"} to the process; False when this id is not open."""
        ask = self._take(ours)
        if ask is None:
            return False
        self._send({"jsonrpc": "2.0", "id": ask.theirs, **outcome})
        return True

    def withdraw(self, theirs: Any) -> bool:
        """The process no longer wants to know; False when it has not asked this."""
        known = isinstance(theirs, str | int) and not isinstance(theirs, bool)
        ours = self._theirs.get(theirs) if known else None
        ask = None if ours is None else self._take(ours)
        if ask is None or ask.pending.caller is None:
            return False
        told = {"method": "notifications/cancelled", "params": {"requestId": ours}}
        ask.pending.caller.tell({"jsonrpc": "2.0", **told})
        return True

    def end(self, pending: Pending) -> None:
        """A call is over: nobody will answer what was asked for its sake."""
        for ours in [ours for ours, ask in self._open.items() if ask.pending is pending]:
            ask = self._open.pop(ours)
            del self._theirs[ask.theirs]
            self._decline(ask.theirs, INTERNAL_ERROR, "The call that this belonged to is over")

    def _take(self, ours: str) -> _Ask | None:
        ask = self._open.pop(ours, None)
        if ask is not None:
            del self._theirs[ask.theirs]
            ask.pending.settle()
        return ask

    def _decline(self, theirs: str | int, code: int, message: str) -> None:
        error = {"code": code, "message": message}
        self._send({"jsonrpc": "2.0", "id": theirs, "error": error})


def _addressee(method: str, params: Any, calls: dict[int, Pending]) -> Pending | None:
    """The newest call that offered this and waits for nothing, or else the newest that offered it."""
    waiting: Pending | None = None
    for pending in reversed(calls.values()):
        if not _may_be_asked(pending, method, params):
            continue
        if not pending.asks:
            return pending
        waiting = waiting or pending
    return waiting


def _may_be_asked(pending: Pending, method: str, params: Any) -> bool:
    caller = pending.caller
    return (
        caller is not None
        and pending.method in MIDWAY
        and pending.asks < EACH
        and not pending.answered.done()
        and capabilities.may_ask(method, caller.offers)
        and capabilities.fits(method, params, caller.offers)
    )
