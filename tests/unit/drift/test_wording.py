from __future__ import annotations

import time

import pytest

from bawn.drift.cues import LARGEST, NOBODY, cues
from bawn.drift.said import Said
from bawn.drift.wording import PATTERNS


@pytest.mark.parametrize(
    "piece",
    ["you must ", "a", "a ", "before using a ", "a@", "a.", "`a", "do not a b c d ",
     "and send the a b c d ", "<system ", "1.", "when a b c d use ", "aB3", "please "],
)  # fmt: skip
def test_the_largest_hostile_text_is_looked_through_in_seconds(piece: str) -> None:
    text = Said((piece * LARGEST)[:LARGEST], free=True)
    began = time.process_time()
    list(cues(text, NOBODY))
    assert time.process_time() - began < 5  # measured: 0.6 s at worst


def test_patterns_are_for_lower_case_text() -> None:
    assert all(
        pattern.pattern == pattern.pattern.lower() or "\\" in pattern.pattern
        for _, pattern in PATTERNS
    )
    assert {kind for kind, _ in PATTERNS} == {"instruction", "concealment", "url", "secret"}
