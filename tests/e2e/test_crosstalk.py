"""No cross-talk: everybody gets their own answers, from memories that nobody else has touched.

`python -m tests.e2e.test_crosstalk --seconds 60` is the whole minute; the suite has a few seconds.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import sys
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest

from tests.e2e.conftest import StartGate
from tests.e2e.faults import FAULTS, FaultProxy
from tests.e2e.gate_process import Gate
from tests.e2e.load import Client, Crowd, Kind, Outcome, Pace, Tally, spread
from tests.e2e.witnesses import (
    LIMITS,
    LOCAL,
    REMOTE,
    SHAKY,
    Caller,
    callers,
    local,
    remote,
    remote_witness,
    shaky,
    warm,
)

pytestmark = pytest.mark.e2e

PEOPLE: Final = 64
EACH: Final = 0.4
"""Seconds of each fault before the next."""


@dataclass(slots=True)
class Talk:
    """What became of all calls, counted and one by one."""

    tally: Tally = field(default_factory=Tally)
    outcomes: list[Outcome] = field(default_factory=list)

    def note(self, outcome: Outcome, client: Client) -> None:
        """Take one in."""
        self.outcomes.append(outcome)


async def cross(start: Callable[[str], Awaitable[Gate]], place: Path, seconds: float) -> Talk:
    """Let everybody talk at once for so long, while what stands behind two servers misbehaves."""
    diary = place / "diary"
    async with AsyncExitStack() as held:
        port = held.enter_context(remote_witness(diary))
        proxies = [
            await held.enter_async_context(FaultProxy(("127.0.0.1", port), seed)) for seed in (1, 2)
        ]
        servers = "servers:\n" + local(*LOCAL, diary=diary) + remote(port)
        up = await start(servers + shaky(*(proxy.port for proxy in proxies)) + LIMITS)
        await asyncio.to_thread(up.until_ok)
        tools = [*LOCAL.values(), *REMOTE.values(), *SHAKY.values()]
        everybody = callers(up, PEOPLE, tools)
        unlucky = await warm(everybody)
        assert not unlucky, f"a first call failed while nothing misbehaved: {unlucky[0]}"
        talked = await talk(everybody, proxies, seconds)
        struck = proxies[0].passed.acts + proxies[1].passed.acts
        assert len(struck) >= min(len(FAULTS) - 5, seconds / EACH / 4), struck
    return talked


async def talk(everybody: list[Caller], proxies: list[FaultProxy], seconds: float) -> Talk:
    """All callers at once, and one fault after another."""
    talked = Talk()
    crowd = Crowd([(one.client, one.tools) for one in everybody], Pace(), talked.note)
    give_up = asyncio.get_running_loop().time() + seconds
    for turn, rule in enumerate(itertools.cycle(FAULTS.values())):
        if asyncio.get_running_loop().time() > give_up:
            break
        async with proxies[turn % 2].misbehaving(rule):
            await asyncio.sleep(EACH)
    await crowd.stop()
    talked.tally = crowd.tally
    return talked


def judge(talked: Talk) -> None:
    """Nothing wrong, nothing lost; and servers that behave serve everybody all the time."""
    tally = talked.tally
    assert not tally.wrong, "\n".join(tally.wrong[:5])
    assert not tally.of(Kind.LOST), tally.shown()
    assert not tally.of(Kind.HTTP), tally.shown()
    steady = [one for one in talked.outcomes if not one.tool.startswith("shaky")]
    disturbed = [one for one in steady if one.kind is not Kind.OK]
    assert not disturbed, disturbed[:5]
    for tool in (*LOCAL, *REMOTE):
        people = {one.who for one in steady if one.tool == f"{tool}__tell"}
        assert len(people) == (PEOPLE // 4 if tool == "project" else PEOPLE), tool
    fates = {one.kind for one in talked.outcomes if one.tool.startswith("shaky")}
    assert {Kind.OK, Kind.ERROR} <= fates, tally.shown()


async def test_everybody_gets_their_own_answers_while_a_server_misbehaves(
    gate: StartGate, tmp_path: Path
) -> None:
    async def start(servers: str) -> Gate:
        return await asyncio.to_thread(gate, servers)

    judge(await cross(start, tmp_path, 10.0))


def latencies(outcomes: list[Outcome]) -> str:
    """Median, 99th percentile and largest by tool, of what was answered well."""
    lines = []
    for tool in sorted({one.tool for one in outcomes}):
        took = [o.ended - o.began for o in outcomes if o.tool == tool and o.kind is Kind.OK]
        p50, p99, most = spread(took)
        lines.append(f"  {tool:20} {len(took):7} ok  {p50:8.1f} {p99:8.1f} {most:8.1f} ms")
    return "\n".join(lines)


def main() -> None:
    """The campaign from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="crosstalk-") as place:
        gates: list[Gate] = []

        async def start(servers: str) -> Gate:
            gates.append(Gate(Path(place) / "gate", servers))
            return await asyncio.to_thread(gates[0].start)

        try:
            talked = asyncio.run(cross(start, Path(place), asked.seconds))
            gates[0].stop()
        finally:
            for up in gates:
                up.kill()
    sys.stdout.write(f"{talked.tally.shown()}\n{latencies(talked.outcomes)}\n")
    judge(talked)


if __name__ == "__main__":
    main()
