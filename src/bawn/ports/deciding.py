"""Who may do what: identity, policy, and what policy remembers."""

from __future__ import annotations

from typing import Protocol

from bawn.model import Approval, Call, Decision, Item, Label, Peer, Principal, View


class Identity(Protocol):
    """Who is calling. Anything but a Principal is an exception: there is no anonymous default."""

    def recognise(self, authorization: bytes | None, peer: Peer, now: float) -> Principal | None:
        """The principal when no I/O is needed (verified before, or a local peer), else None.

        Raises:
            Refused: the credentials are missing, or known to be bad or expired.
        """

    async def verify(self, authorization: bytes, now: float) -> Principal:
        """The principal of a token not seen before.

        Raises:
            Refused: the token is not good, or cannot be checked.
        """


class PolicyEngine(Protocol):
    """What a principal may do."""

    def decide(self, call: Call, item: Item) -> Decision:
        """What policy says of this call of this item; deny is the default. Never raises.

        The call's method counts, and of its params what policies look at.
        """

    def may(self, principal: Principal, item: Item) -> bool:
        """Whether some call of this item could be allowed, asked for or not: whether it is shown."""

    def permission_set(self, principal: Principal) -> str:
        """A key that is equal for principals who may do the same things: lists are cached by it."""

    def touches(self, item: Item) -> frozenset[Label]:
        """What a call of this item does to its conversation; nothing where no policy looks at that."""

    def swap(self, view: View) -> None:
        """Decide by this View's items from now on."""


class Flows(Protocol):
    """What conversations have touched, over all workers; a conversation is named by an opaque key."""

    def touched(self, conversation: str) -> frozenset[Label]:
        """What it has touched, as far as that has not expired.

        Raises:
            Refused: store.unavailable.
        """

    def touch(self, conversation: str, labels: frozenset[Label]) -> None:
        """Remember that it touches these now; returns when any worker knows.

        Raises:
            Refused: store.unavailable.
        """


class Quotas(Protocol):
    """How often and how much: rates, concurrency and budgets."""

    by_conversation: bool
    """Whether anything is counted by conversation."""

    servers: dict[str, int]
    """Calls in flight at this worker, by server; those without are not there."""

    def enter(self, call: Call, item: Item, conversation: str) -> object:
        """Count a call in; what is returned goes to `leave`.

        Raises:
            Refused: limit.principal, limit.server, limit.concurrency; limit.rate and limit.budget with
                `retry_after`; store.unavailable. Then nothing is in flight.
        """

    def leave(self, entered: object, size: int) -> None:
        """Count it out again; `size` is the bytes of its result. Never raises."""


class Approvals(Protocol):
    """Consent to calls: durable, bound to one request, used once, the same for all workers."""

    def ask(self, call: Call, item: Item, decision: Decision) -> Approval:
        """The approval that this very request has or waits for, else a new one that waits.

        Very same: principal, item and its definition, method and arguments, policy version.

        Raises:
            Refused: limit.approvals, audit.unavailable, store.unavailable.
        """

    def look(self, id_: str, call: Call, decision: Decision) -> Approval:
        """How an approval that `ask` gave for this call stands now, expired or void among the states.

        Raises:
            Refused: approval.unknown, when it has gone; store.unavailable.
        """

    def confirm(self, id_: str, call: Call, item: Item, decision: Decision) -> Approval:
        """The caller's own consent to this very request.

        Raises:
            Refused: approval.unknown, when it is not this request's or not the caller's to give;
                audit.unavailable, store.unavailable.
        """

    def refuse(self, id_: str, call: Call, item: Item, decision: Decision) -> None:
        """The caller's own no. Raises as `confirm`."""

    def use(self, approval: Approval) -> bool:
        """Use up one that is granted; False when it is not, or was used before, by whichever worker.

        Raises:
            Refused: audit.unavailable, store.unavailable, and then it counts as used.
        """
