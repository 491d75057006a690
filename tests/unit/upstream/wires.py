"""A transport without a socket, for what lies between an event loop and a connection."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from bawn.upstream.connection import Connection


class FakeTransport(asyncio.Transport):
    """Records what is written; `abort` loses the connection in the next turn of the loop."""

    def __init__(self, connection: Connection) -> None:
        super().__init__()
        self.connection = connection
        self.written: list[bytes] = []
        self.unsent = 0
        self.reading = True
        self.closing = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written.append(bytes(data))

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview]) -> None:
        self.written.extend(map(bytes, list_of_data))

    def get_write_buffer_size(self) -> int:
        return self.unsent

    def is_closing(self) -> bool:
        return self.closing

    def abort(self) -> None:
        if not self.closing:
            self.closing = True
            asyncio.get_running_loop().call_soon(self.connection.connection_lost, None)

    def pause_reading(self) -> None:
        assert self.reading
        self.reading = False

    def resume_reading(self) -> None:
        assert not self.reading
        self.reading = True


def connect(connection: Connection) -> FakeTransport:
    """Let a connection stand."""
    transport = FakeTransport(connection)
    connection.connection_made(transport)
    return transport


async def turn() -> None:
    """Let everything run that is ready to."""
    for _ in range(4):
        await asyncio.sleep(0)
