"""Whether the peer of a silent connection still lives: the kernel asks it (RFC 9293, section 3.8.4)."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from typing import Final

_IDLE: Final = 30  # seconds of silence before the first question
_BETWEEN: Final = 10
_MOST: Final = 3


def watch_peer(transport: asyncio.BaseTransport) -> None:
    """Break the connection when its peer is gone without a word; about a minute after the last one."""
    connection = transport.get_extra_info("socket")
    if connection is None or connection.family not in (socket.AF_INET, socket.AF_INET6):
        return
    with suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in (("KEEPIDLE", _IDLE), ("KEEPINTVL", _BETWEEN), ("KEEPCNT", _MOST)):
            named = getattr(socket, f"TCP_{option}", None)
            if named is not None:
                connection.setsockopt(socket.IPPROTO_TCP, named, value)
