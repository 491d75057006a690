"""The runner asks the analyzer as the scanner itself does: the description alone, and the rest as JSON."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bawn.assurance.measuring import cisco_runner


class Analyzer:
    def __init__(self) -> None:
        self.asked: list[str] = []

    async def analyze(self, content: str) -> list[str]:
        self.asked.append(content)
        return []


@pytest.mark.parametrize(
    ("row", "asked"),
    [
        ({"tool": {"name": "a", "description": "d"}}, ["d", '{"name": "a"}']),
        ({"tool": {"name": "a"}}, ['{"name": "a"}']),
        ({"text": "said"}, ["said"]),
        ({}, [""]),
    ],
)
def test_what_it_is_asked(row: dict[str, Any], asked: list[str]) -> None:
    analyzer = Analyzer()
    assert asyncio.run(cisco_runner._flagged(analyzer, row)) is False
    assert analyzer.asked == asked
