"""What the inspection found in one recorded call: from its refusal, and from the events beside it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

from bawn.audit.calls import AuditedCall, Joiner
from bawn.audit.entries import Event
from bawn.audit.read import Found, Reader
from bawn.audit.subjects import Subjects
from bawn.detectors.rule import load
from bawn.storage import StateDirectory

_EVENTS: Final = frozenset({"inspection.found", "judge.found"})
_REFUSED: Final = ("inspection.argument", "inspection.agent_config", "inspection.secret")
"""Reasons whose detail is a place and a rule."""

_CANARY: Final = "inspection.canary"
_TAKEN: Final = frozenset({"ask", "quarantine", "block"})


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding; `action` is what was done about it, and would have been in `shadow`."""

    rule: str
    place: str
    way: str  # arguments or outputs
    action: str
    severity: str = ""
    shadow: bool = False

    @property
    def stopped(self) -> bool:
        """Whether it kept the call, or its answer, from passing."""
        return not self.shadow and self.action in _TAKEN

    @property
    def rationale(self) -> str:
        """Why the rule is there; empty for what has no rule of its own."""
        return _rationales().get(self.rule, "")


def in_refusal(reason: str, detail: str) -> Finding | None:
    """The finding that a refusal names: `/arguments/path (argument/path-traversal)`."""
    if reason == _CANARY and detail:
        return Finding(detail, "", "arguments", "block")
    place, _, rule = detail.rpartition(" (")
    if reason not in _REFUSED or not rule.endswith(")"):
        return None
    return Finding(rule[:-1], place, "arguments", "block")


def in_events(state: StateDirectory, trace: str) -> Iterator[Finding]:
    """What was recorded as found in the calls of a trace.

    Raises:
        Misconfigured: a key file is not private.
    """
    joiner = Joiner(Subjects(state.subjects))
    mine = (
        each
        for each in Reader(state.audit).poll()
        if isinstance(each, Found)
        and isinstance(each.record, Event)
        and each.record.trace == trace
        and each.record.what in _EVENTS
    )
    for event in joiner.join(mine):
        if isinstance(event, AuditedCall):
            yield from _of_event(event.sealed or {})


def _of_event(detail: dict[str, Any]) -> Iterator[Finding]:
    way = str(detail.get("way", ""))
    for each in detail.get("findings") or ():
        yield Finding(
            str(each.get("rule", "")),
            str(each.get("place", "")),
            way,
            str(each.get("action", "pass")),
            str(each.get("severity", "")),
            bool(each.get("shadow", False)),
        )


@cache
def _rationales() -> dict[str, str]:
    """Why each rule is there, by its id."""
    names = (each.name for each in files("bawn.detectors.rules").iterdir())
    several = (load(name.removesuffix(".toml")) for name in names if name.endswith(".toml"))
    return {rule.id: rule.rationale for rules in several for rule in rules}
