"""`bawn doctor` looks at one thing after another, and says of each what to do."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from bawn.storage import StateDirectory
from tests.unit.cli.gates import FakeGate, health, server


def checked(gate: FakeGate) -> dict[str, tuple[bool, str]]:
    """What doctor found, by what it looked at; the last word of several counts."""
    shown = gate.run("doctor", "--json")
    found = {each["what"]: (each["ok"], each["detail"]) for each in json.loads(shown.output)}
    assert shown.exit_code == (0 if all(ok for ok, _ in found.values()) else 1)
    return found


def local(gate: FakeGate, command: str, extra: str = "") -> None:
    """Configure one local server, with consent."""
    gate.path.write_text(f"servers:\n  files: {{command: [{command}]{extra}}}\n")
    gate.run("trust", "--yes")


@pytest.fixture
def gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeGate:
    return FakeGate(tmp_path, monkeypatch)


def test_where_all_is_well_it_says_so(gate: FakeGate) -> None:
    local(gate, sys.executable)
    gate.health = health(files=server(local=True))
    found = checked(gate)
    assert all(ok for ok, _ in found.values()), found
    assert found["gate"] == (True, "ready at http://127.0.0.1:8811/mcp")
    text = gate.run("doctor").output
    assert "FAIL" not in text
    assert text.count("ok  ") == len(found) + 1  # `server files` is looked at twice


def test_a_configuration_that_cannot_be_used_is_the_only_finding(gate: FakeGate) -> None:
    gate.path.write_text("servers: [\n")
    found = checked(gate)
    assert list(found) == ["Python", "configuration"]
    assert not found["configuration"][0]


def test_missing_consent_programs_and_secrets_are_named(gate: FakeGate) -> None:
    local(gate, "no-such-program-at-all", ", env: {KEY: '${env:NO_SUCH_VARIABLE}'}")
    gate.path.write_text(gate.path.read_text() + "# changed\n")
    gate.health = health()
    shown = gate.run("doctor").output
    assert "FAIL  consent" in shown
    assert "no-such-program-at-all is not found" in shown
    assert "NO_SUCH_VARIABLE" in shown


def test_a_relative_program_is_looked_for_beside_the_configuration(gate: FakeGate) -> None:
    local(gate, "./server")
    assert not checked(gate)["server files"][0]
    program = gate.path.parent / "server"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    assert checked(gate)["server files"] == (True, str(program))


def test_a_state_that_others_can_write_is_a_finding_and_no_gate_is_asked(gate: FakeGate) -> None:
    state = gate.path.parent / ".bawn"
    StateDirectory(state)
    state.chmod(0o777)
    found = checked(gate)
    assert not found["state"][0]
    assert "gate" not in found
    assert gate.asked == []


def test_a_gate_that_does_not_run_is_no_finding(gate: FakeGate) -> None:
    gate.answer = None
    assert checked(gate)["gate"] == (True, "not running; `bawn up` starts it")


def test_a_gate_that_does_not_answer_is_a_finding(gate: FakeGate) -> None:
    gate.health = None
    ok, detail = checked(gate)["gate"]
    assert not ok
    assert "does not answer" in detail


def test_a_server_that_does_not_work_is_a_finding(gate: FakeGate) -> None:
    gate.health = health(far=server("needs sign-in", "upstream.sign_in: HTTP 401"))
    assert checked(gate)["server far"] == (False, "needs sign-in: upstream.sign_in: HTTP 401")


def test_a_tool_name_that_is_too_long_for_a_client_is_a_finding(gate: FakeGate) -> None:
    gate.health = {**health(), "longest_name": "x" * 54}
    found = checked(gate)
    assert not found["tool names in Claude Code"][0]
    assert found["tool names in Codex"][0]
    assert "set a shorter `prefix`" in found["tool names in Claude Code"][1]


# ── tenants ─────────────────────────────────────────────────────────────────────────────────────

OWNED = """
servers:
  wiki: {url: https://wiki.example.com/mcp, tenant: acme}
  mail: {url: https://mail.example.com/mcp}
"""
ISSUED = "identity: {mode: oidc, issuers: [{issuer: https://idp.example.com%s}]%s}"


def test_where_there_are_no_tenants_nothing_is_said_of_them(gate: FakeGate) -> None:
    gate.path.write_text("servers: {mail: {url: https://mail.example.com/mcp}}")
    assert "tenants" not in checked(gate)


@pytest.mark.parametrize(
    ("identity", "mine"),
    [
        ("", "are of none, and see 1 of 2 servers"),
        ("identity: {local_tenant: acme}", "are of acme, and see 1 of 2 servers"),
        (ISSUED % (", tenant_claim: org", ""), "are of none, and see 1 of 2 servers"),
    ],
)
def test_who_calls_from_this_machine_is_told_with_what_they_see(
    gate: FakeGate, identity: str, mine: str
) -> None:
    gate.path.write_text(OWNED + identity)
    ok, detail = checked(gate)["tenants"]
    assert ok
    assert mine in detail


def test_where_every_server_has_a_tenant_local_callers_see_none(gate: FakeGate) -> None:
    gate.path.write_text("servers: {wiki: {url: https://wiki.example.com/mcp, tenant: acme}}")
    ok, detail = checked(gate)["tenants"]
    assert ok  # as a gate for others it may be meant so
    assert "see 0 of 1 servers; set `identity.local_tenant`" in detail


def test_a_local_tenant_without_a_server_is_a_finding(gate: FakeGate) -> None:
    gate.path.write_text(OWNED + "identity: {local_tenant: acm}")
    ok, detail = checked(gate)["tenants"]
    assert not ok
    assert "see 0 of 2" in detail


@pytest.mark.parametrize(
    ("identity", "unseen"),
    [
        (ISSUED % ("", ""), {"wiki"}),
        (ISSUED % ("", ", local_tenant: acme"), set()),
        ("identity: {mode: none}", {"wiki"}),
        ("identity: {mode: none, local_tenant: acme}", {"mail"}),
    ],
)
def test_a_server_that_no_caller_can_be_of_the_tenant_of_is_a_finding(
    gate: FakeGate, identity: str, unseen: set[str]
) -> None:
    gate.path.write_text(OWNED + identity)
    found = {
        what for what, (ok, _) in checked(gate).items() if what.startswith("server ") and not ok
    }
    assert found == {f"server {name}" for name in unseen}
