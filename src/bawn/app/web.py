"""The pages and APIs besides MCP that a worker serves: approvals, servers under review, quarantine, the registry."""

from __future__ import annotations

from functools import partial
from time import time

from starlette.routing import Route

from bawn.app import health
from bawn.app.assemble import Assembly
from bawn.assurance.trust.status import Status
from bawn.barrier.edition import Cuts
from bawn.console import pages
from bawn.console.deciders import Deciders
from bawn.console.quarantine import QuarantineApi
from bawn.console.registry import Registry
from bawn.console.servers import ServersApi
from bawn.errors import Refused
from bawn.model import Json, Principal
from bawn.pins.record import Record
from bawn.policy.roles import may_manage
from bawn.registry.collection import Collection
from bawn.storage.files import ServerFiles
from bawn.storage.quarantine import Quarantine
from bawn.transport.cors import Cors


def routes(rooms: Assembly, cors: Cors) -> list[Route]:
    """Where they are served; `cors` is for pages of other origins that read the registry."""
    deciders = Deciders(
        rooms.identity,
        rooms.sealer,
        partial(is_cut, rooms),
        lambda principal: may_manage(principal, "status"),
        time,
        rooms.config.base_url,
    )
    registry = _registry(rooms, deciders, cors)
    held = _quarantine(rooms, deciders)
    return [*_approvals(rooms, deciders), *_servers(rooms, deciders), *held, *registry]


def _approvals(rooms: Assembly, deciders: Deciders) -> list[Route]:
    decided, base = rooms.deciding, rooms.config.base_url
    return pages.routes(decided.approvals, deciders, decided.links, rooms.sealer, base)


def _servers(rooms: Assembly, deciders: Deciders) -> list[Route]:
    config = rooms.config
    api = ServersApi(
        ServerFiles(rooms.places.state.pins, Record),
        deciders,
        rooms.audit,
        lambda: config.tenants,
        frozenset(config.drift.roles),
        config.drift.approvals,
        time,
        rooms.looking.done,
        partial(_trust, rooms),
        locked=rooms.locked,
    )
    return api.routes


def _quarantine(rooms: Assembly, deciders: Deciders) -> list[Route]:
    settings = rooms.config.inspection
    store = Quarantine(rooms.places.state, settings.quarantine_days)
    return QuarantineApi(store, deciders, rooms.audit, frozenset(settings.approvers)).routes


def _trust(rooms: Assembly, server: str) -> Json | None:
    """The trust status of a server, as the steward gathered it last."""
    answers = health.read(rooms.places.health).trust.get(server)
    return None if answers is None else Status(server, answers, time()).json()


def _registry(rooms: Assembly, deciders: Deciders, cors: Cors) -> list[Route]:
    config = rooms.config
    collection = Collection(config, rooms.places.state.path, time())
    registry = Registry(
        collection.published, deciders, rooms.gateway.usable, config.registry.open, cors
    )
    return registry.routes()


def serves(rooms: Assembly) -> bool:
    """Whether a call that comes here would be answered: what is in force can be had.

    A worker whose configuration is not in force, before or after it is, passes calls on.
    """
    try:
        if rooms.follower.behind():
            rooms.follower.catch_up()
    except Refused:
        return False
    return True


def is_cut(rooms: Assembly, principal: Principal) -> bool:
    """Whether the operator has switched this caller off. A cut of all leaves the gate to be looked at."""
    serves(rooms)
    edition = rooms.follower.edition
    cuts = Cuts(edition.cuts if edition is not None else ())
    return principal.token in cuts.tokens or principal.subject in cuts.principals
