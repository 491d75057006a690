"""One kept-alive HTTP/1.1 connection, as bare as can be: fast, and honest about how it broke."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
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
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.rstrip().split("\r\n")
    headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines)}
    status = int(first.split(" ", 2)[1])
    if headers.get("transfer-encoding") == "chunked":
        body = await _chunks(reader)
    else:
        body = await reader.readexactly(int(headers.get("content-length", "0")))
    if headers.get("content-type", "").startswith("text/event-stream"):
        body = _last_event(body)
    return Answer(status, headers, body)


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
