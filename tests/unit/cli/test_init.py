"""`bawn init`: a configuration that loads, with the secrets elsewhere, and only after consent."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

import keyring
import pytest
import typer
from typer.testing import CliRunner, Result

from bawn.cli.init import init
from bawn.config import secrets, trust
from bawn.config.load import load

FIXTURES = Path(__file__).parents[1] / "discovery" / "fixtures"
SECRET = "ghp_exampleexampleexampleexampleexampl"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    machine = tmp_path / "machine"
    shutil.copytree(FIXTURES, machine)
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("HOME", str(machine / "home"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    for name in ("XDG_CONFIG_HOME", "CLAUDE_CONFIG_DIR", "CODEX_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(machine / "project")
    return machine / "project"


class Backend:
    """A keyring in memory."""

    def __init__(self) -> None:
        self.known: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.known.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.known[service, username] = password


@pytest.fixture
def backend(monkeypatch: pytest.MonkeyPatch) -> Backend:
    backend = Backend()
    monkeypatch.setattr(keyring, "get_password", backend.get_password)
    monkeypatch.setattr(keyring, "set_password", backend.set_password)
    return backend


def run(*arguments: str, answer: str | None = None) -> Result:
    app = typer.Typer()
    app.command()(init)
    return CliRunner().invoke(app, list(arguments), input=answer)


def on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["bawn.cli.init"], "on_terminal", lambda: True)


def test_the_file_loads_is_trusted_and_its_secrets_resolve(project: Path) -> None:
    result = run("--yes")
    assert result.exit_code == 0
    found = load(project / "bawn.yaml", {})
    trust.require(found)
    token = found.config.servers["github"].env["GITHUB_PERSONAL_ACCESS_TOKEN"]
    assert secrets.resolve(token, found.base) == SECRET
    uri = found.config.servers["postgres"].env["DATABASE_URI"]
    assert secrets.resolve(uri, found.base).startswith("postgresql://shop:correct-horse@")
    auth = found.config.servers["issues"].auth
    assert auth.token is not None
    assert secrets.resolve(auth.token, found.base) == "0123456789abcdef" * 2
    assert "Next: `bawn up`." in result.stdout


def test_no_secret_is_written_down_or_printed(project: Path) -> None:
    result = run("--yes")
    text = (project / "bawn.yaml").read_text()
    for secret in ("ghp_", "correct-horse", "0123456789abcdef", "ctx7sk"):
        assert secret not in text
        assert secret not in result.output


def test_secrets_lie_in_private_files_that_no_repository_takes(project: Path) -> None:
    run("--yes")
    state = project / ".bawn"
    assert state.stat().st_mode & 0o777 == 0o700
    assert (state / ".gitignore").read_text() == "*\n"
    files = list((state / "secrets").iterdir())
    assert len(files) == 14
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    assert (project / "bawn.yaml").stat().st_mode & 0o777 == 0o600


def test_every_command_is_shown_before_anything_is_written(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_a_terminal(monkeypatch)
    result = run(answer="n\n")
    assert result.exit_code == 1
    assert "    npx @upstash/context7-mcp@1.0.20\n" in result.stdout
    assert "warning: @modelcontextprotocol/server-filesystem: no exact version" in result.stdout
    assert (
        "not imported: legacy of VS Code (user): a secret is among its arguments" in result.stdout
    )
    assert not (project / "bawn.yaml").exists()
    assert not (project / ".bawn").exists()
    assert run(answer="y\n").exit_code == 0
    assert (project / "bawn.yaml").exists()


def test_without_a_terminal_nothing_is_written_unasked(project: Path) -> None:
    result = run()
    assert result.exit_code == 2
    assert "say `--yes`" in result.stderr
    assert not (project / "bawn.yaml").exists()


def test_an_existing_file_is_never_overwritten(project: Path) -> None:
    (project / "bawn.yaml").write_text("mine")
    result = run("--yes")
    assert result.exit_code == 2
    assert "is not overwritten" in result.stderr
    assert (project / "bawn.yaml").read_text() == "mine"
    (project / "bawn.yaml").unlink()
    (project / "bawn.yaml").symlink_to(project / "nowhere")
    assert run("--yes").exit_code == 2


def test_an_empty_one_imports_nothing_and_needs_no_answer(project: Path) -> None:
    result = run("--empty")
    assert result.exit_code == 0
    assert load(project / "bawn.yaml", {}).config.servers == {}
    assert not (project / ".bawn" / "secrets").exists()


def test_the_users_own_has_no_servers_of_a_project(project: Path) -> None:
    assert run("--user", "--yes").exit_code == 0
    path = Path(os.environ["HOME"]) / ".config" / "bawn" / "bawn.yaml"
    servers = load(path, {}).config.servers
    assert "context7" in servers
    assert not servers.keys() & {"inline", "one", "local", "shared-server"}


def test_a_place_of_ones_choice(project: Path, tmp_path: Path) -> None:
    path = tmp_path / "new" / "gate.yaml"
    assert run("--yes", "--config", str(path)).exit_code == 0
    found = load(path, {})
    token = found.config.servers["github"].env["GITHUB_PERSONAL_ACCESS_TOKEN"]
    assert secrets.resolve(token, found.base) == SECRET
    assert found.state == tmp_path / "new" / ".bawn"


def test_secrets_may_go_into_the_keyring(project: Path, backend: Backend) -> None:
    assert run("--yes", "--keyring").exit_code == 0
    found = load(project / "bawn.yaml", {})
    token = found.config.servers["github"].env["GITHUB_PERSONAL_ACCESS_TOKEN"]
    assert token.startswith("${keyring:")
    assert secrets.resolve(token, found.base) == SECRET
    assert len(backend.known) == 14
    assert not (project / ".bawn" / "secrets").exists()


def test_a_secret_that_is_there_already_is_not_replaced(project: Path, backend: Backend) -> None:
    name = "github-github-personal-access-token"
    backend.known["bawn", name] = "mine"
    result = run("--yes", "--keyring")
    assert result.exit_code == 2
    assert "holds another secret" in result.stderr
    assert backend.known["bawn", name] == "mine"
    assert not (project / "bawn.yaml").exists()
    assert run("--yes").exit_code == 0
    (project / "bawn.yaml").unlink()
    assert run("--yes").exit_code == 0  # the same secrets: nothing to replace
    (project / "bawn.yaml").unlink()
    (project / ".bawn" / "secrets" / name).write_text("mine\n")
    result = run("--yes")
    assert result.exit_code == 2
    assert "holds another secret" in result.stderr
    assert not (project / "bawn.yaml").exists()


def test_hostile_names_neither_break_the_file_nor_reach_the_terminal(project: Path) -> None:
    hostile = {
        "a\nservers: {}\n#\u2028\x1b[2J": {
            "command": "x\n  evil: true",
            "args": ["\x1b]0;t\x07: #'\"{}[]"],
        },
        "b": {"command": "y", "env": {"K": "v\n# c: d"}},
    }
    path = Path(os.environ["HOME"]) / ".cursor" / "mcp.json"
    path.write_text(json.dumps({"mcpServers": hostile}))
    result = run("--yes")
    assert result.exit_code == 0
    assert "\x1b" not in result.output
    servers = load(project / "bawn.yaml", {}).config.servers
    commands = [server.command for server in servers.values()]
    assert ("x\n  evil: true", "\x1b]0;t\x07: #'\"{}[]") in commands
    assert servers["b"].env == {"K": "v\n# c: d"}
