from __future__ import annotations

from pathlib import Path

import pytest

from tests.reviewing import RECORD
from tests.unit.cli.test_server_review import Terminal


def test_where_two_have_to_approve_the_owner_alone_cannot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = Terminal(tmp_path, monkeypatch, approvals=2)
    alone = terminal.run("approve", "files", "--all", "--yes")
    assert (alone.exit_code, terminal.desk.record()) == (1, RECORD)
    assert "2 people" in alone.output
    with terminal.state.hold():
        first = terminal.run("approve", "files", "--all", "--yes")
    assert (first.exit_code, terminal.desk.record()) == (1, RECORD)
    assert "a token of their own" in first.output, "over the socket it is the owner as well"
    afar = ("--url", "https://gate.example.com")
    monkeypatch.setenv("BAWN_TOKEN", "ann.admin")
    first = terminal.run("approve", "files", "--all", "--yes", *afar)
    assert "2 wait for the approval of others" in first.output
    monkeypatch.setenv("BAWN_TOKEN", "bob.admin")
    assert "approved: 2" in terminal.run("approve", "files", "--all", "--yes", *afar).output


def test_from_afar_it_is_the_token_that_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = Terminal(tmp_path, monkeypatch)
    afar = ("--url", "https://gate.example.com")
    assert terminal.run("diff", "files", *afar).exit_code == 2  # without a token
    monkeypatch.setenv("BAWN_TOKEN", "dev.developer")
    refused = terminal.run("diff", "files", *afar)
    assert (refused.exit_code, "integrity.decider" in refused.output) == (1, True)


def test_an_unknown_server_and_a_token_without_a_url_are_wrong_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = Terminal(tmp_path, monkeypatch)
    assert terminal.run("diff", "none").exit_code == 2
    assert terminal.run("diff", "files", "--token-file", "-").exit_code == 2


def test_a_torn_record_is_a_refusal_with_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = Terminal(tmp_path, monkeypatch)
    terminal.desk.files.path("files").write_bytes(b"{torn")
    result = terminal.run("diff", "files")
    assert result.exit_code == 1
    assert "integrity.store" in result.output
    assert "files.json" in result.output


def test_before_a_gate_ever_ran_nothing_is_on_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = Terminal(tmp_path, monkeypatch)
    terminal.path.write_text(terminal.path.read_text().replace("./state", "./other"))
    result = terminal.run("diff", "files")
    assert (result.exit_code, "nothing is on record" in result.output) == (1, True)
    assert not (tmp_path / "other").exists()
