"""Rules for arguments hit what they say they hit, and miss what they say they miss."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest

from bawn.inspection.arguments import address, command, path, sql, template, value
from bawn.inspection.arguments.context import Context
from bawn.inspection.arguments.found import RULES, found, hidden
from bawn.model import Detection, Severity, Surface

CHECKS: dict[str, Callable[[str, Context], Iterable[Detection]]] = {
    "command": command.check,
    "value": value.check,
    "path": path.check,
    "url": address.url,
    "host": address.host,
    "sql": sql.check,
    "template": template.check,
    "code": template.code,
}
CASES = [
    (id_, text, hit)
    for id_, rule in RULES.items()
    for hit, texts in ((True, rule.hit), (False, rule.miss))
    for text in texts
]


@pytest.mark.parametrize(("rule", "text", "hit"), CASES)
def test_a_rule_hits_its_examples_and_nothing_hits_what_it_misses(
    rule: str, text: str, hit: bool
) -> None:
    check = CHECKS[rule.split("/")[1].split("-", maxsplit=1)[0]]
    rules = {each.rule for each in check(text, Context())}
    assert rule in rules if hit else not rules


def test_every_rule_is_for_arguments_says_why_and_counts() -> None:
    for id_, rule in RULES.items():
        assert id_.startswith("argument/")
        assert rule.surfaces == (Surface.ARGUMENT,)
        assert rule.rationale.endswith(".")
        assert rule.grave >= Severity.MEDIUM


def test_evidence_is_short_and_printable() -> None:
    detection = found("value-control", "a\x00" * 500)
    assert len(detection.evidence) <= 64 * 4
    assert detection.evidence.isprintable()
    assert (detection.start, detection.end) == (0, 1000)


def test_evidence_of_credentials_is_not_theirs() -> None:
    assert hidden("url-userinfo", "https://a:hunter2@b", "…@b").evidence == "…@b"
