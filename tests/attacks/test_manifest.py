"""The coverage of attacks can be believed: no test is missing, no threat is passed over, no attack is unnamed."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import msgspec
import pytest

from tests.attacks.manifest import FOLDER, ORDER, Threat, coverage
from tests.named import expected_to_fail, missing

HERE = Path(__file__)
LISTS = dict(zip(ORDER, coverage(), strict=True))
ALL = [each for known in LISTS.values() for each in known.threat]

WHOLE = {
    "attacks": {
        *("CVE-2025-6514", "CVE-2025-49596", "CVE-2025-53109", "CVE-2025-53110", "CVE-2025-54135"),
        *("CVE-2025-54136", "CVE-2025-68143", "CVE-2025-68144", "CVE-2025-68145", "CVE-2026-27735"),
        *("CVE-2025-64443", "CVE-2026-34742", "CVE-2026-42271", "CVE-2026-48710", "CVE-2026-12773"),
        *("CVE-2026-12798", "CVE-2026-26118", "CVE-2026-5323", "CVE-2026-27896", "CVE-2026-25536"),
        *("CVE-2026-30615", "CVE-2026-30617", "CVE-2026-40933", "CVE-2026-30623", "CVE-2026-21852"),
        *("CVE-2026-32211", "CVE-2026-33032", "CVE-2026-23744", "CVE-2026-27825"),
        *("postmark-mcp", "GHSA-g53w-w6mj-hrpp"),
    },
    "owasp": {f"MCP{number:02}" for number in range(1, 11)},
    "cosai": {f"T{number}" for number in range(1, 13)},
    "mission": {
        *(f"S{number}" for number in range(1, 6)),
        *(f"{row}{number}" for row in "GDPO" for number in range(1, 5)),
        *(f"A{number}" for number in range(1, 10)),
        *(f"F{number}" for number in range(1, 4)),
    },
}
"""The rows of lists that others made, so that none of them can be left out unnoticed."""


def test_there_are_no_other_lists() -> None:
    assert sorted(path.stem for path in FOLDER.iterdir()) == sorted(ORDER)


@pytest.mark.parametrize("name", WHOLE)
def test_no_row_of_a_list_is_left_out(name: str) -> None:
    assert {each.id for each in LISTS[name].threat} == WHOLE[name]


def test_every_threat_has_tests_or_says_why_not() -> None:
    done = [each for each in ALL if each.does]
    assert [each.id for each in done if not (each.tests and each.text)] == []
    open_ones = [each for each in ALL if not each.does]
    assert [each.id for each in open_ones if each.tests or each.text or not each.lacks] == []


def test_every_test_that_is_named_exists() -> None:
    gone = {each.id: missing(each.tests) for each in ALL}
    assert {id_: nodes for id_, nodes in gone.items() if nodes} == {}


def test_nothing_rests_on_a_test_that_is_expected_to_fail() -> None:
    assert [each.id for each in ALL if expected_to_fail(each.tests)] == []


def test_known_attacks_and_deterministic_controls_are_tried_on_gates_that_run() -> None:
    running = [known for known in LISTS.values() if known.running]
    assert [known.title for known in running] == [LISTS["attacks"].title, LISTS["controls"].title]
    tried = {
        each.id: any(node.startswith("tests/e2e/") for node in each.tests)
        for known in running
        for each in known.threat
    }
    assert [id_ for id_, on_a_gate in tried.items() if not on_a_gate] == []


def test_every_suite_of_attacks_is_named_by_a_threat() -> None:
    named = {node.partition("::")[0].rpartition("/")[2] for each in ALL for node in each.tests}
    suites = {path.name for path in HERE.parent.glob("test_*.py")} - {HERE.name}
    assert suites - named == set()


def test_no_id_stands_twice_and_no_threat_names_a_test_twice() -> None:
    assert [id_ for id_, count in Counter(each.id for each in ALL).items() if count > 1] == []
    assert [each.id for each in ALL if len(set(each.tests)) != len(each.tests)] == []


# ── its own teeth ───────────────────────────────────────────────────────────────────────────────


def _threat(**changes: object) -> Threat:
    return msgspec.convert({"id": "X1", "title": "Something bad"} | changes, Threat)


def test_what_is_done_in_part_is_told_apart() -> None:
    assert _threat().status == "not covered"
    assert _threat(does=["prevents", "detects"]).status == "prevents, detects"
    assert _threat(does=["contains"], lacks="The rest of it.").status == "contains (in part)"


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "X 1"},
        {"title": ""},
        {"does": ["hopes"]},
        {"does": "prevents"},
        {"text": "short"},
        {"tests": ["tests/attacks/test_x.py"]},
        {"tests": ["tests/attacks/test_x.py::test_x[1]"]},
        {"severity": "high"},
    ],
)
def test_what_has_another_shape_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        _threat(**changes)
