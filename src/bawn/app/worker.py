"""A worker: a process that serves callers. `python -m bawn.app.worker FD` is the supervisor's."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import signal
import socket
import sys
from collections.abc import Collection, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

import msgspec
import uvicorn
import uvloop

from bawn.app.accept import Acceptor, Shares
from bawn.app.assemble import Assembly, Place, assemble
from bawn.app.front import DataFront, PrivateFront, management
from bawn.app.orders import SWITCH, Channel, WorkOrder
from bawn.config import Config
from bawn.errors import Misconfigured, Refused
from bawn.identity.peer import unix_peer
from bawn.model import Peer
from bawn.protocol.strict import DIGITS
from bawn.storage import sockets
from bawn.storage.directory import StateDirectory
from bawn.telemetry import logs
from bawn.transport.edge import EdgeProtocol, edge_with
from bawn.transport.proxies import Proxies

log = logging.getLogger("bawn.worker")

DRAIN: Final = 30
LEAVE: Final = 2.0
"""Seconds in which a resting connection of a worker that has retired may still be used once more."""

RELAY_HEADER: Final = 4096
"""What another worker may add to the header of a message that it passes on, in bytes."""

_SOON: Final = 0.01
_SWEEP: Final = 5.0
_COLLECT: Final = (20_000, 20, 20)


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: several of them run here, and the worker decides when."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _peer(transport: asyncio.BaseTransport) -> Peer:
    connected = transport.get_extra_info("socket")
    if connected is not None and connected.family == socket.AF_UNIX:
        return unix_peer(connected.fileno())
    address = transport.get_extra_info("peername")
    return Peer(str(address[0]) if address else "")


def _nobody(transport: asyncio.BaseTransport) -> Peer:
    """The peer of a private connection: another worker, which speaks for somebody it names itself."""
    return Peer("")


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
        limits = rooms.config.limits
        meter, proxies = rooms.meter, Proxies(rooms.config.trusted_proxies)
        front, private = DataFront(rooms), PrivateFront(rooms)
        edge = edge_with(limits, _peer, meter=meter, proxies=proxies, mcp=front.mcp)
        data, *more = [socket.socket(fileno=fd) for fd in order.listeners]
        self._shared: socket.socket | None = None
        self._acceptor: Acceptor | None = None
        if order.workers > 1:
            self._shared = data
        else:
            more.insert(0, data)
        self._servers = [(_server(front, edge), more)]
        wider = limits.model_copy(update={"header": limits.header + RELAY_HEADER})
        inner = edge_with(wider, _nobody, mcp=private.mcp)
        own = sockets.listen(rooms.places.worker(order.epoch, order.slot))
        self._servers.append((_server(private, inner), [own]))
        if order.management is not None:
            probes = management(rooms, open_to_all=rooms.config.management.open)
            listening = socket.socket(fileno=order.management)
            self._servers.append((_server(probes, edge_with(limits, _peer)), [listening]))

    async def run(self, channel: Channel) -> None:
        """Serve, report readiness; stop on SIGTERM or the channel's end."""
        stop = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
        told = {asyncio.create_task(channel.until_gone()), asyncio.create_task(stop.wait())}
        await self._until_something_is_in_force(told)
        serving = [asyncio.create_task(server.serve(sockets)) for server, sockets in self._servers]
        while not all(server.started for server, _ in self._servers):
            if any(task.done() for task in serving):
                break
            await asyncio.sleep(0.005)
        self._share()
        # what stands now stands for good: the collector need not look at it again, and calls leave
        # few cycles behind
        gc.collect()
        gc.freeze()
        gc.set_threshold(*_COLLECT)
        log.info("worker %d serves", self._order.slot, extra={"epoch": self._order.epoch})
        await channel.send({"ok": True})
        sweeping = asyncio.create_task(self._sweep())
        await asyncio.wait({*told, *serving}, return_when=asyncio.FIRST_COMPLETED)
        self._rooms.gateway.retire()  # streams last: they would hold us for as long as we wait
        if stop.is_set() and self._is_retired():
            await self._leave()
        if self._acceptor is not None:
            self._acceptor.close()
        for server, _ in self._servers:
            server.should_exit = True
        await asyncio.gather(*serving, return_exceptions=True)
        sweeping.cancel()
        await self._rooms.aclose()

    async def _until_something_is_in_force(self, told: Collection[asyncio.Task[Any]]) -> None:
        """At the gate's first start there is nothing yet: callers wait in the listener's line."""
        while not any(task.done() for task in told):
            with contextlib.suppress(Refused):
                self._rooms.follower.catch_up()
                return
            await asyncio.sleep(_SOON)

    def _share(self) -> None:
        """Take connections from the socket that all workers have."""
        if self._shared is None:
            return
        (server, _), order = self._servers[0], self._order
        shares = Shares(self._rooms.places.shares(order.epoch), order.slot, order.workers)
        protocol: Any = server.config.http_protocol_class
        make = partial(protocol, server.config, server.server_state, {})
        taken = server.server_state.connections
        protocol.crowd.tell = shares.tell  # what ends counts at once, not when the next one comes
        self._acceptor = Acceptor(self._shared, shares, make, taken, asyncio.get_running_loop())

    def _is_retired(self) -> bool:
        """Whether other workers serve now, under another configuration."""
        follower = self._rooms.follower
        with contextlib.suppress(Refused):
            return follower.behind() and not follower.catch_up()
        return False

    async def _leave(self) -> None:
        """Take no more connections, and let each that is open go with its next answer.

        To close one that rests would cost a caller who is just about to use it its call.
        """
        states = [server.server_state for server, _ in self._servers]
        if self._acceptor is not None:
            self._acceptor.close()
            self._acceptor = None
        for server, _ in self._servers:
            for listening in getattr(server, "servers", ()):
                listening.close()
        give_up = asyncio.get_running_loop().time() + LEAVE
        while any(state.connections for state in states):
            for state in states:
                for connection in state.connections:
                    if isinstance(connection, EdgeProtocol):
                        connection.last = True
            if asyncio.get_running_loop().time() > give_up:
                break
            await asyncio.sleep(0.05)

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
        rooms = assemble(
            config,
            Path(order.base),
            StateDirectory(Path(order.state)),
            order.runner,
            Place(order.epoch, order.slot, order.workers),
            policy=order.policy,
            insecure_no_auth=order.insecure_no_auth,
            lock=order.lock,
        )
    except Misconfigured as error:
        await channel.send({"misconfigured": error.problems})
        return 2
    await Worker(order, rooms).run(channel)
    return 0


def serve(control: socket.socket) -> int:
    """Be a worker on this control channel; the code to exit with."""
    sys.set_int_max_str_digits(DIGITS)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the supervisor's to handle
    sys.setswitchinterval(SWITCH)
    return uvloop.run(_main(control))


def main() -> None:
    """Run a worker on the control channel whose descriptor is the only argument."""
    sys.exit(serve(socket.socket(fileno=int(sys.argv[1]))))


if __name__ == "__main__":
    main()
