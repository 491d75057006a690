"""One running server: a process, the dialogue with it, and what it said of itself."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

from bawn.config import Limits, Server
from bawn.errors import (
    INTEGRITY_LAUNCH,
    UPSTREAM_DIED,
    UPSTREAM_INVALID,
    UPSTREAM_NOT_STARTED,
    UPSTREAM_UNREACHABLE,
    Refused,
)
from bawn.launching import checked
from bawn.launching.installed import Installed
from bawn.model import Answer, Json
from bawn.pins.verifying import Verifying
from bawn.protocol import legacy_server, listening, own, versions
from bawn.runner.asks import MIDWAY
from bawn.runner.bounds import Bounds
from bawn.runner.caller import Caller
from bawn.runner.confine import Shelter
from bawn.runner.dialogue import Dialogue
from bawn.runner.introduce import Era, Introduction, introduce
from bawn.runner.journal import Journal
from bawn.runner.launch import Launch, insist_on, prepare
from bawn.runner.lines import LineSplitter
from bawn.runner.listens import LISTS, RESOURCES, Listen
from bawn.runner.pending import LISTEN, Deadlines
from bawn.runner.spawn import Process
from bawn.runner.subscriptions import Subscriptions
from bawn.storage.trees import Trees


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything by which a child is started; `project` is the caller's directory, if it counts.

    `data` is the directory of its isolation key; `offers` is what it may ask for, if it is legacy.
    """

    name: str
    server: Server
    base: Path
    limits: Limits
    project: str | None = None
    data: Path | None = None
    shelter: Shelter = field(default_factory=Shelter)
    bounds: Bounds = field(default_factory=lambda: Bounds(None, frozenset()))
    offers: Json = field(default_factory=dict)
    verify: Callable[[], Verifying] | None = None
    installed: Installed | None = None
    trees: Trees = field(default_factory=Trees)

    def prepare(self) -> Launch:
        """What exactly is started; may block.

        Raises:
            Refused: upstream.not_started; integrity.launch, if it is not as it was installed.
        """
        if broken := checked.refuse(self.name, self.server):
            raise Refused(INTEGRITY_LAUNCH, detail="; ".join(broken))
        if self.installed is not None:
            insist_on(self.installed, self.trees)
        elif self.server.isolation == "project" and (
            foreign := checked.refuse_in_project(self.name, self.server)
        ):
            raise Refused(INTEGRITY_LAUNCH, detail=foreign)
        launch = prepare(self.server, self.base, self.project, self.data, self.installed)
        return self.shelter.wrap(launch, self.server)


_WAIT: Final = Deadlines(10.0, 10.0)
"""How long what the gate itself asks of a process may take."""


class Child:
    """A process that has introduced itself and takes calls; `on_change` is told of changed lists.

    `verifying` knows whether what it offers was approved.
    """

    def __init__(
        self,
        process: Process,
        dialogue: Dialogue,
        introduction: Introduction,
        launch: Launch,
        on_change: Callable[[str], None],
        verifying: Verifying | None = None,
    ) -> None:
        self._process = process
        self._verifying = verifying
        self._launch = launch
        self._dialogue = dialogue
        self._introduction = introduction
        self._on_change = on_change
        self._level = len(versions.LEVELS)  # that it was told to send log messages from
        self._subscriptions = Subscriptions(
            lambda method, params: dialogue.ask(method, params, _WAIT)
        )
        dialogue.updated = self._subscriptions.updated
        self._watching = asyncio.create_task(self._watch())
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
        self, method: str, params: Json, deadlines: Deadlines, caller: Caller | None
    ) -> Answer:
        """One canonical request, answered in canonical form.

        Raises:
            Refused: an upstream.* reason; integrity.* when what it relies on was not approved so.
        """
        if self._verifying is not None and not self._verifying.settled(method):
            listed = partial(self._listed, deadlines)  # a list may take as long as any call
            await self._verifying.check(method, params.get("name"), listed)
        if self.era is Era.MODERN:
            return await self._dialogue.ask(method, params, deadlines, caller)
        if method == "server/discover":
            return Answer(result=self._introduction.discovered)
        if caller is not None and caller.level is not None and caller.level < self._level:
            await self._lower(caller.level)
        legacy = legacy_server.to_legacy(method, params)
        answer = await self._dialogue.ask(method, legacy, deadlines, caller)
        if answer.result is not None:
            return Answer(result=legacy_server.to_canonical_result(method, answer.result))
        return self._failed(method, answer.error or {}, caller)

    async def _listed(self, deadlines: Deadlines, method: str, params: Json) -> Json:
        """A page of a list, asked for by the gate itself."""
        answer = await self.call(method, own.asking(params), deadlines, None)
        if answer.result is None:
            code = (answer.error or {}).get("code")
            raise Refused(UPSTREAM_INVALID, detail=f"{method} was answered with error {code}")
        return answer.result

    async def listen(self, listen: Listen, deadlines: Deadlines) -> Answer:
        """One stream of notifications, until the process ends or ends it.

        Raises:
            Refused: an upstream.* reason.
        """
        if self.era is Era.LEGACY:
            return await self._listen_legacy(listen)
        if listen.rest:
            return await self._listen_modern(listen, deadlines)
        listen.acknowledge(self.honoured(listen))
        return await self._dialogue.outlive()

    def honoured(self, listen: Listen) -> Json:
        """The changed lists among what is wanted that this server has."""
        return {name: True for name in listen.lists if self._has(name.removesuffix("ListChanged"))}

    def answer(self, ask: str, outcome: Json) -> bool:
        """Bring the answer to what the process asked; False when it did not ask this."""
        return self._dialogue.asks.answer(ask, outcome)

    async def stop(self, grace: float) -> None:
        """End it; calls in flight may still be answered within `grace` seconds."""
        await self._process.stop(grace)

    def _has(self, capability: str, part: str | None = None) -> bool:
        """Whether the server declares this capability, and this part of it."""
        declared = (self._introduction.discovered or {}).get("capabilities")
        found = declared.get(capability) if isinstance(declared, dict) else None
        return isinstance(found, dict) and (part is None or bool(found.get(part)))

    def _failed(self, method: str, error: Json, caller: Caller | None) -> Answer:
        """A legacy server's error; that a page must be visited first is put as a question."""
        if (
            caller is not None
            and "url" in caller.offers.get("elicitation", {})
            and method in MIDWAY
        ):
            asked = legacy_server.url_elicitation(error)
            if asked is not None:
                return Answer(result=asked)
        return Answer(error=legacy_server.to_canonical_error(error))

    async def _lower(self, level: int) -> None:
        """Have a legacy server send log messages from this level on: it has one level for all."""
        self._level = level
        if self._has("logging"):
            params = {"level": versions.LEVELS[level]}
            with suppress(Refused):  # whatever became of it, the call itself will tell
                await self._dialogue.ask("logging/setLevel", params, _WAIT)

    async def _listen_legacy(self, listen: Listen) -> Answer:
        held, honoured = self._subscriptions, self.honoured(listen)
        held.listeners.add(listen)
        uris: list[str] = []
        try:
            if listen.uris and self._has("resources", "subscribe"):
                uris = await held.hold(listen.uris)
            listen.acknowledge({**honoured, RESOURCES: uris} if uris else honoured)
            return await self._dialogue.outlive()
        finally:
            held.listeners.discard(listen)
            held.release(uris)

    async def _listen_modern(self, listen: Listen, deadlines: Deadlines) -> Answer:
        """What concerns lists is heard already: the process is asked for the rest."""

        def tell(message: Json) -> bool:
            if message["method"] != listening.ACKNOWLEDGED:
                listen.hear(message)
            else:
                listen.acknowledge({**self.honoured(listen), **_honours(message)}, message)
            return True

        params = {**listen.params, "notifications": listen.rest}
        return await self._dialogue.ask(LISTEN, params, deadlines, Caller(tell))

    async def _watch(self) -> None:
        """Have a modern server tell of its lists, which it does to those alone who listen."""
        kinds = [
            name
            for name in LISTS.values()
            if self._has(name.removesuffix("ListChanged"), "listChanged")
        ]
        if self.era is Era.LEGACY or not kinds:
            return

        def tell(message: Json) -> bool:
            if message["method"] in LISTS:
                self._on_change(message["method"])
            return True

        params = {**legacy_server.discover_params(), "notifications": dict.fromkeys(kinds, True)}
        with suppress(Refused):  # it has none, or it has ended
            await self._dialogue.ask(LISTEN, params, _WAIT, Caller(tell))


def _honours(acknowledgement: Json) -> Json:
    """What a process says it will tell of."""
    honoured = acknowledgement["params"].get("notifications")
    return honoured if isinstance(honoured, dict) else {}


async def start(
    plan: Plan,
    known: Era | None,
    on_end: Callable[[str], None],
    on_change: Callable[[str], None],
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
    on_change: Callable[[str], None],
) -> Child:
    launch = plan.bounds.apply(launch, plan.server)
    process = Process()
    verifying = plan.verify() if plan.verify is not None else None

    def changed(method: str) -> None:
        if verifying is not None:
            verifying.doubt(method)
        on_change(method)

    journal = Journal(plan.name, launch.secrets)
    dialogue = Dialogue(process.write, journal, changed)
    dialogue.shared = plan.server.isolation == "shared"
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
        introduction = await introduce(dialogue, known, plan.limits.start, plan.offers)
    except Refused as refused:
        process.kill()
        raise Refused(refused.reason, detail=journal.clean(refused.detail)) from None
    except BaseException:
        process.kill()
        raise
    return Child(process, dialogue, introduction, launch, changed, verifying)
