from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from bawn.config import Config
from bawn.config.load import parse
from bawn.inspection.decisions import Decisions
from bawn.model import Detection, Item, Kind, Severity
from bawn.review.exemptions import exemptions

AT = 1_795_000_000.0  # 2026-11-18
RULES = [
    ("argument/path-traversal", "/arguments/path"),
    ("argument/path-outside", "/arguments/path"),
    ("argument/host-private", "/arguments/url"),
    ("argument/host-pattern", "/arguments/url"),
    ("argument/sql-class", "/arguments/query"),
    ("argument/value-prototype", "/arguments/a"),
    ("agent/servers", "/arguments/path"),
    ("secret/github-token", "/arguments/note"),
    ("output/override", "/content/0/text"),
    ("inspection/partial", ""),
]


def tool(name: str = "read_file", kind: Kind = Kind.TOOL) -> Item:
    return Item(kind, "files", name, f"files__{name}", {})


def told(rule: str, place: str, item: Item) -> list[str]:
    return [str(each) for each in exemptions(rule, place, item, AT)]


def config_with(line: str) -> Config:
    """The configuration in which a line that was told stands."""
    path, _, value = line.partition(": ")
    room, _, name = path.rpartition(".")
    url = "https://files.example/mcp"
    if room == "servers.files":
        text = f"servers: {{files: {{url: '{url}', {name}: {value}}}}}\n"
    else:
        text = f"{room}: {{{name}: {value}}}\nservers: {{files: {{url: '{url}'}}}}\n"
    return parse(text.encode(), Path("/x/bawn.yaml"), {}).config


@pytest.mark.parametrize(("rule", "place"), RULES)
@pytest.mark.parametrize("name", ["read_file", "list files [beta]*", "true"])
def test_every_line_that_is_told_is_a_configuration(rule: str, place: str, name: str) -> None:
    lines = told(rule, place, tool(name))

    assert lines
    for line in lines:
        assert config_with(line).model_fields_set >= {"servers"}


@pytest.mark.parametrize(("rule", "place"), [each for each in RULES if each[0][:6] != "agent/"])
@pytest.mark.parametrize("name", ["read_file", "list[a-z]", "what?*"])
def test_the_suppression_lets_this_pass_and_nothing_beside_it(
    rule: str, place: str, name: str
) -> None:
    config = config_with(told(rule, place, tool(name))[-1])
    decisions = Decisions(config.inspection, lambda: AT)

    def action(rule: str, name: str) -> str:
        found = Detection(rule, Severity.CRITICAL, 0, 1, "")
        return decisions.decided(tool(name), "arguments", [(place, found)])[0].action

    assert action(rule, name) == "pass"
    assert action(rule, "lista") != "pass"
    assert action(f"{rule}-other", name) != "pass"


def test_a_suppression_ends_by_itself() -> None:
    (each,) = exemptions("output/override", "/content/0/text", tool(), AT)
    days = dt.date.fromisoformat(each.value[0]["expires"]) - dt.date(2026, 11, 18)

    assert days.days == 30


def test_an_argument_goes_by_its_dotted_name_and_items_by_that_of_their_list() -> None:
    first, *_ = told("argument/command-quotes", "/arguments/run/lines/3", tool())

    assert first == 'servers.files.arguments: {read_file: {"run.lines": text}}'


def test_what_is_no_argument_of_a_tool_gets_no_kind() -> None:
    for place, item in (("", tool()), ("/uri", tool("file:///a", Kind.RESOURCE))):
        lines = told("argument/path-traversal", place, item)
        assert [line.partition(":")[0] for line in lines] == ["inspection.suppressions"]


def test_a_planted_value_is_never_let_out() -> None:
    assert told("canary/payroll", "/arguments/note", tool()) == []


def test_agents_configuration_is_written_by_a_tool_that_is_named_for_it() -> None:
    assert told("agent/hooks", "/arguments/path", tool()) == [
        "servers.files.configures: [read_file]"
    ]
