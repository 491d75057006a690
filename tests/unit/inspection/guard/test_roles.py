"""What tools do and what arguments are, by their names."""

from __future__ import annotations

from typing import Any

import pytest

from bawn.inspection.guard.roles import Effect, Role, effect, roles, words
from tests.unit.inspection.guard.tools import tool

READ_ONLY = {"readOnlyHint": True}


@pytest.mark.parametrize(
    "name", ["read_file", "listDirectory", "search_code", "git_log", "get_file_contents"]
)
def test_a_tool_that_reads_by_name_and_can_carry_nothing_reads(name: str) -> None:
    assert effect(tool(name)) is Effect.READS


@pytest.mark.parametrize(
    "name", ["write_file", "frobnicate", "read_and_write", "get_or_create_file", "fs"]
)
def test_a_tool_of_which_nothing_is_known_writes_whatever_it_says(name: str) -> None:
    assert effect(tool(name, annotations=READ_ONLY)) is Effect.WRITES


def test_what_says_that_it_is_not_read_only_writes() -> None:
    assert effect(tool("read_file", annotations={"readOnlyHint": False})) is Effect.WRITES


def test_an_argument_that_carries_content_outweighs_the_name() -> None:
    schema: dict[str, Any] = {"properties": {"path": {}, "content": {}}}
    assert effect(tool("read_file", inputSchema=schema)) is Effect.WRITES
    assert effect(tool("read_file", inputSchema=schema, annotations=READ_ONLY)) is Effect.READS


@pytest.mark.parametrize("name", ["create_issue", "add_issue_comment", "send_message"])
def test_tools_that_talk_are_told_apart(name: str) -> None:
    assert effect(tool(name)) is Effect.TALKS


def test_words_are_found_in_every_style() -> None:
    assert words("readTextFile") == words("read_text-file") == {"read", "text", "file"}


@pytest.mark.parametrize(
    ("key", "role"),
    [
        ("file_path", Role.PATH),
        ("newUri", Role.PATH),
        ("command", Role.COMMAND),
        ("pythonCode", Role.CODE),
        ("query", Role.FREE),
        ("content", Role.CONTENT),
        ("thing", Role.PERHAPS),
    ],
)
def test_arguments_are_known_by_name(key: str, role: Role) -> None:
    assert role in roles(key, None) or (key == "query" and Role.CODE in roles(key, None))


def test_what_the_registry_says_wins() -> None:
    assert roles("title", "path") == {Role.PATH}
    assert roles("path", "text") == {Role.FREE}
