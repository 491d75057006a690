"""`bawn status` tells whether calls will work, and never shows a traceback."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.cli.gates import FakeGate, health, server


@pytest.fixture
def gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeGate:
    return FakeGate(tmp_path, monkeypatch)


def test_each_server_has_a_line_with_its_state(gate: FakeGate) -> None:
    gate.health = health(
        files=server(local=True), far=server("failing", "upstream.unreachable: refused")
    )
    shown = gate.run("status")
    assert shown.exit_code == 0
    lines = shown.output.splitlines()
    assert (
        lines[0] == "http://127.0.0.1:8811/mcp is ready  (supervisor 1, steward 4, workers 2 - 3)"
    )
    (files,) = [line for line in lines if line.strip().startswith("files")]
    (far,) = [line for line in lines if line.strip().startswith("far")]
    assert "unconfined" in files
    assert "unconfined" not in far
    assert "failing" in far
    assert "upstream.unreachable" in far


def test_what_decides_is_told(gate: FakeGate) -> None:
    gate.health = health(far=server())
    assert "policy roles alone, 1 rule, version 000000000000" in gate.run("status").output


def test_that_nothing_is_refused_is_told_loudly(gate: FakeGate) -> None:
    assert gate.answer is not None
    policy = {"directory": "policies", "version": "1" * 64, "rules": 3, "enforcement": "observe"}
    gate.answer = {**gate.answer, "policy": policy}
    gate.health = health(far=server()) | {"policy": ["a.cedar:4: no such tool"]}
    shown = gate.run("status").output
    assert "policy policies, 3 rules" in shown
    assert "OBSERVED ONLY" in shown
    assert "a.cedar:4: no such tool" in shown


def test_programs_get_json(gate: FakeGate) -> None:
    gate.health = health(far=server())
    told = json.loads(gate.run("status", "--json").output)
    assert told["pids"]["workers"] == [2, None, 3]
    assert told["health"]["servers"]["far"]["state"] == "ok"


def test_without_a_role_for_it_the_details_are_missing_and_that_is_said(gate: FakeGate) -> None:
    gate.health = {"status": "ready"}
    shown = gate.run("status")
    assert shown.exit_code == 0
    assert "identity.local_roles" in shown.output


def test_no_gate_is_a_finding_with_the_next_step(gate: FakeGate) -> None:
    gate.answer = None
    shown = gate.run("status")
    assert shown.exit_code == 1
    assert "no gate runs" in shown.output
    assert f"bawn up --config {gate.path}" in shown.output


def test_a_gate_that_does_not_answer_is_a_finding(gate: FakeGate) -> None:
    gate.health = None
    for arguments in (("status",), ("status", "--json")):
        shown = gate.run(*arguments)
        assert shown.exit_code == 1
        assert "does not answer" in shown.output
