"""The runner as a process: told what to do over a control socket, gone when its supervisor is.

The supervisor passes one end of a socket pair, its descriptor as the only argument. Every line on
it is an order, at start and again at each reload: {"config": …, "base": "<directory of bawn.yaml>",
"socket": "<path>"}; every order is answered by {"ok": true} or {"error": "…"}. It may also name
directories to "hide" from servers, files to "guard" against them, the directory of their "data", and the
"state" directory that holds what was approved. Between orders, {"alive": true} is answered by itself, and
{"news": {"pins": "<server>"}} says that a child of this server offers what was not approved.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import msgspec
import uvicorn
import uvloop
from pydantic import ValidationError

from bawn.config import Config
from bawn.detectors import engine
from bawn.errors import Misconfigured
from bawn.launching.installed import Installed
from bawn.pins.verifying import Verifying
from bawn.protocol import strict
from bawn.runner import reaper
from bawn.runner.pool import Pool
from bawn.runner.serve import Runner
from bawn.runner.surroundings import Surroundings
from bawn.storage import sockets
from bawn.storage.approved import Approved
from bawn.storage.compiled import Compiled, cache_directory
from bawn.storage.directory import StateDirectory
from bawn.telemetry import logs

LONGEST_ORDER: Final = 16 << 20
ALIVE: Final = b'{"alive":true}\n'
"""The line by which the supervisor asks for a sign of life, and which is the sign."""
KEEP_ALIVE: Final = 75
"""Seconds an unused connection is kept, far longer than a worker keeps it."""

_log = logging.getLogger("bawn.runner")


class _Order(msgspec.Struct):
    config: msgspec.Raw
    base: str
    socket: str
    hide: list[str] = []
    guard: list[str] = []
    data: str | None = None
    state: str | None = None
    installed: dict[str, Installed] = {}
    lock: str = ""


class _Server(uvicorn.Server):
    """uvicorn without its own signal handlers: this process has others."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Service:
    """The pool and its listener, as orders make them."""

    def __init__(self, tell: Callable[[bytes], None] = lambda line: None) -> None:
        self._tell = tell
        self._pool = Pool()
        self._runner = Runner(self._pool, 0)
        self._path: Path | None = None
        self._socket: tuple[int, int] | None = None
        self._server: _Server | None = None
        self._serving: asyncio.Task[None] | None = None

    async def obey(self, line: bytes) -> None:
        """Apply one order.

        Raises:
            Misconfigured: the order cannot be followed; nothing has changed.
        """
        try:
            order = msgspec.json.decode(line, type=_Order)
            config = Config.model_validate_json(bytes(order.config))
        except (msgspec.MsgspecError, UnicodeError) as problem:
            raise Misconfigured(f"the runner cannot read its orders: {problem}") from None
        except ValidationError as problem:
            # without the values: one of them may be a secret in the wrong place
            wrong = (f"{e['loc']}: {e['msg']}" for e in problem.errors(include_input=False))
            raise Misconfigured(*wrong) from None
        path = Path(order.socket)
        if self._path is not None and path != self._path:
            raise Misconfigured("the runner's socket cannot move: expected a restart of the gate")
        self._runner.body_limit = config.limits.body
        logs.configure(config.log.format, config.log.level)
        # uvicorn writes a line for each call as long as this logger leads anywhere
        logging.getLogger("uvicorn.access").propagate = False
        await self._pool.prepare(config.servers)
        self._pool.apply(
            config.servers,
            config.limits,
            Path(order.base),
            _surroundings(order, config),
            self._verify(order, config),
            order.installed,
        )
        if self._path is None:  # last: whoever reaches us finds the servers
            await self._listen(path)

    def _verify(self, order: _Order, config: Config) -> Callable[[str], Verifying] | None:
        """How children are held against what was approved, where it is told where that is."""
        if order.state is None:
            return None
        state, always = StateDirectory(Path(order.state)), config.drift.max_age == 0
        most = config.limits.tools
        return Approved(state, self._found, most, always=always, lock=order.lock).verifying

    def _found(self, server: str) -> None:
        """Have the steward look: a child of this server offers what was not approved."""
        self._tell(strict.encode({"news": {"pins": server}}) + b"\n")

    async def aclose(self) -> None:
        """End the children, then the listener."""
        await self._pool.aclose()
        # another runner may listen there by now: after a killed supervisor this one takes its time
        if self._path is not None and _identity(self._path) == self._socket:
            self._path.unlink(missing_ok=True)
        if self._server is not None and self._serving is not None:
            self._server.should_exit = True
            await self._serving

    async def _listen(self, path: Path) -> None:
        try:
            listener = sockets.listen(path)
        except OSError as problem:
            raise Misconfigured(f"{path}: the runner cannot listen there: {problem}") from None
        self._path, self._socket = path, _identity(path)
        self._server = _Server(
            uvicorn.Config(
                self._runner,
                loop="none",
                http="httptools",
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                date_header=False,
                timeout_keep_alive=KEEP_ALIVE,
                timeout_graceful_shutdown=1,
            )
        )
        self._serving = asyncio.create_task(self._server.serve(sockets=[listener]))


def _surroundings(order: _Order, config: Config) -> Surroundings:
    data = Path(order.data) if order.data else Path(order.socket).parent / "data"
    hide = tuple(Path(path) for path in order.hide)
    verified = (order.state, config.drift.max_age == 0, config.limits.tools, order.lock)
    return Surroundings(data, (*hide, data), tuple(Path(path) for path in order.guard), verified)


def _identity(path: Path) -> tuple[int, int] | None:
    with suppress(FileNotFoundError):
        status = path.lstat()
        return status.st_dev, status.st_ino
    return None


async def run(control: socket.socket) -> None:
    """Obey orders until SIGTERM, or until the supervisor is gone; then end every child."""
    loop = asyncio.get_running_loop()
    reader, writer = await asyncio.open_connection(sock=control, limit=LONGEST_ORDER)
    service = Service(writer.write)
    orders = asyncio.create_task(_take_orders(service, reader, writer))
    loop.add_signal_handler(signal.SIGTERM, orders.cancel)
    # Ctrl-C reaches the whole foreground group: the supervisor decides what ends when.
    loop.add_signal_handler(signal.SIGINT, lambda: None)
    try:
        await asyncio.wait({orders})
    finally:
        await service.aclose()
        await reaper.sweep()
    if not orders.cancelled():
        orders.result()


async def _take_orders(
    service: Service, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    with suppress(ConnectionError):
        while (line := await reader.readline()).endswith(b"\n"):
            if line == ALIVE:
                writer.write(ALIVE)
                continue
            answer: dict[str, object] = {"ok": True}
            try:
                await service.obey(line)
            except Misconfigured as problem:
                answer = {"error": str(problem)}
            writer.write(strict.encode(answer) + b"\n")
            await writer.drain()
    _log.info("the supervisor is gone: stopping")


def serve(control: socket.socket) -> int:
    """Be the runner on this control channel; the code to exit with."""
    logs.configure()
    control.set_inheritable(False)
    control.setblocking(False)
    reaper.adopt()
    sys.set_int_max_str_digits(strict.DIGITS)
    engine.keep(Compiled(cache_directory()))  # servers' words in the log are cleaned of secrets
    uvloop.run(run(control))
    return 0


def main() -> None:
    """`python -m bawn.runner FD`."""
    if len(sys.argv) != 2 or not sys.argv[1].isdigit():
        sys.exit("bawn.runner is started by `bawn up`, with the descriptor of its control socket")
    sys.exit(serve(socket.socket(fileno=int(sys.argv[1]))))
