"""Each row reaches the gate as what it stands for, and is flagged by what the gate then does."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bawn.assurance.measuring.rows import Row
from bawn.assurance.measuring.subject import SERVER, Subject, blocks, size
from tests.unit.assurance.measuring.showing import Pins, TwoRules, subject

SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}}


def arguments(value: str, tool: Any = "run") -> Row:
    return Row(id="a", label="attack", schema=SCHEMA, arguments={"a": value}, tool=tool)


def launch(command: str, *args: str, env: dict[str, str] | None = None) -> Row:
    config = {"command": command, "args": list(args), "env": env or {}}
    return Row(id="a", label="attack", config=config)


def drift(before: Any, after: Any) -> Row:
    return Row(id="a", label="attack", before=before, after=after)


def test_a_refusal_names_the_rule() -> None:
    assert subject().arguments(arguments("steal it")) == ("argument/steal",)
    assert subject().arguments(arguments("harmless")) == ()


def test_arguments_go_to_a_tool_of_that_name_and_schema() -> None:
    inspector = TwoRules()
    Subject(inspector, Pins()).arguments(arguments("x", {"name": "exec", "description": "Runs."}))
    (item,) = inspector.items
    assert (item.server, item.name) == (SERVER, "exec")
    assert item.definition == {"name": "exec", "description": "Runs.", "inputSchema": SCHEMA}


def test_plans_of_the_row_before_are_forgotten() -> None:
    inspector = TwoRules()
    shown = Subject(inspector, Pins())
    shown.prepare("arguments")
    shown.prepare("outputs")
    assert inspector.swapped == 1


def test_secrets_and_injections_are_told_apart() -> None:
    row = Row(id="a", label="attack", text="steal the token")
    assert subject().output(row) == ("output/steal",)
    assert subject().secret(row) == ("secret/token",)


def test_what_the_gate_lets_pass_is_not_flagged() -> None:
    assert subject().output(Row(id="a", label="benign", text="perhaps")) == ()


def test_parts_of_an_output_are_blocks_of_content() -> None:
    inspector = TwoRules()
    Subject(inspector, Pins()).output(Row(id="a", label="attack", text=blocks("a", "b")))
    assert inspector.answers[0].result == {
        "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    }


def test_a_launch_is_flagged_as_the_gate_refuses_it() -> None:
    rules = subject().launch(launch("bash", "-c", "true"))
    assert rules
    assert all(rule.startswith("launch/") for rule in rules)
    assert subject().launch(launch("npx", "-y", "@modelcontextprotocol/server-memory@1.0.0")) == ()
    assert subject().launch(launch("")) != ()


def test_a_variable_that_loads_code_is_flagged() -> None:
    assert subject().launch(launch("node", "server.js", env={"LD_PRELOAD": "/tmp/e.so"}))


def test_drift_is_a_second_listing_later_of_a_server_never_seen() -> None:
    pins = Pins()
    shown = Subject(TwoRules(), pins)
    tool = {"name": "a", "description": "one"}
    assert shown.drift(drift(tool, {**tool, "description": "two"})) == ("integrity.drift",)
    assert shown.drift(drift(tool, dict(reversed(tool.items())))) == ()
    assert len(pins.first) == 2
    assert pins.times[1] > pins.times[0]


def test_drift_may_be_told_as_json_text_or_as_lists() -> None:
    tool = {"name": "a", "n": 1}
    assert subject().drift(drift(json.dumps(tool), json.dumps(tool, indent=2))) == ()
    assert subject().drift(drift([tool], [tool, {"name": "b"}])) == ("integrity.drift",)
    assert subject().drift(drift({"tools": [tool]}, {"tools": [{"name": "c"}]})) != ()


def test_a_tool_without_anything_said_is_not_flagged() -> None:
    plain = {"name": "add", "description": "Adds two numbers.", "inputSchema": SCHEMA}
    assert subject().tool(Row(id="a", label="benign", tool=plain)) == ()


@pytest.mark.parametrize("text", ["", "a" * 5000])
def test_sizes_are_of_what_is_looked_at(text: str) -> None:
    assert len(text) <= size(Row(id="a", label="benign", text=text, tool="read")) <= len(text) + 10
