"""Being told to end: at once, or once what is half done is done."""

from __future__ import annotations

import os
import signal

import pytest

from bawn.demo.ending import ENDING, interruptible, undisturbed


@pytest.mark.parametrize("number", ENDING)
def test_each_signal_interrupts_and_is_as_before_afterwards(number: int) -> None:
    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt), interruptible():
        os.kill(os.getpid(), number)
    assert signal.getsignal(number) == before


@pytest.mark.parametrize("number", ENDING)
def test_what_has_to_be_done_is_done_first(number: int) -> None:
    done = []

    def work() -> None:
        with interruptible(), undisturbed():
            os.kill(os.getpid(), number)
            done.append(number)

    with pytest.raises(KeyboardInterrupt):
        work()
    assert done == [number]


def test_who_was_not_told_to_end_goes_on() -> None:
    before = [signal.getsignal(number) for number in ENDING]
    with interruptible(), undisturbed():
        pass
    assert [signal.getsignal(number) for number in ENDING] == before


def test_an_error_of_what_was_done_is_the_one_that_is_told() -> None:
    def work() -> None:
        with interruptible(), undisturbed():
            os.kill(os.getpid(), signal.SIGTERM)
            raise ValueError("itself")

    with pytest.raises(ValueError, match="itself"):
        work()


def test_who_is_impatient_does_not_disturb_the_tidying() -> None:
    tidied = []

    def work() -> None:
        with interruptible():
            try:
                os.kill(os.getpid(), signal.SIGINT)
            finally:
                os.kill(os.getpid(), signal.SIGINT)
                os.kill(os.getpid(), signal.SIGTERM)
                tidied.append(True)

    with pytest.raises(KeyboardInterrupt):
        work()
    assert tidied == [True]
