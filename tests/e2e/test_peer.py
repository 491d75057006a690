"""The kernel's word about the other end of a Unix socket."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from pathlib import Path

import pytest

from bawn.identity.peer import unix_peer
from bawn.model import Peer

pytestmark = pytest.mark.e2e


async def test_a_connected_process_is_known_by_its_user(tmp_path: Path) -> None:
    found: asyncio.Future[Peer] = asyncio.get_running_loop().create_future()

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        found.set_result(unix_peer(writer.get_extra_info("socket").fileno()))
        writer.close()

    server = await asyncio.start_unix_server(serve, tmp_path / "s")
    reader, writer = await asyncio.open_unix_connection(tmp_path / "s")
    assert await found == Peer("unix", os.geteuid())
    assert await reader.read() == b""  # the descriptor was left open, and closed by its owner
    writer.close()
    server.close()
    await server.wait_closed()


@pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0, reason="only root can become somebody else"
)
def test_another_user_is_known_as_another() -> None:
    path = f"\0bawn-test-{os.getpid()}"  # an abstract name, which needs no directory in common
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path)
        listening.listen()
        child = os.fork()
        if child == 0:
            status = 1
            try:
                with socket.socket(socket.AF_UNIX) as calling:
                    os.setuid(12345)
                    calling.connect(path)
                    calling.recv(1)
                status = 0
            finally:
                os._exit(status)
        listening.settimeout(10)
        try:
            connected, _ = listening.accept()
            with connected:
                assert unix_peer(connected.fileno()) == Peer("unix", 12345)
        finally:
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_an_internet_socket_has_no_user() -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        with socket.create_connection(listening.getsockname()) as calling:
            assert unix_peer(calling.fileno()).uid is None


def test_a_socket_without_a_peer_has_no_user() -> None:
    with socket.socket(socket.AF_UNIX) as lonely:
        assert unix_peer(lonely.fileno()).uid is None
