"""What decides about calls in one worker, or on behalf of the steward: policy and all it draws on."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from bawn.app.sealing import digest_key
from bawn.approvals.book import Book
from bawn.approvals.links import Links
from bawn.config import Config
from bawn.flows.flow import Flow
from bawn.identity.metadata import Resources
from bawn.model import Call
from bawn.policy.engine import CedarEngine
from bawn.policy.files import reading
from bawn.policy.labelling.labels import Labelled
from bawn.policy.observe import Observing
from bawn.policy.rules import Source
from bawn.policy.scopes import Scopes
from bawn.ports import Audit, Graves, PolicyEngine
from bawn.protocol.conversation import by_principal, conversation
from bawn.protocol.sealing import Sealer
from bawn.quotas.book import Quotas
from bawn.storage.approvals import StoredApprovals
from bawn.storage.counters import StoredCounters
from bawn.storage.database import Database
from bawn.storage.directory import StateDirectory
from bawn.storage.flows import StoredFlows


@dataclass(frozen=True, slots=True)
class Deciding:
    """Policy, and what it remembers."""

    policy: PolicyEngine
    scopes: Scopes
    approvals: Book
    flows: Flow
    quotas: Quotas
    conversation: Callable[[Call], str]
    links: Links


def deciding(
    config: Config,
    source: Source | None,
    state: StateDirectory,
    database: Database,
    sealer: Sealer,
    graves: Graves,
    audit: Audit,
    resources: Resources,
    random_bits: Callable[[], int],
) -> Deciding:
    """Build it of the rules that are in force.

    Raises:
        Misconfigured: they cannot be.
    """
    rules = reading.ruleset(source, config.approvals.within)
    flows = Flow(StoredFlows(database), config.flow.lifetime)
    of = _of_principal if config.flow.by == "principal" else _of_call
    engine = CedarEngine(
        rules,
        config.roles,
        clock=time.time,
        touched=lambda call: flows.touched(of(call)),
        within=config.approvals.within,
        tenant_of=config.tenants,
    )
    labelled = Labelled(rules.labels)
    places = {rule.id: rule.place for rule in rules.rules}
    book = Book(
        StoredApprovals(database),
        sealer,
        audit,
        time.time,
        random_bits,
        config.approvals,
        rules.version,
        digest_key(state),
        lambda rule: places.get(rule, ""),
    )
    return Deciding(
        engine if config.enforcement == "enforce" else Observing(engine),
        Scopes(config.scopes, resources.insufficient_scope),
        book,
        flows,
        Quotas(
            config.limits,
            config.quotas,
            StoredCounters(database),
            lambda item: labelled.traits(item).cost,
        ),
        of,
        Links(sealer, graves, config.approvals.approvers, time.time),
    )


def _of_call(call: Call) -> str:
    principal, meta = call.principal, call.params.get("_meta") or {}
    given = call.trace if call.parent is not None else None
    return conversation(principal.key, principal.agent, meta, given, call.session)


def _of_principal(call: Call) -> str:
    return by_principal(call.principal.key, call.principal.agent)
