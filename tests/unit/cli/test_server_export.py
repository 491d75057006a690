"""`bawn server export` prints server.json: one, all, or as others reach them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bawn.cli import app
from bawn.registry.server_json import convert

FILE = """\
public_url: https://gate.example.com
registry: {namespace: com.example}
servers:
  files: {command: [npx, files@1.2.3], env: {KEY: "${keyring:deep}"}}
  issues: {url: https://example.com/mcp}
  old: {url: https://old.example.com/mcp, status: disabled}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "bawn.yaml"
    path.write_text(FILE)
    return path


def run(file: Path, *arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["server", "export", "--config", str(file), *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.exit_code, result.output


def test_one_is_a_document_and_several_are_a_list(file: Path) -> None:
    one = json.loads(run(file, "files")[1])
    assert convert(one, "f").packages[0].identifier == "files"
    found = json.loads(run(file)[1])
    assert [each["server"]["name"] for each in found["servers"]] == [
        "com.example/files", "com.example/issues",
    ]  # fmt: skip
    assert "deep" not in run(file)[1]
    assert json.loads(run(file, "old")[1])["name"] == "com.example/old"


def test_to_others_they_are_at_the_gate(file: Path) -> None:
    tree = json.loads(run(file, "issues", "--public")[1])
    assert tree["remotes"][0]["url"] == "https://gate.example.com/mcp/issues"
    assert "//example.com" not in json.dumps(tree)


def test_a_file_is_written_whole(file: Path) -> None:
    target = file.with_name("out.json")
    assert run(file, "files", "--output", str(target)) == (0, "")
    assert json.loads(target.read_text())["name"] == "com.example/files"
    assert run(file, "files", "--output", "/nowhere/x.json")[0] == 2
    assert run(file, "nope")[0] == 2


def test_what_is_exported_can_be_imported(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(file.parent / "state"))
    target = file.with_name("out.json")
    run(file, "--output", str(target))
    words = ["server", "import", str(target), "--select", "files", "--name", "again", "--yes"]
    result = CliRunner().invoke(app, [*words, "--config", str(file)])
    assert result.exit_code == 0, result.output
    assert "again:\n    command: [npx, files@1.2.3]" in file.read_text()
