"""What `bawn scan` was asked to look at, looked at."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bawn.assurance.scanning import examine, saved, sources
from bawn.assurance.scanning.examine import NOTHING, Known
from bawn.assurance.scanning.target import Target
from bawn.cli import scan_report
from bawn.cli.options import fail
from bawn.cli.quoting import command_line, printable
from bawn.cli.reading import loaded
from bawn.errors import Misconfigured, Refused

if TYPE_CHECKING:
    from bawn.config.load import Loaded
    from bawn.discovery.inventory import ClientFile
    from bawn.findings.finding import Finding
    from bawn.vulnerabilities.database import Database
    from bawn.vulnerabilities.report import Report


@dataclass(frozen=True, slots=True)
class Asked:
    """The options."""

    directory: Path | None
    config: Path | None
    server: str | None
    url: str | None
    tools: tuple[Path, ...]
    lock: Path | None
    live: bool
    yes: bool
    database: str | None

    @property
    def gate(self) -> bool:
        """Whether it is about a gate's own servers."""
        return self.config is not None or self.server is not None

    @property
    def clients(self) -> bool:
        """Whether it is about clients: when their project is named, or nothing else."""
        named = self.gate or self.url is not None or self.tools or self.lock is not None
        return self.directory is not None or not named


@dataclass(slots=True)
class Scanned:
    """What was looked at, and what was found."""

    targets: list[Target]
    findings: list[Finding]
    files: Sequence[ClientFile]
    clients: bool
    reports: list[Report]

    def lines(self) -> Iterator[str]:
        """For a terminal, after the clients' servers."""
        others = [each for each in self.targets if ":" not in each.name or not self.clients]
        for each in others:
            yield printable(f"{each.name}  {_how(each)}  {_counted(each)}")
        if others:
            yield ""
        yield from scan_report.lines(self.findings)
        graver = sum(each.level != "note" for each in self.findings)
        notes = len(self.findings) - graver
        yield f"{graver} findings and {notes} notes on {len(self.targets)} servers."
        unlisted = sum(each.definitions is None for each in self.targets)
        if unlisted:
            yield f"UNMEASURED: what {unlisted} of them offer; `bawn up` or `bawn scan --live` lists it"
        open_ends = [each for each in self.reports if each.evidence.verdict == "unmeasured"]
        if open_ends:
            yield (
                f"UNMEASURED: vulnerabilities of {len(open_ends)} local servers; "
                f"{printable(open_ends[0].evidence.detail)}"
            )

    def tree(self, clients: dict[str, Any]) -> dict[str, Any]:
        """For programs; `clients` is what is told of their files."""
        return {
            **clients,
            "targets": [
                {
                    "name": each.name,
                    "file": each.file or None,
                    "tools": None if each.definitions is None else len(each.definitions.get("tool", ())),
                }
                for each in self.targets
            ],
            "findings": scan_report.objects(self.findings),
            "vulnerabilities": [
                {
                    "server": each.server,
                    "verdict": each.evidence.verdict,
                    "detail": each.evidence.detail,
                    "counts": each.counts,
                }
                for each in self.reports
            ],
        }  # fmt: skip


def gather(asked: Asked) -> Scanned:
    """Look at everything that was asked for.

    Raises:
        Misconfigured: it cannot be looked at.
    """
    _insist(asked)
    files: Sequence[ClientFile] = ()
    targets: list[Target] = []
    before: list[Finding] = []
    known = NOTHING
    gate = loaded(asked.config) if asked.gate else None
    if asked.clients:
        files = _clients(asked.directory)
        targets += sources.of_clients(files)
        before += sources.unreadable(files)
    if gate is not None:
        targets += _configured(gate, asked)
        known = _known(gate)
    if asked.url is not None:
        targets.append(_remote(asked.url, yes=asked.yes))
    targets += [saved.read(path) for path in asked.tools]
    if asked.lock is not None:
        locked, damage = _locked(asked.lock)
        targets += locked
        before += damage
    database = _database(asked, gate)
    reports = asyncio.run(_vulnerable(targets, database))
    found = [
        *before,
        *examine.told(reports, targets, asked=database is not None),
        *examine.examine(targets, known=known),
    ]
    graded = examine.graded(found)
    if gate is not None:
        _keep(gate, targets, graded)
    return Scanned(targets, graded, files, asked.clients, reports)


def _insist(asked: Asked) -> None:
    if asked.url is not None and not asked.live:
        fail("--url needs --live, for the server has to be asked.", "Add --live.", code=2)
    if asked.live and asked.url is None and not asked.gate:
        fail(
            "--live goes with --config, --server or --url: nothing that clients start is started here.",
            "`bawn init` writes a configuration with your clients' servers.",
            code=2,
        )


def _clients(directory: Path | None) -> Sequence[ClientFile]:
    from bawn.discovery.clients import Roots
    from bawn.discovery.inventory import inventory

    return inventory(Roots.of(os.environ), (directory or Path()).absolute())


def _configured(gate: Loaded, asked: Asked) -> list[Target]:
    from bawn.cli.scan_live import listed
    from bawn.launching.package import Resolution
    from bawn.pins.record import Record
    from bawn.storage.files import ServerFiles

    if asked.server is not None and asked.server not in gate.config.servers:
        names = ", ".join(gate.config.servers) or "none"
        fail(f"no server `{printable(asked.server)}` in {gate.path.name}; it has {names}.", code=2)
    records = ServerFiles(gate.state / "pins", Record)
    packages = ServerFiles(gate.state / "packages", Resolution)
    found, problems = sources.of_config(
        gate.config, str(gate.path), gate.base, records.read, packages.read
    )
    for each in problems:
        fail(
            f"what is on record cannot be read: {printable(each)}",
            "`bawn doctor` checks it.",
            code=2,
        )
    if asked.server is not None:
        found = [each for each in found if each.name == asked.server]
    return listed(gate, found, yes=asked.yes) if asked.live else found


def _known(gate: Loaded) -> Known:
    """What the policy in the files says: labels, roles, whether it looks at what conversations have read."""
    from bawn.app.policies import read
    from bawn.assurance.across.analysis import is_guarded, of_roles
    from bawn.policy.roles import BUILT_IN

    _, rules = read(gate)
    tenants = {each.tenant for each in gate.config.servers.values()}
    roles = of_roles({**BUILT_IN, **gate.config.roles}, sorted(tenants))
    return Known(rules.labels, roles, is_guarded(rules))


def _remote(url: str, *, yes: bool) -> Target:
    from bawn.cli.scan_live import one

    return one(url, yes=yes)


def _locked(path: Path) -> tuple[list[Target], list[Finding]]:
    from bawn.assurance.lock import reading

    try:
        lock = reading.read(path)
    except FileNotFoundError:
        fail(f"{printable(str(path))}: no such file.", "`bawn lock` writes it.", code=2)
    return sources.of_lock(lock, str(path), path.absolute().parent)


def _database(asked: Asked, gate: Loaded | None) -> Database | None:
    from bawn.vulnerabilities.opening import open_database

    if asked.database is not None:
        return open_database(asked.database, Path.cwd())
    setting = gate.config.vulnerabilities.database if gate is not None else None
    return None if gate is None or setting is None else open_database(setting, gate.base)


async def _vulnerable(targets: Sequence[Target], database: Database | None) -> list[Report]:
    try:
        return await examine.vulnerable(targets, database, time.time())
    finally:
        if database is not None:
            await database.aclose()


def _keep(gate: Loaded, targets: Sequence[Target], found: Sequence[Finding]) -> None:
    """Put the outcome on record, for the trust status; where no gate ever ran there is no record."""
    from bawn.assurance.trust.gathering import Trust
    from bawn.assurance.trust.keeping import keep

    if gate.state.is_dir():
        own = [each for each in targets if each.settings is not None]
        try:
            trust = Trust(gate.config, gate.base, gate.state)
            keep(gate.state, own, found, time.time(), trust.scanned)
        except (Refused, Misconfigured, OSError) as error:
            fail(f"the outcome cannot be kept: {printable(str(error))}", code=2)


def _how(target: Target) -> str:
    if target.command:
        return command_line(target.command)
    return target.url or "as saved"


def _counted(target: Target) -> str:
    if target.definitions is None:
        return "(not listed)"
    count = len(target.definitions.get("tool", ()))
    return f"({count} tool{'' if count == 1 else 's'})"
