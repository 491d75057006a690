"""`bawn incident cut` says what it did, and how long that lasts."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.forge import claims, sign
from tests.unit.cli.gates import FakeGate


@pytest.fixture
def gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeGate:
    return FakeGate(tmp_path, monkeypatch)


def test_a_cut_that_a_restart_would_lift_says_so(gate: FakeGate) -> None:
    gate.answer = {"done": "cut", "kept": False}
    shown = gate.run("incident", "cut", "--all")
    assert shown.exit_code == 0
    assert "a restart of the gate would lift it" in shown.output
    gate.answer = {"done": "cut", "kept": True}
    assert "restart" not in gate.run("incident", "cut", "--all").output


def test_a_cut_that_was_not_made_tells_of_the_one_that_needs_no_room(gate: FakeGate) -> None:
    gate.answer = {"error": "nothing was cut: No space left on device"}
    shown = gate.run("incident", "cut", "--principal", "eve")
    assert shown.exit_code == 1
    assert "nothing was cut" in shown.output
    assert "--all" in shown.output


TOKEN = sign(claims(jti="abc")).decode()


@pytest.mark.parametrize("how", [["--token", TOKEN], ["--token", "-"], ["--token", "abc"]])
def test_a_token_is_cut_by_its_id_however_it_is_given(gate: FakeGate, how: list[str]) -> None:
    gate.answer = {"done": "cut", "kept": True}
    shown = gate.run("incident", "cut", *how, input=TOKEN + "\n")
    assert shown.exit_code == 0, shown.output
    assert "cut: token abc" in shown.output
    assert TOKEN not in shown.output
    assert (gate.asked, gate.more) == (["cut"], [{"kind": "token", "name": "abc", "why": ""}])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "exactly one of"),
        (("--all", "--server", "files"), "exactly one of"),
        (("--server", "nobody"), "no server 'nobody'"),
        (("--tool", "files"), "no server 'files'"),
        (("--principal", ""), "empty"),
        (("--token", ""), "empty"),
        (("--token", "a.b.c"), "no token"),
    ],
)
def test_what_is_not_meant_is_not_cut(
    gate: FakeGate, arguments: tuple[str, ...], said: str
) -> None:
    shown = gate.run("incident", "cut", *arguments)
    assert shown.exit_code == 2
    assert said in shown.output
    assert not gate.asked


def test_cuts_are_listed_harmlessly(gate: FakeGate) -> None:
    gate.answer = {
        "cuts": [
            {"kind": "gate", "name": "", "since": 0.0, "why": "\x1b[2Jall"},
            {"kind": "principal", "name": "e\x1bve", "since": 0.0, "why": ""},
        ]
    }
    shown = gate.run("incident", "list").output
    assert "everything" in shown
    assert "1970-01-01 00:00:00+00:00" in shown
    assert "\x1b" not in shown
    gate.answer = {"cuts": []}
    assert "nothing is cut" in gate.run("incident", "list").output


def test_what_was_not_cut_cannot_be_restored(gate: FakeGate) -> None:
    gate.answer = {"done": "restored", "lifted": 0}
    assert gate.run("incident", "restore", "--principal", "eve").exit_code == 1
    gate.answer = {"done": "restored", "lifted": 2}
    assert "restored: 2" in gate.run("incident", "restore", "--all").output
