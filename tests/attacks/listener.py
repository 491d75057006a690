"""The gate's listener on a loopback socket, as a worker runs it: uvloop, uvicorn and the edge.

It runs in a thread of its own, so that attackers are plain blocking sockets.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Iterator
from typing import Any, Final, Self

import uvicorn
import uvloop

from bawn.config import Limits
from bawn.model import Peer
from bawn.transport.asgi import Receive, Scope, Send
from bawn.transport.edge import EdgeProtocol, edge_with
from bawn.transport.proxies import Proxies
from tests.unit.transport.house import House, message

TIME: Final = 0.5
"""Seconds that headers and bodies have here."""

SWEEP: Final = 0.05
PATIENCE: Final = 10.0


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def _elsewhere(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 404, "headers": []})
    await send({"type": "http.response.body", "body": b"elsewhere"})


def _peer(transport: asyncio.BaseTransport) -> Peer:
    return Peer(str(transport.get_extra_info("peername")[0]))


class Listener:
    """A listening edge over fakes; `house.gate.arrived` is what came through."""

    def __init__(self, proxies: tuple[str, ...] = (), **bounds: Any) -> None:
        self.house = House(1 << 20)
        given = {"header": 4096, "header_count": 40, "header_time": TIME, "body_time": TIME}
        self.edge = edge_with(
            Limits(**{**given, "idle": 60.0, **bounds}),
            _peer,
            meter=self.house.meter,
            proxies=Proxies(proxies),
            mcp=self.house.endpoint,
        )
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=4096)
        self.port: int = self._socket.getsockname()[1]
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: uvloop.run(self._serve()), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(PATIENCE)
        return self

    def __exit__(self, *unused: object) -> None:
        self.server.should_exit = True
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()

    async def _serve(self) -> None:
        config = uvicorn.Config(
            _elsewhere, interface="asgi3", http=self.edge, loop="none", ws="none", lifespan="off",
            log_config=None, proxy_headers=False, timeout_graceful_shutdown=1,
        )  # fmt: skip
        self.server = _Server(config)
        serving = asyncio.create_task(self.server.serve([self._socket]))
        while not self.server.started:
            await asyncio.sleep(0.001)
        self._ready.set()
        loop = asyncio.get_running_loop()
        while not serving.done():
            await asyncio.wait({serving}, timeout=SWEEP)
            self._sweep(loop.time())

    def _sweep(self, now: float) -> None:
        for connection in tuple(self.server.server_state.connections):
            assert isinstance(connection, EdgeProtocol)
            connection.sweep(now)

    @property
    def connections(self) -> int:
        """How many there are."""
        return len(self.server.server_state.connections)

    def connect(self) -> socket.socket:
        """A new connection."""
        return socket.create_connection(("127.0.0.1", self.port), PATIENCE)

    def attack(self, *parts: bytes, end: bool = False) -> bytes:
        """Send the parts, and read until the gate ends the connection; then close it."""
        with self.connect() as attacker:
            attacker.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for part in parts:
                attacker.sendall(part)
            if end:
                attacker.shutdown(socket.SHUT_WR)
            return read_all(attacker)

    def is_well(self) -> None:
        """A good caller is served, on a new connection."""
        before = len(self.house.gate.arrived)
        answer = self.attack(message("/mcp", b"{}", more=[(b"connection", b"close")]))
        assert answer.startswith(b"HTTP/1.1 200 "), answer
        assert answer.endswith(b'{"fine":true}')
        assert len(self.house.gate.arrived) == before + 1


def read_all(connection: socket.socket) -> bytes:
    """Everything until the other side ends it."""
    parts = []
    try:
        while part := connection.recv(1 << 16):
            parts.append(part)
    except ConnectionResetError:
        pass
    return b"".join(parts)
