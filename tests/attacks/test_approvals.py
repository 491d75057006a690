"""Attempts to have a call pass that nobody who may has consented to, or to decide in another's name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from bawn.approvals.book import Book
from bawn.approvals.viewed import Decider
from bawn.errors import APPROVAL_UNKNOWN, Refused
from bawn.model import Kind, Principal
from tests.approving import (
    BOB,
    CAROL,
    EITHER,
    EVE,
    ONCALL,
    SELF,
    TOOL,
    TWO,
    approver,
    asking,
    call,
    person,
)
from tests.deciding import Desk

SUE = approver("Sue")
TENANT_SUE = approver("Far Sue", tenant="far")
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path, approvers=(SUE, TENANT_SUE, approver("Ada's own", subject="ada")))
    yield desk
    desk.close()


def refused(action: Callable[[], object]) -> None:
    with pytest.raises(Refused) as caught:
        action()
    assert caught.value.reason is APPROVAL_UNKNOWN


# ── who ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "who",
    [
        person("ada", "oncall"),
        person("ada", "oncall", token="another"),
        person("ada", "oncall", issuer="local"),
        person("ada", "oncall", issuer="approvals.approvers"),
        person("ada", "oncall", agent="robot"),
    ],
)
def test_nobody_approves_its_own_call_by_whatever_token(desk: Desk, who: Principal) -> None:
    asked = desk.ask()
    refused(lambda: desk.book.decide(asked.id, Decider(who, oversees=True), "grant"))
    refused(lambda: desk.book.decide(asked.id, Decider(who, oversees=True), "deny"))
    refused(lambda: desk.book.confirm(asked.id, call(), TOOL, asking()))
    assert desk.ask().state == "pending"


def test_the_caller_is_never_one_of_two(desk: Desk) -> None:
    asked = desk.ask(TWO)
    desk.grant(asked, BOB)
    refused(lambda: desk.grant(asked, person("ada", "oncall")))
    assert desk.ask(TWO).state == "pending"


@pytest.mark.parametrize("who", [EVE, person("x"), person("x", "ONCALL", "on call", "*")])
def test_other_roles_decide_nothing(desk: Desk, who: Principal) -> None:
    asked = desk.ask()
    refused(lambda: desk.grant(asked, who))
    refused(lambda: desk.deny(asked, who))
    assert desk.ask().state == "pending"


@pytest.mark.parametrize("tenant", ["far", "", "t|", "T"])
def test_another_tenant_sees_and_decides_nothing(desk: Desk, tenant: str) -> None:
    caller = person("ada", "developer", tenant="t")
    asked = desk.book.ask(call(caller), TOOL, asking(EITHER))
    stranger = person("mallory", "oncall", tenant=tenant)
    refused(lambda: desk.book.find(asked.id, Decider(stranger, oversees=True)))
    refused(lambda: desk.grant(asked, stranger))
    assert list(desk.book.listed(Decider(stranger, oversees=True))) == [[]]
    assert desk.grant(asked, person("near", "oncall", tenant="t")) == "granted"


def test_one_person_is_never_two(desk: Desk) -> None:
    asked = desk.ask(TWO)
    for issuer in ("https://idp.example.com", "local", "approvals.approvers"):
        assert desk.grant(asked, person("bob", "oncall", issuer=issuer)) == "pending"


def test_a_stranger_cannot_confirm_or_refuse_in_the_callers_name(desk: Desk) -> None:
    asked = desk.ask(SELF)
    for who in (EVE, person("ada", "developer", issuer="local"), person("ada", tenant="t")):
        refused(partial(desk.book.confirm, asked.id, call(who), TOOL, asking(SELF)))
        refused(partial(desk.book.refuse, asked.id, call(who), TOOL, asking(SELF)))
    assert desk.ask(SELF).state == "pending"


# ── what ────────────────────────────────────────────────────────────────────────────────────────


def test_consent_to_one_request_serves_no_other(desk: Desk) -> None:
    desk.grant(desk.ask(), BOB)
    others = [
        (call(arguments={"to": "production", "force": True}), TOOL),
        (call(arguments={"to": "productiOn"}), TOOL),
        (call(EVE), TOOL),
        (call(person("ada", "developer", agent="another")), TOOL),
        (call(), replace(TOOL, server="billing")),
        (call(), replace(TOOL, name="delete")),
        (call(), replace(TOOL, kind=Kind.PROMPT)),
        (call(), replace(TOOL, definition={"name": "roll_out", "description": "rug pulled"})),
    ]
    for asked, item in others:
        assert desk.book.ask(asked, item, asking()).state == "pending"
    assert desk.ask().state == "granted"


def test_an_approval_for_less_is_none_for_more(desk: Desk) -> None:
    desk.grant(desk.ask(ONCALL), BOB)
    assert desk.ask(ONCALL, TWO).state == "pending"
    assert desk.ask(TWO).state == "pending"


def test_a_confirmation_of_one_request_cannot_be_brought_to_another(desk: Desk) -> None:
    asked = desk.ask(SELF)
    for other in (call(arguments={}), call(EVE)):
        refused(partial(desk.book.confirm, asked.id, other, TOOL, asking(SELF)))
    refused(lambda: desk.book.confirm("0" * 32, call(), TOOL, asking(SELF)))


def test_rows_that_were_moved_in_the_store_cannot_be_read(desk: Desk) -> None:
    harmless, harmful = desk.ask(arguments={"to": "test"}), desk.ask()
    database = desk.database()
    (sealed,) = database.rows("SELECT sealed FROM approvals WHERE id = ?", harmless.id)[0]
    database.change("UPDATE approvals SET sealed = ? WHERE id = ?", sealed, harmful.id)
    refused(lambda: desk.grant(harmful, BOB))


# ── when ────────────────────────────────────────────────────────────────────────────────────────


def test_a_grant_is_used_once_by_however_many_workers_at_once(desk: Desk) -> None:
    for n in range(5):
        asked = desk.ask(arguments={"n": n})
        desk.grant(asked, BOB)
        granted = desk.ask(arguments={"n": n})

        uses = [partial(Book.use, approval=granted)] * 8
        assert desk.at_once(*uses).count(True) == 1


def test_two_who_consent_at_once_are_two_and_one_who_does_twice_is_one(desk: Desk) -> None:
    for n in range(5):
        for voters, state in (((BOB, CAROL), "granted"), ((BOB, BOB), "pending")):
            arguments = {"n": n, "voters": [who.subject for who in voters]}
            asked = desk.ask(TWO, arguments=arguments)
            desk.at_once(
                *(
                    partial(Book.decide, id_=asked.id, decider=Decider(who), verdict="grant")
                    for who in voters
                )
            )
            assert desk.ask(TWO, arguments=arguments).state == state


def test_a_flood_of_requests_stops_at_its_bound_and_hinders_nobody(desk: Desk) -> None:
    for n in range(desk.config.pending):
        desk.ask(arguments={"n": n})
    for n in range(desk.config.pending, desk.config.pending + 5):
        with pytest.raises(Refused) as caught:
            desk.ask(arguments={"n": n})
        assert caught.value.reason.id == "limit.approvals"
    assert desk.book.ask(call(EVE), TOOL, asking()).state == "pending"


def test_old_consent_is_void_under_a_new_policy_and_revives_under_none(desk: Desk) -> None:
    asked = desk.ask()
    desk.grant(asked, BOB)
    before = desk.ask()
    desk.book = desk.worker("p2")
    assert desk.ask().state == "pending"
    assert not desk.book.use(before)
