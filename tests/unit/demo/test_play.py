"""What is told has happened: a step that does not go as it is told says so."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import cast

import pytest

from bawn.demo.benign import OWN
from bawn.demo.caller import Caller, CallerError
from bawn.demo.expected import Passes, Refused
from bawn.demo.gate import Gate
from bawn.demo.play import Told, play, until_offered
from bawn.demo.story import Act, Step, story
from bawn.model import Json

FOUND: dict[str, tuple[str, ...]] = {"add": ("definition/order",)}


class FakeGate:
    """What waits at it, and where a text stands."""

    def __init__(self) -> None:
        self.waits: dict[str, tuple[str, ...]] = FOUND
        self.files: list[str] = []

    def waiting(self) -> dict[str, tuple[str, ...]]:
        return self.waits

    def keeps(self, value: str) -> list[str]:
        return self.files


class FakeCaller:
    """Answers calls in turn, and offers these tools."""

    def __init__(self, *answers: Json, offered: frozenset[str] = frozenset()) -> None:
        self.called: list[str] = []
        self._answers = list(answers)
        self._offered = offered

    def tool(self, name: str, arguments: Json) -> Json:
        self.called.append(name)
        return self._answers.pop(0)

    def until(self, offered: Callable[[frozenset[str]], bool]) -> None:
        if not offered(self._offered):
            raise CallerError("nothing changes")


def said(text: str) -> Json:
    return {"id": 1, "result": {"content": [{"type": "text", "text": text}]}}


def refused(reason: str) -> Json:
    error = {"code": 1, "message": "No", "data": {"reason": reason, "trace": "t"}}
    return {"id": 1, "error": error}


def step(*acts: Act, hidden: str = "", secret: str = "") -> Step:
    return Step("a-step", "A step", "It tries.", "did.", "docs/policy.md", acts, hidden, secret)


FINE = Act("s__ok", {}, Passes("yes"))
BAD = Act("s__add", {}, Refused("integrity.drift"))


def played(caller: FakeCaller, one: Step, gate: FakeGate | None = None) -> Told:
    fakes = cast("Gate", gate or FakeGate()), cast("Caller", caller)
    (told,) = play(*fakes, [one])
    return told


def test_a_step_as_told_has_the_reason_of_its_last_call() -> None:
    caller = FakeCaller(said("yes"), refused("integrity.drift"))
    told = played(caller, step(FINE, BAD))
    assert told.problems == ()
    assert (told.seen.reason, told.seen.trace) == ("integrity.drift", "t")
    assert caller.called == ["s__ok", "s__add"]


@pytest.mark.parametrize(
    ("answers", "tool"),
    [
        ((said("no"), refused("integrity.drift")), "s__ok"),
        ((said("yes"), said("yes")), "s__add"),
        ((said("yes"), refused("policy.denied")), "s__add"),
    ],
)
def test_a_call_that_goes_otherwise_is_a_problem(answers: tuple[Json, ...], tool: str) -> None:
    (problem,) = played(FakeCaller(*answers), step(FINE, BAD)).problems
    assert problem.startswith(f"{tool}: ")


def test_a_tool_that_waits_is_hidden_and_told_with_what_was_found() -> None:
    told = played(FakeCaller(refused("integrity.drift")), step(BAD, hidden="s__add"))
    assert told.problems == ()
    assert told.found == ("definition/order",)


def test_a_tool_that_is_still_offered_is_a_problem() -> None:
    caller = FakeCaller(refused("integrity.drift"), offered=frozenset({"s__add"}))
    (problem,) = played(caller, step(BAD, hidden="s__add")).problems
    assert "still offered" in problem


@pytest.mark.parametrize("waits", [{}, {"add": ()}])
def test_a_tool_that_waits_for_nothing_that_was_found_is_a_problem(
    waits: dict[str, tuple[str, ...]],
) -> None:
    gate = FakeGate()
    gate.waits = waits
    caller = FakeCaller(refused("integrity.drift"))
    (problem,) = played(caller, step(BAD, hidden="s__add"), gate).problems
    assert "nothing is found" in problem


def test_a_secret_that_stands_in_a_file_is_a_problem() -> None:
    gate = FakeGate()
    assert played(FakeCaller(said("yes")), step(FINE, secret="x"), gate).problems == ()
    gate.files = ["state/audit/1"]
    (problem,) = played(FakeCaller(said("yes")), step(FINE, secret="x"), gate).problems
    assert problem == "the secret stands in state/audit/1"


def test_every_tool_that_has_to_pass_is_waited_for_and_no_other() -> None:
    steps = story(OWN)
    passing = {
        "words__count_words", "toolbox__forecast", "toolbox__run_command", "toolbox__write_file",
    }  # fmt: skip
    until_offered(cast("Caller", FakeCaller(offered=frozenset(passing))), steps)
    for name in passing:
        few = FakeCaller(offered=frozenset(passing - {name}))
        with pytest.raises(CallerError):
            until_offered(cast("Caller", few), steps)


def test_programs_get_all_of_it() -> None:
    told = played(FakeCaller(said("no")), step(FINE))
    shown = json.loads(json.dumps(told.as_json()))
    assert shown["as_told"] is False
    assert len(shown["problems"]) == 1
    assert {"id", "title", "tried", "did", "reason", "message", "found", "read"} <= set(shown)
