"""Who decides, and what is seen of an approval by whoever may see it."""

from __future__ import annotations

import msgspec

from bawn.approvals.request import Request
from bawn.model import Principal
from bawn.protocol.sealing import Sealer, Unsealed
from bawn.storage.approvals import Vote


class Decider(msgspec.Struct, frozen=True):
    """Somebody who looks at approvals; who `oversees` sees those of its tenant, without arguments."""

    principal: Principal
    oversees: bool = False


class Said(msgspec.Struct, frozen=True):
    """What one person said: `verdict` is grant or deny; `at` in seconds since the epoch."""

    who: str
    verdict: str
    at: float
    note: str = ""


class Viewed(msgspec.Struct, frozen=True):
    """An approval as one person sees it. `state` may also be expired, or void since the policy changed.

    `decides` tells whether it is this person's to decide now, and `decided` that it has spoken.
    `request.arguments` is empty for who may neither decide nor asked for it.
    """

    id: str
    state: str
    created: float
    expires: float
    needs: str
    decides: bool
    decided: bool
    request: Request
    votes: tuple[Said, ...]


def said(sealer: Sealer, id_: str, vote: Vote) -> Said:
    """A vote in words; without a name when its key is gone."""
    try:
        opened = sealer.open(f"vote {id_} {vote.approver}", vote.sealed)
        return msgspec.convert(opened, Said)
    except (Unsealed, msgspec.ValidationError):
        return Said("", vote.verdict, vote.at)
