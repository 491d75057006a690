"""The rules in force are held against what the servers offer, and what is wrong is told once."""

from __future__ import annotations

import asyncio
import logging

import pytest

from bawn.app.reviewing import SHOWN, Reviewing
from bawn.config import Config
from bawn.model import View
from bawn.policy.files import reading
from bawn.policy.rules import RuleSet, Source
from tests.gate import House

UNKNOWN = 'permit(principal, action == Action::"call files/{n}", resource);\n'


def rules(text: str) -> RuleSet:
    return reading.ruleset(Source("policies", (("a.cedar", text),)), 900.0)


async def looked(ruleset: RuleSet, *seen: View) -> Reviewing:
    told = asyncio.Event()
    reviewing = Reviewing(ruleset, Config(), told.set)
    for view in seen:
        reviewing.look(view)
    async with asyncio.timeout(30):
        await told.wait()
    await reviewing.aclose()
    return reviewing


async def test_a_rule_that_names_no_tool_is_told_with_its_place(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.WARNING, "bawn.policy"):
        reviewing = await looked(rules(UNKNOWN.format(n="nothing")), House().view())
    assert any("a.cedar:1" in each for each in reviewing.problems)
    assert any("a.cedar:1" in each for each in caplog.messages)


async def test_rules_that_fit_are_no_problem() -> None:
    reviewing = await looked(rules(UNKNOWN.format(n="read")), House().view())
    assert reviewing.problems == []


async def test_of_many_problems_some_are_told() -> None:
    text = "".join(UNKNOWN.format(n=f"n{n}") for n in range(SHOWN + 5))
    reviewing = await looked(rules(text), House().view())
    assert len(reviewing.problems) == SHOWN + 1
    assert "more" in reviewing.problems[-1]


async def test_the_same_problem_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    told = asyncio.Event()
    reviewing = Reviewing(rules(UNKNOWN.format(n="nothing")), Config(), told.set)
    with caplog.at_level(logging.WARNING, "bawn.policy"):
        for _ in range(2):
            told.clear()
            reviewing.look(House().view())
            async with asyncio.timeout(30):
                await told.wait()
    await reviewing.aclose()
    assert len(caplog.messages) == len(set(caplog.messages)) > 0


async def test_a_check_that_fails_stops_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*given: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr("bawn.app.reviewing.check", broken)
    reviewing = Reviewing(rules(UNKNOWN.format(n="read")), Config(), lambda: None)
    reviewing.look(House().view())
    working = reviewing._working
    assert working is not None
    await working
    assert reviewing.problems == []
    assert "could not be checked" in caplog.text
    await reviewing.aclose()
