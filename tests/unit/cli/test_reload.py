"""`bawn reload` asks the running gate, after its owner's consent to what is new."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.cli.gates import FakeGate


@pytest.fixture
def gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeGate:
    return FakeGate(tmp_path, monkeypatch)


def test_what_was_applied_is_printed(gate: FakeGate) -> None:
    gate.answer = {"done": "applied: limits.body"}
    shown = gate.run("reload")
    assert (shown.exit_code, shown.output) == (0, "applied: limits.body\n")
    assert gate.asked == ["reload"]


def test_what_the_gate_refuses_is_told_and_that_the_old_one_goes_on(gate: FakeGate) -> None:
    gate.answer = {"error": "listen: 127.0.0.1:1 cannot be bound"}
    shown = gate.run("reload")
    assert shown.exit_code == 2
    assert "cannot be bound" in shown.output
    assert "goes on with its old configuration" in shown.output


def test_without_consent_to_its_commands_the_gate_is_not_asked(gate: FakeGate) -> None:
    gate.path.write_text("servers: {files: {command: [some-program]}}\n")
    shown = gate.run("reload")
    assert shown.exit_code == 2
    assert "some-program" in shown.output
    assert gate.asked == []


def test_a_file_that_cannot_be_used_is_not_taken_to_the_gate(gate: FakeGate) -> None:
    gate.path.write_text("listen: nowhere\n")
    shown = gate.run("reload")
    assert shown.exit_code == 2
    assert gate.asked == []


def test_without_a_gate_the_next_step_is_to_start_one(gate: FakeGate) -> None:
    gate.answer = None
    shown = gate.run("reload")
    assert shown.exit_code == 1
    assert f"bawn up --config {gate.path}" in shown.output
