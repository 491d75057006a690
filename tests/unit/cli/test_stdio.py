"""`bawn stdio` before it speaks: what it needs, and what it says when that is missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.cli.gates import FakeGate


@pytest.fixture
def gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeGate:
    return FakeGate(tmp_path, monkeypatch)


def test_a_server_that_is_not_configured_is_refused_with_those_that_are(gate: FakeGate) -> None:
    shown = gate.run("stdio", "--server", "nobody")
    assert shown.exit_code == 2
    assert "no server 'nobody'" in shown.output
    assert "there is: far" in shown.output


def test_a_file_that_cannot_be_used_is_told_on_standard_error(gate: FakeGate) -> None:
    gate.path.write_text("listen: nowhere\n")
    shown = gate.run("stdio")
    assert shown.exit_code == 2
    assert shown.stdout == ""
    assert "expected HOST:PORT" in shown.stderr
