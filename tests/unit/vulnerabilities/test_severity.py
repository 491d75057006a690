"""Severities are computed where they can be, taken from a word where they cannot, and never invented."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.vulnerabilities.severity import SEVERITIES, base_score, gravest, rated, rating


@pytest.mark.parametrize(
    ("vector", "score"),
    [
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 9.8),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", 10.0),
        ("CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H", 7.8),
        ("CVSS:3.0/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:N/A:N", 5.9),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", 6.1),
        ("CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:L/I:L/A:N", 6.4),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:L/I:L/A:N", 5.4),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H/E:P/RL:O", 7.5),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", 0.0),
    ],
)
def test_the_base_score_is_that_of_the_specification(vector: str, score: float) -> None:
    assert base_score(vector) == score


@pytest.mark.parametrize(
    "vector",
    [
        "", "9.8", "CVSS:2.0/AV:N", "CVSS:3.1/AV:N", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:Z",
        "CVSS:3.1/AV:N/AV:L/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "CVSS:3.1/" + "x" * 100_000,
        "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N",
    ],
)  # fmt: skip
def test_what_is_no_vector_of_version_3_has_no_score(vector: str) -> None:
    assert base_score(vector) is None


@given(st.text(max_size=200))
def test_no_text_breaks_the_score(text: str) -> None:
    assert base_score(f"CVSS:3.1/AV:N/{text}") is None


@pytest.mark.parametrize(
    ("score", "word"),
    [(9.0, "critical"), (8.9, "high"), (7.0, "high"), (4.0, "medium"), (0.1, "low")],
)
def test_a_score_has_the_word_of_the_specification(score: float, word: str) -> None:
    assert rating(score) == word


def test_the_gravest_vector_counts_before_any_word() -> None:
    vectors = [
        {"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:L/I:L/A:N"},
        {"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"},
    ]
    assert rated(vectors, ["LOW"], "GHSA-x") == ("critical", 9.8)


def test_version_4_is_what_its_database_calls_it() -> None:
    vectors = [{"type": "CVSS_V4", "score": "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H"}]
    assert rated(vectors, [None, "MODERATE"], "GHSA-x") == ("medium", None)
    assert rated(vectors, [], "GHSA-x") == ("unknown", None)


@pytest.mark.parametrize("vectors", [None, "x", [1], [{"score": 9}], [{}]])
def test_a_severity_of_another_shape_is_unknown(vectors: object) -> None:
    assert rated(vectors, [7, {}, "GRAVE"], "GHSA-x") == ("unknown", None)


def test_malware_is_critical() -> None:
    assert rated(None, [], "MAL-2024-1") == ("critical", None)


def test_the_gravest_of_several_is_told() -> None:
    assert gravest(["low", "high", "unknown"]) == "high"
    assert gravest([]) == "unknown"
    assert SEVERITIES[0] == "critical"
