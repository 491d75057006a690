"""A lockfile held against what is configured, on record and offered: every difference, field by field."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from bawn.assurance.lock.contents import NAME, LockedPin, LockedServer
from bawn.assurance.lock.make import active, pins_of
from bawn.assurance.lock.reach import differences, reach_of
from bawn.assurance.lock.reading import Lock, is_sound
from bawn.assurance.lock.serving import Packages, package_problem
from bawn.config import Config
from bawn.drift.cues import Names
from bawn.drift.report import as_json
from bawn.drift.report import findings as drift_findings
from bawn.drift.verdict import judge
from bawn.errors import Refused
from bawn.findings.finding import Finding, Level
from bawn.model import Json, Listing
from bawn.packages.resolve import digest
from bawn.pins.record import Aspect, Key, Pin, Record
from bawn.telemetry.text import printable

_LOCK_AGAIN: Final = "If it is meant so, review it and run `bawn lock`"
Records = Callable[[str], Record | None]
"""What is on record of a server; raises Refused when that cannot be read."""

_SPOKEN_OF: Final = frozenset(("tool", "prompt"))


@dataclass(frozen=True, slots=True)
class Change:
    """A definition that is not as it was locked: what `drift.report.as_json` tells of it."""

    server: str
    aspect: Aspect
    name: str
    drift: Json

    @property
    def subject(self) -> str:
        """What it is of, such as `files/read_file`."""
        return f"{self.server}/{self.name or self.aspect}"


@dataclass(slots=True)
class Checked:
    """What was found, and the definitions that have changed."""

    findings: list[Finding] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)

    @property
    def same(self) -> bool:
        """Whether nothing differs; what is merely worth knowing aside."""
        return all(each.level == "note" for each in self.findings)


def configured(
    config: Config, lock: Lock, lines: Mapping[str, int], file: str
) -> Iterator[Finding]:
    """What differs between the configuration and the lockfile.

    `file` is the name of the configuration, and `lines` has the line of each server in it.
    """
    named = dict(active(config))
    for name in sorted(named.keys() - lock.servers.keys() - lock.damaged.keys()):
        told = f"server {name} is configured, and not in {NAME}"
        yield _finding("added", told, name, file=file, line=lines.get(name, 0))
    for name in sorted((lock.servers.keys() | lock.damaged.keys()) - named.keys()):
        yield _finding("removed", f"server {printable(name)} is locked, and not configured", name)
    for name, why in sorted(lock.damaged.items()):
        told = f"server {printable(name)}: {printable(why)}"
        yield _finding("damaged", told, name, fix="Restore it, or lock it anew")
    for name, found in sorted(lock.servers.items()):
        for pin in found.pins:
            if not is_sound(pin):
                told = f"{pin.aspect} {printable(pin.name)} of {name} is not that of its digest"
                yield _finding(
                    "damaged", told, _subject(name, pin), fix="Restore it, or lock it anew"
                )
        package = found.package
        if package is not None and digest(package.package, package.artifacts) != package.digest:
            told = f"package {printable(str(package.package))} of {name} is not that of its digest"
            yield _finding("damaged", told, name, fix="Restore it, or lock it anew")
        if name in named:
            for each in differences(found.reach, reach_of(named[name])):
                told = f"server {name}: {printable(str(each))}"
                yield _finding("reach", told, name, file=file, line=lines.get(name, 0))


def packaged(config: Config, lock: Lock, packages: Packages) -> Iterator[Finding]:
    """What is installed otherwise than it was locked."""
    for name, server in active(config):
        found = lock.servers.get(name)
        if found is not None and server.command is not None:
            problem = package_problem(name, found, packages)
            if problem:
                fix = "`bawn lock --install` installs what was locked"
                yield _finding("package", f"server {name}: {problem}", name, fix=fix)


def offered(
    config: Config, lock: Lock, listings: Mapping[str, Listing], failed: Mapping[str, str],
    packages: Packages,
) -> Checked:  # fmt: skip
    """What servers offer now, held against what was locked."""
    checked = Checked()
    for name, server in active(config):
        found, listing = lock.servers.get(name), listings.get(name)
        if found is None:
            continue
        if listing is None:
            why = printable(failed.get(name, "it did not answer"))
            told = f"server {name} could not be listed: {why}"
            checked.findings.append(_finding("unlisted", told, name, fix="Start it, and try again"))
            continue
        try:
            package = packages(name)
        except Refused:
            package = None  # told by `packaged`
        pins, problems = pins_of(listing, server, package)
        foreign = _names_of_others(lock, name)
        _compare(name, found, [pin for pin in pins if pin.aspect != "launch"], foreign, checked)
        for each in problems:
            checked.findings.append(_finding("unusable", f"server {name}: {each}", name, fix=""))
    return checked


def recorded(config: Config, lock: Lock, records: Records) -> Checked:
    """What was approved of servers, where something is on record, held against what was locked."""
    checked = Checked()
    for name, _ in active(config):
        found = lock.servers.get(name)
        if found is None:
            continue
        try:
            record = records(name)
        except Refused as refused:
            told = f"server {name}: {printable(refused.detail or refused.message)}"
            checked.findings.append(_finding("unreadable", told, name, fix=refused.reason.fix))
            continue
        if record is not None and record.pins:
            _compare(name, found, record.pins, _names_of_others(lock, name), checked)
    return checked


def _compare(
    name: str, found: LockedServer, pins: Sequence[Pin], foreign: frozenset[str], checked: Checked
) -> None:
    before: dict[Key, list[LockedPin]] = {}
    for each in found.pins:
        before.setdefault((each.aspect, each.name), []).append(each)
    own = frozenset(pin.name for pin in pins if pin.aspect in _SPOKEN_OF)
    told = set()
    for pin in pins:
        told.add(pin.key)
        olds = before.get(pin.key, [])
        if any(old.digest == pin.digest for old in olds):
            continue
        names = Names(own - {pin.name}, foreign - own)
        drift = judge(olds[-1].definition if olds else None, pin.definition, pin.aspect, names)
        change = Change(name, pin.aspect, pin.name, as_json(drift))
        checked.changes.append(change)
        checked.findings += _changed(change, new=not olds)
    launch = any(pin.aspect == "launch" for pin in pins)
    for (aspect, item), _ in sorted(before.items()):
        if (aspect, item) not in told and (launch or aspect != "launch"):
            subject = f"{name}/{item or aspect}"
            what = f"{aspect} {printable(item)}".strip()
            text = f"{what} of {name} is locked, and not offered any more"
            checked.findings.append(_finding("gone", text, subject, level="warning"))


def _changed(change: Change, *, new: bool) -> list[Finding]:
    what = f"{change.aspect} {printable(change.name)}".strip()
    text = f"{what} of {change.server} is " + ("new" if new else "not as it was locked")
    kind = "new" if new else "changed"
    first = _finding(kind, text, change.subject)
    return [first, *(_in_lock(each) for each in drift_findings(change.subject, change.drift))]


def _in_lock(finding: Finding) -> Finding:
    """How a change was judged, as a finding of the lockfile."""
    return Finding(
        finding.level, finding.kind, finding.rule, NAME, 0, finding.message, finding.fix,
        finding.subject,
    )  # fmt: skip


def _names_of_others(lock: Lock, name: str) -> frozenset[str]:
    return frozenset(
        pin.name
        for other, found in lock.servers.items()
        if other != name
        for pin in found.pins
        if pin.aspect in _SPOKEN_OF
    )


def _subject(server: str, pin: LockedPin) -> str:
    return f"{server}/{pin.name or pin.aspect}"


def _finding(
    kind: str, message: str, subject: str, *, file: str = NAME, line: int = 0,
    fix: str = _LOCK_AGAIN, level: Level = "error",
) -> Finding:  # fmt: skip
    return Finding(level, f"lock/{kind}", "", file, line, message, fix, subject)
