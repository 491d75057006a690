"""No cross-talk with sessions, streams, subscriptions, questions and tasks, over two workers.

`python -m tests.e2e.test_crosstalk_streams --seconds 60` is the whole minute; the suite has some seconds.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from tests.e2e.conftest import StartGate
from tests.e2e.gate_process import Gate, wait_until
from tests.e2e.gossips import Book, Trouble
from tests.e2e.legacy_gossip import BATCHES, LegacyTeller
from tests.e2e.load import Person
from tests.e2e.modern_gossip import ModernTeller
from tests.e2e.old_gossip import OldTeller
from tests.e2e.thief import Thief

pytestmark = pytest.mark.e2e

PEOPLE: Final = 24
ROOT: Final = Path(__file__).parents[2]
SERVER: Final = str(Path(__file__).parent / "servers" / "gossip.py")
LIMITS: Final = "limits: {first_byte: 10, total: 20, input: 8, stop: 1, resume: 10}\n"
REST: Final = 0.2
"""Seconds at most between two deeds."""

UNHEARD: Final = "nothing was told of a change"

Start = Callable[[str], Awaitable[Gate]]


@dataclass(frozen=True, slots=True)
class Talk:
    """What happened, and how long a worker was missing."""

    book: Book
    outage: tuple[float, float]

    @property
    def disturbed(self) -> list[Trouble]:
        """What failed though every worker was there from its beginning to its end."""
        killed, back = self.outage
        apart = [one for one in self.book.troubles if one.ended < killed or one.began > back]
        return [one for one in apart if not self._known(one)]

    def _known(self, trouble: Trouble) -> bool:
        """Whether this is a change that was lost where it is known that they may be, and no more.

        Workers that share a principal's session at a legacy server are each told a part; and when a
        dead worker is back, a client may still read the stream of the one that had stood in for it.
        """
        if not trouble.what.endswith(UNHEARD):
            return False
        stood_in = trouble.began > self.outage[0] and trouble.what.startswith("20")
        return stood_in or f"legacy: {UNHEARD}" in trouble.what


@contextlib.contextmanager
def remote() -> Iterator[int]:
    """The gossip over HTTP; its port."""
    command = [sys.executable, "-m", "tests.e2e.servers.gossip_http"]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            yield int(process.stdout.readline())
        finally:
            process.kill()


def configured(port: int) -> str:
    """Two workers, and a server of every kind."""
    base = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-S", "-E", "-s", SERVER]
    local = "".join(
        f"  {name}: {{command: {json.dumps([*command, name])}, isolation: {isolation},"
        " max_children: 300}\n"
        for name, isolation in (("local", "principal"), ("seat", "session"))
    )
    return (
        f"workers: 2\nservers:\n{local}"
        f"  modern: {{url: '{base}/modern/modern'}}\n"
        f"  pooled: {{url: '{base}/modern/pooled', isolation: shared}}\n"
        f"  legacy: {{url: '{base}/legacy/legacy'}}\n{LIMITS}"
    )


def everybody(book: Book, people: list[Person], port: int) -> list[Awaitable[None]]:
    """The deeds of all: a quarter each of modern, legacy, modern and oldest, and batching clients."""
    address = ("127.0.0.1", port)
    deeds: list[Awaitable[None]] = []
    for index, person in enumerate(people):
        deeds.append(book.keep_doing("theft", Thief(book, person, address).go, 4 * REST))
        if index % 2 == 0:
            modern = ModernTeller(book, person, address, 1)
            acts = {"talk": modern.talk, "watch": modern.watch, "work": modern.work}
            deeds += [book.keep_doing(f"modern {n}", act, REST) for n, act in acts.items()]
        if index % 4 == 3:
            leaver = LegacyTeller(book, person, address, 5, "2025-11-25")
            deeds.append(book.keep_doing("left session", leaver.leave, 4 * REST))
        if index % 4 == 2:
            old = OldTeller(book, person, address, 3)
            deeds.append(book.keep_doing("old", old.live, REST))
        if index % 2 == 1:
            version = "2025-11-25" if index % 4 == 1 else BATCHES
            legacy = LegacyTeller(book, person, address, 4, version)
            acts = {"talk": legacy.talk, "watch": legacy.watch, "stand": legacy.stand}
            acts |= {"batch": legacy.batch} if version == BATCHES else {"more": legacy.talk}
            deeds += [book.keep_doing(f"{version} {n}", act, REST) for n, act in acts.items()]
    return deeds


async def cross(start: Start, seconds: float, people: int = PEOPLE) -> Talk:
    """Let everybody talk at once for so long; in the midst of it a worker is killed."""
    with remote() as port:
        up = await start(configured(port))
        await asyncio.to_thread(up.until_ok)
        crowd = [Person(f"person-{n}", up.token(sub=f"person-{n}")) for n in range(1, people + 1)]
        book = Book(crowd)
        doing = [asyncio.ensure_future(deed) for deed in everybody(book, crowd, up.port)]
        try:
            await asyncio.sleep(seconds / 2)
            outage = await asyncio.to_thread(kill_a_worker, up)
            await asyncio.sleep(seconds / 2)
            book.over.set()
            await asyncio.gather(*doing)
        finally:
            for each in doing:
                each.cancel()
    return Talk(book, outage)


def kill_a_worker(up: Gate) -> tuple[float, float]:
    """Kill one, and wait for its successor; when that was."""
    victim = up.pids()["worker 1"]
    killed = time.monotonic()
    os.kill(victim, signal.SIGKILL)
    wait_until(lambda: up.pids()["worker 1"] != victim, what="another worker")
    return killed, time.monotonic()


NEEDED: Final = (
    "modern talk", "modern watch", "modern work", "old", "2025-11-25 talk", "2025-11-25 watch",
    "2025-03-26 talk", "2025-03-26 batch", "call modern", "call pooled", "call legacy",
    "call local", "call seat", "round modern", "round legacy", "round local", "round seat",
    "update modern", "update pooled", "update legacy", "update local", "updates over SSE",
    "calls over SSE", "answers posted", "answers posted over SSE", "resumed calls",
    "resumed streams", "heard progress", "heard message", "heard elicitation/create",
    "heard sampling/createMessage", "heard roots/list", "heard tasks", "tasks/get",
    "tasks/update", "tasks/cancel", "refused another request's state", "refused a used state",
    "stolen state", "stolen task", "stolen session", "stolen event", "stolen ask",
    "stolen handle", "left session",
)  # fmt: skip


def judge(talked: Talk) -> None:
    """Nothing was anybody else's, everything took place, and only the killed worker disturbed it."""
    book = talked.book
    assert not book.wrong, f"{len(book.wrong)} wrong\n" + "\n".join(book.wrong[:5])
    missing = [name for name in NEEDED if not book.counts[name]]
    assert not missing, f"never happened: {missing}\n{shown(talked)}"
    assert not talked.disturbed, shown(talked)


def shown(talked: Talk) -> str:
    """The counts, and what failed."""
    lines = [f"{number:8} {name}" for name, number in sorted(talked.book.counts.items())]
    disturbed = Counter(
        f"{one.began - talked.outage[1]:+.1f} s from when it was back: {one.what[:400]}"
        for one in talked.disturbed
    )
    excused = len(talked.book.troubles) - len(talked.disturbed)
    lines += [f"{excused:8} failed around the death of a worker"]
    lines += [f"{number:8} FAILED {what}" for what, number in disturbed.most_common(20)]
    return "\n".join(lines)


async def test_nobody_hears_what_is_anothers_in_streams_and_sessions(gate: StartGate) -> None:
    async def start(servers: str) -> Gate:
        return await asyncio.to_thread(gate, servers)

    judge(await cross(start, float(os.environ.get("CROSSTALK_SECONDS", "12"))))


def main() -> None:
    """The campaign from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--people", type=int, default=PEOPLE)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="crosstalk-") as place:
        gates: list[Gate] = []

        async def start(servers: str) -> Gate:
            gates.append(Gate(Path(place) / "gate", servers))
            return await asyncio.to_thread(gates[0].start)

        try:
            talked = asyncio.run(cross(start, asked.seconds, asked.people))
            sys.stdout.write(f"{shown(talked)}\n")
            gates[0].stop()
        finally:
            for up in gates:
                up.kill()
    judge(talked)


if __name__ == "__main__":
    main()
