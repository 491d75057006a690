"""A problem that keeps rules from being in force becomes a finding at its place."""

from __future__ import annotations

import pytest

from bawn.findings.finding import Finding
from bawn.review.broken import broken


@pytest.mark.parametrize(
    ("problem", "place", "message"),
    [
        ("a/b.cedar:7: Cedar says: no", "a/b.cedar:7", "Cedar says: no"),
        ("entities.json: entry 1: no", "entities.json", "entry 1: no"),
        ("labels.yaml:3: servers.x: no", "labels.yaml:3", "servers.x: no"),
        ("/etc/policies: cannot be read", "", "/etc/policies: cannot be read"),
        ("odd", "", "odd"),
    ],
)
def test_the_place_is_told_apart_from_the_problem(problem: str, place: str, message: str) -> None:
    found = broken(problem)
    assert (found.level, found.place, found.message) == ("error", place, message)


def test_a_finding_of_no_line_is_of_its_file() -> None:
    assert Finding("note", "k", "", "a", 0, "m").place == "a"
    assert Finding("note", "k", "", "", 0, "m").place == ""
