from __future__ import annotations

import pytest

from bawn.discovery.shadow.recognise import image_server, server_in


@pytest.mark.parametrize(
    ("command", "name"),
    [
        (
            "npx -y @modelcontextprotocol/server-everything",
            "@modelcontextprotocol/server-everything",
        ),
        (
            "node /h/.npm/_npx/1a/node_modules/.bin/mcp-server-filesystem /d",
            "mcp-server-filesystem",
        ),
        ("uvx mcp-server-git==2025.1.1 --repository .", "mcp-server-git"),
        ("/usr/bin/python3.12 -m mcp_server_time", "mcp_server_time"),
        ("fastmcp run server.py", "server"),
        ("/v/bin/python /v/bin/mcp run weather.py", "weather"),
        ("npx @playwright/mcp@latest", "@playwright/mcp"),
        ("/opt/github-mcp-server stdio", "github-mcp-server"),
        ("docker run -i --rm mcp/postgres", "postgres"),
        ("docker run -i --rm -e A=1 -e B=2 -e C=3 -e D=4 -e E=5 ghcr.io/x/y-mcp", "y-mcp"),
    ],
)
def test_servers_are_recognised_by_their_command(command: str, name: str) -> None:
    assert server_in(command.split(" ")) == name


@pytest.mark.parametrize(
    "command",
    [
        "",
        "vim mcp.json",
        "python manage.py",
        "node server.js",
        "npx mcp-inspector",
        "less /a/mcp/x",
        "claude",
    ],
)
def test_other_programs_are_not(command: str) -> None:
    assert server_in(command.split(" ") if command else []) == ""


def test_images_are_recognised_by_their_names() -> None:
    assert image_server("mcp/postgres:1") == "postgres"
    assert image_server("ghcr.io/github/github-mcp-server@sha256:aa") == "github-mcp-server"
    assert image_server("nginx:1.27") == ""
    assert image_server("registry.example.com:5000/campcraft/web") == ""
