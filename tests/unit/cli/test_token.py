"""`bawn token`: the token and nothing else on standard output; wrong use says what was expected."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from bawn.cli.token import token
from bawn.identity.embedded import open_embedded
from bawn.model import Principal
from bawn.storage.directory import StateDirectory

BASE = "http://127.0.0.1:8811"

CONFIG = """
servers:
  files: {command: ["true"]}
roles:
  librarian: {tools: ["read_*"]}
"""

TENANTS = """
servers:
  files: {command: ["true"]}
  wiki: {url: "https://wiki.example.com/mcp", tenant: acme}
  mail: {url: "https://mail.example.com/mcp", tenant: zeta}
scopes:
  write: {tools: ["*"]}
  read: {tools: ["read_*"]}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "bawn.yaml"
    path.write_text(CONFIG)
    return path


def run(config: Path, sub: str, *arguments: str) -> Result:
    app = typer.Typer()
    app.command()(token)
    return CliRunner().invoke(app, ["--sub", sub, *arguments, "--config", str(config)])


async def accepted(config: Path, minted: str) -> Principal:
    state = StateDirectory(config.parent / ".bawn")
    return await open_embedded(BASE, 30.0, state).principal(minted.encode(), time.time())


async def test_only_the_token_goes_to_standard_output_and_it_is_good(config: Path) -> None:
    result = run(config, "alice", "--role", "developer", "-r", "librarian")
    assert result.exit_code == 0
    assert result.stderr == ""
    assert result.stdout.count("\n") == 1
    principal = await accepted(config, result.stdout.strip())
    assert principal.subject == "alice"
    assert principal.roles == {"developer", "librarian"}
    assert principal.endpoint is None
    assert 3600 < principal.expires - time.time() <= 3600 + 30


async def test_a_token_can_be_for_one_server(config: Path) -> None:
    result = run(config, "alice", "-r", "viewer", "--server", "files")
    assert (await accepted(config, result.stdout.strip())).endpoint == "files"


async def test_programs_get_json(config: Path) -> None:
    result = run(config, "alice", "-r", "viewer", "--server", "files", "--ttl", "90s", "--json")
    told = json.loads(result.stdout)
    assert (await accepted(config, told["token"])).subject == "alice"
    assert told["endpoint"] == f"{BASE}/mcp/files"
    assert abs(told["expires"] - time.time() - 90) < 60


async def test_a_token_can_name_scopes_an_agent_and_a_tenant(config: Path) -> None:
    config.write_text(TENANTS)
    options = ("--scope", "read", "--scope", "write", "--agent", "claude-code")
    result = run(config, "alice", "-r", "viewer", *options, "--tenant", "acme", "--server", "wiki")
    assert (result.exit_code, result.stderr) == (0, "")
    principal = await accepted(config, result.stdout.strip())
    assert principal.scopes == {"read", "write"}
    assert (principal.agent, principal.tenant, principal.endpoint) == (
        "claude-code", "acme", "wiki",
    )  # fmt: skip


def test_a_token_that_no_scope_covers_is_minted_with_a_warning(config: Path) -> None:
    config.write_text(TENANTS)
    for options in ((), ("--scope", "openid")):
        result = run(config, "alice", "-r", "viewer", *options)
        assert result.exit_code == 0
        assert "--scope with one of read, write" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--tenant", "acm"), "expected one of: acme, zeta"),
        (("--tenant", "Acme"), "expected one of: acme, zeta"),
        (("--server", "wiki"), "--tenant acme"),
        (("--server", "wiki", "--tenant", "zeta"), "--tenant acme"),
        (("--server", "files", "--tenant", "acme"), "no tenant"),
        (("--scope", "read write"), "scope: expected"),
        (("--agent", "a\n"), "agent: expected"),
    ],
)
def test_a_token_that_could_be_of_no_use_is_wrong_use(
    config: Path, arguments: tuple[str, ...], expected: str
) -> None:
    config.write_text(TENANTS)
    result = run(config, "alice", "-r", "viewer", *arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert expected in result.stderr


@pytest.mark.parametrize(
    ("ttl", "seconds"), [("1s", 1), ("15m", 900), ("2h", 7200), ("30d", 2_592_000)]
)
def test_a_lifetime_is_a_number_with_a_unit(config: Path, ttl: str, seconds: int) -> None:
    result = run(config, "alice", "-r", "viewer", "--ttl", ttl, "--json")
    assert result.exit_code == 0
    assert abs(json.loads(result.stdout)["expires"] - time.time() - seconds) < 60


@pytest.mark.parametrize("arguments", [("-r", "admin"), ("-r", "viewer", "--ttl", "2d")])
def test_warnings_go_to_standard_error(config: Path, arguments: tuple[str, ...]) -> None:
    result = run(config, "alice", *arguments)
    assert result.exit_code == 0
    assert "warning" in result.stderr
    assert "warning" not in result.stdout


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("alice",), "developer"),
        (("alice", "-r", "root"), "developer"),
        (("alice", "-r", "Viewer"), "viewer"),
        (("alice", "-r", "viewer", "--ttl", "0s"), "30d"),
        (("alice", "-r", "viewer", "--ttl", "31d"), "30d"),
        (("alice", "-r", "viewer", "--ttl", "1"), "1h"),
        (("alice", "-r", "viewer", "--ttl", "-1h"), "1h"),
        (("alice", "-r", "viewer", "--ttl", "99999999999999d"), "1h"),
        (("alice", "-r", "viewer", "--ttl", "1h\n"), "1h"),
        (("alice", "-r", "viewer", "--server", "mail"), "files"),
        (("", "-r", "viewer"), "sub"),
        ((" alice", "-r", "viewer"), "sub"),
        (("a" * 513, "-r", "viewer"), "sub"),
    ],
)
def test_wrong_use_says_what_was_expected(
    config: Path, arguments: tuple[str, ...], expected: str
) -> None:
    result = run(config, *arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert expected in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("identity", "expected"),
    [
        ("identity: {mode: none}", "embedded"),
        ("identity: {mode: oidc, issuers: [{issuer: 'https://idp.example.com'}]}", "issuer"),
    ],
)
def test_other_modes_mint_no_tokens(config: Path, identity: str, expected: str) -> None:
    config.write_text(identity)
    result = run(config, "alice", "-r", "viewer")
    assert result.exit_code == 2
    assert expected in result.stderr
    assert not (config.parent / ".bawn").exists()


def test_a_broken_configuration_is_wrong_use(config: Path) -> None:
    config.write_text("identty: {}")
    result = run(config, "alice", "-r", "viewer")
    assert result.exit_code == 2
    assert "identty" in result.stderr


def test_a_missing_configuration_is_wrong_use(tmp_path: Path) -> None:
    result = run(tmp_path / "absent.yaml", "alice", "-r", "viewer")
    assert result.exit_code == 2
    assert "absent.yaml" in result.stderr
