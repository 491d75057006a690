"""Being told to end: at once where nothing is half done, and else once it is done."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import Any, Final, NoReturn

ENDING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def interruptible() -> Iterator[None]:
    """Have the first of these signals raise KeyboardInterrupt, as Ctrl-C does; others do not hurry it."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        _interrupt()

    before = {number: signal.signal(number, interrupt) for number in ENDING}
    try:
        yield
    finally:
        _restore(before)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Do this to its end; whoever is told to end meanwhile does so then. Within `interruptible`.

    Raises:
        KeyboardInterrupt: that was so.
    """
    heard: list[int] = []
    before = {number: signal.signal(number, lambda n, _: heard.append(n)) for number in ENDING}
    try:
        yield
    finally:
        _restore(before)
    if heard:
        _interrupt()


def _interrupt() -> NoReturn:
    for number in ENDING:
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def _restore(before: Mapping[signal.Signals, Any]) -> None:
    for number, handler in before.items():
        signal.signal(number, handler)
