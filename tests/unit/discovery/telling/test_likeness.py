"""What a server is, however it is written; and names that are nearly another's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.discovery.telling.likeness import (
    address,
    addresses_in,
    bare,
    borrowed,
    launch,
    near,
    near_host,
    same_launch,
)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("http://127.0.0.1:8811/mcp", "http://localhost:8811/other", True),
        ("http://[::1]:8811", "http://0.0.0.0:8811/sse", True),
        ("https://mcp.example.com/mcp/", "https://MCP.example.com:443", True),
        ("https://mcp.example.com/a/mcp", "https://mcp.example.com/b/mcp", False),
        ("http://127.0.0.1:8811", "http://127.0.0.1:8812", False),
    ],
)
def test_an_address_is_the_same_however_it_is_written(one: str, other: str, same: bool) -> None:
    assert address(one) is not None
    assert (address(one) == address(other)) is same


@pytest.mark.parametrize("url", ["", "file:///etc", "http://", "http://[::1", "http://a:b/", "x y"])
def test_what_is_no_address_is_none(url: str) -> None:
    assert address(url) is None


@given(st.text(max_size=60))
def test_any_text_can_be_looked_at(text: str) -> None:
    address(text)
    bare(text)
    near(text, "filesystem")
    near_host(text, "mcp.example.com")


NPX = ("npx", "-y", "@modelcontextprotocol/server-filesystem@2026.1.1", "/srv")


@pytest.mark.parametrize(
    "other",
    [
        ("npx", "@modelcontextprotocol/server-filesystem", "/home"),
        ("node", "/x/node_modules/.bin/mcp-server-filesystem", "/srv"),
        ("/x/node_modules/.bin/mcp-server-filesystem", "/srv"),
    ],
)
def test_the_same_server_is_known_by_package_and_by_program(other: tuple[str, ...]) -> None:
    assert same_launch(launch(NPX), launch(other))
    assert same_launch(launch(other), launch(NPX))


@pytest.mark.parametrize(
    "other",
    [
        ("npx", "@evil/server-filesystem", "/srv"),
        ("npx", "@modelcontextprotocol/server-github", "/srv"),
        ("node", "/x/index.js"),
        ("uvx", "filesystem"),
    ],
)
def test_another_server_is_not_taken_for_it(other: tuple[str, ...]) -> None:
    assert not same_launch(launch(NPX), launch(other))


def test_programs_whose_name_says_nothing_are_compared_by_their_path() -> None:
    one, other = launch(("node", "/a/index.js")), launch(("node", "/b/index.js"))
    assert not same_launch(one, other)
    assert same_launch(one, launch(("node", "/a/./index.js", "--x")))
    assert not same_launch(launch(("python", "server.py")), launch(("python", "server.py", "--x")))


def test_a_package_of_another_scope_or_nearly_the_name_is_borrowed() -> None:
    ours = launch(NPX)
    assert borrowed(ours, launch(("npx", "@evil/server-filesystem")))
    assert borrowed(ours, launch(("npx", "@modelcontextprotocol/server-filesystern")))
    assert not borrowed(ours, launch(("npx", "@modelcontextprotocol/server-memory")))
    assert not borrowed(ours, launch(("uvx", "server-filesystem")))


@pytest.mark.parametrize(
    ("name", "other", "is_near"),
    [
        ("filesystem", "fi1esystem", True),
        ("filesystem", "filesysten", True),
        ("github", "gіthub", True),
        ("filesystem", "Filesystem", False),
        ("database-1", "database-2", False),
        ("time", "tile", False),
        ("git", "github", False),
    ],
)
def test_names_that_are_easily_taken_for_each_other(name: str, other: str, is_near: bool) -> None:
    assert near(name, other) is is_near


def test_hosts_of_one_domain_are_no_imitations() -> None:
    assert near_host("mcp.linear.app", "mcp.1inear.app")
    assert near_host("mcp.linear.app", "mcp.linear-.app")
    assert not near_host("mcp.linear.app", "mcq.linear.app")
    assert not near_host("10.0.0.11", "10.0.0.12")


def test_a_bridge_names_where_it_leads() -> None:
    (found,) = addresses_in(("npx", "mcp-remote@0.1.16", "https://mcp.example.com/mcp"))
    assert found == address("https://mcp.example.com")
