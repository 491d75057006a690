from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from bawn.upstream.alive import watch_peer


class Wired(asyncio.BaseTransport):
    def __init__(self, connection: socket.socket | None) -> None:
        super().__init__({"socket": connection})


def test_the_kernel_is_told_to_ask_whether_the_peer_lives() -> None:
    with socket.socket() as connection:
        watch_peer(Wired(connection))
        assert connection.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        if hasattr(socket, "TCP_KEEPIDLE"):
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 30


@pytest.mark.parametrize("there", [True, False])
def test_what_has_no_such_peer_is_left_alone(there: bool) -> None:
    with socket.socket(socket.AF_UNIX) as connection:
        given: Any = connection if there else None
        watch_peer(Wired(given))
        assert not connection.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
