"""HTTP/1.1 connections as bare as can be: fast, and honest about how they broke."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

Address: TypeAlias = tuple[str, int] | Path
"""Host and port, or the path of a Unix socket."""

LARGEST: Final = 16 << 20


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers by lower-case name, and the whole body; of an event stream its last event."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Wire:
    """Connects when first used, and again after it broke; one exchange at a time."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    @property
    def local_port(self) -> int | None:
        """This end's TCP port, while it is connected."""
        if self._streams is None or isinstance(self._address, Path):
            return None
        port: int = self._streams[1].get_extra_info("sockname")[1]
        return port

    async def exchange(self, request: bytes, seconds: float) -> Answer:
        """Send whole bytes of one request; its answer.

        Raises:
            ConnectionError: the connection could not be made, or ended before the whole answer.
            TimeoutError: nothing whole came in time.
            ValueError: what came is not HTTP.
        """
        try:
            async with asyncio.timeout(seconds):
                reader, writer = self._streams or await self._connect()
                writer.write(request)
                answer = await _read(reader)
        except asyncio.IncompleteReadError as end:
            self.close()
            raise ConnectionResetError("the connection ended before the whole answer") from end
        except BaseException:
            self.close()
            raise
        if answer.headers.get("connection", "").lower() == "close":
            self.close()
        return answer

    def close(self) -> None:
        """Let go of the connection."""
        if self._streams is not None:
            self._streams[1].transport.abort()
            self._streams = None

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if isinstance(self._address, Path):
            streams = await asyncio.open_unix_connection(self._address, limit=LARGEST)
        else:
            streams = await asyncio.open_connection(*self._address, limit=LARGEST)
        self._streams = streams
        return streams


async def _read(reader: asyncio.StreamReader) -> Answer:
    status, headers = await _head(reader)
    body = await _body(reader, headers)
    if headers.get("content-type", "").startswith("text/event-stream"):
        body = _last_event(body)
    return Answer(status, headers, body)


async def _head(reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.rstrip().split("\r\n")
    headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines)}
    return int(first.split(" ", 2)[1]), headers


async def _body(reader: asyncio.StreamReader, headers: Mapping[str, str]) -> bytes:
    if headers.get("transfer-encoding") == "chunked":
        return await _chunks(reader)
    return await reader.readexactly(int(headers.get("content-length", "0")))


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while size := int(await reader.readuntil(b"\r\n"), 16):
        body += await reader.readexactly(size)
        await reader.readexactly(2)
    await reader.readuntil(b"\r\n")
    return body


def _last_event(stream: bytes) -> bytes:
    data = [line[5:].strip() for line in stream.splitlines() if line.startswith(b"data:")]
    return data[-1] if data else b""


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a stream: its id, its kind, and its data."""

    id: str
    kind: str
    data: bytes


class Flow:
    """One request on a connection of its own, whose answer may be a stream of events."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.status = 0
        self.headers: Mapping[str, str] = {}
        self._reader = reader
        self._writer = writer

    @classmethod
    async def begin(cls, address: tuple[str, int], request: bytes) -> Flow:
        """Send whole bytes of one request, and wait for the header of its answer."""
        flow = cls(*await asyncio.open_connection(*address, limit=LARGEST))
        try:
            flow._writer.write(request)
            flow.status, flow.headers = await _head(flow._reader)
        except asyncio.IncompleteReadError as end:
            flow.cut()
            raise ConnectionResetError("the connection ended before the answer") from end
        except BaseException:
            flow.cut()
            raise
        return flow

    @property
    def streams(self) -> bool:
        """Whether the answer comes as events."""
        return self.headers.get("content-type", "").startswith("text/event-stream")

    async def body(self) -> bytes:
        """The whole of an answer that is no stream."""
        try:
            return await _body(self._reader, self.headers)
        except asyncio.IncompleteReadError as end:
            raise ConnectionResetError("the connection ended before the whole answer") from end
        finally:
            self.cut()

    async def events(self) -> AsyncIterator[Event]:
        """The events, to the end of the stream; comments and retry times are left out.

        Raises:
            ConnectionError: the connection ended before the stream.
        """
        waiting, named = b"", {"id": "", "event": "message"}
        while chunk := await self._chunk():
            *whole, waiting = (waiting + chunk).split(b"\n\n")
            for event in whole:
                lines = [line.partition(b":") for line in event.split(b"\n")]
                fields = {key.decode(): value.strip() for key, _, value in lines if key}
                found = {**named, **{k: v.decode() for k, v in fields.items() if k in named}}
                if "data" in fields:
                    yield Event(found["id"], found["event"], fields["data"])

    async def _chunk(self) -> bytes:
        """The next chunk; empty at the end of the stream."""
        try:
            size = int(await self._reader.readuntil(b"\r\n"), 16)
            chunk = await self._reader.readexactly(size + 2)
        except asyncio.IncompleteReadError as end:
            raise ConnectionResetError("the connection ended before the stream") from end
        return chunk[:-2]

    def cut(self) -> None:
        """Break the connection."""
        self._writer.transport.abort()

    def __del__(self) -> None:
        """Whoever read it was cancelled: the connection ends without a word."""
        with contextlib.suppress(RuntimeError):  # the loop has ended before it
            self.cut()
