"""`bawn server vulnerabilities`: what is known against the packages that local servers run."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bawn.cli.options import ConfigOption, JsonOption, fail
from bawn.cli.quoting import printable
from bawn.cli.reading import explained, loaded
from bawn.cli.server_sbom import inventory_of

if TYPE_CHECKING:
    from bawn.config.load import Loaded
    from bawn.vulnerabilities.component import Inventory
    from bawn.vulnerabilities.database import Database
    from bawn.vulnerabilities.report import Report
    from bawn.vulnerabilities.vulnerability import Vulnerability


def vulnerabilities(
    name: Annotated[
        str | None, typer.Argument(help="Id of the server; default all.", show_default=False)
    ] = None,
    database: Annotated[
        str | None,
        typer.Option(
            metavar="WHERE",
            help="URL of an OSV API, or a directory or .zip of OSV records; default `vulnerabilities.database`.",
        ),
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit code 1 also for what could not be measured.")
    ] = False,
    as_json: JsonOption = False,
    sarif: Annotated[
        Path | None,
        typer.Option("--sarif", metavar="FILE", help="Write the findings there, as SARIF 2.1.0."),
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Look up what local servers run in a database of known vulnerabilities. Starts nothing.

    Exit code 1 when there are any. What could not be measured is said to be so, and never counts as clean. (preview)
    """
    found = loaded(config)
    names = [name] if name is not None else list(found.config.servers)
    inventories = {each: inventory_of(found, each) for each in names}
    with explained():
        source = _database(found, database)
    reports = asyncio.run(_look(inventories, source))
    if sarif is not None:
        _write(sarif, reports, found.path.name)
    if as_json:
        print(json.dumps([_object(each) for each in reports], indent=2))
    else:
        _tell(reports)
    open_ends = strict and any(each.evidence.verdict != "verified" for each in reports)
    if open_ends or any(each.vulnerabilities for each in reports):
        raise typer.Exit(1)


def _database(found: Loaded, given: str | None) -> Database | None:
    from bawn.vulnerabilities.opening import open_database

    if given is not None:
        return open_database(given, Path.cwd())
    setting = found.config.vulnerabilities.database
    return None if setting is None else open_database(setting, found.base)


async def _look(inventories: dict[str, Inventory], source: Database | None) -> list[Report]:
    from bawn.vulnerabilities.report import check, unmeasured

    now = time.time()
    if source is None:
        why = "no database is configured: set `vulnerabilities.database`, or give --database"
        return [unmeasured(name, each, why, now) for name, each in inventories.items()]
    try:
        return [await check(name, each, source, now) for name, each in inventories.items()]
    finally:
        await source.aclose()


def _tell(reports: Sequence[Report]) -> None:
    if not reports:
        print("No servers yet. Add one with `bawn server add`.")
    for report in reports:
        print(printable(f"{report.server}: {report.evidence.verdict}: {report.evidence.detail}"))
        for each in report.vulnerabilities:
            for line in _lines(each):
                print(f"  {printable(line)}")
    unmeasured = [each.server for each in reports if each.unmeasured]
    if unmeasured:
        print(
            f"UNMEASURED, wholly or in part: {', '.join(unmeasured)}. "
            "That nothing was found there does not mean that nothing is."
        )


def _lines(found: Vulnerability) -> list[str]:
    score = f" {found.score}" if found.score is not None else ""
    relation = "" if found.component.relation == "dependency" else f" [{found.component.relation}]"
    head, _, rest = found.line.partition(" ")
    lines = [f"{head}{score} {rest}{relation}"]
    lines += [f"  {found.summary}"] if found.summary else []
    return [*lines, *([f"  Next: `{found.move}`"] if found.move else [])]


def _write(path: Path, reports: Sequence[Report], file: str) -> None:
    from bawn.config.atomic import replace
    from bawn.findings.sarif import document

    findings = [each for report in reports for each in report.findings(file)]
    text = json.dumps(document(findings), indent=2) + "\n"
    try:
        replace(path, text.encode(), 0o644)
    except OSError as problem:
        fail(f"{path}: cannot be written ({problem.strerror}).", code=2)


def _object(report: Report) -> dict[str, Any]:
    return {
        "server": report.server,
        "verdict": report.evidence.verdict,
        "detail": report.evidence.detail,
        "components": report.components,
        "measured": report.measured,
        "unmeasured": list(report.unmeasured),
        "counts": report.counts,
        "vulnerabilities": [_vulnerability(each) for each in report.vulnerabilities],
    }


def _vulnerability(found: Vulnerability) -> dict[str, Any]:
    return {
        "id": found.id,
        "aliases": list(found.aliases),
        "severity": found.severity,
        "score": found.score,
        "component": found.component.name,
        "version": found.component.version,
        "purl": found.component.key,
        "relation": found.component.relation,
        "fixed": found.fixed or None,
        "move": found.move or None,
        "summary": found.summary,
    }
