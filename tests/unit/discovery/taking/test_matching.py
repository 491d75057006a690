from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bawn.config.server import Server
from bawn.discovery.clients import CLIENTS
from bawn.discovery.entry import Launch, launch_of
from bawn.discovery.taking.matching import normal, server_of


def _launch(**fields: Any) -> Launch:
    return launch_of(CLIENTS[0], fields)


def _local(*command: str, **env: str) -> Server:
    return Server(command=command, env=env)


def test_the_name_decides_when_nothing_is_numbered(tmp_path: Path) -> None:
    servers = {"my-server": _local("anything")}
    assert server_of("My Server", _launch(command="other"), servers, tmp_path) == "my-server"
    assert server_of("else", _launch(command="anything"), servers, tmp_path) is None


def test_among_numbered_servers_the_same_command_is_meant(tmp_path: Path) -> None:
    servers = {
        "git": _local("npx", "git@1.0.0"),
        "git-2": _local("uvx", "git==1"),
        "git-x": _local("z"),
    }
    launch = _launch(command="uvx", args=["git==1"])
    assert server_of("Git", launch, servers, tmp_path) == "git-2"
    launch = _launch(command="npx", args=["-y", "git@1.0.0"])
    assert server_of("Git", launch, servers, tmp_path) == "git"
    assert server_of("Git", _launch(command="new"), servers, tmp_path) == "git"


def test_among_the_same_commands_the_same_account_is_meant(tmp_path: Path) -> None:
    for name, secret in (("one", "first"), ("two", "second")):
        (tmp_path / name).write_text(f"{secret}\n")
        (tmp_path / name).chmod(0o600)
    servers = {
        "git": _local("git", TOKEN="${file:one}"),
        "git-2": _local("git", TOKEN="${file:two}"),
        "git-3": _local("git", TOKEN="${env:TOKEN}"),
    }
    for value, expected in (("first", "git"), ("second", "git-2"), ("${TOKEN}", "git-3")):
        launch = _launch(command="git", env={"TOKEN": value})
        assert server_of("git", launch, servers, tmp_path) == expected


def test_remote_servers_are_told_apart_by_url_and_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("B", "second")
    auth = {"type": "bearer", "token": "${env:B}"}
    servers = {
        "api": Server(url="https://x/mcp"),
        "api-2": Server(url="https://y/mcp"),
        "api-3": Server.model_validate({"url": "https://y/mcp", "auth": auth}),
    }
    launch = _launch(type="http", url="https://y/mcp", headers={"Authorization": "Bearer second"})
    assert server_of("api", launch, servers, tmp_path) == "api-3"
    launch = _launch(type="http", url="https://y/mcp")
    assert server_of("api", launch, servers, tmp_path) == "api-2"
    assert server_of("api", _launch(type="http", url="https://x/mcp"), servers, tmp_path) == "api"


def test_long_names_are_found_under_their_shortened_ids(tmp_path: Path) -> None:
    name = "x" * 40
    servers = {"x" * 32: _local("a"), "x" * 30 + "-2": _local("b")}
    assert server_of(name, _launch(command="b"), servers, tmp_path) == "x" * 30 + "-2"


def test_a_launch_is_compared_as_it_is_imported() -> None:
    launch = normal(_launch(command="docker", args=["run", "-e", "TOKEN=abc", "x"], env={"A": "b"}))
    assert launch.command == ("docker", "run", "-e", "TOKEN", "x")
    assert launch.env == {"A": "b", "TOKEN": "abc"}
