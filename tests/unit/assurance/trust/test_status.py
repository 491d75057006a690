from __future__ import annotations

import pytest

from bawn.assurance.trust.status import BOUNDS, DAY, status, words
from bawn.findings.evidence import DIMENSIONS, Dimension, Evidence, Verdict

NOW = 1_000 * DAY


def answer(
    dimension: Dimension, verdict: Verdict = "verified", at: float = NOW, of: str = "x"
) -> Evidence:
    return Evidence(dimension, verdict, "because", at, of)


def test_what_nobody_looked_at_is_unmeasured() -> None:
    found = status("files", (), {}, NOW)
    assert found.of("unmeasured") == DIMENSIONS
    assert found.summary == "0 of 7 verified, 7 unmeasured"


def test_what_was_looked_at_lately_counts() -> None:
    found = status("files", map(answer, DIMENSIONS), dict.fromkeys(DIMENSIONS, "x"), NOW)
    assert found.of("verified") == DIMENSIONS
    assert found.summary == "7 of 7 verified"


@pytest.mark.parametrize("dimension", DIMENSIONS)
@pytest.mark.parametrize("verdict", ["verified", "failed"])
def test_evidence_about_something_else_is_unmeasured_and_says_so(
    dimension: Dimension, verdict: Verdict
) -> None:
    found = status("files", [answer(dimension, verdict)], {dimension: "y"}, NOW)
    assert dimension in found.of("unmeasured")
    assert "something else" in str(found.json()["dimensions"][dimension]["detail"])


@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_evidence_grows_old(dimension: Dimension) -> None:
    bound = BOUNDS[dimension]
    assert status("a", [answer(dimension, at=NOW - bound + 1)], {}, NOW).of("verified")
    old = status("a", [answer(dimension, at=NOW - bound - 1)], {}, NOW)
    assert not old.of("verified")
    assert "counts no longer" in old.json()["dimensions"][dimension]["detail"]


def test_evidence_of_tomorrow_does_not_count() -> None:
    assert not status("a", [answer("scan", at=NOW + DAY)], {}, NOW).of("verified")


def test_the_latest_answer_counts() -> None:
    several = [answer("scan", "failed", NOW - 5), answer("scan", "verified", NOW - 9)]
    for known in (several, several[::-1]):
        assert status("a", known, {}, NOW).of("failed") == ("scan",)


def test_those_who_need_somebody_come_first() -> None:
    none = status("z-none", (), {}, NOW)
    failed = status("y-failed", [answer("drift", "failed")], {}, NOW)
    known = status("b-known", [answer("scan")], {}, NOW)
    other = status("a-known", [answer("scan")], {}, NOW)
    ordered = sorted([known, other, none, failed], key=lambda each: each.order)
    assert [each.server for each in ordered] == ["y-failed", "z-none", "a-known", "b-known"]
    assert failed.summary.startswith("FAILED drift; ")


def test_ages_are_told_in_words() -> None:
    assert [words(each) for each in (None, 5, 90, 7_200, 3 * DAY)] == [
        "never", "now", "2 min ago", "2 h ago", "3 d ago",
    ]  # fmt: skip
