from __future__ import annotations

from pathlib import Path

import pytest

from bawn.approvals.links import Link, concerns, principal_of
from bawn.approvals.request import request_of
from bawn.approvals.viewed import Decider
from bawn.errors import APPROVAL_UNKNOWN, Reason, Refused
from tests.approving import ADA, ONCALL, SELF, TOOL, Office, approver, asking, call, person

SUE = approver("Sue", subject="sue@example.com")


def refused(action: object) -> Reason:
    with pytest.raises(Refused) as caught:
        action()  # type: ignore[operator]  # a call to make
    return caught.value.reason


def test_a_link_speaks_for_its_approver_as_configured_now(tmp_path: Path) -> None:
    office = Office(tmp_path, approvers=(SUE,))
    token = office.links().make("a", SUE, office.now + 10)
    link, who = office.links().opened(token)
    assert link == Link("a", "Sue", office.now + 10)
    assert who.subject == "sue@example.com"
    assert who.roles == {"oncall"}
    office.config = office.config.model_copy(update={"approvers": (approver("Sue", "viewer"),)})
    assert office.links().opened(token)[1].roles == {"viewer"}
    office.config = office.config.model_copy(update={"approvers": ()})
    assert refused(lambda: office.links().opened(token)) is APPROVAL_UNKNOWN
    office.close()


def test_a_link_is_over_with_its_time(tmp_path: Path) -> None:
    office = Office(tmp_path, approvers=(SUE,))
    token = office.links().make("a", SUE, office.now + 10)
    office.now += 10
    assert refused(lambda: office.links().opened(token)) is APPROVAL_UNKNOWN
    office.close()


def test_it_serves_once_whichever_copy_is_used_and_at_whichever_worker(tmp_path: Path) -> None:
    office = Office(tmp_path, approvers=(SUE,))
    one, other = (office.links().make("a", SUE, office.now + 10) for _ in range(2))
    assert one != other
    office.links().use(office.links().opened(one)[0])
    assert refused(lambda: office.links().use(office.links().opened(other)[0])) is APPROVAL_UNKNOWN
    office.links().use(Link("b", "Sue", office.now + 10))
    office.close()


def test_those_are_told_who_may_decide_and_nobody_else() -> None:
    request = request_of(call(), TOOL, asking(ONCALL), lambda rule: "")
    assert concerns(request, approver("Sue"))
    assert not concerns(request, approver("Sue", "security"))
    assert not concerns(request, approver("Sue", tenant="other"))
    assert not concerns(request, approver("Ada", subject="ada"))
    assert not concerns(request, approver("ada"))
    assert not concerns(request_of(call(), TOOL, asking(SELF), lambda rule: ""), approver("Sue"))


def test_an_approver_and_the_person_of_that_subject_are_one(office: Office) -> None:
    two = ONCALL.__class__("two", frozenset({"oncall"}), False, 2, 900.0)
    asked = office.ask(two)
    assert office.grant(asked, principal_of(SUE)) == "pending"
    assert office.grant(asked, person("sue@example.com", "oncall")) == "pending"
    assert not office.book.find(asked.id, Decider(ADA)).decides
