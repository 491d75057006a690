"""What is done about a finding follows from its rule, its severity and where it was found."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from bawn.config.inspection import InspectionConfig
from bawn.inspection.decisions import Decisions, hardest
from bawn.model import Detection, Item, Kind, Severity
from bawn.ports import Found

NOON = 1_800_000_000.0  # 2027-01-15
MAIL = Item(Kind.TOOL, "mail", "read_mail", "mail__read_mail", {})


def found(
    rule: str,
    severity: Severity = Severity.HIGH,
    way: str = "outputs",
    *,
    item: Item = MAIL,
    **settings: Any,
) -> Found:
    """What is decided about one finding."""
    config = InspectionConfig.model_validate(settings)
    [decided] = Decisions(config, lambda: NOON).decided(
        item, way, [("/a", Detection(rule, severity, 0, 1, ""))]
    )
    return decided


@pytest.mark.parametrize(
    ("rule", "way", "action"),
    [
        ("output/override", "outputs", "mark"),
        ("hidden/tags", "outputs", "mark"),
        ("argument/path-traversal", "arguments", "block"),
        ("secret/github-token", "outputs", "redact"),
        ("secret/github-token", "arguments", "redact"),
        ("personal/card", "outputs", "pass"),
        ("question/secret", "outputs", "block"),
        ("agent/config", "arguments", "block"),
        ("canary/first", "outputs", "block"),
        ("canary/first", "arguments", "block"),
    ],
)
def test_without_a_word_of_configuration(rule: str, way: str, action: str) -> None:
    assert found(rule, way=way).action == action


@pytest.mark.parametrize("way", ["outputs", "arguments"])
def test_low_severity_is_recorded_alone(way: str) -> None:
    assert found("output/hint", Severity.LOW, way).action == "pass"


def test_each_family_has_its_setting() -> None:
    assert found("output/x", outputs="quarantine").action == "quarantine"
    assert found("argument/x", way="arguments", arguments="ask").action == "ask"
    assert found("secret/x", secrets="block").action == "block"
    assert found("personal/x", personal="redact").action == "redact"


def _rule(**fields: Any) -> dict[str, Any]:
    listed = {
        key: tuple(value) if isinstance(value, list) else value for key, value in fields.items()
    }
    return {"action": "block", **listed}


def test_the_first_rule_that_covers_a_finding_decides() -> None:
    rules = (
        _rule(servers=["files"], action="quarantine"),
        _rule(servers=["ma*"], rules=["output/*"], action="redact"),
        _rule(),
    )
    assert found("output/x", rules=rules).action == "redact"
    assert found("hidden/x", rules=rules).action == "block"


@pytest.mark.parametrize(
    "elsewhere",
    [
        _rule(servers=["files"]),
        _rule(tools=["send_*"]),
        _rule(rules=["secret/*"]),
        _rule(direction=["arguments"]),
        _rule(severity="critical"),
    ],
)
def test_a_rule_about_something_else_does_not_decide(elsewhere: dict[str, Any]) -> None:
    assert found("output/x", rules=(elsewhere,)).action == "mark"


def test_a_rule_may_reach_what_is_low() -> None:
    assert found("output/x", Severity.LOW, rules=(_rule(severity="low"),)).action == "block"


def _known(**fields: Any) -> dict[str, Any]:
    return {
        "rule": "output/*",
        "server": "mail",
        "reason": "the newsletter says so every week",
        "owner": "ann",
        "expires": dt.date(2027, 1, 15),
        **fields,
    }


def test_what_is_known_and_accepted_passes_until_its_last_day_is_over() -> None:
    assert found("output/x", suppressions=(_known(),)).action == "pass"
    over = _known(expires=dt.date(2027, 1, 14))
    assert found("output/x", suppressions=(over,)).action == "mark"


@pytest.mark.parametrize("other", [{"server": "files"}, {"tool": "send"}, {"rule": "hidden/*"}])
def test_what_is_accepted_is_that_and_nothing_else(other: dict[str, str]) -> None:
    assert found("output/x", suppressions=(_known(**other),)).action == "mark"


def test_a_planted_value_is_never_accepted_excepted_or_only_watched() -> None:
    everything = _known(rule="*")
    lenient = _rule(action="pass", severity="low")
    decided = found("canary/first", suppressions=(everything,), rules=(lenient,), shadow=True)
    assert (decided.action, decided.shadow) == ("block", False)


def test_agents_configuration_is_no_matter_of_rules() -> None:
    lenient = _rule(action="pass", direction=["arguments"])
    assert found("agent/config", way="arguments", rules=(lenient,)).action == "block"


def test_in_shadow_everything_is_decided_and_nothing_is_done() -> None:
    decided = found("output/x", shadow=True)
    assert (decided.action, decided.shadow) == ("mark", True)
    assert hardest([decided]) == "pass"


def test_a_rule_of_its_own_may_be_in_shadow() -> None:
    decided = found("output/x", rules=(_rule(shadow=True),))
    assert (decided.action, decided.shadow) == ("block", True)


def test_the_hardest_of_what_is_really_done_counts() -> None:
    soft, hard = found("output/x"), found("secret/x", secrets="quarantine")
    assert hardest([soft, hard]) == "quarantine"
    assert hardest([]) == "pass"
