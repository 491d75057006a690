"""Children without processes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from bawn.errors import UPSTREAM_DIED, UPSTREAM_NOT_STARTED, Refused
from bawn.model import Answer, Json
from bawn.runner.caller import Caller
from bawn.runner.child import Plan
from bawn.runner.introduce import Era
from bawn.runner.listens import Listen
from bawn.runner.pending import Deadlines


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


class FakeChild:
    """Answers with what it was asked, as soon as `release` is set."""

    def __init__(self, number: int, on_end: Callable[[str], None], era: Era) -> None:
        self.number = number
        self.alive = True
        self.era = era
        self.on_end = on_end
        self.asked: set[str] = set()
        self.answers: list[Json] = []
        self.release = asyncio.Event()
        self.release.set()
        self.stopped = asyncio.Event()
        self.may_stop = asyncio.Event()
        self.may_stop.set()

    @property
    def facts(self) -> Json:
        return {"pid": self.number, "era": self.era.value, "version": "2026-07-28"}

    async def call(
        self, method: str, params: Json, deadlines: Deadlines, caller: Caller | None
    ) -> Answer:
        await self.release.wait()
        return Answer(result={"child": self.number, "method": method})

    async def listen(self, listen: Listen, deadlines: Deadlines) -> Answer:
        listen.acknowledge(self.honoured(listen))
        await self.stopped.wait()
        raise Refused(UPSTREAM_DIED, detail="stopped")

    def honoured(self, listen: Listen) -> Json:
        return dict.fromkeys(listen.lists, True)

    def answer(self, ask: str, outcome: Json) -> bool:
        if ask not in self.asked:
            return False
        self.answers.append(outcome)
        return True

    async def stop(self, grace: float) -> None:
        self.alive = False
        self.stopped.set()
        await self.may_stop.wait()
        self.on_end("it was told to stop")

    def die(self, how: str = "died") -> None:
        """End as a process does that crashed."""
        self.alive = False
        self.on_end(how)


class Launcher:
    """Starts fakes; `failing` makes starts fail, `gate` holds them up."""

    def __init__(self) -> None:
        self.children: list[FakeChild] = []
        self.plans: list[Plan] = []
        self.known: list[Era | None] = []
        self.changes: list[Callable[[str], None]] = []
        self.failing = False
        self.era = Era.MODERN
        self.gate = asyncio.Event()
        self.gate.set()
        self.asked = asyncio.Event()

    async def __call__(
        self,
        plan: Plan,
        known: Era | None,
        on_end: Callable[[str], None],
        on_change: Callable[[str], None],
    ) -> FakeChild:
        self.plans.append(plan)
        self.known.append(known)
        self.changes.append(on_change)
        return await self.start(on_end)

    async def start(self, on_end: Callable[[str], None]) -> FakeChild:
        """One start, for a slot."""
        self.asked.set()
        await self.gate.wait()
        if self.failing:
            raise Refused(UPSTREAM_NOT_STARTED, detail="exit code 7")
        self.children.append(FakeChild(len(self.children), on_end, self.era))
        return self.children[-1]


class Ear:
    """A caller; `told` is what it heard."""

    def __init__(self, offers: Json | None = None, level: int | None = None) -> None:
        self.told: list[Json] = []
        self.reads = True
        self.caller = Caller(self._tell, offers or {}, level)

    def _tell(self, message: Json) -> bool:
        self.told.append(message)
        return self.reads
