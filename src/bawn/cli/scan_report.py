"""How the findings of a scan are told: lines, SARIF, Markdown."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from bawn.cli.options import fail
from bawn.cli.quoting import printable

if TYPE_CHECKING:
    from bawn.findings.finding import Finding

MOST: Final = 1_000
"""Findings that are told on a terminal."""

_NOTES: Final = 30
_SUMMED: Final = frozenset(("vulnerability/unmeasured", "scan/unlisted"))
"""Notes that a terminal is told of in a line for all servers."""


@dataclass(frozen=True, slots=True)
class Report:
    """The findings, the gravest first, and of how many servers."""

    findings: Sequence[Finding]
    servers: int


def write(report: Report, sarif: Path | None, markdown: Path | None) -> bool:
    """Write the files that were asked for; whether one of them went to standard output."""
    from bawn.assurance.scanning import markdown as marking
    from bawn.findings.sarif import document

    if sarif is not None:
        text = json.dumps(document([_plain(each) for each in report.findings]), indent=2)
        _put(sarif, f"{text}\n")
    if markdown is not None:
        _put(markdown, marking.document(report.findings, report.servers))
    return "-" in {str(sarif), str(markdown)}


def lines(findings: Sequence[Finding]) -> Iterator[str]:
    """The findings for a terminal: all that call for something, and the first notes."""
    graver = [each for each in findings if each.level != "note"]
    notes = [each for each in findings if each.level == "note" and each.kind not in _SUMMED]
    for each in [*graver[:MOST], *notes[:_NOTES]]:
        place = f"{each.place}: " if each.place else ""
        yield printable(f"{place}{each.level} {each.kind}: {each.message}")
        if each.fix and each.level != "note":
            yield f"    {printable(each.fix)}"
    left = max(0, len(graver) - MOST) + max(0, len(notes) - _NOTES)
    if left:
        yield f"and {left} more: `--json` tells all"
    if graver or notes:
        yield ""


def objects(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    """The findings for programs."""
    return [
        {
            "level": each.level,
            "kind": each.kind,
            "subject": each.subject or None,
            "file": each.file or None,
            "line": each.line or None,
            "message": each.message,
            "fix": each.fix,
        }
        for each in findings
    ]


def _plain(finding: Finding) -> Finding:
    """Without what code hosts would make a link of (SARIF 2.1.0, "Messages with embedded links")."""
    return msgspec.structs.replace(
        finding,
        message=_unlinked(finding.message),
        fix=_unlinked(finding.fix),
        file=printable(finding.file),
        subject=printable(finding.subject),
    )


def _unlinked(text: str) -> str:
    return printable(text).replace("](", "] (")


def _put(path: Path, text: str) -> None:
    from bawn.config.atomic import replace

    if str(path) == "-":
        print(text, end="")
        return
    try:
        replace(path, text.encode(), 0o644)
    except OSError as problem:
        fail(f"{path}: cannot be written ({problem.strerror}).", code=2)
