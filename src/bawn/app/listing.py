"""Listing servers once, without a gate: they are started or reached, asked what they offer, and ended.

What it needs of a gate (a runner, sockets, records) lies in a temporary directory, and nothing of it stays.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from bawn.app.assemble import Clients
from bawn.app.crew import READY, raw
from bawn.app.launches import refuse_launches
from bawn.app.orders import RunnerOrder
from bawn.app.places import Places
from bawn.app.process import Process
from bawn.app.starting import Interpreters
from bawn.config import Config, trust
from bawn.config.load import Loaded
from bawn.config.roots import refuse_roots
from bawn.errors import Misconfigured
from bawn.launching.installed import Installed
from bawn.model import Health, Listing
from bawn.ports import Upstream
from bawn.runner import reaper
from bawn.steward import Steward
from bawn.storage.directory import StateDirectory

PATIENCE: Final = 60.0
"""Seconds in which every server has to have answered."""

_STOP: Final = 10.0
_LAST: Final = READY + 2 * _STOP  # for starting and ending, on top


@dataclass(frozen=True, slots=True)
class Listed:
    """What servers offer, and of each that could not be listed why."""

    listings: Mapping[str, Listing] = field(default_factory=dict)
    failed: Mapping[str, str] = field(default_factory=dict)


async def listed(
    loaded: Loaded,
    installed: Mapping[str, Installed],
    hide: tuple[Path, ...] = (),
    patience: float = PATIENCE,
) -> Listed:
    """Start and reach every server of a configuration that its owner has consented to, and list it once.

    Whoever is in `installed` is started from there; `hide` are directories that no server may see. When it
    returns or raises, nothing that it started is left.

    Raises:
        Misconfigured: it must not be started so, or cannot.
        ChildFailedError: the runner does not start.
        TimeoutError: it did not come to an end; what was started is ended.
    """
    refuse_roots(loaded)
    refuse_launches(loaded.config)
    trust.require(loaded)
    reaper.adopt()
    home = Path(tempfile.mkdtemp(prefix="bawn-listing-"))
    try:
        async with asyncio.timeout(patience + _LAST), _runner(loaded, installed, hide, home) as at:
            return await _look(loaded, at, patience)
    finally:
        await reaper.sweep()
        await asyncio.to_thread(shutil.rmtree, home, ignore_errors=True)


@asynccontextmanager
async def _runner(
    loaded: Loaded, installed: Mapping[str, Installed], hide: tuple[Path, ...], home: Path
) -> AsyncIterator[str]:
    """The socket of a runner that has the local servers, if there are any."""
    state = StateDirectory(home / "state")
    places = Places(state)
    if not trust.launches(loaded.config):
        yield str(places.runner)
        return
    order = RunnerOrder(
        config=raw(_quiet(loaded.config)),
        base=str(loaded.base),
        socket=str(places.runner),
        hide=[str(path) for path in (*hide, state.path, trust.store_directory())],
        guard=[str(loaded.path)],
        data=str(places.data),
        state=str(state.path),
        installed=dict(installed),
    )
    runner = await Process.start(Interpreters(), "runner", "bawn.runner", ())
    try:
        await runner.tell(order, READY)
        yield str(places.runner)
    finally:
        await asyncio.shield(runner.stop(_STOP))
        await asyncio.to_thread(places.runner.unlink, missing_ok=True)


def _quiet(config: Config) -> Config:
    """The same, but that the log says only what goes wrong."""
    log = config.log.model_copy(update={"level": "warning"})
    return config.model_copy(update={"log": log})


async def _look(loaded: Loaded, runner: str, patience: float) -> Listed:
    config = loaded.config
    async with AsyncExitStack() as stack:
        clients = Clients(config, loaded.base)
        stack.push_async_callback(clients.aclose)
        upstreams: dict[str, Upstream] = {}
        for name, server in config.servers.items():
            upstreams[name] = clients.upstream(name, server, runner)
            stack.push_async_callback(upstreams[name].aclose)
        steward = Steward(config, upstreams, lambda _: None, str(loaded.base))
        stack.push_async_callback(steward.stop)
        await steward.start(patience)
        return _outcome(config, steward)


def _outcome(config: Config, steward: Steward) -> Listed:
    listings = {each.server: each for each in steward.listings}
    failed = {}
    for name, server in config.servers.items():
        if name not in listings and server.status != "disabled":
            state = steward.states[name]
            slow = state.health is Health.STARTING
            failed[name] = "it did not answer in time" if slow else state.detail
    return Listed(listings, failed)


def run(
    loaded: Loaded,
    installed: Mapping[str, Installed],
    hide: tuple[Path, ...] = (),
    patience: float = PATIENCE,
) -> Listed:
    """As `listed`, for a command; SIGINT and SIGTERM end it, and what it started.

    Raises:
        Misconfigured: it must not be started so, cannot be, or did not come to an end.
        KeyboardInterrupt: it was told to end.
    """
    import signal

    async def main() -> Listed:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  # it runs as one
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        return await listed(loaded, installed, hide, patience)

    try:
        return asyncio.run(main())
    except TimeoutError:
        raise Misconfigured("the servers could not be listed in time; see what they said") from None
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
