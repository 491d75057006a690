"""`bawn drill` harms nothing without consent, and its exit code tells whether all was well again."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from bawn.drill import faults
from bawn.drill.faults import Fault, NotFitError
from bawn.drill.measured import Measured
from bawn.drill.probes import Probe
from bawn.storage.directory import StateDirectory
from tests.unit.cli.gates import FakeGate

WELL = Measured(
    "worker", "killed process 7", True, 10, 9, {"upstream.died": 1}, 0, 0, 5, 6, 7, 8, 9
)
SLOW = Measured("runner", "killed process 8", True, 10, 10, {}, 0, 0, 5, 6, 7, 3000, 9)
GONE = Measured("runner", "killed process 8", True, 10, 8, {}, 0, 0, 5, 6, None, None, None)
NONE = Measured("steward", "there is no steward to harm", False)


class FakeDrill:
    """Harms nothing, and tells this."""

    told: Sequence[Measured | Exception] = ()
    done: list[str]
    probes: Sequence[Probe]

    def __init__(
        self, state: StateDirectory, probes: Sequence[Probe], connections: int, seconds: float
    ) -> None:
        type(self).probes = probes
        type(self).done = []

    async def run(self, fault: Fault) -> Measured:
        """As told."""
        told = self.told[len(self.done)]
        self.done.append(fault.name)
        if isinstance(told, Exception):
            raise told
        return told


@pytest.fixture
def gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeGate:
    monkeypatch.setattr(faults, "Drill", FakeDrill)
    made = FakeGate(tmp_path, monkeypatch)
    (tmp_path / ".bawn").mkdir(mode=0o700)
    FakeDrill.done = []
    return made


def test_without_consent_and_without_a_terminal_nothing_is_harmed(gate: FakeGate) -> None:
    shown = gate.run("drill")
    assert shown.exit_code == 2
    assert "--yes" in shown.output
    assert FakeDrill.done == []


def test_a_gate_of_another_user_is_not_harmed(
    gate: FakeGate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 4242)
    shown = gate.run("drill", "--yes")
    assert shown.exit_code == 1
    assert "another user's" in shown.output
    assert FakeDrill.done == []


def test_all_kills_are_done_and_no_halt_unless_asked_for(gate: FakeGate) -> None:
    FakeDrill.told = [WELL] * 5
    assert gate.run("drill", "--yes").exit_code == 0
    assert FakeDrill.done == ["worker", "steward", "keeper", "child", "runner"]


def test_the_table_tells_what_callers_saw(gate: FakeGate) -> None:
    FakeDrill.told = [WELL, NONE]
    shown = gate.run("drill", "--yes", "--fault", "worker", "--fault", "steward")
    assert shown.exit_code == 0
    (row,) = [line for line in shown.output.splitlines() if line.strip().startswith("worker ")]
    assert row.split()[:5] == ["worker", "10", "9", "0", "0"]
    assert "worker: killed process 7; errors upstream.died: 1" in shown.output
    assert "steward: there is no steward to harm" in shown.output
    assert "reach a server" in shown.output


@pytest.mark.parametrize("bad", [SLOW, GONE])
def test_what_is_not_well_again_in_time_is_exit_code_1(gate: FakeGate, bad: Measured) -> None:
    FakeDrill.told = [WELL, bad]
    shown = gate.run("drill", "--yes", "--fault", "worker", "--fault", "runner")
    assert shown.exit_code == 1
    assert "Not well again within 2 s" in shown.output
    FakeDrill.told = [SLOW]
    assert gate.run("drill", "--yes", "--within", "4", "--fault", "runner").exit_code == 0


def test_a_drill_that_did_nothing_is_no_success(gate: FakeGate) -> None:
    FakeDrill.told = [NONE]
    assert gate.run("drill", "--yes", "--fault", "steward").exit_code == 1


def test_programs_get_json_and_nothing_else(gate: FakeGate) -> None:
    FakeDrill.told = [WELL, GONE]
    shown = gate.run("drill", "--yes", "--json", "--fault", "worker", "--fault", "runner")
    first, second = json.loads(shown.stdout)
    assert first["errors"] == {"upstream.died": 1}
    assert (second["fault"], second["all"]) == ("runner", None)
    assert shown.exit_code == 1


def test_a_tool_is_called_with_its_arguments(gate: FakeGate) -> None:
    FakeDrill.told = [WELL]
    options = ("--tool", "files__read", "--arguments", '{"path": "a"}')
    shown = gate.run("drill", "--yes", "--fault", "worker", *options)
    assert shown.exit_code == 0
    (probe,) = FakeDrill.probes
    assert probe.params == {"name": "files__read", "arguments": {"path": "a"}}
    assert "reach a server" not in shown.output


@pytest.mark.parametrize(
    "options",
    [("--fault", "supervisor"), ("--tool", "a__b", "--arguments", "[1]"), ("--tool", "a__b", "--arguments", "{")],
)  # fmt: skip
def test_wrong_use_is_exit_code_2_with_what_was_expected(
    gate: FakeGate, options: tuple[str, ...]
) -> None:
    shown = gate.run("drill", "--yes", *options)
    assert shown.exit_code == 2
    assert "Expected" in shown.output
    assert FakeDrill.done == []


def test_a_gate_that_answers_nothing_is_named(gate: FakeGate) -> None:
    FakeDrill.told = [NotFitError("no call was answered: target.unknown")]
    shown = gate.run("drill", "--yes", "--fault", "worker")
    assert shown.exit_code == 1
    assert "target.unknown" in shown.output
