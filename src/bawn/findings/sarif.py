"""Findings as SARIF 2.1.0, which code hosts show beside the lines of a change.

Source: OASIS, "Static Analysis Results Interchange Format (SARIF) Version 2.1.0".
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from urllib.parse import quote

from bawn import __version__
from bawn.findings.finding import Finding
from bawn.model import Json

_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"


def document(findings: Iterable[Finding], base: str = "") -> Json:
    """One run with these findings. `base` is the directory that their files are below, for links."""
    told = list(findings)
    kinds = sorted({each.kind for each in told})
    driver: Json = {
        "name": "bawn",
        "semanticVersion": __version__,
        "rules": [{"id": kind} for kind in kinds],
    }
    results = [_result(each, kinds.index(each.kind), base) for each in told]
    run: Json = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _result(finding: Finding, index: int, base: str) -> Json:
    text = f"{finding.message}. {finding.fix}".strip() if finding.fix else finding.message
    result: Json = {
        "ruleId": finding.kind,
        "ruleIndex": index,
        "level": finding.level,
        "message": {"text": text},
    }
    if finding.file:
        path = f"{base.rstrip('/')}/{finding.file}" if base else finding.file
        place: Json = {"artifactLocation": {"uri": quote(path)}}
        if finding.line:
            place["region"] = {"startLine": finding.line}
        result["locations"] = [{"physicalLocation": place}]
    told = {"policy": finding.rule, "subject": finding.subject}
    if any(told.values()):
        result["properties"] = {name: text for name, text in told.items() if text}
    return result
