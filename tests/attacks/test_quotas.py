"""Evading quotas and washing a conversation clean: what a caller can vary, and what it gains."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bawn.config.limits import Limits
from bawn.config.policy import Quota
from bawn.errors import Refused
from bawn.flows.flow import Flow
from bawn.model import Call, Client, Item, Kind, Label, Principal
from bawn.protocol.conversation import HANDLE, by_principal, conversation
from bawn.quotas.book import Quotas
from bawn.storage.counters import StoredCounters
from bawn.storage.database import Database
from bawn.storage.flows import StoredFlows

READ = Item(Kind.TOOL, "files", "read", "files__read", {"name": "read"})
PRIVATE = frozenset({Label.PRIVATE})
MOST = 3


class Clock:
    """The time of both workers: in the first quarter of a minute of the clock."""

    now = 1_000_000_020.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def databases(tmp_path: Path) -> Iterator[tuple[Database, Database]]:
    opened = Database(tmp_path / "state.db"), Database(tmp_path / "state.db")
    yield opened
    for database in opened:
        database.close()


class Gate:
    """Two workers with the same quotas; calls come to them by turns."""

    def __init__(self, databases: tuple[Database, Database], **settings: Any) -> None:
        clock = Clock()
        quota = Quota.model_validate(settings)
        self.workers = [
            Quotas(Limits(), (quota,), StoredCounters(database, clock), lambda item: 1, clock)
            for database in databases
        ]
        self.calls = 0

    def lets_in(self, call: Call, item: Item, key: str) -> bool:
        self.calls += 1
        worker = self.workers[self.calls % 2]
        try:
            worker.leave(worker.enter(call, item, key), 100)
        except Refused as refused:
            return refused.reason.id not in {"limit.rate", "limit.budget"}
        return True


def call(number: int = 0, endpoint: str | None = None, **who: Any) -> Call:
    given = {"subject": "ada", "issuer": "i", "roles": frozenset({"dev"}), "expires": 9e9}
    principal = Principal(**{**given, **who})
    client = Client("x", f"client {number}")
    return Call(number, "tools/call", {}, principal, endpoint, client, f"{number:032x}")


def key_of(made: Call, handle: str) -> str:
    principal = made.principal
    return conversation(principal.key, principal.agent, {HANDLE: handle}, None, None)


BOUNDS: list[dict[str, Any]] = [{"rate": f"{MOST}/minute"}, {"cost": MOST}, {"bytes": MOST * 100}]


@pytest.mark.parametrize("bound", BOUNDS)
@pytest.mark.parametrize("per", ["principal", "agent", "server", "tool", "tenant"])
def test_a_new_conversation_token_client_name_or_endpoint_is_no_new_quota(
    databases: tuple[Database, Database], per: str, bound: dict[str, Any]
) -> None:
    gate = Gate(databases, per=per, **bound)
    let_in = 0
    for number in range(5 * MOST):
        endpoint = "files" if number % 2 else None
        made = call(number, endpoint, agent="bot", token=f"{number}", expires=9e9 + number)
        let_in += gate.lets_in(made, READ, key_of(made, f"{number}"))
    assert let_in == MOST


@pytest.mark.parametrize("bound", BOUNDS)
def test_a_new_conversation_is_a_new_budget_of_conversations_and_of_nothing_else(
    databases: tuple[Database, Database], bound: dict[str, Any]
) -> None:
    gate = Gate(databases, per="conversation", **bound)
    for handle in "xy":
        let_in = [gate.lets_in(call(), READ, key_of(call(), handle)) for _ in range(5 * MOST)]
        assert let_in.count(True) == MOST


@pytest.mark.parametrize("bound", BOUNDS)
def test_uris_that_are_made_up_are_one_resource(
    databases: tuple[Database, Database], bound: dict[str, Any]
) -> None:
    gate = Gate(databases, per="tool", **bound)
    items = [Item(Kind.RESOURCE, "files", f"file:///{n}", "", {}) for n in range(5 * MOST)]
    assert [gate.lets_in(call(), item, "c") for item in items].count(True) == MOST


@pytest.mark.parametrize("per", ["principal", "agent", "server", "tool", "tenant", "conversation"])
def test_no_tenant_can_use_up_what_is_anothers(
    databases: tuple[Database, Database], per: str
) -> None:
    gate = Gate(databases, per=per, rate=f"{MOST}/minute")
    for _ in range(5 * MOST):
        gate.lets_in(call(tenant="red", agent="bot"), READ, key_of(call(tenant="red"), "h"))
    blue = call(tenant="blue", agent="bot")
    assert gate.lets_in(blue, READ, key_of(blue, "h"))


def test_who_names_its_subject_like_anothers_key_is_still_another(
    databases: tuple[Database, Database],
) -> None:
    gate = Gate(databases, per="principal", rate="1/minute")
    assert gate.lets_in(call(subject="b", issuer="a", tenant="t"), READ, "c")
    assert gate.lets_in(call(subject="b", issuer="t\na"), READ, "c")
    assert gate.lets_in(call(subject="b')", issuer="a", tenant="t"), READ, "c")


def test_calls_that_were_refused_cannot_starve_their_caller(
    databases: tuple[Database, Database],
) -> None:
    gate = Gate(databases, per="principal", rate="1/minute")
    made = call()
    assert gate.lets_in(made, READ, "c")
    assert not any(gate.lets_in(made, READ, "c") for _ in range(100))
    used = databases[0].rows("SELECT sum(used) FROM counters")
    assert used == [(1,)]


def test_nobody_can_touch_or_wash_anothers_conversation(
    databases: tuple[Database, Database],
) -> None:
    flows = [Flow(StoredFlows(database), 3600.0) for database in databases]
    mine = conversation("i|ada", "bot", {HANDLE: "h"}, None, None)
    flows[0].touch(mine, PRIVATE)
    for who, agent in (("i|vic", "bot"), ("i|ada", "other"), ("i|ada", ""), ("", "i|adabot")):
        theirs = conversation(who, agent, {HANDLE: "h"}, None, None)
        assert flows[1].touched(theirs) == frozenset()
        flows[1].touch(theirs, frozenset({Label.SENDS}))
    assert flows[1].touched(mine) == PRIVATE


def test_by_principal_no_handle_leaves_the_past_behind(
    databases: tuple[Database, Database],
) -> None:
    flow = Flow(StoredFlows(databases[0]), 3600.0)
    flow.touch(by_principal("i|ada", "bot"), PRIVATE)
    assert flow.touched(by_principal("i|ada", "bot")) == PRIVATE
    # as documented: by conversation it does
    assert flow.touched(conversation("i|ada", "bot", {HANDLE: "new"}, None, None)) == frozenset()


def test_the_store_holds_no_name_of_anybody(
    databases: tuple[Database, Database], tmp_path: Path
) -> None:
    gate = Gate(databases, per="principal", rate="9/minute", cost=9, bytes=9)
    made = call(subject="ada@example.com", issuer="https://idp.example", agent="secret-agent")
    gate.lets_in(made, READ, key_of(made, "about my illness"))
    flow = Flow(StoredFlows(databases[0]), 3600.0)
    flow.touch(key_of(made, "about my illness"), PRIVATE)
    for path in tmp_path.glob("state.db*"):
        held = path.read_bytes()
        for text in (b"ada@example", b"idp.example", b"secret-agent", b"illness"):
            assert text not in held
