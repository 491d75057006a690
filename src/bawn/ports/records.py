"""What is written down of calls, and counted."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Protocol

from bawn.model import Call, Decision, Item, Json, Principal


class Audit(Protocol):
    """The record without which nothing leaves."""

    def intent(self, call: Call, item: Item, decision: Decision) -> int:
        """Append that this call is about to leave; returns its number within the segment.

        Raises:
            Refused: audit.unavailable, and then the call must not leave.
        """

    def durable(self, intent: int) -> Awaitable[None] | None:
        """What to await before the call leaves, asked right after `intent`; None when there is nothing.

        Raises:
            Refused: audit.unavailable, here or when awaited, and then the call must not leave.
        """

    def outcome(self, intent: int, trace: str, status: str, seconds: float, size: int) -> None:
        """Append how an intent ended: `ok`, `error`, `cancelled` or a reason id. Never raises."""

    def refusal(self, call: Call, reason: str, detail: str) -> None:
        """Append that a call was refused before it left. Never raises."""

    def event(self, principal: Principal, what: str, trace: str, detail: Json) -> None:
        """Append what somebody did that is no call, such as `approval.granted`; `detail` is sealed.

        Raises:
            Refused: audit.unavailable, and then it must not take effect.
        """


class Meter(Protocol):
    """Counts calls; called once for each, on the hot path."""

    def call(self, server: str, method: str, status: str, seconds: float) -> None:
        """One call ended."""

    def refusal(self, reason: str) -> None:
        """Something was refused, by reason id."""

    def finding(self, way: str, family: str, action: str) -> None:
        """Inspection found something of a family of rules, and this was done about it."""
