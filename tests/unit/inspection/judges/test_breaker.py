"""What fails again and again is left alone for its rest, and then tried once."""

from __future__ import annotations

from bawn.inspection.judges.breaker import Breaker
from tests.fakes import Clock


def test_it_opens_after_as_many_failures_in_a_row() -> None:
    breaker = Breaker(2, 30.0, Clock())

    breaker.failed()
    before = breaker.open
    breaker.failed()

    assert (before, breaker.open) == (False, True)


def test_a_success_in_between_counts_from_the_start() -> None:
    breaker = Breaker(2, 30.0, Clock())

    breaker.failed()
    breaker.succeeded()
    breaker.failed()

    assert not breaker.open


def test_after_its_rest_one_may_try_and_the_others_wait_on() -> None:
    clock = Clock()
    breaker = Breaker(1, 30.0, clock)
    breaker.failed()

    clock.now += 31.0

    assert not breaker.open
    assert breaker.open


def test_a_trial_that_fails_begins_another_rest_and_one_that_succeeds_ends_it() -> None:
    clock = Clock()
    breaker = Breaker(1, 30.0, clock)
    breaker.failed()
    clock.now += 31.0
    assert not breaker.open

    breaker.failed()
    clock.now += 29.0
    still = breaker.open
    breaker.succeeded()

    assert (still, breaker.open) == (True, False)
