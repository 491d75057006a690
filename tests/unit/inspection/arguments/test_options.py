"""Options in the place of values."""

from __future__ import annotations

import pytest

from bawn.inspection.arguments import options


@pytest.mark.parametrize(
    "text", ["-x", "--upload-pack=x", " -oProxyCommand=x", "\u2212x", "-1x", "\uff0d\uff0dx"]
)
def test_a_dash_in_front_makes_an_option(text: str) -> None:
    assert [each.rule for each in options.check(text)] == ["argument/value-option"]


@pytest.mark.parametrize("text", ["", "x", "-", "-1", "-2.5", "-10:20", "a-b"])
def test_numbers_and_the_lone_dash_are_none(text: str) -> None:
    assert list(options.check(text)) == []
