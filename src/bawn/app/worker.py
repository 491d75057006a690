"""A worker: the process that serves callers. `python -m bawn.app.worker FD` is the supervisor's."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
import uvicorn
import uvloop

from bawn.app.assemble import Assembly, assemble
from bawn.app.front import DataFront, management
from bawn.app.orders import Channel, WorkOrder
from bawn.config import Config
from bawn.errors import Misconfigured
from bawn.identity.peer import unix_peer
from bawn.model import Peer
from bawn.storage.directory import StateDirectory
from bawn.telemetry import logs
from bawn.transport.edge import EdgeProtocol, edge_for

log = logging.getLogger("bawn.worker")

PATIENCE: Final = 3.0
"""Seconds that the first View waits for servers that are slow to introduce themselves."""

DRAIN: Final = 30
_SWEEP: Final = 5.0
_DIGITS: Final = 1_000
_COLLECT: Final = (20_000, 20, 20)


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: two of them run here, and the worker decides when."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _peer(transport: asyncio.BaseTransport) -> Peer:
    connected = transport.get_extra_info("socket")
    if connected is not None and connected.family == socket.AF_UNIX:
        return unix_peer(connected.fileno())
    address = transport.get_extra_info("peername")
    return Peer(str(address[0]) if address else "")


def _server(app: Any, edge: type[EdgeProtocol]) -> _Server:
    return _Server(
        uvicorn.Config(
            app,
            http=edge,
            interface="asgi3",
            loop="none",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,
            proxy_headers=False,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=DRAIN,
        )
    )


class Worker:
    """Serves until told to stop; in-flight calls are finished first."""

    def __init__(self, order: WorkOrder, rooms: Assembly) -> None:
        self._order = order
        self._rooms = rooms
        edge = edge_for(rooms.config.limits.header, rooms.config.limits.body_time, _peer)
        self._servers = [(_server(DataFront(rooms), edge), order.listeners)]
        if order.management is not None:
            probes = management(rooms, open_to_all=rooms.config.management.open)
            self._servers.append((_server(probes, edge), [order.management]))

    async def run(self, channel: Channel) -> None:
        """Compile the first View, serve, report readiness; stop on SIGTERM or the channel's end."""
        await self._rooms.steward.start(PATIENCE)
        loop = asyncio.get_running_loop()
        stop = asyncio.Event()
        loop.add_signal_handler(signal.SIGTERM, stop.set)
        serving = [
            asyncio.create_task(server.serve([socket.socket(fileno=fd) for fd in fds]))
            for server, fds in self._servers
        ]
        while not all(server.started for server, _ in self._servers):
            if any(task.done() for task in serving):
                break
            await asyncio.sleep(0.005)
        # what stands now stands for good: the collector need not look at it again, and calls leave
        # few cycles behind
        gc.collect()
        gc.freeze()
        gc.set_threshold(*_COLLECT)
        await channel.send({"ok": True})
        sweeping = asyncio.create_task(self._sweep())
        orphaned = asyncio.create_task(channel.line())
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({orphaned, stopping, *serving}, return_when=asyncio.FIRST_COMPLETED)
        sweeping.cancel()
        for server, _ in self._servers:
            server.should_exit = True
        await asyncio.gather(*serving, return_exceptions=True)
        await self._rooms.aclose()

    async def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(_SWEEP)
            for server, _ in self._servers:
                for connection in tuple(server.server_state.connections):
                    if isinstance(connection, EdgeProtocol):
                        connection.sweep(loop.time())


async def _main(end: socket.socket) -> int:
    channel = await Channel.over(end)
    line = await channel.line()
    if not line:
        return 1
    order = msgspec.json.decode(line, type=WorkOrder)
    config = Config.model_validate_json(bytes(order.config))
    logs.configure(config.log.format, config.log.level, sys.stderr)
    try:
        state = StateDirectory(Path(order.state))
        rooms = assemble(
            config,
            Path(order.base),
            state,
            order.runner,
            insecure_no_auth=order.insecure_no_auth,
        )
    except Misconfigured as error:
        await channel.send({"misconfigured": error.problems})
        return 2
    await Worker(order, rooms).run(channel)
    return 0


def main() -> None:
    """Run a worker on the control channel whose descriptor is the only argument."""
    # reading an integer takes time by the square of its digits; longer ones are refused
    sys.set_int_max_str_digits(_DIGITS)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the supervisor's to handle
    sys.exit(uvloop.run(_main(socket.socket(fileno=int(sys.argv[1])))))


if __name__ == "__main__":
    main()
