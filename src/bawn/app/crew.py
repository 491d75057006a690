"""The processes that serve one configuration: a steward and its workers, kept alive until they retire."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from itertools import count
from typing import Any, Final

import msgspec

from bawn.app.listeners import Listeners
from bawn.app.orders import StewardOrder, WorkOrder
from bawn.app.places import Places
from bawn.app.process import ChildFailedError, Process
from bawn.app.starting import Starter
from bawn.config import Config
from bawn.config.load import Loaded
from bawn.errors import BawnError, Misconfigured
from bawn.policy.rules import Source

log = logging.getLogger("bawn.supervisor")

READY: Final = 60.0
DRAIN: Final = 35.0
STOP: Final = 15.0
HEALTHY: Final = 2.0
"""Seconds of life after which a child's end counts as its first."""

PULSE: Final = 5.0
"""Seconds between two signs of life that are asked for."""
MISSED: Final = 4
"""Signs of life in a row that a process may owe."""

RECONSIDER: Final = 15.0
"""Seconds in which a steward takes in what was approved."""

SERVED: Final = 0.4
"""Seconds, at most, until a child that did serve is started again."""

_BACKOFF_FIRST: Final = 0.2
_BACKOFF_LAST: Final = 5.0


class Backoff:
    """How long to wait before a child is started again: not at all the first time, then ever longer."""

    def __init__(self) -> None:
        self._next = 0.0

    def ended(self, lived: float) -> float:
        """The seconds to wait after one that lived so long."""
        if lived >= HEALTHY:
            self._next = 0.0
        wait = self._next
        self._next = min(max(2 * wait, _BACKOFF_FIRST), _BACKOFF_LAST)
        return wait


@dataclass(frozen=True, slots=True)
class Task:
    """What a crew is for, and who starts it; `lock` as in its orders."""

    starter: Starter
    loaded: Loaded
    epoch: int
    places: Places
    listeners: Listeners
    insecure_no_auth: bool
    policy: Source | None
    lock: str = ""


class Crew:
    """One steward and `workers` workers.

    `on_view` is told of each new `view`, the digest of one, and of each change of `doubted`: the servers
    that say that they have changed, and were not looked at since; at first those of the crew before.
    """

    def __init__(
        self, task: Task, on_view: Callable[[Crew], None], doubted: tuple[str, ...] = ()
    ) -> None:
        self.task = task
        self.epoch = task.epoch
        self.size = task.loaded.config.workers
        self.view: str | None = None
        self.doubted = doubted
        self._waiting: dict[int, asyncio.Future[None]] = {}
        self._tickets = count(1)
        self._on_view = on_view
        self._steward: Process | None = None
        self._workers: list[Process | None] = [None] * self.size
        self._keeping: list[asyncio.Task[None]] = []
        self._retired = False

    @property
    def pids(self) -> dict[str, Any]:
        """The process of each part, None while there is none."""
        return {
            "steward": pid_of(self._steward),
            "workers": [pid_of(each) for each in self._workers],
        }

    async def start(self) -> None:
        """Start all, and return when all of them serve.

        Raises:
            Misconfigured: this configuration cannot be served.
            ChildFailedError: a child did not get ready. In both cases none is left.
        """
        starts = [self._start_steward(), *map(self._start_worker, range(self.size))]
        try:
            outcomes = await asyncio.gather(*starts, return_exceptions=True)
        except asyncio.CancelledError:
            await self.retire(1.0)
            raise
        problems = [each for each in outcomes if isinstance(each, BaseException)]
        if not problems and self.view is None:
            problems = [ChildFailedError("the steward made no view; see the log")]
        if problems:
            await self.retire(1.0)
            raise next((p for p in problems if isinstance(p, Misconfigured)), problems[0])
        self._keep("steward", lambda: self._steward, self._start_steward)
        watching = watch(lambda: (self._steward, *self._workers))
        self._keeping.append(asyncio.create_task(watching))
        for slot in range(self.size):
            self._keep_worker(slot)

    async def retire(self, drain: float = DRAIN) -> None:
        """End all of them, calls in flight finished; none is started again."""
        self._retired = True
        for task in self._keeping:
            task.cancel()
        ending = [worker.stop(drain) for worker in self._workers if worker is not None]
        if self._steward is not None:
            ending.append(self._steward.stop(min(STOP, drain)))
        await asyncio.gather(*ending)
        for slot in range(self.size):
            self.task.places.worker(self.epoch, slot).unlink(missing_ok=True)
        self.task.places.shares(self.epoch).unlink(missing_ok=True)

    def _keep_worker(self, slot: int) -> None:
        self._keep(f"worker {slot}", lambda: self._workers[slot], lambda: self._start_worker(slot))

    def _keep(
        self, name: str, current: Callable[[], Process | None], start: Callable[[], Awaitable[None]]
    ) -> None:
        self._keeping.append(asyncio.create_task(keep(name, current, start)))

    async def _start_steward(self) -> None:
        task = self.task
        steward = await Process.start(
            task.starter, "steward", "bawn.app.stewarding", (), self._news
        )
        order = StewardOrder(
            config=raw(task.loaded.config),
            base=str(task.loaded.base),
            state=str(task.loaded.state),
            runner=str(task.places.runner),
            epoch=self.epoch,
            policy=task.policy,
            doubted=list(self.doubted),
            lock=task.lock,
        )
        await self._tell(steward, order)
        self._steward = steward

    async def _start_worker(self, slot: int) -> None:
        task, listeners = self.task, self.task.listeners
        worker = await Process.start(
            task.starter, f"worker {slot}", "bawn.app.worker", listeners.descriptors
        )
        data, unix, *management = worker.descriptors
        order = WorkOrder(
            config=raw(task.loaded.config),
            base=str(task.loaded.base),
            state=str(task.loaded.state),
            runner=str(task.places.runner),
            epoch=self.epoch,
            slot=slot,
            workers=self.size,
            listeners=[data, unix],
            management=management[0] if management else None,
            insecure_no_auth=task.insecure_no_auth,
            policy=task.policy,
            lock=task.lock,
        )
        await self._tell(worker, order)
        self._workers[slot] = worker

    async def _tell(self, child: Process, order: object) -> None:
        try:
            await child.tell(order, READY)
        except BaseException:  # the end of the gate among them: nobody else knows this child
            await child.stop(1.0)
            raise
        if self._retired:
            await child.stop(1.0)

    async def reconsider(self, server: str) -> None:
        """Have what was approved of a server read again; when this returns, it is in force.

        Raises:
            ChildFailedError: there is no steward that does so in time; the next one will.
        """
        if self._steward is None or self._steward.ended:
            raise ChildFailedError("the steward is just being started again")
        ticket, settled = next(self._tickets), asyncio.get_running_loop().create_future()
        self._waiting[ticket] = settled
        try:
            self._steward.post({"pins": server, "ticket": ticket})
            await asyncio.wait_for(settled, RECONSIDER)
        except TimeoutError:
            raise ChildFailedError("the steward did not answer in time") from None
        finally:
            del self._waiting[ticket]

    def _news(self, news: dict[str, Any]) -> None:
        if "view" in news or "doubted" in news:
            self.view = news.get("view", self.view)
            self.doubted = tuple(news.get("doubted", self.doubted))
            self._on_view(self)
        settled = self._waiting.get(news.get("settled", 0))
        if settled is not None and not settled.done():
            settled.set_result(None)


async def watch(children: Callable[[], Iterable[Process | None]]) -> None:
    """Kill what lives and does not move, for as long as this task runs: then `keep` replaces it."""
    while True:
        await asyncio.sleep(PULSE)
        for child in children():
            if child is not None and not child.ended and child.ask_alive() >= MISSED:
                log.error("the %s gives no sign of life: it is killed", child.name)
                child.kill()


async def keep(
    name: str, current: Callable[[], Process | None], start: Callable[[], Awaitable[None]]
) -> None:
    """Start a child again whenever it has ended, for as long as this task runs."""
    backoff = Backoff()
    loop = asyncio.get_running_loop()
    while (child := current()) is not None:
        code = await child.process.wait()
        child.close()
        log.error("the %s ended (%s); starting another", name, code)
        # one that served is missed: it is back within two seconds, however often it dies
        await asyncio.sleep(min(backoff.ended(loop.time() - child.born), SERVED))
        while current() is child:
            try:
                await start()
            except (BawnError, OSError) as error:
                log.error("the %s does not start: %s", name, error)
                await asyncio.sleep(backoff.ended(0.0))


def pid_of(child: Process | None) -> int | None:
    """Its process, None while there is none."""
    return None if child is None or child.ended else child.process.pid


def raw(config: Config) -> msgspec.Raw:
    """The configuration as it goes into an order."""
    return msgspec.Raw(config.model_dump_json().encode())
