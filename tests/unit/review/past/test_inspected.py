from __future__ import annotations

from pathlib import Path

import pytest

from bawn.audit.writer import Writer
from bawn.review.past.inspected import Finding, in_events, in_refusal
from bawn.storage import StateDirectory
from tests.audited import ADA, call


@pytest.mark.parametrize(
    ("reason", "detail", "expected"),
    [
        ("inspection.argument", "/arguments/path (argument/path-traversal)", ("argument/path-traversal", "/arguments/path")),
        ("inspection.agent_config", "/arguments/a (b) (agent/hooks)", ("agent/hooks", "/arguments/a (b)")),
        ("inspection.secret", "/ (secret/assigned)", ("secret/assigned", "/")),
        ("inspection.canary", "canary/payroll", ("canary/payroll", "")),
    ],
)  # fmt: skip
def test_a_refusal_tells_the_rule_and_the_place(
    reason: str, detail: str, expected: tuple[str, str]
) -> None:
    assert in_refusal(reason, detail) == Finding(*expected, "arguments", "block")


@pytest.mark.parametrize(
    ("reason", "detail"),
    [
        ("inspection.schema", "/path: expected type string (or null)"),
        ("inspection.argument", ""),
        ("inspection.canary", ""),
        ("policy.denied", "forbid never (it)"),
    ],
)
def test_what_names_no_finding_is_none(reason: str, detail: str) -> None:
    assert in_refusal(reason, detail) is None


def test_findings_of_the_call_are_read_and_no_others(tmp_path: Path) -> None:
    state = StateDirectory(tmp_path / "state")
    writer = Writer(state)
    found = {"rule": "output/override", "severity": "high", "place": "/content/0/text"}
    for number, what in ((1, "inspection.found"), (1, "approval.asked"), (2, "inspection.found")):
        detail = {"way": "outputs", "findings": [{**found, "action": "mark", "shadow": True}]}
        writer.event(ADA, what, call(number).trace, detail)
    writer.event(
        ADA, "judge.found", call(1).trace, {"way": "outputs", "findings": [{"rule": "judge/a/b"}]}
    )
    writer.close()

    assert list(in_events(state, call(1).trace)) == [
        Finding("output/override", "/content/0/text", "outputs", "mark", "high", shadow=True),
        Finding("judge/a/b", "", "outputs", "pass"),
    ]


def test_only_what_is_really_done_has_stopped_something() -> None:
    actions = ("pass", "mark", "redact", "ask", "quarantine", "block")
    stopped = [each for each in actions if Finding("a/b", "", "outputs", each).stopped]

    assert stopped == ["ask", "quarantine", "block"]
    assert not Finding("a/b", "", "outputs", "block", shadow=True).stopped


def test_a_rule_tells_why_it_is_there() -> None:
    assert Finding("argument/path-traversal", "", "arguments", "block").rationale.endswith(".")
    assert Finding("judge/a/b", "", "outputs", "pass").rationale == ""
