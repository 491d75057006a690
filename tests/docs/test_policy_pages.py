"""What docs/policy.md and docs/approvals.md show is what the code takes and gives."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bawn.approvals.message import Notice
from bawn.approvals.request import Request
from bawn.approvals.viewed import Viewed
from bawn.cli import app
from bawn.config.load import parse
from bawn.console.approvals import STATES, as_json
from bawn.errors import Misconfigured
from bawn.model import Ask, Label
from bawn.policy.files import declared, reading, schema
from bawn.policy.rules import Source
from bawn.review.trials import cases

ROOT = Path(__file__).parents[2]
POLICY = (ROOT / "docs" / "policy.md").read_text("utf-8")
APPROVALS = (ROOT / "docs" / "approvals.md").read_text("utf-8")

_FENCE = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_NAME = re.compile(r"`([^`]+)`")


def fenced(language: str, *pages: str) -> list[str]:
    return [text for page in pages for kind, text in _FENCE.findall(page) if kind == language]


def rows(page: str, heading: str) -> Iterator[list[str]]:
    """The rows of the table whose heading begins so, as cells."""
    table = page[page.index(f"| {heading} |") :].partition("\n\n")[0].splitlines()[2:]
    yield from ([cell.strip() for cell in line.strip("|").split("|")] for line in table)


def names(page: str, heading: str) -> set[str]:
    """What stands in backticks in the first cells of a table."""
    return {name for cells in rows(page, heading) for name in _NAME.findall(cells[0])}


def a_request() -> Request:
    return Request(
        who="alex@acme.example", issuer="", tenant="", agent="claude-code", roles=(), client="",
        endpoint=None, server="github", kind="tool", name="merge_pull_request",
        method="tools/call", arguments="{}", characters=2, digest="", trace="",
        asks=(Ask("merge-asks-a-lead", frozenset({"lead"}), False, 1, 900.0),), places=("",),
    )  # fmt: skip


@pytest.mark.parametrize("text", fenced("cedar", POLICY, APPROVALS))
def test_rules_that_a_page_shows_are_taken(text: str) -> None:
    assert reading.ruleset(Source("docs", (("page.cedar", text),)), 900.0).rules


def test_a_rule_that_is_wrong_would_be_found() -> None:
    with pytest.raises(Misconfigured):
        ruleset_of('permit (principal, action == Action::"tools/cal", resource);')


@pytest.mark.parametrize("text", fenced("yaml", POLICY, APPROVALS))
def test_files_that_a_page_shows_are_taken(text: str) -> None:
    match text.splitlines()[0]:
        case "# bawn.yaml":
            assert parse(text.encode(), ROOT / "bawn.yaml", {}).config.model_fields_set
        case "# labels.yaml":
            assert declared.labels(text)
        case "# tests/agents.yaml":
            assert cases.read(text.encode(), "agents.yaml").cases
        case first:
            pytest.fail(f"{first!r} names no file")


def test_the_entities_that_the_page_shows_are_taken() -> None:
    (text,) = fenced("json", POLICY)

    assert len(declared.entities(text)) == 2


@pytest.mark.parametrize("text", fenced("console", POLICY))
def test_output_that_a_page_shows_is_what_the_command_prints(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command, _, expected = text.partition("\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.chdir(ROOT)

    done = CliRunner().invoke(app, shlex.split(command.removeprefix("$ bawn ")))

    assert done.output == expected


def ruleset_of(text: str) -> None:
    reading.ruleset(Source("docs", (("page.cedar", text),)), 900.0)


def test_the_tables_have_every_action_and_attribute_of_the_context() -> None:
    acting = schema.of({})[""]["actions"]["tasks/get"]["appliesTo"]["context"]["attributes"]
    actions = {re.sub(r'^Action::"(.*)"$', r"\1", name) for name in names(POLICY, "action")}
    context = {name.removeprefix("context.") for name in names(POLICY, "attribute")}

    assert actions == {*schema.ACTIONS, "call SERVER/NAME"}
    assert context == set(acting)


def test_the_annotations_of_the_table_are_taken_and_no_others() -> None:
    shown = names(POLICY, "annotation")
    for name in shown:
        asks = '@ask("lead") ' if name.startswith(("@approvals", "@within")) else ""
        ruleset_of(f"{asks}{name} forbid (principal, action, resource);")

    with pytest.raises(Misconfigured) as refused:
        ruleset_of("@x permit (principal, action, resource);")
    known = set(re.findall(r"@\w+", str(refused.value))) - {"@x"}
    assert {name.partition("(")[0] for name in shown} == known


def test_every_attribute_of_callers_and_items_is_told() -> None:
    types = schema.of({})[""]["entityTypes"]
    told = {name for cells in rows(POLICY, "entity") for name in _NAME.findall(cells[3])}
    known = {name for t in ("User", "Tool") for name in types[t]["shape"]["attributes"]}

    assert told == known


def test_every_label_is_told() -> None:
    assert [label for label in Label if f"`{label}`" not in POLICY] == []


def test_a_webhook_looks_as_the_page_shows_it() -> None:
    shown = json.loads(fenced("json", APPROVALS)[1])
    notice = Notice(shown["id"], a_request(), shown["expires"], shown["link"])

    assert json.loads(notice.body()) == shown


def test_an_approval_has_the_fields_that_the_page_lists() -> None:
    seen = Viewed("", "pending", 0.0, 0.0, "", True, False, a_request(), ())
    line = APPROVALS[APPROVALS.index("An approval has") :].partition(". ")[0]

    assert _NAME.findall(line) == list(as_json(seen))


def test_every_state_of_an_approval_is_told() -> None:
    line = APPROVALS[APPROVALS.index("States: ") :].partition("\n")[0]

    assert [state for state in STATES if not re.search(rf"\b{state}\b", line)] == []
