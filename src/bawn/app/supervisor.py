"""The supervisor: binds the sockets, keeps the runner and the crew, and reloads.

A reload starts a crew with the new configuration beside the old one; only
when all of it serves is the new configuration put in force, and at that moment the old crew admits
nothing more. When it cannot serve, nothing has changed.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import Callable, Coroutine, Iterable, Iterator
from pathlib import Path
from typing import Any, Final, TypeVar

from bawn.app import beside, policies
from bawn.app.beside import Beside
from bawn.app.crew import READY, STOP, Crew, Task, keep, pid_of, raw, watch
from bawn.app.cuts import CutList
from bawn.app.force import Force
from bawn.app.launches import refuse_launches
from bawn.app.listeners import Listeners, close_unshared, open_listeners
from bawn.app.orders import RunnerOrder
from bawn.app.places import Places
from bawn.app.process import ChildFailedError, Process
from bawn.app.sealing import keep_fresh
from bawn.app.starting import Starter
from bawn.assurance.lock.contents import NAME as LOCKFILE
from bawn.config import changes, trust
from bawn.config.load import Loaded, load
from bawn.config.roots import refuse_roots
from bawn.errors import BawnError, Misconfigured
from bawn.runner import reaper
from bawn.storage.directory import StateDirectory
from bawn.storage.ring import Ring

log = logging.getLogger("bawn.supervisor")

"""Open files that the gate asks the kernel for, if it may: connections are files, too."""

_RUNNER: Final = "bawn.runner"

_T = TypeVar("_T")


class StoppingError(BawnError):
    """The gate was told to end before this was done."""


class Supervisor:
    """One gate, from its configuration file to its end."""

    def __init__(
        self, loaded: Loaded, starter: Starter, *, insecure_no_auth: bool, locked: bool = False
    ) -> None:
        self.loaded = loaded
        self._starter = starter
        self._insecure = insecure_no_auth
        self._locked = locked
        self.state = StateDirectory(loaded.state)
        self.beside = beside.read(loaded, self.state, lock=locked)
        self.places = Places(self.state)
        self.force = Force(self.places, CutList(self.state))
        self._listeners: Listeners | None = None
        self._runner: Process | None = None
        self._epoch = 0
        self._stopping = asyncio.Event()
        self._reloading = asyncio.Lock()
        self._keeping: set[asyncio.Task[None]] = set()
        self._leaving: set[asyncio.Task[None]] = set()

    async def run(self, started: Callable[[], None]) -> None:
        """Serve until SIGTERM or SIGINT; `started` is called once callers are served.

        Raises:
            Misconfigured: the gate cannot start as configured.
            ChildFailedError: a child did not get ready.
        """
        reaper.adopt()
        refuse_roots(self.loaded)
        refuse_launches(self.loaded.config)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopping.set)
        self._listeners = open_listeners(self.loaded.config, self.places.unix, None, None)
        try:
            self.force.open()
            async with self._reloading:  # nobody changes what is only being started
                await self._unless_stopped(self._start(self._listeners))
            self._keep(keep_fresh(Ring(self.state.keys), self.force.renew_ring))
            started()
            await self._stopping.wait()
        except StoppingError:
            log.info("told to end before callers were served")
        finally:
            await self._end()

    async def _start(self, listeners: Listeners) -> None:
        await self._tell_runner(self.loaded, self.beside)
        crew = self.force.crew = self._new_crew(self.loaded, listeners, self.beside)
        await crew.start()

    async def _unless_stopped(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Do this; the end of the gate does not wait for it.

        Raises:
            StoppingError: it was given up, and what it had begun undone.
        """
        working, stopping = asyncio.create_task(work), asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                return working.result()
            raise StoppingError("the gate was told to end")
        finally:
            stopping.cancel()
            working.cancel()
            await asyncio.wait({working})

    def stop(self) -> None:
        """End the gate, as SIGTERM does."""
        self._stopping.set()

    def status(self) -> dict[str, Any]:
        """What the supervisor itself knows."""
        config, crew = self.loaded.config, self.force.crew
        return {
            "config": str(self.loaded.path),
            "url": config.base_url,
            "management": config.management.listen,
            "socket": str(self.places.unix),
            "policy": {
                "directory": config.policy,
                "version": self.beside.rules.version,
                "rules": len(self.beside.rules.rules),
                "enforcement": config.enforcement,
            },
            "lock": self.beside.lock and self.beside.lock.told(),
            "pids": {
                "supervisor": os.getpid(),
                "forkserver": self._starter.pid,
                "runner": pid_of(self._runner),
                **(crew.pids if crew is not None else {}),
            },
        }

    # ── reload ──

    async def reload(self, *, by_owner: bool) -> str:
        """Take in the changed file; returns what happened, in a sentence.

        Without the owner asking, only changes that the design allows are applied.

        Raises:
            Misconfigured: the new file cannot be used, or needs consent.
            ChildFailedError, OSError: nothing could serve it. In these cases the old one goes on.
            StoppingError: the gate ends.
        """
        async with self._reloading:
            return await self._unless_stopped(self._reload(by_owner=by_owner))

    async def _reload(self, *, by_owner: bool) -> str:
        fresh = load(self.loaded.path, os.environ)
        keys = changes.changed(self.loaded.config, fresh.config)
        after = self.beside
        if by_owner:
            after = beside.read(fresh, self.state, lock=self._locked)
        keys += after.changes_of(self.beside)
        if not keys:
            self.loaded = fresh
            return "nothing changed"
        if not by_owner and not changes.automatic(keys):
            waiting = ", ".join(changes.waiting(keys))
            return f"waiting for `bawn reload`: {waiting}"
        if fresh.state != self.loaded.state:
            raise Misconfigured("state: it cannot change while the gate runs; restart `bawn up`")
        refuse_roots(fresh)
        refuse_launches(fresh.config)
        if by_owner:  # what is automatic starts and sends nothing new
            trust.require(fresh)
        leaving = await self._swap(fresh, after)
        if leaving is not None:  # it admits nothing more, so nobody has to wait for its end
            self._retire(leaving)
        return "applied: " + ", ".join(keys)

    async def _swap(self, fresh: Loaded, after: Beside) -> Crew | None:
        """Let a new crew serve the new configuration; returns the one that serves no more."""
        assert self._listeners is not None  # noqa: S101  # set before anybody can ask for a reload
        old_listeners, old_crew = self._listeners, self.force.crew
        listeners = open_listeners(
            fresh.config, self.places.unix, old_listeners, self.loaded.config
        )
        crew = self._new_crew(fresh, listeners, after)
        try:
            await self._tell_runner(fresh, after)
            await crew.start()
            await crew.reconsider("")  # what was decided or found since its steward began
            name = self.force.prepare(crew)
        except BaseException as problem:
            close_unshared(listeners, old_listeners)
            await crew.retire(1.0)
            self.force.drop(crew)
            if isinstance(problem, BawnError | OSError):  # else the gate ends
                await self._tell_runner_back()
            raise
        self.loaded, self.beside, self._listeners = fresh, after, listeners
        self.force.put(crew, name)
        self._keep(self._reconsider(""))  # and what was at this very moment
        close_unshared(old_listeners, listeners)
        return old_crew

    def _new_crew(self, loaded: Loaded, listeners: Listeners, after: Beside) -> Crew:
        self._epoch += 1
        lock = self._lock_of(after)
        task = Task(
            self._starter, loaded, self._epoch, self.places, listeners, self._insecure,
            after.policy, lock,
        )  # fmt: skip
        doubted = self.force.crew.doubted if self.force.crew is not None else ()
        return Crew(task, self.force.on_view, doubted)

    def _lock_of(self, after: Beside) -> str:
        return "" if after.lock is None else str(after.lock.put(self.state.run))

    def _retire(self, crew: Crew) -> None:
        """Let a crew finish its calls; the end of the gate waits for that, too."""
        task = asyncio.create_task(crew.retire())
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    # ── the runner ──

    async def _tell_runner(self, loaded: Loaded, after: Beside) -> None:
        """Give the runner its servers; it is started for the first one."""
        if self._runner is not None:
            await self._runner.tell(self._runner_order(loaded, after), READY)
        elif trust.launches(loaded.config):
            await self._start_runner(loaded, after)
            self._keep_runner()

    async def _tell_runner_back(self) -> None:
        """Give the runner what it had; one that does not take it is replaced by one that does."""
        try:
            await self._tell_runner(self.loaded, self.beside)
        except (BawnError, OSError) as problem:
            log.error("the runner does not go back to what it had: %s", problem)
            if self._runner is not None:
                self._runner.kill()

    async def _start_runner(self, loaded: Loaded, after: Beside) -> None:
        runner = await Process.start(self._starter, "runner", _RUNNER, (), self._on_runner)
        try:
            await runner.tell(self._runner_order(loaded, after), READY)
        except BaseException:
            await runner.stop(1.0)
            raise
        self._runner = runner

    def _on_runner(self, news: dict[str, Any]) -> None:
        """A child offers what was not approved: the steward has to know."""
        self._keep(self._reconsider(str(news.get("pins", ""))))

    async def reconsider(self, server: str) -> None:
        """Put in force what was approved of a server, as it is on record now.

        Raises:
            ChildFailedError: not yet; it will be soon.
        """
        if self.force.crew is None:
            raise ChildFailedError("the gate is still starting")
        await self.force.crew.reconsider(server)

    async def _reconsider(self, server: str) -> None:
        try:
            await self.reconsider(server)
        except ChildFailedError as problem:
            log.error("what was found of %s is not in force yet: %s", server, problem)

    def _keep_runner(self) -> None:
        async def again() -> None:
            async with self._reloading:
                await reaper.sweep(self._own)  # whom the dead one and its keepers left to us
                await self._start_runner(self.loaded, self.beside)

        def idle() -> tuple[Process | None, ...]:
            # while it follows an order it answers nothing else, and the order has its own time
            return () if self._reloading.locked() else (self._runner,)

        self._keep(keep("runner", lambda: self._runner, again))
        self._keep(watch(idle))

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._keeping.add(task)
        task.add_done_callback(self._keeping.discard)

    def _runner_order(self, loaded: Loaded, after: Beside) -> RunnerOrder:
        return RunnerOrder(
            config=raw(loaded.config),
            base=str(loaded.base),
            socket=str(self.places.runner),
            hide=[str(path) for path in hidden(loaded, self.state)],
            guard=[str(path) for path in guarded(loaded)],
            data=str(self.places.data),
            state=str(self.state.path),
            installed=dict(after.installed),
            lock=self._lock_of(after),
        )

    def _own(self) -> list[int]:
        """The processes that the gate itself consists of."""
        crew = self.force.crew
        pids = crew.pids if crew is not None else {"steward": None, "workers": []}
        return [pid for pid in (pids["steward"], *pids["workers"]) if pid is not None]

    async def _end(self) -> None:
        """No new callers; then the crew, so that its calls find their servers; then the runner."""
        self._stopping.set()
        for task in self._keeping:
            task.cancel()
        await self._reloading.acquire()  # a reload is given up first; nothing is started after it
        if self._listeners is not None:
            self._listeners.close()
        if self.force.crew is not None:
            self._retire(self.force.crew)
        if self._leaving:
            await asyncio.wait(self._leaving)
        if self._runner is not None:
            await self._runner.stop(STOP)
            await reaper.sweep()
        await self._starter.aclose()
        self.force.close()
        await asyncio.to_thread(self.places.clear, (self.places.unix, self.places.runner))


def guarded(loaded: Loaded) -> Iterator[Path]:
    """The files that decide what serves; no server may change them."""
    yield loaded.path
    directory, config = policies.directory(loaded), loaded.config
    if directory is not None:
        yield directory
    database = config.vulnerabilities.database
    local = None if database is None or "://" in database else database
    named = (str(LOCKFILE), config.signing.root, config.signing.sigstore, local)
    more = (loaded.base / Path(each).expanduser() for each in named if each is not None)
    yield from (path for path in more if path.exists())


def hidden(loaded: Loaded, state: StateDirectory) -> Iterable[Path]:
    """The directories of bawn's own that no server has any business in."""
    return (state.path, trust.store_directory(), state.socket("gate.sock").parent)
