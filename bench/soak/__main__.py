"""A gate at load for half an hour, with something going wrong every few seconds.

`python -m bench.soak --minutes 30 --out FILE` writes the report; exit code 1 when something grew, an
answer was wrong or missing, or the audit does not verify. Every answer is checked (tests/e2e/load.py).
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Final

from tests.e2e.faults import FAULTS, FaultProxy
from tests.e2e.gate_process import Gate
from tests.e2e.load import Crowd, Pace
from tests.e2e.witnesses import (
    LOCAL,
    REMOTE,
    SHAKY,
    callers,
    local,
    remote,
    remote_witness,
    shaky,
    warm,
    workers,
)

from bawn.audit.read import Problem, Reader
from bawn.storage import StateDirectory
from bench.soak.report import Result, markdown
from bench.soak.samples import Samples
from bench.soak.trouble import Trouble

PEOPLE: Final = 32
NOTHING: Final = Path(os.devnull)
"""Where the witnesses write: the soak proves nothing from it, and half an hour of it is large."""
EVERY: Final = 5.0
"""Seconds between two samples of the processes."""
BUSY: Final = 0.6
"""Share of the machine's processors that the load is set to use, the load itself included."""


async def soak(place: Path, seconds: float, seed: int, say: Callable[[str], None]) -> Result:
    """The whole of it; the gate has ended afterwards."""
    async with AsyncExitStack() as held:
        port = held.enter_context(remote_witness(NOTHING))
        proxies = [
            await held.enter_async_context(FaultProxy(("127.0.0.1", port), seed + n))
            for n in (1, 2)
        ]
        configuration = partial(configured, port, [proxy.port for proxy in proxies])
        up = Gate(place / "gate", configuration(1000))
        held.callback(up.kill)
        await asyncio.to_thread(up.start)
        await asyncio.to_thread(up.until_ok)
        everybody = callers(up, PEOPLE, [*LOCAL.values(), *REMOTE.values(), *SHAKY.values()])
        await warm(everybody)
        samples = Samples(
            time.monotonic(), seconds, min(180.0, seconds / 5), min(60.0, seconds / 10)
        )
        pace = Pace(0.05)
        crowd = Crowd([(one.client, one.tools) for one in everybody], pace, samples.see)
        trouble = Trouble(up, proxies, configuration, samples, seed)
        troubling = asyncio.create_task(trouble.run())
        await measure(up, samples, pace, seconds, say)
        troubling.cancel()
        await asyncio.gather(troubling, return_exceptions=True)
        for proxy in proxies:
            await proxy.switch(FAULTS["latency"])
        await crowd.stop()
        problems = trouble.failed + await asyncio.to_thread(ended, up)
        return Result(
            seconds,
            pace.rest,
            samples.trends(),
            samples.spans(),
            trouble.done,
            crowd.tally,
            samples.calm,
            samples.failed,
            problems,
        )


def configured(port: int, proxies: Sequence[int], page: int) -> str:
    """Servers of every kind and isolation mode, two workers in front of them."""
    limits = f"limits: {{first_byte: 2, total: 10, stop: 1, page: {page}}}\n"
    servers = local(*LOCAL, diary=NOTHING, family=True) + remote(port) + shaky(*proxies)
    return f"{workers(2)}servers:\n{servers}{limits}"


async def measure(
    up: Gate, samples: Samples, pace: Pace, seconds: float, say: Callable[[str], None]
) -> None:
    """Sample until the time is over; in the warm-up the load is set to the wanted share."""
    last, told = cpu(), 0
    while (passed := time.monotonic() - samples.began) < seconds:
        await asyncio.sleep(min(EVERY, seconds - passed))
        await asyncio.to_thread(samples.count, up)
        now = cpu()
        if passed < samples.warm:
            share = (now[0] - last[0]) / max(1, now[1] - last[1])
            pace.rest = min(1.0, max(0.005, pace.rest * max(0.5, min(2.0, share / BUSY))))
        last = now
        if passed // samples.width > told:
            told = int(passed // samples.width)
            say(f"{told * samples.width:.0f} s: {dict(samples.fates[told - 1])}")


def cpu() -> tuple[int, int]:
    """Busy and all ticks of the machine's processors."""
    ticks = [int(t) for t in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    idle = ticks[3] + ticks[4]
    return sum(ticks) - idle, sum(ticks)


def ended(up: Gate) -> list[str]:
    """End the gate, and read its audit: what is wrong with either."""
    problems = []
    try:
        if code := up.stop():
            problems.append(f"the gate ended with exit code {code}")
    except AssertionError as left:
        problems.append(str(left))
    found = Reader(StateDirectory(up.state).audit).poll()
    return problems + [f"audit: {one}" for one in found if isinstance(one, Problem)]


def main() -> None:
    """The soak from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--out", type=Path, help="the report; default is standard output")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    quiet = not sys.stderr.isatty()
    with tempfile.TemporaryDirectory(prefix="soak-") as place:
        result = asyncio.run(
            soak(
                Path(place),
                asked.minutes * 60,
                asked.seed,
                lambda line: None if quiet else print(line, file=sys.stderr),
            )
        )
    report = markdown(result)
    if asked.out is None:
        print(report)
    else:
        asked.out.write_text(report, encoding="utf-8")
    sys.exit(0 if result.passed else 1)


if __name__ == "__main__":
    main()
