"""The listener for clients, flooded: good callers go on being served, and nothing stays behind."""

from __future__ import annotations

import contextlib
import gc
import os
import resource
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import pytest

from bawn.transport.edge import EdgeProtocol
from bawn.transport.request import Request
from tests.attacks.listener import PATIENCE, Listener, read_all
from tests.unit.transport.house import message

GOOD: Final = message("/mcp", b"{}")
LAST: Final = message("/mcp", b"{}", more=[(b"connection", b"close")])
DESCRIPTORS: Final = 5000


@pytest.fixture(autouse=True)
def many_descriptors() -> Iterator[None]:
    """Both ends of every connection are in this process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < DESCRIPTORS:
        pytest.skip(f"needs {DESCRIPTORS} descriptors, and may have {hard}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, DESCRIPTORS), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def until_empty(gate: Listener) -> None:
    """Wait until no connection is left, and see that nothing of them is."""
    deadline = time.monotonic() + PATIENCE
    while gate.connections and time.monotonic() < deadline:
        time.sleep(0.01)
    assert gate.connections == 0
    assert gate.edge.crowd.connections == 0
    assert gate.house.held.all.held == 0
    assert not gate.server.server_state.tasks
    gc.collect()
    left = [each for each in gc.get_objects() if isinstance(each, EdgeProtocol | Request)]
    assert left == []


@contextlib.contextmanager
def flat(gate: Listener) -> Iterator[None]:
    """Descriptors are as many afterwards as before."""
    gate.is_well()
    until_empty(gate)
    before = len(list(Path("/proc/self/fd").iterdir())) if os.path.isdir("/proc/self/fd") else 0  # noqa: PTH112
    yield
    until_empty(gate)
    if before:
        assert len(list(Path("/proc/self/fd").iterdir())) == before
    gate.is_well()


@contextlib.contextmanager
def crowd(gate: Listener, number: int, first: bytes = b"") -> Iterator[list[socket.socket]]:
    """So many connections that have sent this."""
    with contextlib.ExitStack() as stack:
        found = [stack.enter_context(gate.connect()) for _ in range(number)]
        for each in found:
            if first:
                each.sendall(first)
        yield found


def test_two_thousand_idle_connections_are_closed_in_time_and_hold_up_nobody() -> None:
    with (
        Listener(clients_per_address=4096, header_time=3.0) as gate,
        flat(gate),
        crowd(gate, 2000) as idle,
    ):
        gate.is_well()
        assert gate.connections == 2000
        assert [each.recv(1) for each in idle] == [b""] * 2000


def test_five_hundred_slow_headers_at_once_are_refused_in_time_and_hold_up_nobody() -> None:
    with Listener(header_time=1.0) as gate, flat(gate), crowd(gate, 500, GOOD[:20]) as slow:
        for number, each in enumerate(slow):
            each.sendall(GOOD[20:21])
            if number % 100 == 0:
                gate.is_well()
        for each in slow:
            assert read_all(each).startswith(b"HTTP/1.1 408 ")


def test_beyond_its_bounds_the_listener_refuses_at_once_and_serves_whom_it_has() -> None:
    with (
        Listener(clients=20, clients_per_address=10) as gate,
        flat(gate),
        crowd(gate, 10, GOOD) as served,
    ):
        for each in served:
            assert each.recv(12) == b"HTTP/1.1 200"
        for _ in range(100):
            assert gate.attack().startswith(b"HTTP/1.1 503 ")
        assert gate.connections == 10
        assert gate.house.meter.refusals.count("http.crowded") == 100
        served[0].sendall(LAST)
        assert b"HTTP/1.1 200 " in read_all(served[0])


def test_endless_headers_from_many_sides_are_cut() -> None:
    def endless(gate: Listener) -> int:
        sent = 0
        with gate.connect() as attacker:
            attacker.sendall(GOOD.partition(b"\r\n\r\n")[0])
            with contextlib.suppress(OSError):
                while sent < 1 << 30:
                    sent += attacker.send(b"x: y\r\n" * 2000)
        return sent

    with Listener() as gate, flat(gate), ThreadPoolExecutor(8) as attackers:
        gate.is_well()
        started = time.monotonic()
        for sent in attackers.map(endless, [gate] * 8):
            assert sent < 1 << 30
        assert time.monotonic() - started < 2 * PATIENCE


def test_a_thousand_pipelined_requests_are_answered_in_order_and_lie_unread_until_then() -> None:
    bodies = [b"%d" % number for number in range(1000)]
    requests = [message("/mcp", body) for body in bodies]
    with Listener() as gate, flat(gate):
        before = len(gate.house.gate.arrived)
        answer = gate.attack(b"".join(requests) + LAST)
        assert answer.count(b"HTTP/1.1 200 ") == 1001
        arrived = gate.house.gate.arrived[before:]
        assert [arrival.body for arrival in arrived] == [*bodies, b"{}"]


def test_a_caller_who_pipelines_and_never_reads_is_not_read_either() -> None:
    with Listener() as gate, flat(gate), gate.connect() as attacker:
        attacker.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        attacker.setblocking(False)
        sent, stalled, many = 0, 0, GOOD * 500
        while sent < 1 << 28 and stalled < 50:
            try:
                sent += attacker.send(many[sent % len(many) :])
                stalled = 0
            except BlockingIOError:
                stalled += 1
                time.sleep(0.01)
            except ConnectionResetError:
                break  # cut, which is what it asked for
        assert sent < 1 << 28
        gate.is_well()
