"""What the gateway is made of; `app/` fills it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bawn.gateway.asks import Asks
from bawn.gateway.homes import Homes
from bawn.gateway.notes import Notes
from bawn.gateway.rounds import Rounds
from bawn.model import Call
from bawn.policy.scopes import Scopes
from bawn.ports import (
    Approvals,
    Audit,
    Barrier,
    Flows,
    Inspector,
    Judges,
    Meter,
    PolicyEngine,
    Quotas,
    Upstream,
)
from bawn.protocol.sealing import Sealer


@dataclass(frozen=True, slots=True)
class Stages:
    """The rooms and registers that a call meets on its way."""

    barrier: Barrier
    policy: PolicyEngine
    scopes: Scopes
    approvals: Approvals
    flows: Flows
    quotas: Quotas
    inspector: Inspector
    judges: Judges
    audit: Audit
    meter: Meter
    upstreams: Mapping[str, Upstream]
    homes: Homes
    rounds: Rounds
    asks: Asks
    notes: Notes
    sealer: Sealer
    conversation: Callable[[Call], str]  # the key of the one that a call belongs to
    clock: Callable[[], float]  # seconds since the epoch
