"""A problem that keeps a set of rules from being in force, as a finding."""

from __future__ import annotations

import re
from typing import Final

from bawn.findings.finding import Finding

_PLACED: Final = re.compile(
    r"([^\s:][^:\n]*\.(?:cedar|json|yaml|yml))(?::([0-9]+))?: (.*)", re.DOTALL
)


def broken(problem: str) -> Finding:
    """A problem that keeps a set of rules from being in force, with its place where it names one."""
    if placed := _PLACED.fullmatch(problem):
        file, line, message = placed[1], int(placed[2] or 0), placed[3]
        return Finding("error", "policy/invalid", "", file, line, message)
    return Finding("error", "policy/invalid", "", "", 0, problem)
