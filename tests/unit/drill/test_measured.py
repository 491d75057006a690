"""What a drill tells: every call is counted once, and well again means everybody."""

from __future__ import annotations

from pathlib import Path

import pytest

from bawn.drill.measured import Measured, measured, recovered
from bawn.drill.probes import AT_THE_GATE, Attempt, Callers, Fate


def seen(*attempts: Attempt, number: int = 2) -> Callers:
    """Callers that saw this."""
    callers = Callers(Path("/gate.sock"), AT_THE_GATE, number)
    callers.attempts.extend(attempts)
    return callers


def test_calls_that_ended_before_the_fault_do_not_count_and_those_in_flight_do() -> None:
    callers = seen(
        Attempt(0, 1.0, 1.9, Fate.ANSWERED),
        Attempt(0, 1.9, 2.1, Fate.RESET),
        Attempt(0, 2.2, 2.5, Fate.ANSWERED),
        Attempt(1, 2.0, 2.3, Fate.ERROR, "gate.worker_lost"),
        Attempt(1, 2.3, 3.0, Fate.ANSWERED),
    )
    told = measured("worker", "killed process 7", 400.0, callers, 2.0)
    assert (told.calls, told.answered, told.resets, told.unanswered) == (4, 2, 1, 0)
    assert told.errors == {"gate.worker_lost": 1}
    assert told.first == pytest.approx(500)
    assert told.all == pytest.approx(1000)
    assert told.slowest == pytest.approx(700)
    assert told.fine(2.0)
    assert not told.fine(0.5)


def test_an_answer_to_a_call_made_before_the_fault_proves_nothing() -> None:
    callers = seen(Attempt(0, 1.9, 2.1, Fate.ANSWERED), number=1)
    assert recovered(callers, 2.0) is None
    told = measured("runner", "killed process 7", 1.0, callers, 2.0)
    assert (told.first, told.all) == (None, None)
    assert not told.fine(60.0)


def test_one_caller_without_an_answer_is_enough_not_to_be_well() -> None:
    callers = seen(Attempt(0, 2.0, 2.1, Fate.ANSWERED), Attempt(1, 2.0, 2.1, Fate.RESET))
    assert recovered(callers, 2.0) is None


def test_a_call_without_any_answer_is_not_fine_however_quick_the_rest() -> None:
    callers = seen(
        Attempt(0, 2.0, 2.1, Fate.ANSWERED),
        Attempt(1, 2.0, 2.1, Fate.ANSWERED),
        Attempt(1, 1.0, 9.0, Fate.UNANSWERED),
    )
    assert not measured("worker", "", 1.0, callers, 2.0).fine(60.0)


def test_a_process_that_never_came_back_is_not_fine() -> None:
    callers = seen(Attempt(0, 2.0, 2.1, Fate.ANSWERED), number=1)
    assert not measured("worker", "", None, callers, 2.0).fine(60.0)


def test_what_was_not_done_did_no_harm() -> None:
    assert Measured("steward", "there is no steward to harm", done=False).fine(0.0)
