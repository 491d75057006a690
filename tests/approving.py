"""A book of approvals over a real store, people who decide, and what the audit was told."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, cast

from bawn.approvals.book import Book
from bawn.approvals.links import Links
from bawn.approvals.viewed import Decider, Viewed
from bawn.config.policy import ApprovalsConfig, Approver
from bawn.errors import AUDIT_UNAVAILABLE, Refused
from bawn.model import Approval, Ask, Call, Client, Decision, Item, Json, Kind, Principal
from bawn.ports import Audit
from bawn.protocol.sealing import Sealer
from bawn.storage.approvals import StoredApprovals
from bawn.storage.database import Database
from bawn.storage.tombstones import Tombstones

T = TypeVar("T")

NOW = 1_800_000_000.0
IDP = "https://idp.example.com"
ONCALL = Ask("deploys ask", frozenset({"oncall"}), False, 1, 900.0)
TWO = Ask("deploys need two", frozenset({"oncall"}), False, 2, 900.0)
SELF = Ask("deletes ask", frozenset(), True, 1, 900.0)
EITHER = Ask("either", frozenset({"oncall"}), True, 1, 900.0)
SECURITY = Ask("security looks", frozenset({"security"}), False, 1, 600.0)
TOOL = Item(Kind.TOOL, "deploys", "roll_out", "deploys__roll_out", {"name": "roll_out", "v": 1})


def person(
    subject: str, *roles: str, issuer: str = IDP, tenant: str = "", **more: Any
) -> Principal:
    """Somebody with a token."""
    return Principal(subject, issuer, frozenset(roles), 2e9, tenant=tenant, **more)


ADA = person("ada", "developer")
BOB = person("bob", "oncall")
CAROL = person("carol", "oncall")
EVE = person("eve", "developer")


def call(
    who: Principal = ADA,
    arguments: Json | None = None,
    *,
    endpoint: str | None = None,
    **params: Any,
) -> Call:
    """A call of TOOL as it comes on the aggregate endpoint, or on its server's own."""
    name = TOOL.shown if endpoint is None else TOOL.name
    asked = {"to": "production"} if arguments is None else arguments
    return Call(
        1, "tools/call", {"name": name, "arguments": asked, **params}, who, endpoint,
        Client("2026-07-28", "agent-app"), f"{7:032x}",
    )  # fmt: skip


def asking(*asks: Ask) -> Decision:
    """A call that may leave with consent."""
    return Decision(True, "permit developers", asks or (ONCALL,))


class FakeAudit:
    """Keeps what happened; `broken` is a full disk."""

    def __init__(self) -> None:
        self.events: list[tuple[str, str, str, Json]] = []
        self.broken = False

    def event(self, principal: Principal, what: str, trace: str, detail: Json) -> None:
        if self.broken:
            raise Refused(AUDIT_UNAVAILABLE)
        self.events.append((principal.subject, what, trace, detail))

    @property
    def told(self) -> list[tuple[str, str]]:
        return [(who, what) for who, what, _, _ in self.events]


class Office:
    """One gate's approvals: workers share the database, the keys and the clock."""

    def __init__(self, path: Path, **config: Any) -> None:
        self.path = path / "state.db"
        self.now = NOW
        self.audit = FakeAudit()
        self.config = ApprovalsConfig(**config)
        self.keys = [b"k" * 32]
        self.sealer = self.new_sealer()
        self._databases: list[Database] = []
        self.book = self.worker()

    def clock(self) -> float:
        return self.now

    def new_sealer(self) -> Sealer:
        return Sealer(self.keys, partial(os.urandom, 12))

    def database(self) -> Database:
        self._databases.append(Database(self.path))
        return self._databases[-1]

    def store(self) -> StoredApprovals:
        return StoredApprovals(self.database(), self.clock)

    def at_once(self, *actions: Callable[[Book], T]) -> list[T | Refused]:
        """What each action comes to, all of them at once and each at a worker of its own."""

        def run(action: Callable[[Book], T]) -> T | Refused:
            database = Database(self.path)  # SQLite's are for one thread
            try:
                return action(self.worker(store=StoredApprovals(database, self.clock)))
            except Refused as refused:
                return refused
            finally:
                database.close()

        with ThreadPoolExecutor(4) as pool:
            return [each.result() for each in [pool.submit(run, action) for action in actions]]

    def worker(self, policy: str = "p1", store: StoredApprovals | None = None) -> Book:
        """Another worker's book."""
        return Book(
            store or self.store(),
            self.sealer,
            cast(Audit, self.audit),
            self.clock,
            partial(secrets.randbits, 128),
            self.config,
            policy,
            b"d" * 32,
            lambda rule: f"{rule.split()[0]}.cedar:3",
        )

    def links(self) -> Links:
        """Links for the approvers that are configured."""
        graves = Tombstones(self.database(), self.clock)
        return Links(self.sealer, graves, self.config.approvers, self.clock)

    def ask(self, *asks: Ask, **how: Any) -> Approval:
        """Ask for ADA's call, or who else's."""
        return self.book.ask(call(**how), TOOL, asking(*asks))

    def listed(self, who: Principal, state: str) -> list[Viewed]:
        """All that this person sees of one state."""
        return [each for page in self.book.listed(Decider(who), state) for each in page]

    def grant(self, approval: Approval, who: Principal, note: str = "") -> str:
        """The state after this person's consent."""
        return self.book.decide(approval.id, Decider(who), "grant", note).state

    def deny(self, approval: Approval, who: Principal) -> str:
        """The state after this person's no."""
        return self.book.decide(approval.id, Decider(who), "deny").state

    def close(self) -> None:
        for database in self._databases:
            database.close()


def approver(name: str, *roles: str, **more: Any) -> Approver:
    """Somebody who is told."""
    fields: dict[str, Any] = {"webhook": "https://hooks.example.com/x", **more}
    return Approver(name=name, roles=roles or ("oncall",), **fields)
