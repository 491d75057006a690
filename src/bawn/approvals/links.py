"""Links by which one approver decides one approval, once: whoever has the link is that approver.

The link tells who and what, sealed; what that person may decide is in the configuration of now.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from bawn.approvals.request import Request
from bawn.config.policy import Approver
from bawn.errors import APPROVAL_UNKNOWN, Refused
from bawn.model import Principal
from bawn.ports import Graves
from bawn.protocol.sealing import Sealer, Unsealed

ISSUER: Final = "approvals.approvers"
"""The issuer of the principals that links speak for."""

_PURPOSE: Final = "approval link"


class Link(msgspec.Struct, frozen=True):
    """What a link says; `expires` is in seconds since the epoch."""

    approval: str
    approver: str
    expires: float


class Links:
    """Makes and opens links; `graves` remembers which were used to decide."""

    def __init__(
        self,
        sealer: Sealer,
        graves: Graves,
        approvers: Iterable[Approver],
        clock: Callable[[], float],
    ) -> None:
        self._sealer = sealer
        self._graves = graves
        self._approvers = {approver.name: approver for approver in approvers}
        self._clock = clock

    def make(self, approval: str, approver: Approver, expires: float) -> str:
        """The last part of the link's path."""
        link = Link(approval, approver.name, expires)
        return self._sealer.seal(_PURPOSE, msgspec.to_builtins(link))

    def opened(self, token: str) -> tuple[Link, Principal]:
        """What a link says, and whom it speaks for.

        Raises:
            Refused: approval.unknown, when it is none of ours, is over or of nobody any more.
        """
        try:
            link = msgspec.convert(self._sealer.open(_PURPOSE, token), Link)
        except (Unsealed, msgspec.ValidationError):
            raise Refused(APPROVAL_UNKNOWN, detail="the link was not made by this gate") from None
        approver = self._approvers.get(link.approver)
        if approver is None or link.expires <= self._clock():
            raise Refused(APPROVAL_UNKNOWN, detail="the link is over, or its approver was removed")
        return link, principal_of(approver)

    def use(self, link: Link) -> None:
        """Use the link up, and every other one of the same approver to the same approval.

        Raises:
            Refused: approval.unknown, when that was done before; store.unavailable.
        """
        handle = f"approval link {link.approval} {link.approver}"
        if not self._graves.once(handle, link.expires):
            raise Refused(APPROVAL_UNKNOWN, detail="the link was used before")


def principal_of(approver: Approver) -> Principal:
    """An approver as the one who decides: by its own subject, where the configuration tells."""
    subject = approver.subject or approver.name
    return Principal(
        subject, ISSUER, frozenset(approver.roles), float("inf"), tenant=approver.tenant
    )


def concerns(request: Request, approver: Approver) -> bool:
    """Whether this approver is among those whose consent a request needs."""
    who = principal_of(approver)
    return (
        who.tenant == request.tenant
        and who.subject != request.who
        and any(who.roles & ask.roles for ask in request.asks)
    )
