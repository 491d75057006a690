"""One running server: a process, the dialogue with it, and what it said of itself."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from bawn.config import Limits, Server
from bawn.errors import UPSTREAM_DIED, UPSTREAM_NOT_STARTED, UPSTREAM_UNREACHABLE, Refused
from bawn.model import Answer, Json
from bawn.protocol import legacy_server
from bawn.runner.bounds import Bounds
from bawn.runner.confine import Shelter
from bawn.runner.dialogue import Deadlines, Dialogue, Progress
from bawn.runner.introduce import Era, Introduction, introduce
from bawn.runner.journal import Journal
from bawn.runner.launch import Launch, prepare
from bawn.runner.lines import LineSplitter
from bawn.runner.spawn import Process


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything by which a child is started; `project` is the caller's directory, if it counts.

    `data` is the directory of its isolation key.
    """

    name: str
    server: Server
    base: Path
    limits: Limits
    project: str | None = None
    data: Path | None = None
    shelter: Shelter = field(default_factory=Shelter)
    bounds: Bounds = field(default_factory=lambda: Bounds(None, frozenset()))

    def prepare(self) -> Launch:
        """What exactly is started; may block.

        Raises:
            Refused: upstream.not_started.
        """
        launch = prepare(self.server, self.base, self.project, self.data)
        return self.shelter.wrap(launch, self.server)


class Child:
    """A process that has introduced itself and takes calls."""

    def __init__(
        self, process: Process, dialogue: Dialogue, introduction: Introduction, launch: Launch
    ) -> None:
        self._process = process
        self._launch = launch
        self._dialogue = dialogue
        self._introduction = introduction
        self.since = time.time()

    @property
    def alive(self) -> bool:
        """Whether it takes calls."""
        return self._process.running

    @property
    def era(self) -> Era:
        """How it is spoken to."""
        return self._introduction.era

    @property
    def facts(self) -> Json:
        """What `bawn status` shows of it."""
        bounds = {"bounds": self._launch.bounds} if self._launch.bounds else {}
        return {
            "pid": self._process.pid,
            "era": self.era.value,
            "version": self._introduction.version,
            "since": self.since,
            "ignored": self._dialogue.ignored,
            "confined": self._launch.confined,
            "why": self._launch.why,
            **bounds,
        }

    async def call(
        self, method: str, params: Json, deadlines: Deadlines, progress: Progress | None
    ) -> Answer:
        """One canonical request, answered in canonical form.

        Raises:
            Refused: an upstream.* reason.
        """
        if self.era is Era.MODERN:
            return await self._dialogue.ask(method, params, deadlines, progress)
        if method == "server/discover":
            return Answer(result=self._introduction.discovered)
        legacy = legacy_server.to_legacy(method, params)
        answer = await self._dialogue.ask(method, legacy, deadlines, progress)
        if answer.result is not None:
            return Answer(result=legacy_server.to_canonical_result(method, answer.result))
        return Answer(error=legacy_server.to_canonical_error(answer.error or {}))

    async def stop(self, grace: float) -> None:
        """End it; calls in flight may still be answered within `grace` seconds."""
        await self._process.stop(grace)


async def start(
    plan: Plan,
    known: Era | None,
    on_end: Callable[[str], None],
    on_change: Callable[[], None],
) -> Child:
    """Start a child and let it introduce itself, within `limits.start`.

    Raises:
        Refused: upstream.not_started with what went wrong, or upstream.invalid.
    """
    seconds = plan.limits.start
    try:
        async with asyncio.timeout(seconds):
            launch = await asyncio.to_thread(plan.prepare)
            try:
                return await _attempt(plan, launch, known, on_end, on_change)
            except Refused as refused:
                if known is not None or refused.reason is not UPSTREAM_DIED:
                    raise
            # Some legacy servers end at a first message that is not initialize: once more, without.
            return await _attempt(plan, launch, Era.LEGACY, on_end, on_change)
    except TimeoutError:
        detail = f"it did not introduce itself within {seconds:g} s (`limits.start`)"
    except Refused as refused:
        if refused.reason not in (UPSTREAM_DIED, UPSTREAM_UNREACHABLE):
            raise
        detail = refused.detail
    raise Refused(UPSTREAM_NOT_STARTED, detail=detail)


async def _attempt(
    plan: Plan,
    launch: Launch,
    known: Era | None,
    on_end: Callable[[str], None],
    on_change: Callable[[], None],
) -> Child:
    launch = plan.bounds.apply(launch, plan.server)
    process = Process()
    journal = Journal(plan.name, launch.secrets)
    dialogue = Dialogue(process.write, journal, on_change)
    splitter = LineSplitter(plan.limits.result)
    introduction: Introduction | None = None

    def heard(data: bytes) -> None:
        for line in splitter.feed(data):
            dialogue.hear(line)

    def ended(how: str) -> None:
        how = f"{how}; it last said: {journal.last}" if journal.last else how
        dialogue.end(how)
        if introduction is not None:
            on_end(how)

    process.on_stdout, process.on_stderr, process.on_end = heard, journal.stderr, ended
    process.on_writable = dialogue.reads
    try:
        await process.spawn(launch)
        introduction = await introduce(dialogue, known, plan.limits.start)
    except Refused as refused:
        process.kill()
        raise Refused(refused.reason, detail=journal.clean(refused.detail)) from None
    except BaseException:
        process.kill()
        raise
    return Child(process, dialogue, introduction, launch)
