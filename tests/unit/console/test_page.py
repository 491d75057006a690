from __future__ import annotations

import msgspec

from bawn.approvals.request import ARGUMENTS
from bawn.approvals.viewed import Decider
from bawn.console import page
from tests.approving import BOB, EVE, ONCALL, SELF, TWO
from tests.deciding import Desk


def test_it_tells_who_wants_what_by_which_rule_and_what_is_needed(desk: Desk) -> None:
    asked = desk.ask(ONCALL, SELF)
    html = page.approval(desk.book.find(asked.id, Decider(BOB)), "x", "f")
    for word in (
        "ada", "deploys", "roll_out", "&quot;to&quot;: &quot;production&quot;", "agent-app",
        "deploys ask (deploys.cedar:3): 1 of oncall", "1 of the caller", "1 more of oncall",
    ):  # fmt: skip
        assert word in html


def test_long_arguments_are_cut_and_that_is_said(desk: Desk) -> None:
    asked = desk.ask(arguments={"x": "y" * 2 * ARGUMENTS})
    html = page.approval(desk.book.find(asked.id, Decider(BOB)), "x", "f")
    assert "Only the first 16,384 of 32,776 characters" in html
    assert html.count("y") < ARGUMENTS + 1_000


def test_arguments_that_unfold_when_laid_out_are_shown_as_they_are(desk: Desk) -> None:
    deep: object = 1
    for _ in range(400):
        deep = [deep]
    asked = desk.ask(arguments={"x": [deep] * 10})
    html = page.approval(desk.book.find(asked.id, Decider(BOB)), "x", "f")
    assert len(html) < 40 * ARGUMENTS


def test_who_has_nothing_to_decide_gets_no_form(desk: Desk) -> None:
    asked = desk.ask()
    html = page.approval(desk.book.find(asked.id, Decider(EVE, oversees=True)), "x", "f")
    assert "<form" not in html
    assert "production" not in html


def test_who_said_yes_may_still_say_no(desk: Desk) -> None:
    asked = desk.ask(TWO)
    desk.grant(asked, BOB, "fine")
    html = page.approval(desk.book.find(asked.id, Decider(BOB)), "x", "f")
    assert "formaction" not in html
    assert 'action="x/deny"' in html
    assert "bob: grant — fine" in html


def test_an_id_in_the_sign_in_stays_a_value() -> None:
    assert '"><b>' not in page.sign_in('"><b>', "<i>")
    assert "<i>" not in page.sign_in("x", "<i>")


def test_numbers_are_shown_as_they_were_sent(desk: Desk) -> None:
    asked = desk.ask(arguments=msgspec.json.decode(b'{"n": 12345678901234567890}'))
    assert "12345678901234567890" in page.approval(desk.book.find(asked.id, Decider(BOB)), "x", "f")
