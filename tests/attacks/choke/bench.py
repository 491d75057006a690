"""A gateway on the real rooms of policy, over fake servers: engine, scopes, quotas, book of approvals."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from bawn.approvals.book import Book
from bawn.catalogue import Catalogue
from bawn.config import Limits, RoleRule
from bawn.config.policy import ApprovalsConfig, Quota
from bawn.feeds.board import Board
from bawn.gateway.door import Gateway
from bawn.gateway.streams import Streams
from bawn.model import Call
from bawn.policy.engine import CedarEngine
from bawn.policy.observe import Observing
from bawn.policy.scopes import Scopes
from bawn.ports import PolicyEngine
from bawn.quotas.book import Quotas
from bawn.storage.approvals import StoredApprovals
from bawn.storage.counters import StoredCounters
from bawn.storage.database import Database
from tests.attacks.choke import rules, world
from tests.gate import House, challenge

PAGE = 2
"""Entries on a page, so that lists have several."""


@dataclass(frozen=True)
class Setting:
    """What the operator has configured."""

    policy: tuple[rules.Drawn, ...]
    roles: Mapping[str, RoleRule]
    scopes: Mapping[str, RoleRule]
    quotas: tuple[Quota, ...]
    isolations: world.Isolations
    observing: bool = False
    servers: frozenset[str] = frozenset(world.TENANT_OF)


def conversation(call: Call) -> str:
    """The conversation of a call: one for each caller, agent and session."""
    return f"{call.principal.key}|{call.principal.agent}|{call.session}"


class Bench:
    """A gate with that configuration; its policy and its View can be swapped."""

    def __init__(self, setting: Setting, database: Database) -> None:
        database.change("DELETE FROM approvals")
        database.change("DELETE FROM counters")
        self._database = database
        self._servers = {
            name: server
            for name, server in world.configured(setting.isolations).items()
            if name in setting.servers
        }
        self.house = House(
            policy=self._engine(setting, None), servers=self._servers, serving=False, wait=0.0,
            limits=Limits(page=PAGE),
        )  # fmt: skip
        self.house.clock.now = world.NOON
        for upstream in self.house.upstreams.values():
            upstream.behave = world.behave
        self.setting = setting
        self.later = False
        self.enforce(setting)

    def _engine(self, setting: Setting, house: House | None) -> PolicyEngine:
        """The engine of this policy; without a house nothing is asked of it."""
        engine = CedarEngine(
            rules.ruleset(setting.policy),
            setting.roles,
            clock=lambda: house.clock() if house else 0.0,
            touched=lambda call: house.flows.touched(conversation(call)) if house else frozenset(),
            tenant_of={name: server.tenant for name, server in self._servers.items()},
        )
        return Observing(engine) if setting.observing else engine

    def enforce(self, setting: Setting) -> None:
        """Have a new worker take over, with this configuration and all that is stored."""
        self.setting, house = setting, self.house
        policy = self._engine(setting, house)
        clock, key = house.clock, b"d" * 32
        numbers = itertools.count(int(house.bits()) << 64)
        self.book = Book(
            StoredApprovals(self._database, clock), house.sealer, house.audit, clock,
            lambda: next(numbers), ApprovalsConfig(), rules.ruleset(setting.policy).version, key,
        )  # fmt: skip
        counters = StoredCounters(self._database, clock)
        config = house.config.model_copy(update={"scopes": dict(setting.scopes)})
        stages = replace(
            house.gateway._stages,
            policy=policy,
            approvals=self.book,
            scopes=Scopes(setting.scopes, lambda named, endpoint: f"Bearer {' '.join(named)}"),
            quotas=Quotas(house.config.limits, setting.quotas, counters, lambda item: 1, clock),
            conversation=conversation,
        )
        house.policy = policy
        house.streams = Streams(
            Board(house.upstreams), house.config.limits.listens, house._catch_up
        )
        catalogue = Catalogue(policy, house.sealer, PAGE)
        house.gateway = Gateway(
            config, stages, catalogue, house.sessions, house.streams,
            house.bits, challenge,
        )  # fmt: skip
        self.view(self.later)

    def view(self, later: bool) -> None:
        """Serve what the servers offer at first, or later."""
        self.later = later
        house = self.house
        house.gateway.swap(house.view(*self.listings))

    @property
    def listings(self) -> list[Any]:
        """What the servers say of themselves now."""
        return world.listings(self.later, self.setting.servers)
