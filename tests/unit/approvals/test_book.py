from __future__ import annotations

from dataclasses import replace

import pytest

from bawn.approvals.viewed import Decider
from bawn.errors import (
    APPROVAL_UNKNOWN,
    AUDIT_UNAVAILABLE,
    LIMIT_APPROVALS,
    STORE_UNAVAILABLE,
    Reason,
    Refused,
)
from bawn.ports import Approvals
from tests.approving import (
    ADA,
    BOB,
    CAROL,
    EITHER,
    EVE,
    ONCALL,
    SECURITY,
    SELF,
    TOOL,
    TWO,
    Office,
    asking,
    call,
    person,
)


def refused(action: object) -> Reason:
    with pytest.raises(Refused) as caught:
        action()  # type: ignore[operator]  # a call to make
    return caught.value.reason


def test_it_fills_the_port(office: Office) -> None:
    approvals: Approvals = office.book
    assert approvals.ask(call(), TOOL, asking()).state == "pending"


def test_one_of_the_role_grants_and_the_call_passes_once(office: Office) -> None:
    asked = office.ask()
    assert (asked.state, asked.needs, asked.confirm) == ("pending", "1 more of oncall", False)
    assert office.grant(asked, BOB) == "granted"
    again = office.ask()
    assert (again.id, again.state, again.needs) == (asked.id, "granted", "")
    assert office.book.use(again)
    assert not office.book.use(again)
    assert office.ask().id != asked.id


def test_the_same_request_while_it_waits_is_the_same_approval(office: Office) -> None:
    assert len({office.ask().id for _ in range(5)}) == 1
    assert office.audit.told == [("ada", "approval.asked")]


def test_two_are_needed_and_one_person_is_one(office: Office) -> None:
    asked = office.ask(TWO)
    assert office.grant(asked, BOB) == "pending"
    assert office.ask(TWO).needs == "1 more of oncall"
    assert office.grant(asked, BOB) == "pending"
    assert office.grant(asked, person("bob", "oncall", issuer="local")) == "pending"
    assert office.grant(asked, CAROL) == "granted"


def test_every_ask_has_to_be_satisfied_and_one_person_may_serve_several(office: Office) -> None:
    asked = office.ask(ONCALL, SECURITY)
    assert office.grant(asked, BOB) == "pending"
    assert office.ask(ONCALL, SECURITY).needs == "1 more of security"
    assert office.grant(asked, person("sec", "security")) == "granted"
    both = office.ask(ONCALL, SECURITY, arguments={})
    assert office.grant(both, person("all", "security", "oncall")) == "granted"


def test_the_caller_confirms_what_lets_it_and_then_the_others_are_asked(office: Office) -> None:
    asks = (SELF, ONCALL)
    asked = office.ask(*asks)
    assert asked.confirm
    confirmed = office.book.confirm(asked.id, call(), TOOL, asking(*asks))
    assert (confirmed.state, confirmed.confirm) == ("pending", False)
    assert confirmed.needs == "1 more of oncall"
    assert office.book.confirm(asked.id, call(), TOOL, asking(*asks)) == confirmed
    assert office.grant(asked, BOB) == "granted"
    assert office.audit.told == [
        ("ada", "approval.asked"), ("ada", "approval.confirmed"), ("bob", "approval.granted"),
    ]  # fmt: skip


def test_where_the_caller_or_a_role_may_consent_either_is_enough(office: Office) -> None:
    one, other = office.ask(EITHER), office.ask(EITHER, arguments={})
    assert office.book.confirm(one.id, call(), TOOL, asking(EITHER)).state == "granted"
    assert office.grant(other, BOB) == "granted"


def test_the_caller_may_also_confirm_where_deciders_decide(office: Office) -> None:
    assert office.grant(office.ask(SELF), ADA) == "granted"


def test_a_caller_who_says_no_is_denied_until_it_is_over(office: Office) -> None:
    asked = office.ask(SELF)
    office.book.refuse(asked.id, call(), TOOL, asking(SELF))
    assert office.ask(SELF).state == "denied"
    assert refused(lambda: office.book.confirm(asked.id, call(), TOOL, asking(SELF))) is (
        APPROVAL_UNKNOWN
    )
    office.now += SELF.within
    assert office.ask(SELF).state == "pending"


def test_one_no_is_enough_whatever_others_said(office: Office) -> None:
    asked = office.ask(TWO)
    office.grant(asked, BOB)
    assert office.deny(asked, CAROL) == "denied"
    assert office.ask(TWO).state == "denied"
    assert refused(lambda: office.grant(asked, person("dan", "oncall"))) is APPROVAL_UNKNOWN


def test_a_no_takes_back_what_was_granted_and_not_used(office: Office) -> None:
    asked = office.ask()
    office.grant(asked, BOB)
    granted = office.ask()
    assert office.deny(asked, BOB) == "denied"
    assert not office.book.use(granted)


def test_consent_is_given_in_time_and_used_in_time(office: Office) -> None:
    asked = office.ask()
    office.now += ONCALL.within - 1
    assert office.grant(asked, BOB) == "granted"
    assert office.ask().expires == office.now + ONCALL.within
    office.now += ONCALL.within
    assert not office.book.use(asked)
    fresh = office.ask()
    assert (fresh.state, fresh.id != asked.id) == ("pending", True)
    office.now += ONCALL.within
    assert refused(lambda: office.grant(fresh, BOB)) is APPROVAL_UNKNOWN


def test_of_several_asks_the_shortest_time_counts(office: Office) -> None:
    assert office.ask(ONCALL, SECURITY).expires == office.now + SECURITY.within


def test_a_caller_may_have_so_many_waiting_and_others_are_not_hindered(office: Office) -> None:
    office.config = office.config.model_copy(update={"pending": 2})
    book = office.book = office.worker()
    first = office.ask(arguments={"n": 0})
    office.ask(arguments={"n": 1})
    assert refused(lambda: office.ask(arguments={"n": 2})) is LIMIT_APPROVALS
    assert book.ask(call(EVE), TOOL, asking()).state == "pending"
    assert office.ask(arguments={"n": 0}) == first
    office.grant(first, BOB)
    assert office.ask(arguments={"n": 2}).state == "pending"
    assert office.audit.told.count(("ada", "approval.asked")) == 3


def test_under_another_policy_what_waits_is_void_and_nothing_passes(office: Office) -> None:
    asked, granted = office.ask(), office.ask(arguments={})
    office.grant(granted, BOB)
    before = office.book.ask(call(arguments={}), TOOL, asking())
    office.book = office.worker("p2")
    assert refused(lambda: office.grant(asked, BOB)) is APPROVAL_UNKNOWN
    assert not office.book.use(before)
    assert office.book.find(asked.id, Decider(BOB)).state == "void"
    assert office.book.find(granted.id, Decider(BOB)).state == "void"
    assert office.ask().id != asked.id


def test_it_outlives_a_restart_and_other_workers_know_at_once(office: Office) -> None:
    asked = office.ask()
    other = office.worker()
    assert other.ask(call(), TOOL, asking()) == asked
    other.decide(asked.id, Decider(BOB), "grant")
    office.book = office.worker()
    assert office.book.use(office.ask())


def test_a_changed_definition_is_another_request(office: Office) -> None:
    office.grant(office.ask(), BOB)
    changed = replace(TOOL, definition={"name": "roll_out", "v": 2})
    assert office.book.ask(call(), changed, asking()).state == "pending"


def test_nothing_takes_effect_that_cannot_be_recorded(office: Office) -> None:
    asked, own, other = office.ask(), office.ask(SELF), office.ask(arguments={})
    office.grant(other, BOB)
    office.audit.broken = True
    for action in (
        lambda: office.ask(arguments={"new": 1}),
        lambda: office.grant(asked, BOB),
        lambda: office.deny(asked, BOB),
        lambda: office.book.confirm(own.id, call(), TOOL, asking(SELF)),
        lambda: office.book.refuse(own.id, call(), TOOL, asking(SELF)),
        lambda: office.book.use(office.ask(arguments={})),
    ):
        assert refused(action) is AUDIT_UNAVAILABLE
    office.audit.broken = False
    assert (office.ask().state, office.ask(SELF).state) == ("pending", "pending")
    assert not office.book.use(office.ask(arguments={}))  # used up, and its call did not leave


def test_a_store_that_is_gone_refuses(office: Office) -> None:
    asked = office.ask()
    office.grant(asked, BOB)
    office.close()
    office.path.unlink()
    office.path.mkdir()
    assert refused(lambda: office.book.use(asked)) is STORE_UNAVAILABLE
    assert refused(office.ask) is STORE_UNAVAILABLE


def test_the_store_alone_tells_neither_who_nor_what(office: Office) -> None:
    office.grant(office.ask(arguments={"to": "a-secret-place"}), BOB, "a-private-note")
    office.close()
    held = b"".join(path.read_bytes() for path in office.path.parent.iterdir())
    for word in (b"ada", b"bob", b"a-secret-place", b"a-private-note", b"roll_out", b"oncall"):
        assert word not in held


def test_a_decider_sees_what_it_may_decide_and_what_it_asked_for(office: Office) -> None:
    asked = office.ask()
    (seen,) = office.listed(BOB, "pending")
    assert (seen.id, seen.decides, seen.needs) == (asked.id, True, "1 more of oncall")
    assert (seen.request.who, seen.request.places) == ("ada", ("deploys.cedar:3",))
    assert seen.request.arguments == '{"to":"production"}'
    (own,) = office.listed(ADA, "pending")
    assert (own.decides, own.request.arguments) == (False, '{"to":"production"}')
    assert office.listed(EVE, "pending") == []
    assert refused(lambda: office.book.find(asked.id, Decider(EVE))) is APPROVAL_UNKNOWN


def test_who_oversees_sees_that_it_is_there_and_neither_arguments_nor_a_say(office: Office) -> None:
    asked = office.ask()
    seen = office.book.find(asked.id, Decider(EVE, oversees=True))
    assert (seen.decides, seen.request.arguments) == (False, "")
    overseer = Decider(EVE, oversees=True)
    assert refused(lambda: office.book.decide(asked.id, overseer, "grant")) is APPROVAL_UNKNOWN
    assert refused(lambda: office.book.decide(asked.id, overseer, "deny")) is APPROVAL_UNKNOWN


def test_votes_tell_who_said_what_with_which_word(office: Office) -> None:
    asked = office.ask(TWO)
    office.grant(asked, BOB, "looks fine")
    office.deny(asked, CAROL)
    seen = office.book.find(asked.id, Decider(BOB))
    assert [(v.who, v.verdict, v.note) for v in seen.votes] == [
        ("bob", "grant", "looks fine"), ("carol", "deny", ""),
    ]  # fmt: skip
    assert (seen.state, seen.decides) == ("denied", False)


def test_lists_are_by_state(office: Office) -> None:
    waits, granted, old = (office.ask(arguments={"n": n}) for n in range(3))
    office.grant(granted, BOB)
    office.deny(old, BOB)

    def listed(state: str) -> set[str]:
        return {each.id for each in office.listed(BOB, state)}

    assert listed("pending") == {waits.id}
    assert listed("granted") == {granted.id}
    assert listed("denied") == {old.id}
    assert listed("") == {waits.id, granted.id, old.id}
    office.now += 1000
    assert listed("pending") == set()
    assert listed("expired") == {waits.id, granted.id, old.id}


def test_what_was_sealed_by_a_key_that_is_gone_is_nobodys_to_decide(office: Office) -> None:
    asked = office.ask()
    office.sealer.use([b"x" * 32])
    assert refused(lambda: office.grant(asked, BOB)) is APPROVAL_UNKNOWN
    assert office.listed(BOB, "pending") == []


def test_saying_the_same_again_changes_and_records_nothing(office: Office) -> None:
    asked = office.ask(TWO)
    for _ in range(3):
        assert office.grant(asked, BOB) == "pending"
    assert office.audit.told.count(("bob", "approval.granted")) == 1
