"""What goes wrong during a soak."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

from tests.e2e import census
from tests.e2e.faults import FAULTS, FaultProxy
from tests.e2e.gate_process import Gate

from bench.soak.samples import Samples

PAUSE: Final = (2.0, 6.0)
"""Seconds between two disturbances: at least and at most."""

DISTURBANCES: Final[Mapping[str, int]] = {
    "proxy": 10,
    "reload": 2,
    "worker": 1,
    "steward": 1,
    "runner": 1,
    "keeper": 1,
    "child": 2,
}
"""What goes wrong, and how often in proportion; all but the first two are killed."""


class Trouble:
    """Makes something go wrong, again and again; `configuration` takes `limits.page`."""

    def __init__(
        self,
        up: Gate,
        proxies: Sequence[FaultProxy],
        configuration: Callable[[int], str],
        samples: Samples,
        seed: int,
    ) -> None:
        self._up = up
        self._proxies = proxies
        self._configuration = configuration
        self._samples = samples
        self._random = random.Random(seed)
        self._reloads = 0
        self.done: Counter[str] = Counter()
        self.failed: list[str] = []

    async def run(self) -> None:
        """Until cancelled."""
        names, weights = tuple(DISTURBANCES), tuple(DISTURBANCES.values())
        while True:
            await asyncio.sleep(self._random.uniform(*PAUSE))
            (name,) = self._random.choices(names, weights)
            doing: dict[str, Callable[[], Awaitable[None]]] = {
                "proxy": self._misbehave,
                "reload": self._reload,
            }
            await doing.get(name, lambda name=name: self._kill(name))()

    async def _misbehave(self) -> None:
        rule = self._random.choice(tuple(FAULTS.values()))
        self.done[rule.name] += 1
        async with self._random.choice(self._proxies).misbehaving(rule):
            await asyncio.sleep(self._random.uniform(0.5, 2.0))

    async def _reload(self) -> None:
        self._reloads += 1
        self._up.write(self._configuration(1000 + self._reloads % 2))
        self._samples.upset = time.monotonic()
        for verb in (("trust", "--yes"), ("reload",)):
            done = await asyncio.to_thread(self._up.run, *verb)
            if done.returncode:
                self.failed.append(f"bawn {verb[0]}: {done.stderr.strip()[-300:]}")
        self._samples.upset = time.monotonic()
        self.done["reload"] += 1

    async def _kill(self, victim: str) -> None:
        seen = await asyncio.to_thread(census.take, self._up)
        self._samples.upset = time.monotonic()
        try:
            os.kill(census.choose(victim, seen, self._random), signal.SIGKILL)
        except (AssertionError, IndexError, ProcessLookupError):
            return  # none of this kind at this moment
        self.done[f"kill {victim}"] += 1
