"""What is known of a server's vulnerabilities. Verified means that all of it was measured, and nothing found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from bawn.findings.evidence import Evidence, Verdict
from bawn.findings.finding import Finding, Level
from bawn.vulnerabilities.component import Component, Inventory
from bawn.vulnerabilities.database import Answer, Database
from bawn.vulnerabilities.severity import SEVERITIES, Severity
from bawn.vulnerabilities.vulnerability import Measured, Vulnerability, counts, measure

MOST: Final = 10_000
"""Vulnerabilities that are told of one server."""

_LEVELS: Final[dict[Severity, Level]] = {
    "critical": "error",
    "high": "error",
    "unknown": "error",
    "medium": "warning",
    "low": "warning",
}


class Report(msgspec.Struct, frozen=True):
    """The evidence, and what it rests on. `unmeasured` says of what nothing is known, and why."""

    server: str
    evidence: Evidence
    vulnerabilities: tuple[Vulnerability, ...]
    measured: int
    components: int
    unmeasured: tuple[str, ...]
    unanswered: bool
    """The database did not answer everything; a later look may."""

    @property
    def counts(self) -> dict[Severity, int]:
        """Vulnerabilities by severity."""
        return counts(each.severity for each in self.vulnerabilities)

    def findings(self, file: str = "") -> list[Finding]:
        """Every vulnerability, and what was not measured; `file` is where the server is configured."""
        found = [_finding(self.server, each, file) for each in self.vulnerabilities]
        if self.unmeasured:
            why = self.unmeasured[0]
            more = f", and {len(self.unmeasured) - 1} more" if len(self.unmeasured) > 1 else ""
            told = f"`{self.server}` is not wholly measured: {why}{more}"
            kind = "vulnerability/unmeasured"
            found.append(Finding("warning", kind, "", file, 0, told, subject=self.server))
        return found


async def check(server: str, inventory: Inventory, database: Database, now: float) -> Report:
    """Ask a database about everything that a server would run. `now` is in seconds since the epoch."""
    asked = [each for each in inventory.components if not each.local]
    try:
        answers = await database.answers([each for each in asked if each.version])
    except Exception as error:  # noqa: BLE001 - whatever breaks, silence is no answer
        problem = f"{database.title} failed: {type(error).__name__}"
        answers = [Answer(problem=problem) for each in asked if each.version]
    replies = iter(answers)
    measured = [_measured(each, next(replies, None) if each.version else None) for each in asked]
    return _report(server, inventory, measured, database.title, now)


def unmeasured(server: str, inventory: Inventory, why: str, now: float) -> Report:
    """The report where there is nobody to ask."""
    asked = [each for each in inventory.components if not each.local]
    measured = [Measured(each, problem=why, unanswered=True) for each in asked]
    return _report(server, inventory, measured, "", now)


def _measured(component: Component, answer: Answer | None) -> Measured:
    if not component.version:
        return Measured(component, problem="its version is not known")
    if answer is None:
        return Measured(component, problem="the database gave no answer", unanswered=True)
    return measure(component, answer)


def _report(
    server: str, inventory: Inventory, measured: Sequence[Measured], title: str, now: float
) -> Report:
    found = [
        msgspec.structs.replace(each, move=_move(server, inventory, each))
        for one in measured
        for each in one.vulnerabilities
    ]
    found.sort(key=lambda each: (SEVERITIES.index(each.severity), each.component.key, each.id))
    open_ends = list(_open_ends(inventory, measured))
    answered = sum(not each.problem for each in measured)
    verdict: Verdict = "failed" if found else "unmeasured" if open_ends else "verified"
    detail = _detail(found, open_ends, answered, len(measured), title)
    lines = tuple(each.line for each in found[:MOST])
    return Report(
        server,
        Evidence("vulnerabilities", verdict, detail, now, inventory.of, lines),
        tuple(found[:MOST]),
        answered,
        len(measured),
        tuple(open_ends),
        any(each.unanswered for each in measured),
    )


def _open_ends(inventory: Inventory, measured: Sequence[Measured]) -> Iterator[str]:
    """Why silence would not mean clean, one reason each."""
    if inventory.completeness != "complete":
        yield f"the inventory is {inventory.completeness}: {inventory.why}"
    elif not measured:
        yield "it has no components that a database could know"
    for each in measured:
        if each.problem:
            yield f"{each.component.name} {each.component.version}: {each.problem}"


def _detail(
    found: Sequence[Vulnerability], open_ends: Sequence[str], answered: int, of: int, title: str
) -> str:
    asked = f"{answered} of {of} components measured"
    if found:
        told = counts(each.severity for each in found)
        grades = ", ".join(f"{told[each]} {each}" for each in SEVERITIES if told[each])
        rest = f"; also unmeasured: {open_ends[0]}" if open_ends else ""
        return f"{len(found)} known ({grades}); {asked}{rest}"
    if open_ends:
        return f"{asked}; {open_ends[0]}"
    return f"none known to {title}; {asked}"


def _move(server: str, inventory: Inventory, found: Vulnerability) -> str:
    """The command that gets rid of it, where bawn installs the server.

    Of a dependency the newest version comes that its dependants allow.
    """
    if not inventory.resolved or not found.fixed:
        return ""
    if found.component.relation == "root":
        return f"bawn server update {server} --to {found.fixed}"
    return f"bawn server update {server}"


def _finding(server: str, found: Vulnerability, file: str) -> Finding:
    component = found.component
    also = f" ({', '.join(found.aliases)})" if found.aliases else ""
    about = f": {found.summary}" if found.summary else ""
    message = f"{found.id}{also} in {component.name} {component.version} of `{server}`{about}"
    fix = f"{component.name} {found.fixed} has it fixed" if found.fixed else ""
    if found.move:
        fix += f": `{found.move}`"
    level = _LEVELS[found.severity]
    return Finding(
        level,
        f"vulnerability/{found.severity}",
        "",
        file,
        0,
        message,
        fix,
        f"{server}/{component.key}",
    )
