from __future__ import annotations

import pytest

from bawn.app.launches import refuse_launches
from bawn.config import Config, Server
from bawn.errors import Misconfigured


def _config(*command: str, **settings: str) -> Config:
    server = Server.model_validate({"command": command, **settings})
    return Config(servers={"files": server})


def test_a_command_that_breaks_the_grammar_is_named_with_its_place_and_the_way_out() -> None:
    with pytest.raises(Misconfigured) as caught:
        refuse_launches(_config("sh", "-c", "npx server"))
    assert "servers.files.command[" in str(caught.value)
    assert "launch: any" in str(caught.value)


def test_what_its_owner_has_read_is_let_through() -> None:
    refuse_launches(_config("sh", "-c", "npx server", launch="any"))


def test_a_disabled_server_starts_nothing() -> None:
    refuse_launches(_config("sh", "-c", "npx server", status="disabled"))


def test_ordinary_commands_and_remote_servers_pass() -> None:
    refuse_launches(_config("npx", "@modelcontextprotocol/server-filesystem@2026.8.31", "./docs"))
    refuse_launches(Config(servers={"a": Server(url="https://example.com/mcp")}))
