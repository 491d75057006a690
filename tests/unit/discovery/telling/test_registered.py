"""The registered servers, as what is seen elsewhere is held against them."""

from __future__ import annotations

import pytest

from bawn.discovery.shadow.sighting import Sighting
from tests.unit.discovery.seen import entry, listener, process, registered


@pytest.mark.parametrize(
    "sighting",
    [
        entry("a", "/usr/bin/bawn", "stdio", "--config", "/x"),
        entry("a", "python3", "-m", "bawn", "stdio"),
        entry("a", url="http://localhost:8811/mcp"),
        entry("a", url="https://gate.example.com/mcp/files"),
        entry("a", "npx", "mcp-remote", "https://gate.example.com/mcp"),
    ],
)
def test_what_leads_to_the_gate_is_known_as_such(sighting: Sighting) -> None:
    assert registered().is_gate(sighting)


@pytest.mark.parametrize(
    "sighting",
    [
        entry("bawn", "/tmp/notbawn", "stdio"),
        entry("bawn", "bawn", "up"),
        entry("bawn", "sh", "-c", "bawn stdio"),
        entry("a", url="http://localhost:8812/mcp"),
        entry("a", url="https://gate.example.com.evil.test/mcp"),
    ],
)
def test_what_only_looks_like_it_is_not_the_gate(sighting: Sighting) -> None:
    assert not registered().is_gate(sighting)


def test_an_entry_for_one_server_names_it() -> None:
    of_one = entry("a", "bawn", "stdio", "--config", "/x", "--server", "files")
    assert registered().server_of_gate(of_one) == "files"
    assert registered().server_of_gate(entry("a", "bawn", "stdio")) == ""
    assert registered().server_of_gate(entry("a", "bawn", "stdio", "--server")) == ""


@pytest.mark.parametrize(
    ("sighting", "server"),
    [
        (entry("x", url="https://mcp.linear.app/mcp"), "linear"),
        (entry("x", "npx", "mcp-remote@0.1.16", "https://mcp.linear.app/sse"), "linear"),
        (entry("x", "npx", "-y", "@modelcontextprotocol/server-filesystem", "/home"), "files"),
        (process("node", "/n/.bin/mcp-server-filesystem", "/srv"), "files"),
        (process("/etc/gate/tools/local-mcp", "--x"), "local"),
        (listener("http://127.0.0.1:9000"), "notes"),
    ],
)
def test_a_registered_server_is_recognised(sighting: Sighting, server: str) -> None:
    match = registered().match(sighting)
    assert match is not None
    assert match.id == server
    assert f"`{server}`" in match.why


@pytest.mark.parametrize(
    ("sighting", "why"),
    [
        (entry("files", "npx", "other-mcp"), "is called `files`"),
        (entry("Files", "npx", "other-mcp"), "is called `files`"),
        (entry("x", "npx", "@evil/server-filesystem"), "package is nearly that of `files`"),
        (entry("x", url="https://mcp.1inear.app/mcp"), "host is nearly that of `linear`"),
        (entry("x", "npx", "@modelcontextprotoco1/server-git"), "imitates"),
    ],
)
def test_an_imitation_is_told_with_what_it_imitates(sighting: Sighting, why: str) -> None:
    assert registered().match(sighting) is None
    assert any(why in each for each in registered().alike(sighting))


def test_another_server_is_neither() -> None:
    sighting = entry("weather", "uvx", "weather-mcp")
    assert registered().match(sighting) is None
    assert registered().alike(sighting) == ()


def test_what_a_server_calls_itself_is_no_imitation() -> None:
    said = Sighting("probe", "http", "files", "10.0.0.5:80", url="http://10.0.0.5:80/mcp")
    assert registered().alike(said) == ()
