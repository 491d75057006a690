"""A proxy between two TCP peers that misbehaves as it is told, while bytes pass through it.

It stands between the gate and a server, or between a client and the gate. The faults are data:
`FAULTS`. A rule is switched at run time and holds for open connections as well as for new ones.
"""

from __future__ import annotations

import asyncio
import random
import socket
import struct
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Self

CHUNK: Final = 64 << 10
_RESET: Final = struct.pack("ii", 1, 0)  # SO_LINGER, zero seconds: close() sends RST


class Side(StrEnum):
    """A direction through the proxy."""

    REQUEST = "request"
    ANSWER = "answer"


class Act(StrEnum):
    """What is done to bytes, or to their connection, once `after` of them have passed."""

    STALL = "stall"  # pass nothing more until the rule changes
    DROP = "drop"  # swallow the rest, and keep the connection
    RESET = "reset"  # RST to both sides
    CLOSE = "close"  # FIN to both sides
    HALF_CLOSE = "half-close"  # FIN to the receiver alone
    DUPLICATE = "duplicate"  # the chunk twice
    GARBAGE = "garbage"  # bytes that nobody sent, in the middle
    CORRUPT = "corrupt"  # one byte is another


@dataclass(frozen=True, slots=True)
class Rule:
    """How the proxy misbehaves. Times are seconds, sizes bytes; the defaults pass everything.

    `odds` is the share of chunks that an act strikes; `after` the bytes of a chunk that it spares.
    """

    name: str
    on: Side = Side.ANSWER
    latency: float = 0.0
    jitter: float = 0.0
    rate: float = 0.0
    act: Act | None = None
    after: int = 0
    odds: float = 1.0
    refuse: bool = False  # nobody listens
    hole: bool = False  # taken in, and never answered


CLEAN: Final = Rule("clean")
FAULTS: Final[Mapping[str, Rule]] = {
    rule.name: rule
    for rule in (
        Rule("latency", latency=0.05),
        Rule("jitter", latency=0.01, jitter=0.1),
        Rule("throttle", rate=16 << 10),
        Rule("slow-request", on=Side.REQUEST, rate=16 << 10),
        Rule("stall", act=Act.STALL, after=40, odds=0.2),
        Rule("reset", act=Act.RESET, odds=0.2),
        Rule("reset-inside", act=Act.RESET, after=40, odds=0.2),
        Rule("reset-request", on=Side.REQUEST, act=Act.RESET, after=40, odds=0.2),
        Rule("half-close", act=Act.HALF_CLOSE, after=40, odds=0.2),
        Rule("truncate", act=Act.CLOSE, after=60, odds=0.2),
        Rule("duplicate", act=Act.DUPLICATE, odds=0.3),
        Rule("garbage", act=Act.GARBAGE, after=20, odds=0.3),
        Rule("corrupt", act=Act.CORRUPT, odds=0.3),
        Rule("drop", act=Act.DROP, odds=0.1),
        Rule("refuse", refuse=True),
        Rule("black-hole", hole=True),
    )
}


@dataclass(slots=True)
class Passed:
    """What went through: connections, bytes each way, and how often each act struck."""

    connections: int = 0
    bytes: Counter[Side] = field(default_factory=Counter)
    acts: Counter[str] = field(default_factory=Counter)


class _CutError(Exception):
    """The connection has ended by an act."""


class FaultProxy:
    """Listens on `port` and passes on to `target`; `seed` makes its chances repeat."""

    def __init__(self, target: tuple[str, int], seed: int = 0) -> None:
        self.target = target
        self.port = 0
        self.rule = CLEAN
        self.passed = Passed()
        self._random = random.Random(seed)
        self._changed = asyncio.Event()
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        await self._listen()
        return self

    async def __aexit__(self, *caught: object) -> None:
        await self._deaf()
        for task in tuple(self._open):
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def switch(self, rule: Rule) -> None:
        """Misbehave so from now on; whatever stalls goes on."""
        self.rule = rule
        self._changed.set()
        self._changed = asyncio.Event()
        if rule.refuse:
            await self._deaf()
        elif self._server is None:
            await self._listen()

    @asynccontextmanager
    async def misbehaving(self, rule: Rule) -> AsyncIterator[None]:
        """This rule for a while; clean afterwards."""
        await self.switch(rule)
        try:
            yield
        finally:
            await self.switch(CLEAN)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _deaf(self) -> None:
        if self._server is not None:
            server, self._server = self._server, None
            server.close()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        self.passed.connections += 1
        try:
            # a task of the server's own: whoever cancels it wants silence
            with suppress(OSError, _CutError, asyncio.CancelledError):
                await self._connected(reader, writer)
        finally:
            self._open.discard(task)
            writer.close()

    async def _connected(self, near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        far, forth = await asyncio.open_connection(*self.target)
        ends = (back, forth)
        pumps = [
            asyncio.ensure_future(self._pump(near, forth, Side.REQUEST, ends)),
            asyncio.ensure_future(self._pump(far, back, Side.ANSWER, ends)),
        ]
        try:
            await asyncio.gather(*pumps)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            forth.close()

    async def _pump(
        self,
        source: asyncio.StreamReader,
        sink: asyncio.StreamWriter,
        side: Side,
        ends: tuple[asyncio.StreamWriter, asyncio.StreamWriter],
    ) -> None:
        while data := await source.read(CHUNK):
            self.passed.bytes[side] += len(data)
            rule = self.rule
            if rule.hole:
                self.passed.acts[rule.name] += 1
                continue
            if rule.on is side:
                await self._delay(rule, len(data))
                data = await self._struck(rule, data, sink, ends)
            sink.write(data)
            await sink.drain()
        if sink.can_write_eof() and not sink.is_closing():
            sink.write_eof()

    async def _delay(self, rule: Rule, size: int) -> None:
        seconds = rule.latency + rule.jitter * self._random.random()
        if rule.rate:
            seconds += size / rule.rate
        if seconds:
            await asyncio.sleep(seconds)

    async def _struck(
        self,
        rule: Rule,
        data: bytes,
        sink: asyncio.StreamWriter,
        ends: tuple[asyncio.StreamWriter, asyncio.StreamWriter],
    ) -> bytes:
        """What passes of a chunk when the rule's act may strike it."""
        act = rule.act
        if act is None or self._random.random() >= rule.odds:
            return data
        self.passed.acts[rule.name] += 1
        spared, rest = data[: rule.after], data[rule.after :]
        match act:
            case Act.DUPLICATE:
                return data + data
            case Act.GARBAGE:
                return spared + self._random.randbytes(24) + rest
            case Act.CORRUPT:
                at = self._random.randrange(len(data))
                return (
                    data[:at]
                    + bytes([data[at] ^ (1 << self._random.randrange(7))])
                    + data[at + 1 :]
                )
            case Act.DROP:
                return spared
        sink.write(spared)
        await sink.drain()
        if act is Act.STALL:
            await self._changed.wait()
            return rest
        if act is Act.HALF_CLOSE:
            sink.write_eof()
            await self._changed.wait()
        else:
            _end(ends, reset=act is Act.RESET)
        raise _CutError


def _end(ends: tuple[asyncio.StreamWriter, asyncio.StreamWriter], *, reset: bool) -> None:
    for writer in ends:
        if reset:
            held = writer.get_extra_info("socket")
            held.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            writer.transport.abort()
        else:
            writer.close()
