"""What is past its time goes, hour by hour, and a store that breaks is tried again."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading

import pytest

from bawn.app.sweeping import EVERY, sweeping
from bawn.errors import STORE_UNAVAILABLE, Refused


class Store:
    """Breaks the first time, then has two; tells who asked, and when it was asked three times."""

    def __init__(self) -> None:
        self.asked: list[int] = []
        self.thrice = threading.Event()

    def sweep(self) -> int:
        self.asked.append(threading.get_ident())
        if len(self.asked) == 3:
            self.thrice.set()
        if len(self.asked) == 1:
            raise Refused(STORE_UNAVAILABLE, detail="the disk is gone")
        return 2


async def test_it_goes_on_after_a_store_that_broke_and_never_on_the_loop(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "bawn.steward")
    store = Store()
    task = asyncio.create_task(sweeping(store, every=0.0))
    assert await asyncio.to_thread(store.thrice.wait, 10)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task

    assert threading.get_ident() not in store.asked
    said = [each.getMessage() for each in caplog.records]
    assert said[0] == "what is past its time cannot be destroyed: the disk is gone"
    assert said[1] == "2 answers that were held back are past their time: destroyed"


def test_it_looks_every_hour() -> None:
    assert EVERY == 3600.0
