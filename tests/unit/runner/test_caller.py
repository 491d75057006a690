"""What a request asks of log messages."""

from __future__ import annotations

from typing import Any

import pytest

from bawn.protocol import versions
from bawn.runner.caller import level_of, weight


def test_levels_rise_from_debug_to_emergency() -> None:
    weights = [weight(level) for level in versions.LEVELS]
    assert weights == sorted(weights, key=lambda found: -1 if found is None else found)
    assert (weight("debug"), weight("emergency")) == (0, 7)


@pytest.mark.parametrize("level", [None, 3, [], "loud", "INFO"])
def test_what_is_no_level_asks_for_nothing(level: Any) -> None:
    assert weight(level) is None
    assert level_of({"_meta": {versions.META_LOG_LEVEL: level}}) is None


@pytest.mark.parametrize("params", [{}, {"_meta": 3}, {"_meta": {}}])
def test_without_metadata_nothing_is_asked_for(params: Any) -> None:
    assert level_of(params) is None


def test_the_level_is_read_from_the_metadata() -> None:
    assert level_of({"_meta": {versions.META_LOG_LEVEL: "warning"}}) == 3
