"""The kill campaign: kill -9 of every kind of process under load, again and again.

Who was not killed answers; what was killed is back; nothing is left behind; and whatever reached a
server has its intent in the audit. The suite has three rounds of each;
`python -m tests.e2e.test_campaign --rounds 50` is the whole of it.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest

from bawn.audit.entries import Intent
from bawn.audit.read import Problem, Reader
from bawn.storage import StateDirectory
from tests.e2e import census
from tests.e2e.census import Census
from tests.e2e.conftest import StartGate
from tests.e2e.gate_process import Gate
from tests.e2e.load import Client, Crowd, Kind, Outcome, Pace, Person, Tally, Tool, spread
from tests.e2e.witnesses import (
    LIMITS,
    LOCAL,
    REMOTE,
    Caller,
    local,
    reached,
    remote,
    remote_witness,
    warm,
    workers,
)

pytestmark = pytest.mark.e2e

VICTIMS: Final = ("worker", "steward", "runner", "keeper", "child")
PEOPLE: Final = 16
EACH: Final = 4
"""Connections of each principal: two modern ones, a legacy one, and one over the Unix socket."""
REST: Final = 0.08
WITHIN: Final = 2.0
"""Seconds in which all is well again after a kill, on a machine that has nothing else to do."""
GIVE_UP: Final = 15.0
"""The same in the suite, where other tests run beside this one."""
SLACK: Final = 128
"""Descriptors by which a process may differ: the worker that lives on has the other's callers too."""
TOOLS: Final = (LOCAL["principal"], LOCAL["shared"], REMOTE["modern"], REMOTE["legacy"])


@dataclass(slots=True)
class Round:
    """One kill: seconds until everybody's every tool worked again, and until nothing was left."""

    victim: str
    struck: float
    broken: dict[tuple[int, str], float] = field(default_factory=dict)
    fine: set[tuple[int, str]] = field(default_factory=set)
    recovered: float = 0.0
    clean: float = 0.0
    fates: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    def see(self, connection: int, outcome: Outcome) -> None:
        """Take in what a connection saw of a tool."""
        self.fates[f"{outcome.kind.value} {outcome.what}".strip()] += 1
        if outcome.began < self.struck:
            return
        place = (connection, outcome.tool)
        if outcome.kind is not Kind.OK:
            self.fine.discard(place)
            self.broken[place] = 0.0
            return
        self.fine.add(place)
        if self.broken.get(place) == 0.0:
            self.broken[place] = outcome.ended
            self.recovered = max(self.recovered, outcome.ended - self.struck)


class Campaign:
    """Kills below one gate while everybody calls."""

    def __init__(self, up: Gate, everybody: Sequence[Caller], seed: int) -> None:
        self._up = up
        self._everybody = everybody
        self._random = random.Random(seed)
        self._round: Round | None = None
        self._owners: dict[int, int] = {}
        self._killed = 0
        self._numbers = {id(caller.client): n for n, caller in enumerate(everybody)}
        self.rounds: list[Round] = []
        self.grown: dict[str, tuple[int, int]] = {}

    async def fight(self, victims: Sequence[str], rounds: int) -> Tally:
        """So many rounds of each victim."""
        crowd = Crowd(
            [(caller.client, caller.tools) for caller in self._everybody], Pace(REST), self._note
        )
        try:
            before = await self._descriptors()
            for _ in range(rounds):
                for victim in victims:
                    await self._kill(victim)
            after = await self._descriptors()
        finally:
            await crowd.stop()
        self.grown = {
            part: (before[part], count)
            for part, count in after.items()
            if count > before[part] + (2 if part == "supervisor" else SLACK)
        }
        return crowd.tally

    async def _descriptors(self) -> dict[str, int]:
        """The most descriptors of a process, by part, once the load has run for a while."""
        await asyncio.sleep(1.0)
        seen = await asyncio.to_thread(census.take, self._up)
        return {
            part: max(map(census.descriptors, pids)) for part, pids in seen.parts.items() if pids
        }

    def _note(self, outcome: Outcome, client: Client) -> None:
        current = self._round
        if current is None or outcome.ended < current.struck:
            return
        current.see(self._numbers[id(client)], outcome)
        if outcome.kind in (Kind.WRONG, Kind.LOST, Kind.HTTP):
            current.faults.append(f"{outcome.kind.value}: {outcome.what}")
        elif outcome.kind is Kind.RESET and not self._may_reset(current, outcome):
            current.faults.append(f"a connection broke that nobody was killed at: {outcome}")

    def _may_reset(self, current: Round, outcome: Outcome) -> bool:
        """Whether the connection was one of the killed worker, as far as can be known."""
        if current.victim != "worker":
            return False
        if outcome.connection is None:  # made for this call, or over the Unix socket
            return outcome.began < current.struck or outcome.local
        return self._owners.get(outcome.connection) == self._killed

    async def _kill(self, victim: str) -> None:
        before = await asyncio.to_thread(census.take, self._up)
        pid = census.choose(victim, before, self._random)
        files = census.files(self._up)
        self._owners = census.connections(self._up.port, before.parts["worker"])
        self._killed = pid
        current = self._round = Round(victim, time.monotonic())
        self.rounds.append(current)
        os.kill(pid, signal.SIGKILL)
        places = sum(len(caller.tools) for caller in self._everybody)
        back = await self._until(lambda: len(current.fine) == places, current)
        if not back:
            current.faults.append(f"{places - len(current.fine)} places do not work again")
        await self._until_clean(before, pid, files, current)
        self._round = None

    async def _until(self, true: Callable[[], bool], current: Round) -> bool:
        while not true():
            if time.monotonic() > current.struck + GIVE_UP:
                return False
            await asyncio.sleep(0.01)
        return True

    async def _until_clean(self, before: Census, pid: int, files: set[str], now: Round) -> None:
        """Wait until every part is there again, and nothing of the dead is left."""
        why = "nobody looked"
        while why and time.monotonic() < now.struck + GIVE_UP:
            seen = await asyncio.to_thread(census.take, self._up)
            why = untidy(before, seen, pid, files, census.files(self._up))
            now.clean = time.monotonic() - now.struck
        if why:
            now.faults.append(why)


def untidy(before: Census, seen: Census, pid: int, files: set[str], files_now: set[str]) -> str:
    """What is not as it was before the kill; empty when all of it is."""
    if pid in seen.processes:
        return f"process {pid} is still there"
    counts = {part: len(pids) for part, pids in before.parts.items()}
    living = {part: sum(p in seen.processes for p in pids) for part, pids in seen.parts.items()}
    if living != counts:
        return f"parts are missing: {seen.parts}"
    if seen.leftovers:
        return f"left behind: {seen.leftovers}"
    if files_now != files:
        return f"files appeared or went: {files ^ files_now}"
    return ""


def crew(up: Gate, tools: Sequence[Tool]) -> list[Caller]:
    """64 connections of 16 principals."""
    socket = StateDirectory(up.state).socket("gate.sock")
    made = []
    for index in range(PEOPLE):
        person = Person(f"person-{index}", up.token(sub=f"person-{index}"))
        for number in range(EACH):
            address = socket if number == EACH - 1 else ("127.0.0.1", up.port)
            made.append(Caller(Client(person, address, legacy=number == 2), tuple(tools)))
    return made


def unrecorded(up: Gate, diary: Path) -> set[str]:
    """The calls that reached a server without an intent in the audit; the audit has to be whole."""
    intents: set[str] = set()
    for found in Reader(StateDirectory(up.state).audit).poll():
        assert not isinstance(found, Problem), str(found)
        if isinstance(found.record, Intent):
            intents.add(found.record.trace)
    arrived = reached(diary)
    assert arrived
    return arrived - intents


async def campaign(
    start: Callable[[str], Awaitable[Gate]],
    place: Path,
    victims: Sequence[str],
    rounds: int,
    *,
    family: bool = True,
) -> tuple[Campaign, Tally]:
    """The whole of it, on a gate of its own; the gate has ended afterwards."""
    diary = place / "diary"
    with ExitStack() as held:
        port = held.enter_context(remote_witness(diary))
        servers = local("principal", "shared", diary=diary, family=family) + remote(port)
        up = await start(f"{workers(2)}servers:\n{servers}{LIMITS}")
        await asyncio.to_thread(up.until_ok)
        everybody = crew(up, TOOLS)
        await warm(everybody)
        await warm(
            everybody, at_once=len(everybody)
        )  # as after a kill: pools grow to their full size
        fight = Campaign(up, everybody, seed=rounds)
        tally = await fight.fight(victims, rounds)
        assert await asyncio.to_thread(up.stop) == 0
        missing = unrecorded(up, diary)
        assert not missing, (
            f"{len(missing)} calls reached a server unrecorded: {sorted(missing)[:3]}"
        )
    return fight, tally


def judge(fight: Campaign, tally: Tally, within: float) -> None:
    """Every fault of every round, with its round; all has to be well again within so many seconds."""
    wrong = [f"round {n}, {r.victim}: {f}" for n, r in enumerate(fight.rounds) for f in r.faults]
    wrong += [
        f"round {n}, {r.victim}: well again after {r.recovered:.2f} s, clean after {r.clean:.2f} s"
        for n, r in enumerate(fight.rounds)
        if max(r.recovered, r.clean) > within
    ]
    assert not wrong, "\n".join(wrong[:20])
    assert not fight.grown, f"descriptors before and after: {fight.grown}"
    assert not tally.wrong, "\n".join(tally.wrong[:5])


def told(fight: Campaign) -> str:
    """The distribution of recoveries by victim, and what callers saw."""
    lines = []
    for victim in dict.fromkeys(one.victim for one in fight.rounds):
        mine = [one for one in fight.rounds if one.victim == victim]
        seen: Counter[str] = sum((one.fates for one in mine), Counter())
        well, clean = (
            spread(getattr(one, name) for one in mine) for name in ("recovered", "clean")
        )
        lines += [
            f"{victim}: {len(mine)} kills",
            f"  well again  p50 {well[0]:6.0f}  p99 {well[1]:6.0f}  most {well[2]:6.0f} ms",
            f"  clean       p50 {clean[0]:6.0f}  p99 {clean[1]:6.0f}  most {clean[2]:6.0f} ms",
            f"  calls       {', '.join(f'{name}: {n}' for name, n in seen.most_common())}",
        ]
    return "\n".join(lines)


async def test_whoever_is_killed_is_back_and_nobody_else_suffers(
    gate: StartGate, tmp_path: Path
) -> None:
    async def start(servers: str) -> Gate:
        return await asyncio.to_thread(gate, servers)

    fight, tally = await campaign(start, tmp_path, VICTIMS, 3)
    judge(fight, tally, GIVE_UP)


def main() -> None:
    """The campaign from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--victims", nargs="+", default=VICTIMS, choices=VICTIMS)
    parser.add_argument("--no-family", action="store_true", help="children without grandchildren")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="campaign-") as place:
        gates: list[Gate] = []

        async def start(servers: str) -> Gate:
            gates.append(Gate(Path(place) / "gate", servers))
            return await asyncio.to_thread(gates[0].start)

        try:
            fight, tally = asyncio.run(
                campaign(
                    start, Path(place), asked.victims, asked.rounds, family=not asked.no_family
                )
            )
        finally:
            for up in gates:
                up.kill()
    sys.stdout.write(f"{told(fight)}\n{tally.shown()}\n")
    judge(fight, tally, WITHIN)


if __name__ == "__main__":
    main()
