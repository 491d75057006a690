"""Plays the story against a running gate, and holds what comes of it against what is told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from bawn.demo.caller import Caller, CallerError
from bawn.demo.expected import Passes, Seen, seen
from bawn.demo.gate import Gate
from bawn.demo.story import Step


@dataclass(frozen=True, slots=True)
class Told:
    """One step as it went; `problems` are what did not go as it is told.

    `found` are the rules by which a definition was found that waits.
    """

    step: Step
    seen: Seen
    problems: tuple[str, ...] = ()
    found: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        step = self.step
        texts = {"id": step.id, "title": step.title, "tried": step.tried, "did": step.did}
        told = {"read": step.read, "as_told": not self.problems, "problems": list(self.problems)}
        return {**texts, **asdict(self.seen), "found": list(self.found), **told}


def until_offered(caller: Caller, steps: Sequence[Step]) -> None:
    """Wait until the gate has listed its servers: until every tool that a first call relies on is there.

    Raises:
        CallerError: they do not come.
    """
    wanted = {act.tool for step in steps for act in step.acts if isinstance(act.expected, Passes)}
    caller.until(wanted.issubset)


def play(gate: Gate, caller: Caller, steps: Sequence[Step]) -> Iterator[Told]:
    """Do one step after another.

    Raises:
        CallerError: the gate does not answer.
    """
    for step in steps:
        yield _played(gate, caller, step)


def _played(gate: Gate, caller: Caller, step: Step) -> Told:
    problems: list[str] = []
    last = Seen()
    for act in step.acts:
        answer = caller.tool(act.tool, act.arguments)
        problem = act.expected.problem(answer)
        problems += [f"{act.tool}: {problem}"] if problem else []
        last = seen(answer)
    found: tuple[str, ...] = ()
    if step.hidden:
        found = gate.waiting().get(step.hidden.partition("__")[2], ())
        problems += _hidden(caller, step.hidden, found)
    if step.secret:
        problems += [f"the secret stands in {file}" for file in gate.keeps(step.secret)]
    return Told(step, last, tuple(problems), found)


def _hidden(caller: Caller, tool: str, found: Sequence[str]) -> Iterator[str]:
    """What is wrong with how a tool waits for somebody who reads it."""
    if not found:
        yield f"{tool}: nothing is found in what waits for approval"
    try:
        caller.until(lambda offered: tool not in offered)
    except CallerError:
        yield f"{tool} is still offered"
