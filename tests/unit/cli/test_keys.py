"""`bawn keys rotate` says that workers use the new key only when they do."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.cli.gates import FakeGate


@pytest.mark.parametrize(
    ("answer", "code", "said"),
    [
        ({"done": "read again"}, 0, "in use by every worker"),
        ({"error": "the workers do not use it yet: No space left"}, 1, "do not use it yet"),
    ],
)
def test_a_rotation_is_in_use_only_when_the_gate_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: dict[str, str], code: int, said: str
) -> None:
    gate = FakeGate(tmp_path, monkeypatch)
    gate.answer = answer
    shown = gate.run("keys", "rotate", "--forget")
    assert (shown.exit_code, said in shown.output) == (code, True)
    assert ("in use by every worker" in shown.output) == (code == 0)
