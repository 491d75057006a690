"""Kinds of arguments: what is clear is told, what is not is text."""

from __future__ import annotations

from typing import Any

import pytest

from bawn.inspection.arguments.kinds import configured, sort_of


@pytest.mark.parametrize(
    ("tool", "name", "schema", "kind"),
    [
        ("read_file", "path", {}, "path"),
        ("convert", "inputFilePath", {}, "path"),
        ("compress", "output", {"description": "Where to write it: path to the archive"}, "path"),
        ("git_add", "files", {}, "path"),
        ("fetch", "url", {}, "url"),
        ("fetch", "address", {"format": "uri"}, "url"),
        ("notify", "webhookUrl", {}, "url"),
        ("ping_host", "host", {}, "host"),
        ("ping", "target", {"description": "Host name or IP to ping"}, "host"),
        ("check", "ip", {"format": "ipv4"}, "host"),
        ("run_command", "command", {}, "command"),
        ("tool", "cmd", {"description": "Shell command to execute"}, "command"),
        ("run_nmap", "args", {"description": "Additional command-line arguments"}, "command"),
        ("query", "sql", {}, "sql"),
        ("read_query", "query", {"description": "SQL query to run"}, "sql"),
        ("run_python", "code", {"description": "Python code"}, "code"),
        ("git_checkout", "branch", {}, "identifier"),
        ("restart", "container_id", {}, "identifier"),
        ("login", "password", {}, "secret"),
        ("render", "template", {"description": "Jinja template"}, "template"),
        ("save", "snippet", {"contentMediaType": "text/javascript"}, "code"),
        ("show", "link", {"examples": ["https://example.com/a"]}, "url"),
    ],
)
def test_what_is_clear_is_told(tool: str, name: str, schema: dict[str, Any], kind: str) -> None:
    assert sort_of(name, schema, tool, "").kind == kind


@pytest.mark.parametrize(
    ("tool", "name", "schema"),
    [
        ("search", "query", {"description": "Search query"}),
        ("ask", "query", {"description": "Natural language question about the SQL database"}),
        ("get", "path", {"description": "JSONPath into the document"}),
        ("get", "xpath", {}),
        ("move", "nodePath", {"description": "Node path in the scene tree"}),
        ("ship", "address", {"description": "Street address"}),
        ("weather", "country_code", {"description": "Two-letter country code"}),
        ("vim", "command", {}),
        ("minecraft", "command", {"description": "Minecraft command"}),
        ("connect", "database_url", {}),
        ("list", "file_type", {}),
        ("set", "vhost", {"description": "The virtual host"}),
        ("logs", "src_ip", {"description": "Filter by source IP"}),
        ("write", "mode", {"enum": ["path", "url"]}),
        ("post", "title", {}),
        ("sprint", "command_name", {}),
        ("draw", "image", {"description": "A picture"}),
    ],
)
def test_what_is_not_clear_is_text(tool: str, name: str, schema: dict[str, Any]) -> None:
    assert sort_of(name, schema, tool, "").kind == "text"


def test_exact_names_go_before_patterns() -> None:
    settings: Any = {"*": {"a": "path", "b": "url"}, "read": {"a": "text"}, "re*": {"a": "sql"}}
    assert configured(settings, "read") == {"a": "text", "b": "url"}
    assert configured(settings, "write") == {"a": "path", "b": "url"}


def test_repositories_may_be_at_addresses_of_git() -> None:
    assert sort_of("repo_url", {}, "clone", "").remote
    assert sort_of("uri", {}, "open", "").custom


def test_content_in_the_place_of_its_url_is_told_from_what_is_said_of_it() -> None:
    said = {"type": "string", "format": "uri", "description": "URL or data URI of the file"}
    assert sort_of("data", said, "gzip", "").inline
    assert sort_of("image_url", {"description": "https:// or data: URL"}, "show", "").inline
    assert not sort_of("url", {"description": "Where the data is"}, "fetch", "").inline
