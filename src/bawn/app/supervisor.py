"""The supervisor: starts the runner and the worker, restarts what dies, and swaps workers on reload.

A reload starts a worker with the new configuration beside the old one. Only when the new one serves
does the old one end, with its calls finished; when it does not, nothing has changed.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import Callable
from typing import Any, Final

import msgspec

from bawn.app.listeners import Listeners, close_unshared, open_listeners
from bawn.app.orders import RunnerOrder, WorkOrder
from bawn.app.process import ChildFailedError, Process
from bawn.config import Config, changes, trust
from bawn.config.load import Loaded, load
from bawn.errors import BawnError, Misconfigured
from bawn.storage.directory import StateDirectory

log = logging.getLogger("bawn.supervisor")

_RUNNER: Final = "bawn.runner"
_WORKER: Final = "bawn.app.worker"
_READY: Final = 60.0
_DRAIN: Final = 35.0
_STOP: Final = 15.0
_BACKOFF_FIRST: Final = 0.2
_BACKOFF_LAST: Final = 5.0


class Supervisor:
    """One gate, from its configuration file to its end."""

    def __init__(self, loaded: Loaded, *, insecure_no_auth: bool) -> None:
        self.loaded = loaded
        self._insecure = insecure_no_auth
        self.state = StateDirectory(loaded.state)
        self._unix = self.state.socket("gate.sock")
        self._runner_socket = self.state.socket("runner.sock")
        self._listeners: Listeners | None = None
        self._runner: Process | None = None
        self._worker: Process | None = None
        self._stopping = asyncio.Event()
        self._reloading = asyncio.Lock()
        self._watching: set[asyncio.Task[None]] = set()
        self._leaving: set[asyncio.Task[None]] = set()

    async def run(self, started: Callable[[], None]) -> None:
        """Serve until SIGTERM or SIGINT; `started` is called once callers are served.

        Raises:
            Misconfigured: the gate cannot start as configured.
            ChildFailedError: a child did not get ready.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopping.set)
        config = self.loaded.config
        self._listeners = open_listeners(config, self._unix, None, None)
        try:
            await self._tell_runner(self.loaded)
            self._worker = await self._start_worker(self.loaded, self._listeners)
            self._supervise(self._worker)
            started()
            await self._stopping.wait()
        finally:
            await self._end()

    def stop(self) -> None:
        """End the gate, as SIGTERM does."""
        self._stopping.set()

    def status(self) -> dict[str, Any]:
        """What the supervisor itself knows."""
        config = self.loaded.config
        return {
            "config": str(self.loaded.path),
            "url": config.base_url,
            "management": config.management.listen,
            "socket": str(self._unix),
            "pids": {
                "supervisor": os.getpid(),
                "worker": self._worker.process.pid if self._worker else None,
                "runner": self._runner.process.pid if self._runner else None,
            },
        }

    async def reload(self, *, by_owner: bool) -> str:
        """Take in the changed file; returns what happened, in a sentence.

        Without the owner asking, only changes that the design allows are applied.

        Raises:
            Misconfigured: the new file cannot be used, or needs consent.
            ChildFailedError: nothing could serve it. In both cases the old one goes on.
        """
        async with self._reloading:
            fresh = load(self.loaded.path, os.environ)
            keys = changes.changed(self.loaded.config, fresh.config)
            if not keys:
                self.loaded = fresh
                return "nothing changed"
            if not by_owner and not changes.automatic(keys):
                waiting = ", ".join(changes.waiting(keys))
                return f"waiting for `bawn reload`: {waiting}"
            if fresh.state != self.loaded.state:
                raise Misconfigured(
                    "state: it cannot change while the gate runs; restart `bawn up`"
                )
            if by_owner:  # what is automatic starts and sends nothing new
                trust.require(fresh)
            leaving = await self._swap(fresh)
        # not under the lock: should the new one die meanwhile, it is replaced at once
        if leaving is not None:
            await asyncio.shield(self._retire(leaving))
        return "applied: " + ", ".join(keys)

    async def _swap(self, fresh: Loaded) -> Process | None:
        """Let a new worker serve the new configuration; returns the one that serves no more."""
        assert self._listeners is not None  # noqa: S101  # set before anybody can ask for a reload
        old_listeners, old_worker = self._listeners, self._worker
        listeners = open_listeners(fresh.config, self._unix, old_listeners, self.loaded.config)
        try:
            await self._tell_runner(fresh)
            worker = await self._start_worker(fresh, listeners)
        except (BawnError, OSError):
            await self._tell_runner(self.loaded)
            close_unshared(listeners, old_listeners)
            raise
        self.loaded, self._listeners, self._worker = fresh, listeners, worker
        self._supervise(worker)
        close_unshared(old_listeners, listeners)
        return old_worker

    def _retire(self, worker: Process) -> asyncio.Task[None]:
        """Let a worker finish its calls; the end of the gate waits for that, too."""
        task = asyncio.create_task(worker.stop(_DRAIN))
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)
        return task

    async def _tell_runner(self, loaded: Loaded) -> None:
        """Give the runner its servers; it is started for the first one."""
        runner = self._runner
        if runner is None:
            if not trust.launches(loaded.config):
                return
            runner = await Process.start("runner", _RUNNER, ())
        order = RunnerOrder(
            config=_raw(loaded.config), base=str(loaded.base), socket=str(self._runner_socket)
        )
        try:
            await runner.tell(order, _READY)
        except BaseException:
            if self._runner is None:
                await runner.stop(1.0)
            raise
        if self._runner is None:
            self._runner = runner
            self._supervise(runner)

    async def _start_worker(self, loaded: Loaded, listeners: Listeners) -> Process:
        worker = await Process.start("worker", _WORKER, listeners.descriptors)
        order = WorkOrder(
            config=_raw(loaded.config),
            base=str(loaded.base),
            state=str(loaded.state),
            runner=str(self._runner_socket),
            listeners=[listeners.data.fileno(), listeners.unix.fileno()],
            management=listeners.management.fileno() if listeners.management else None,
            insecure_no_auth=self._insecure,
        )
        try:
            await worker.tell(order, _READY)
        except BaseException:  # the end of the gate among them: nobody else knows this child
            await worker.stop(1.0)
            raise
        return worker

    def _supervise(self, child: Process) -> None:
        task = asyncio.create_task(self._replace_when_dead(child))
        self._watching.add(task)
        task.add_done_callback(self._watching.discard)

    async def _replace_when_dead(self, child: Process) -> None:
        code = await child.process.wait()
        delay = _BACKOFF_FIRST
        while not self._stopping.is_set() and child in (self._worker, self._runner):
            log.error("the %s ended (%s); starting another", child.name, code)
            try:
                await self._replace(child)
            except (ChildFailedError, Misconfigured, OSError) as error:
                log.error("the %s does not start: %s", child.name, error)
                await asyncio.sleep(delay)
                delay = min(delay * 2, _BACKOFF_LAST)

    async def _replace(self, dead: Process) -> None:
        async with self._reloading:
            if dead is self._runner:
                self._runner = None
                try:
                    await self._tell_runner(self.loaded)
                except BaseException:
                    self._runner = dead
                    raise
            elif dead is self._worker and self._listeners is not None:
                self._worker = await self._start_worker(self.loaded, self._listeners)
                self._supervise(self._worker)

    async def _end(self) -> None:
        """No new callers; then the worker, so that its calls find their servers; then the runner."""
        self._stopping.set()
        for task in tuple(self._watching):
            task.cancel()
        if self._listeners is not None:
            self._listeners.close()
        if self._worker is not None:
            self._retire(self._worker)
        if self._leaving:
            await asyncio.wait(self._leaving)
        if self._runner is not None:
            await self._runner.stop(_STOP)
        for path in (self._unix, self._runner_socket):
            await asyncio.to_thread(path.unlink, missing_ok=True)


def _raw(config: Config) -> msgspec.Raw:
    return msgspec.Raw(config.model_dump_json().encode())
