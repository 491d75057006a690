"""What the guard holds, and what it lets pass."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bawn.inspection.guard.guard import Guard
from bawn.model import Item, Json, Kind, Severity
from tests.unit.inspection.guard.ordinary import CALLS, COMMANDS
from tests.unit.inspection.guard.tools import GUARD, rules, tool


@pytest.mark.parametrize(("name", "arguments"), CALLS)
def test_an_ordinary_call_passes(name: str, arguments: dict[str, Any]) -> None:
    assert rules(name, arguments) == []


@pytest.mark.parametrize("command", COMMANDS)
def test_an_ordinary_command_passes(command: str) -> None:
    assert rules("run_command", {"command": command}) == []


def test_a_finding_says_rule_place_and_span() -> None:
    found = GUARD.check(tool("write_file"), {"a": {"path": "x/.cursor/mcp.json"}})
    pointer, detection = found[0]
    assert pointer == "/a/path"
    assert detection.rule == "agent/config"
    assert detection.severity is Severity.CRITICAL
    assert detection.evidence == "x/.cursor/mcp.json"
    assert (detection.start, detection.end) == (0, 18)


def test_what_says_that_it_reads_may_read_and_nothing_else() -> None:
    arguments = {"path": "AGENTS.md"}
    assert rules("read_file", arguments) == []
    assert rules("frobnicate_file", arguments, annotations={"readOnlyHint": True}) != []
    assert rules("read_file", arguments, annotations={"readOnlyHint": False}) != []


def test_reading_a_resource_is_reading() -> None:
    item = Item(Kind.RESOURCE, "s", "file:///AGENTS.md", "x", {})
    assert GUARD.check(item, {"uri": "file:///AGENTS.md"}) == []


def test_what_the_registry_says_of_an_argument_counts() -> None:
    item = tool("frobnicate")
    assert GUARD.check(item, {"title": "AGENTS.md"}) == []
    assert GUARD.check(item, {"title": "AGENTS.md"}, {"title": "path"}) != []
    assert GUARD.check(item, {"note": "rm AGENTS.md"}, {"note": "command"}) != []


def test_bawns_own_directories_are_guarded_wherever_they_are() -> None:
    for path in ("/srv/gate/state/keys", "/srv/gate/x/../state", "/SRV//gate/state/a"):
        assert rules("write_file", {"path": path}) == ["agent/gate"]
    assert GUARD.may_concern(b'{"path":"/srv/gate/state/keys"}')
    guard = Guard("/home/u", ("/srv/gate/proj",), ("/srv/gate/state",))
    assert guard.check(tool("write_file"), {"path": "../state/keys"})[0][1].rule == "agent/gate"


def test_another_home_directory_is_home() -> None:
    guard = Guard("/var/people/u")
    assert guard.place_of("/var/people/u/.npmrc") is not None
    assert guard.place_of("/var/people/other/.npmrc") is None


def test_links_are_followed_where_they_can_be(tmp_path: Path) -> None:
    (tmp_path / ".cursor" / "rules").mkdir(parents=True)
    (tmp_path / "docs").symlink_to(tmp_path / ".cursor" / "rules")
    arguments = {"path": "docs/style.mdc", "content": "x"}
    blind = Guard("/home/u", (str(tmp_path),))
    seeing = Guard("/home/u", (str(tmp_path),), resolve=lambda path: str(Path(path).resolve()))
    assert blind.check(tool("write_file"), arguments) == []
    assert seeing.check(tool("write_file"), arguments) != []


@pytest.mark.parametrize(
    "arguments",
    [
        {"key": "core.hooksPath", "value": "/tmp/h"},
        {"config": {"core.fsmonitor": "x"}},
        {"args": ["config", "core.sshCommand", "x"]},
    ],
)
def test_settings_of_git_that_run_programs_are_held(arguments: dict[str, Any]) -> None:
    assert "agent/git" in rules("git_config", arguments)


def test_other_settings_of_git_pass() -> None:
    assert rules("git_config", {"key": "user.name", "value": "A"}) == []


def test_evidence_has_no_control_characters() -> None:
    found = GUARD.check(tool("write_file"), {"path": "\x1b[2J/AGENTS.md"})
    assert found[0][1].evidence.isprintable()


def test_large_arguments_take_little_time() -> None:
    text = "see AGENTS.md and .cursor/mcp.json; rm $X 'a' + \"b\" {a,b} *** --- +++ \n" * 14_000
    for name, key in (
        ("write_file", "content"),
        ("run_python", "code"),
        ("run_command", "command"),
    ):
        start = time.perf_counter()
        GUARD.check(tool(name), {key: text})
        assert time.perf_counter() - start < 15, name


def test_a_call_of_which_nothing_is_odd_does_not_open_the_gate() -> None:
    closed = [
        arguments
        for arguments in (
            {"path": "/home/u/proj/src/main.py", "content": "print(1)"},
            {"city": "Cork"},
            {"query": "SELECT name FROM users WHERE id = 3"},
            {"title": "A bug", "body": "It fails when I click the button. Why?"},
        )
        if not GUARD.may_concern(msgspec.json.encode(arguments))
    ]
    assert len(closed) == 4


def test_whole_params_are_as_good_as_arguments() -> None:
    inner = {
        "method": "PUT",
        "url": "https://api.example/contents/.cursor/mcp.json",
        "note": "rm AGENTS.md",
    }
    found = GUARD.check(
        tool("http_request"), {"name": "http_request", "arguments": inner}, {"note": "command"}
    )
    assert {pointer for pointer, _ in found} == {"/arguments/url", "/arguments/note"}


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("write_file", {"pad": ["x"] * 20_000, "path": ".cursor/mcp.json"}),
        ("run_shell", {"command": ":;" * 3_000 + "cp x .cursor/mcp.json"}),
        ("run_shell", {"command": "#" + "x" * 70_000 + "\ncp x .cursor/mcp.json"}),
        ("run_python", {"code": "''" * 1_200 + "open('.cursor/mcp.json', 'w')"}),
    ],
)
def test_what_is_behind_more_than_is_read_does_not_pass(name: str, arguments: Json) -> None:
    assert "inspection/partial" in rules(name, arguments)


def test_a_path_is_guarded_however_long_the_way_to_it_is() -> None:
    assert rules("write_file", {"path": "./" * 600 + ".cursor/mcp.json"})


def test_a_command_of_which_no_shell_makes_sense_takes_no_time() -> None:
    began = time.process_time()
    rules("run_shell", {"command": "|" * 60_000})
    assert time.process_time() - began < 3  # it was ten


def test_many_members_take_no_time_each_for_the_others() -> None:
    began = time.process_time()
    rules("write_file", {f"k{at}": "v" for at in range(20_000)})
    assert time.process_time() - began < 3  # it was twenty


def test_a_tool_that_only_extracts_an_archive_writes() -> None:
    schema: Json = {"properties": {"archive": {}, "destination": {}}}
    assert rules("extract", {"archive": "a.zip", "destination": ".cursor"}, inputSchema=schema)


def test_a_relative_path_reaches_bawns_own_files(tmp_path: Path) -> None:
    guard = Guard("/home/u", ("/srv/gate",), ("/srv/gate/rules",))
    found = guard.check(tool("write_file"), {"path": "rules/all.cedar"})
    assert [each.rule for _, each in found] == ["agent/gate"]


def test_what_a_link_leads_to_is_seen_where_nothing_shows_it(tmp_path: Path) -> None:
    (tmp_path / ".cursor").mkdir()
    (tmp_path / "plain").symlink_to(tmp_path / ".cursor")
    guard = Guard("/home/u", (str(tmp_path),), resolve=os.path.realpath)
    arguments = {"path": "plain/mine.md"}
    assert not guard.may_concern(msgspec.json.encode(arguments))
    assert [place for place, _ in guard.linked(tool("write_file"), arguments)] == ["/path"]
    assert not guard.linked(tool("read_file"), arguments)
    assert not guard.linked(tool("write_file"), {"path": "other/mine.md"})
