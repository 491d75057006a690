"""Targets become findings. Nothing is started, and nothing is asked but the database that is given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from bawn.assurance.across.analysis import analyse, everybody
from bawn.assurance.across.combinations import Reach
from bawn.assurance.across.offer import of_list
from bawn.assurance.scanning.definitions import definitions
from bawn.assurance.scanning.reached import reached
from bawn.assurance.scanning.target import Target
from bawn.findings.evidence import Evidence
from bawn.findings.finding import Finding, Level
from bawn.launching.grammar import read
from bawn.policy.rules import ToolLabels
from bawn.vulnerabilities.component import Inventory
from bawn.vulnerabilities.database import Database
from bawn.vulnerabilities.inventory import of_launching, of_resolution
from bawn.vulnerabilities.report import Report, check, unmeasured

LEVELS: Final[tuple[Level, ...]] = ("error", "warning", "note")


@dataclass(frozen=True, slots=True)
class Known:
    """What is known beside the servers: labels.yaml, what callers reach, whether rules guard the flow."""

    labels: Mapping[tuple[str, str], ToolLabels] | None = None
    reaches: Sequence[Reach] | None = None
    guarded: bool = False


NOTHING: Final = Known()


def examine(targets: Sequence[Target], known: Known = NOTHING) -> list[Finding]:
    """Everything that reading tells, the gravest first."""
    found = [finding for each in targets for finding in _alone(each)]
    return graded([*found, *_together(targets, known)])


def graded(found: Iterable[Finding]) -> list[Finding]:
    """The gravest first, else in their order."""
    return sorted(found, key=lambda each: LEVELS.index(each.level))


def at_least(found: Iterable[Finding], level: Level) -> bool:
    """Whether any is as grave as that."""
    worst = LEVELS.index(level)
    return any(LEVELS.index(each.level) <= worst for each in found)


async def vulnerable(
    targets: Sequence[Target], database: Database | None, now: float
) -> list[Report]:
    """What is known against what local servers run. Without a database all of it is unmeasured."""
    found = []
    for target in targets:
        if target.command:
            inventory = _inventory(target)
            if database is None:
                why = "no database was named to look it up in"
                found.append(unmeasured(target.name, inventory, why, now))
            else:
                found.append(await check(target.name, inventory, database, now))
    return found


def told(reports: Iterable[Report], targets: Sequence[Target], *, asked: bool) -> list[Finding]:
    """The findings of these reports; that nobody was asked is a note, for it is no finding about a server."""
    files = {each.name: each.file for each in targets}
    found = []
    for report in reports:
        for each in report.findings(files.get(report.server, "")):
            silent = each.kind == "vulnerability/unmeasured" and not asked
            found.append(msgspec.structs.replace(each, level="note") if silent else each)
    return found


def evidence(server: str, looked: bool, found: Iterable[Finding], at: float, of: str) -> Evidence:
    """What a scan says of one server's trust. `looked` says that its definitions were there to be read."""
    own = [
        each
        for each in found
        if each.level != "note"
        and (each.subject == server or each.subject.startswith(f"{server}/"))
        and not each.kind.startswith("vulnerability/")
    ]
    lines = tuple(f"{each.level} {each.kind}: {each.message}"[:500] for each in own[:100])
    if own:
        first = own[0]
        detail = (
            f"{len(own)} finding{'' if len(own) == 1 else 's'}, first {first.kind}: {first.message}"
        )
        return Evidence("scan", "failed", detail[:500], at, of, lines)
    if not looked:
        return Evidence("scan", "unmeasured", "nobody has listed what it offers", at, of)
    return Evidence("scan", "verified", "launch, secrets, permissions, definitions", at, of)


def _alone(target: Target) -> list[Finding]:
    found = [*reached(target), *definitions(target)]
    if target.definitions is None:
        message = f"what `{target.name}` offers was not looked at: nobody has listed it"
        fix = "`bawn up` lists it, or `bawn scan --live` asks it."
        found.append(target.finding("note", "scan/unlisted", message, fix))
    return found


def _together(targets: Sequence[Target], known: Known) -> list[Finding]:
    """The servers of each group held against each other; a group stands for a tenant."""
    listed = [each for each in targets if each.definitions is not None]
    offers = [
        of_list(each.name, each.definitions or {}, each.prefix, each.group) for each in listed
    ]
    places = {each.name: each for each in listed}
    groups = dict.fromkeys(each.group for each in listed)
    reaches = known.reaches if known.reaches is not None else [everybody(each) for each in groups]
    found = analyse(offers, reaches, labels=known.labels, guarded=known.guarded)
    return [_placed(each, places) for each in found]


def _placed(finding: Finding, places: Mapping[str, Target]) -> Finding:
    first = finding.subject.partition("/")[0].partition("+")[0]
    of = places.get(first)
    return finding if of is None else msgspec.structs.replace(finding, file=of.file, line=of.line)


def _inventory(target: Target) -> Inventory:
    launching = read(target.command, target.env, str(target.cwd))
    resolution = target.resolution
    if resolution is not None and resolution.asked == launching.package:
        return of_resolution(resolution)
    return of_launching(launching, target.command, target.cwd)
