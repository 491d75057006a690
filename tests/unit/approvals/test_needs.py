from __future__ import annotations

from bawn.approvals.needs import in_words, missing, served
from bawn.storage.approvals import Vote
from tests.approving import ADA, BOB, EITHER, EVE, ONCALL, SECURITY, SELF, TWO, person

ASKS = (ONCALL, SELF, EITHER, SECURITY)


def places(who: object) -> tuple[int, ...]:
    return served(ASKS, who, ADA.key, ADA.subject)  # type: ignore[arg-type]  # a principal


def vote(*serves: int, verdict: str = "grant") -> Vote:
    return Vote("x", verdict, serves, 1.0, "")  # type: ignore[arg-type]  # one of the two


def test_the_caller_serves_what_lets_it_confirm_and_nothing_else() -> None:
    assert places(ADA) == (1, 2)
    assert places(person("ada", "developer", "oncall", "security")) == (1, 2)


def test_one_person_serves_every_ask_of_a_role_it_has() -> None:
    assert places(BOB) == (0, 2)
    assert places(person("sam", "oncall", "security")) == (0, 2, 3)
    assert places(EVE) == ()


def test_the_same_subject_from_elsewhere_is_still_the_caller_and_cannot_confirm() -> None:
    assert places(person("ada", "oncall", issuer="local")) == ()


def test_what_is_missing_goes_down_with_each_yes_and_not_below_nothing() -> None:
    asks = (TWO, SELF)
    assert missing(asks, []) == (2, 1)
    assert missing(asks, [vote(0), vote(0, 1), vote(0)]) == (0, 0)
    assert missing(asks, [vote(0, 1, verdict="deny")]) == (2, 1)


def test_in_words_it_says_how_many_of_whom() -> None:
    assert in_words((TWO,), (1,)) == "1 more of oncall"
    assert in_words((EITHER,), (1,)) == "1 more of oncall or the caller"
    assert in_words((SELF, SECURITY), (1, 1)) == "1 more of the caller; 1 more of security"
    assert in_words((ONCALL, TWO), (1, 2)) == "2 more of oncall"
    assert in_words((ONCALL,), (0,)) == ""
