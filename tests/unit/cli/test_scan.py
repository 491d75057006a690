"""`bawn scan`: everything is shown, nothing is harmed, no secret is printed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from bawn.cli.scan import scan

FIXTURES = Path(__file__).parents[1] / "discovery" / "fixtures"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(FIXTURES, tmp_path / "machine")
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("HOME", str(tmp_path / "machine" / "home"))
    for name in ("XDG_CONFIG_HOME", "CLAUDE_CONFIG_DIR", "CODEX_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "machine" / "home"


def run(*arguments: str) -> Result:
    app = typer.Typer()
    app.command()(scan)
    return CliRunner().invoke(app, list(arguments))


def test_every_server_is_listed_with_its_exact_command(home: Path) -> None:
    result = run("--dir", str(home.parent / "project"))
    assert result.exit_code == 1
    for line in (
        "  Linear    http     https://mcp.linear.app/mcp\n",
        "  postgres  stdio    uvx postgres-mcp==0.3.0 --access-mode=restricted [local]\n",
        "            for /home/ada/src/shop\n",
        "              GITHUB_PERSONAL_ACCESS_TOKEN (inline secret, 38 characters)\n",
        "  team.figma  http     https://mcp.figma.com/mcp [disabled]\n",
        "  local  stdio    ./run.sh [project]\n",
        "57 servers in 19 clients, 21 inline secrets.\n",
    ):
        assert line in result.stdout


def test_json_says_the_same(home: Path) -> None:
    result = run("--json", "--dir", str(home.parent / "project"))
    assert result.exit_code == 1
    tree = json.loads(result.stdout)
    assert len(tree["servers"]) == 57
    assert tree["unreadable"] == []
    first = tree["servers"][0]
    assert first["command"] == ["npx", "-y", "@modelcontextprotocol/server-github@2025.4.8"]
    assert first["secrets"] == [
        {"place": "env", "name": "GITHUB_PERSONAL_ACCESS_TOKEN", "length": 38}
    ]
    assert (first["client"], first["scope"], first["line"], first["url"]) == (
        "claude-code",
        "user",
        10,
        None,
    )


@pytest.mark.parametrize("arguments", [[], ["--json"]])
def test_no_secret_is_printed(home: Path, arguments: list[str]) -> None:
    result = run("--dir", str(home.parent / "project"), *arguments)
    for secret in ("ghp_", "correct-horse", "0123456789abcdef", "abc123def456", "xoxb-"):
        assert secret not in result.output


def test_without_secrets_the_exit_code_is_zero(home: Path) -> None:
    shutil.rmtree(home)
    home.mkdir()
    result = run()
    assert result.exit_code == 0
    assert "No client" in result.stdout
    (home / ".cursor").mkdir()
    (home / ".cursor" / "mcp.json").write_text('{"mcpServers": {"a": {"command": "x"}}}')
    result = run()
    assert result.exit_code == 0
    assert "1 server in 1 client, 0 inline secrets." in result.stdout


def test_a_broken_file_is_told_and_is_not_fatal(home: Path) -> None:
    shutil.rmtree(home)
    (home / ".cursor").mkdir(parents=True)
    (home / ".cursor" / "mcp.json").write_text("{")
    result = run()
    assert result.exit_code == 0
    assert "not usable: line 1, column 2: expected a key" in result.stdout
    assert json.loads(run("--json").stdout)["unreadable"][0]["client"] == "cursor"


def test_a_command_of_any_length_is_shown_whole(home: Path) -> None:
    words = [f"word-{n}" for n in range(2_000)]
    entry = {"mcpServers": {"a": {"command": "x", "args": words}}}
    (home / ".cursor" / "mcp.json").write_text(json.dumps(entry))
    assert " ".join(["x", *words]) in run().stdout
