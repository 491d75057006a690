from __future__ import annotations

from bawn.app.crew import HEALTHY, Backoff


def test_the_first_end_is_followed_at_once_and_the_next_ones_ever_later() -> None:
    backoff = Backoff()
    waits = [backoff.ended(0.1) for _ in range(9)]
    assert waits[0] == 0.0
    assert waits[1:4] == [0.2, 0.4, 0.8]
    assert waits[-1] == 5.0
    assert waits == sorted(waits)


def test_a_child_that_lived_well_is_started_again_at_once() -> None:
    backoff = Backoff()
    for _ in range(5):
        backoff.ended(0.0)
    assert backoff.ended(HEALTHY) == 0.0
