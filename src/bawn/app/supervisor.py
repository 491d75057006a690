"""The supervisor: binds the sockets, keeps the runner and the crew, and reloads.

A reload starts a crew with the new configuration beside the old one; only
when all of it serves is the new configuration put in force, and at that moment the old crew admits
nothing more. When it cannot serve, nothing has changed.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import resource
import signal
from collections.abc import Callable, Coroutine, Iterable
from pathlib import Path
from typing import Any, Final, TypeVar

from bawn.app import policies
from bawn.app.crew import READY, STOP, Crew, Task, keep, pid_of, raw, watch
from bawn.app.cuts import CutList
from bawn.app.force import Force
from bawn.app.listeners import Listeners, close_unshared, open_listeners
from bawn.app.orders import RunnerOrder
from bawn.app.places import Places
from bawn.app.process import Process
from bawn.app.sealing import keep_fresh
from bawn.config import changes, trust
from bawn.config.load import Loaded, load
from bawn.config.roots import refuse_roots
from bawn.errors import BawnError, Misconfigured
from bawn.policy.rules import Source
from bawn.runner import reaper
from bawn.storage.directory import StateDirectory
from bawn.storage.ring import Ring

log = logging.getLogger("bawn.supervisor")

DESCRIPTORS: Final = 65_536
"""Open files that the gate asks the kernel for, if it may: connections are files, too."""

_RUNNER: Final = "bawn.runner"

_T = TypeVar("_T")


class StoppingError(BawnError):
    """The gate was told to end before this was done."""


class Supervisor:
    """One gate, from its configuration file to its end."""

    def __init__(self, loaded: Loaded, *, insecure_no_auth: bool) -> None:
        self.loaded = loaded
        self.policy, self._rules = policies.read(loaded)
        self._insecure = insecure_no_auth
        self.state = StateDirectory(loaded.state)
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
        _raise_descriptors()
        reaper.adopt()
        refuse_roots(self.loaded)
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
        await self._tell_runner(self.loaded)
        crew = self.force.crew = self._new_crew(self.loaded, listeners, self.policy)
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
                "version": self._rules.version,
                "rules": len(self._rules.rules),
                "enforcement": config.enforcement,
            },
            "pids": {
                "supervisor": os.getpid(),
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
        policy, rules = policies.read(fresh) if by_owner else (self.policy, self._rules)
        policies.refuse_emptied(self.policy, policy)
        if policy != self.policy:
            keys = (*keys, "the policies")
        if not keys:
            self.loaded = fresh
            return "nothing changed"
        if not by_owner and not changes.automatic(keys):
            waiting = ", ".join(changes.waiting(keys))
            return f"waiting for `bawn reload`: {waiting}"
        if fresh.state != self.loaded.state:
            raise Misconfigured("state: it cannot change while the gate runs; restart `bawn up`")
        refuse_roots(fresh)
        if by_owner:  # what is automatic starts and sends nothing new
            trust.require(fresh)
        leaving = await self._swap(fresh, policy)
        self._rules = rules
        if leaving is not None:  # it admits nothing more, so nobody has to wait for its end
            self._retire(leaving)
        return "applied: " + ", ".join(keys)

    async def _swap(self, fresh: Loaded, policy: Source | None) -> Crew | None:
        """Let a new crew serve the new configuration; returns the one that serves no more."""
        assert self._listeners is not None  # noqa: S101  # set before anybody can ask for a reload
        old_listeners, old_crew = self._listeners, self.force.crew
        listeners = open_listeners(
            fresh.config, self.places.unix, old_listeners, self.loaded.config
        )
        crew = self._new_crew(fresh, listeners, policy)
        try:
            await self._tell_runner(fresh)
            await crew.start()
            name = self.force.prepare(crew)
        except BaseException as problem:
            close_unshared(listeners, old_listeners)
            await crew.retire(1.0)
            self.force.drop(crew)
            if isinstance(problem, BawnError | OSError):  # else the gate ends
                await self._tell_runner_back()
            raise
        self.loaded, self.policy, self._listeners = fresh, policy, listeners
        self.force.put(crew, name)
        close_unshared(old_listeners, listeners)
        return old_crew

    def _new_crew(self, loaded: Loaded, listeners: Listeners, policy: Source | None) -> Crew:
        self._epoch += 1
        task = Task(loaded, self._epoch, self.places, listeners, self._insecure, policy)
        return Crew(task, self.force.on_view)

    def _retire(self, crew: Crew) -> None:
        """Let a crew finish its calls; the end of the gate waits for that, too."""
        task = asyncio.create_task(crew.retire())
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    # ── the runner ──

    async def _tell_runner(self, loaded: Loaded) -> None:
        """Give the runner its servers; it is started for the first one."""
        if self._runner is not None:
            await self._runner.tell(self._runner_order(loaded), READY)
        elif trust.launches(loaded.config):
            await self._start_runner(loaded)
            self._keep_runner()

    async def _tell_runner_back(self) -> None:
        """Give the runner what it had; one that does not take it is replaced by one that does."""
        try:
            await self._tell_runner(self.loaded)
        except (BawnError, OSError) as problem:
            log.error("the runner does not go back to what it had: %s", problem)
            if self._runner is not None:
                self._runner.kill()

    async def _start_runner(self, loaded: Loaded) -> None:
        runner = await Process.start("runner", _RUNNER, ())
        try:
            await runner.tell(self._runner_order(loaded), READY)
        except BaseException:
            await runner.stop(1.0)
            raise
        self._runner = runner

    def _keep_runner(self) -> None:
        async def again() -> None:
            async with self._reloading:
                await reaper.sweep(self._own)  # whom the dead one and its keepers left to us
                await self._start_runner(self.loaded)

        def idle() -> tuple[Process | None, ...]:
            # while it follows an order it answers nothing else, and the order has its own time
            return () if self._reloading.locked() else (self._runner,)

        self._keep(keep("runner", lambda: self._runner, again))
        self._keep(watch(idle))

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        self._keeping.add(asyncio.create_task(work))

    def _runner_order(self, loaded: Loaded) -> RunnerOrder:
        return RunnerOrder(
            config=raw(loaded.config),
            base=str(loaded.base),
            socket=str(self.places.runner),
            hide=[str(path) for path in hidden(loaded, self.state)],
            guard=[str(path) for path in (loaded.path, policies.directory(loaded)) if path],
            data=str(self.places.data),
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
        self.force.close()
        await asyncio.to_thread(self.places.clear, (self.places.unix, self.places.runner))


def _raise_descriptors() -> None:
    """Let this process and those it starts open as many files as they may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(ValueError, OSError):  # a kernel that has it otherwise
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def hidden(loaded: Loaded, state: StateDirectory) -> Iterable[Path]:
    """The directories of bawn's own that no server has any business in."""
    return (state.path, trust.store_directory(), state.socket("gate.sock").parent)
