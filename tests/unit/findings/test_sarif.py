"""Findings become SARIF that code hosts take."""

from __future__ import annotations

from bawn.findings.finding import Finding
from bawn.findings.sarif import document
from bawn.model import Json

ONE = Finding("error", "policy/type", "rule-1", "sub dir/a.cedar", 7, "is wrong", "Mend it.")
TWO = Finding("note", "policy/unchecked", "", "", 0, "was not checked")
THREE = Finding("warning", "policy/type", "rule-2", "labels.yaml", 0, "is odd")


def run(*findings: Finding, base: str = "") -> Json:
    found = document(findings, base)
    (only,) = found["runs"]
    return dict(only)


def test_the_document_has_what_the_standard_requires() -> None:
    found = document([ONE])
    assert found["version"] == "2.1.0"
    assert found["$schema"].endswith("sarif-2.1.0.json")
    assert found["runs"][0]["tool"]["driver"]["name"] == "bawn"
    assert run() == {**run(), "results": []}


def test_a_result_has_level_text_and_place() -> None:
    (result,) = run(ONE, base="policies/team/")["results"]
    assert result["level"] == "error"
    assert result["message"] == {"text": "is wrong. Mend it."}
    assert result["properties"] == {"policy": "rule-1"}
    assert result["locations"] == [
        {
            "physicalLocation": {
                "artifactLocation": {"uri": "policies/team/sub%20dir/a.cedar"},
                "region": {"startLine": 7},
            }
        }
    ]


def test_a_result_without_a_place_has_none() -> None:
    nowhere, whole = run(TWO, THREE)["results"]
    assert "locations" not in nowhere
    assert whole["locations"][0]["physicalLocation"] == {"artifactLocation": {"uri": "labels.yaml"}}


def test_every_result_points_to_its_rule() -> None:
    found = run(THREE, TWO, ONE)
    rules = [rule["id"] for rule in found["tool"]["driver"]["rules"]]
    assert rules == ["policy/type", "policy/unchecked"]
    assert all(rules[each["ruleIndex"]] == each["ruleId"] for each in found["results"])
    assert {each["level"] for each in found["results"]} <= {"none", "note", "warning", "error"}
