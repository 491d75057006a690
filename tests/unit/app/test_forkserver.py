from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest

from bawn.app import forkserver as module
from bawn.app.forkserver import attend


class FakeRequests:
    """The supervisor's side: what it asks for, and what it was answered."""

    def __init__(self, *asked: tuple[bytes, list[int]]) -> None:
        self.asked = [*asked, (b"", [])]
        self.answers: list[Any] = []
        self.closed = False
        self.gone = False

    def send(self, answer: bytes) -> None:
        if self.gone:
            raise BrokenPipeError
        self.answers.append(msgspec.json.decode(answer))

    def close(self) -> None:
        self.closed = True


WORKER = b'{"module":"bawn.app.worker"}'


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The descriptors that the fork server has closed; none is a real one."""
    gone: list[int] = []

    def receive(requests: FakeRequests, *bounds: int) -> tuple[bytes, list[int], int, None]:
        return (*requests.asked.pop(0), 0, None)

    fakes = SimpleNamespace(
        recv_fds=receive,
        socket=lambda fileno: f"channel {fileno}",
        MSG_CMSG_CLOEXEC=socket.MSG_CMSG_CLOEXEC,
    )
    monkeypatch.setattr(module, "socket", fakes)
    monkeypatch.setattr(module, "os", SimpleNamespace(close=gone.append))
    monkeypatch.setattr(module, "_be_called", lambda name: None)
    return gone


def forks(monkeypatch: pytest.MonkeyPatch, outcome: Callable[[], int]) -> None:
    """Let forking come to this."""
    monkeypatch.setattr(module, "_fork", outcome)


def test_a_child_is_told_with_the_numbers_that_it_knows_and_nothing_of_it_stays_here(
    monkeypatch: pytest.MonkeyPatch, closed: list[int]
) -> None:
    forks(monkeypatch, lambda: 4711)
    requests = FakeRequests((WORKER, [7, 8, 9]))
    assert attend(cast(Any, requests)) is None
    assert requests.answers == [{"pid": 4711, "descriptors": [8, 9]}]
    assert closed == [7, 8, 9]


def test_a_forked_process_does_the_work_of_its_module_on_its_own_channel(
    monkeypatch: pytest.MonkeyPatch, closed: list[int]
) -> None:
    forks(monkeypatch, lambda: 0)
    done: list[Any] = []

    def serve(control: Any) -> int:
        done.append(control)
        return 3

    monkeypatch.setitem(module.SERVES, "bawn.app.worker", (b"somebody", serve))
    requests = FakeRequests((WORKER, [7, 8]))
    work = attend(cast(Any, requests))
    assert work is not None
    assert work() == 3
    assert done == ["channel 7"]
    assert requests.closed, "it would hear what others are asked"
    assert not closed, "its listeners"
    assert not requests.answers


def test_no_process_left_in_the_system_is_told_and_the_next_one_is_tried(
    monkeypatch: pytest.MonkeyPatch, closed: list[int]
) -> None:
    outcomes: list[int] = [0, 12]

    def fork() -> int:
        if not outcomes.pop(0):
            raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        return 12

    forks(monkeypatch, fork)
    requests = FakeRequests((WORKER, [7]), (WORKER, [8]))
    assert attend(cast(Any, requests)) is None
    refused, started = requests.answers
    assert "no process can be started" in refused["error"]
    assert started == {"pid": 12}
    assert closed == [7, 8]


def test_a_supervisor_that_is_gone_meanwhile_ends_it(
    monkeypatch: pytest.MonkeyPatch, closed: list[int]
) -> None:
    forks(monkeypatch, lambda: 1)
    requests = FakeRequests((WORKER, [7]))
    requests.gone = True
    assert attend(cast(Any, requests)) is None


def test_every_module_that_is_started_is_known() -> None:
    from bawn.app import supervisor

    assert {supervisor._RUNNER, "bawn.app.worker", "bawn.app.stewarding"} == set(module.SERVES)
