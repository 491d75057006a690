"""A drill harms the process it names and no other, and only a gate that answers."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import httpx2
import pytest

from bawn.drill import faults, probes
from bawn.drill.faults import FAULTS, Drill, NotFitError, roles
from bawn.drill.probes import AT_THE_GATE
from bawn.model import Json
from bawn.storage.directory import StateDirectory


class FakeGate:
    """A gate without processes: who is killed is replaced by the next number."""

    def __init__(self, place: Path, patch: pytest.MonkeyPatch) -> None:
        self.state = StateDirectory(place / "state")
        self.pids: dict[str, Any] = {"supervisor": 1000001, "workers": [1000002], "runner": None}
        self.answer: Json = {"result": {}}
        self.children: list[Json] = []
        self.sent: list[tuple[int, int]] = []
        patch.setattr(faults, "ask", lambda state, what: {"pids": self.pids})
        patch.setattr(faults, "CALM", 0.05)
        patch.setattr(probes, "REST", 0.001)
        patch.setattr(os, "kill", self._signal)
        patch.setattr(httpx2, "AsyncHTTPTransport", lambda uds: httpx2.MockTransport(self._hear))

    def _hear(self, request: httpx2.Request) -> httpx2.Response:
        if request.method == "GET":
            return httpx2.Response(200, json={"servers": {}, "children": self.children})
        return httpx2.Response(200, json={"jsonrpc": "2.0", "id": 1, **self.answer})

    def _signal(self, pid: int, number: int) -> None:
        if (pid, signal.SIGKILL) in self.sent:
            raise ProcessLookupError
        self.sent.append((pid, number))
        if number == signal.SIGKILL:
            self.pids["workers"] = [p + 10 if p == pid else p for p in self.pids["workers"]]

    def drill(self) -> Drill:
        """A quick one."""
        return Drill(self.state, AT_THE_GATE, 2, 0.3)


@pytest.fixture
def gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeGate:
    return FakeGate(tmp_path, monkeypatch)


def test_the_supervisor_is_never_harmed() -> None:
    assert "supervisor" not in {fault.part for fault in FAULTS.values()}


def test_the_processes_are_read_from_either_form_of_the_status() -> None:
    one = roles({"supervisor": 1, "worker": 2, "runner": None})
    many = roles({"supervisor": 1, "steward": 3, "runner": 4, "workers": [5, 6, None]})
    assert one == {"supervisor": [1], "worker": [2], "runner": []}
    assert many == {"supervisor": [1], "steward": [3], "runner": [4], "worker": [5, 6]}


async def test_a_worker_is_killed_once_and_its_replacement_waited_for(gate: FakeGate) -> None:
    told = await gate.drill().run(FAULTS["worker"])
    assert gate.sent == [(1000002, signal.SIGKILL)]
    assert told.did == "killed process 1000002"
    assert told.processes is not None
    assert told.calls == told.answered > 0
    assert told.fine(2.0)


async def test_a_part_that_is_not_there_is_said_and_nothing_is_harmed(gate: FakeGate) -> None:
    for name in ("steward", "runner", "keeper", "child", "slow"):
        told = await gate.drill().run(FAULTS[name])
        assert not told.done
        assert "there is no" in told.did
    assert gate.sent == []


async def test_a_halted_process_goes_on_afterwards(gate: FakeGate) -> None:
    gate.children = [{"server": "files", "pid": 1000007, "calls": 3}, {"server": "files"}]
    told = await gate.drill().run(FAULTS["slow"])
    assert gate.sent == [(1000007, signal.SIGSTOP), (1000007, signal.SIGCONT)]
    assert told.did == "halted process 1000007"


async def test_a_gate_that_answers_nothing_is_not_harmed(gate: FakeGate) -> None:
    gate.answer = {"error": {"code": -32602, "data": {"reason": "target.unknown"}}}
    with pytest.raises(NotFitError, match=r"target\.unknown"):
        await gate.drill().run(FAULTS["worker"])
    assert gate.sent == []
