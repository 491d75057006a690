"""What a review found: how grave, of which kind, where, and what to do."""

from __future__ import annotations

import re
from typing import Final, Literal, TypeAlias

import msgspec

_PLACED: Final = re.compile(
    r"([^\s:][^:\n]*\.(?:cedar|json|yaml|yml))(?::([0-9]+))?: (.*)", re.DOTALL
)

Level: TypeAlias = Literal["error", "warning", "note"]


class Finding(msgspec.Struct, frozen=True):
    """One finding. `kind` is a stable name, such as `policy/type`; `rule` is the id of a policy.

    A note says what is worth knowing, and calls for nothing. `line` is 0 where there is none.
    """

    level: Level
    kind: str
    rule: str
    file: str
    line: int
    message: str
    fix: str = ""

    @property
    def place(self) -> str:
        """Where it is, for people; empty when it is of no file."""
        return f"{self.file}:{self.line}" if self.line else self.file


def broken(problem: str) -> Finding:
    """A problem that keeps a set of rules from being in force, with its place where it names one."""
    if placed := _PLACED.fullmatch(problem):
        file, line, message = placed[1], int(placed[2] or 0), placed[3]
        return Finding("error", "policy/invalid", "", file, line, message)
    return Finding("error", "policy/invalid", "", "", 0, problem)
