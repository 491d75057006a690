"""`bawn server set` changes what is said of a server: all of it or nothing, comments kept."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from bawn.cli import app

FILE = """\
servers:
  issues:   # where work is
    url: https://example.com/mcp   # remote
    owner: Bob   # until May
    labels: [a, b]
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    path = tmp_path / "bawn.yaml"
    path.write_text(FILE)
    return path


def run(file: Path, *facts: str) -> tuple[int, str]:
    words = ["server", "set", "--config", str(file), "issues", *facts]
    result = CliRunner().invoke(app, words)
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.exit_code, result.output


def test_several_facts_change_at_once(file: Path) -> None:
    code, output = run(
        file,
        "owner=Ada",
        "purpose=Where work is: all of it",
        "label+=c",
        "label-=a",
        "status=deprecated",
    )
    assert code == 0
    assert "owner: Bob → Ada\n" in output
    assert "labels: a, b → b, c\n" in output
    assert "status: active → deprecated\n" in output
    assert (
        file.read_text()
        == FILE.replace("owner: Bob ", "owner: Ada ").replace("[a, b]", "[b, c]")
        + '    purpose: "Where work is: all of it"\n    status: deprecated\n'
    )


def test_an_empty_value_takes_the_key_out(file: Path) -> None:
    assert run(file, "owner=", "labels=")[0] == 0
    assert file.read_text() == "".join(FILE.splitlines(keepends=True)[:3])


def test_what_is_so_already_is_not_written(file: Path) -> None:
    before = file.stat().st_ino
    assert run(file, "owner=Bob", "status=active", "label+=a") == (0, "Nothing to change.\n")
    assert file.stat().st_ino == before


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        (["owner"], "expected KEY=VALUE"),
        (["command=sh"], "not something that is set here"),
        (["launch=any"], "not something that is set here"),
        (["owner+=x"], "not something that is set here"),
        (["owner=a", "owner=b"], "stands there twice"),
        (["label=x"], "expected label+=X"),
        (["label+="], "expected label+=X"),
        (["label-=z"], "there is no label"),
        (["label+=two words"], "labels"),
        (["owner=Ada", "status=gone"], "status"),
        (["owner=x\x1b[2J"], "printable"),
        (["owner=" + "x" * 600], "512"),
        (["tenant=a\nb"], "tenant"),
    ],
)
def test_what_cannot_be_changes_nothing(file: Path, facts: list[str], why: str) -> None:
    code, output = run(file, *facts)
    assert code == 2
    assert why in output
    assert "\x1b" not in output
    assert file.read_text() == FILE


def test_an_unknown_server_is_told_with_the_known(file: Path) -> None:
    words = ["server", "set", "--config", str(file), "nope", "owner=x"]
    result = CliRunner().invoke(app, words)
    assert (result.exit_code, "it has issues" in result.output) == (2, True)
