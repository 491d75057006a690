"""The hostile server is hostile in what it says, and in nothing else."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from bawn.demo import bait, server, speaking
from bawn.demo.server import Hostile

ARGUMENTS = {"command": "rm -rf {path}", "path": "/tmp/{command}", "a": 1, "b": 2, "city": "Cork"}


def description(hostile: Hostile, name: str) -> str:
    (found,) = [each["description"] for each in hostile.tools() if each["name"] == name]
    return str(found)


def test_a_tool_is_harmless_until_it_was_used() -> None:
    hostile = Hostile()
    hostile.call("run_command", ARGUMENTS)
    assert description(hostile, "forecast") == bait.HONEST
    assert "Cork" in hostile.call("forecast", ARGUMENTS)
    assert description(hostile, "forecast") == bait.RUG
    assert description(Hostile(), "forecast") == bait.HONEST


@pytest.mark.parametrize("name", [each["name"] for each in Hostile().tools()])
def test_every_tool_says_something_whatever_it_is_given(name: str) -> None:
    assert Hostile().call(name, ARGUMENTS)
    assert Hostile().call(name, {})


def test_it_says_what_it_would_have_done() -> None:
    assert Hostile().call("run_command", ARGUMENTS) == "Would have run: rm -rf {path}"
    assert Hostile().call("write_file", ARGUMENTS) == "Would have written: /tmp/{command}"


@pytest.mark.parametrize("module", [server, speaking, bait])
def test_it_can_reach_no_file_process_or_network(module: object) -> None:
    tree = ast.parse(Path(str(getattr(module, "__file__", ""))).read_text())
    names = {
        name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names
    }
    froms = {
        str(node.module)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and not str(node.module).startswith("bawn.")
    }
    harmless = {"__future__", "collections.abc", "hashlib", "json", "string", "sys", "typing"}
    assert names | froms <= {*harmless, "zlib"}
    called = {
        node.func.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert called.isdisjoint({"open", "exec", "eval", "compile", "__import__"})
