"""A judged change for programs, for people and for code hosts.

What a server wrote is shown as quoted text in which everything that does not print is an escape: it can
neither move a cursor nor hide a part of itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

from bawn.drift.verdict import Drift
from bawn.findings.finding import Finding, Level
from bawn.model import Json
from bawn.telemetry.text import printable

WHOLE: Final = 4_096
"""Characters of a value, written as JSON, up to which it is told as it is."""

FIELDS: Final = 200
"""Fields and cues that are told of one change; there are more in the definition itself."""

_AROUND: Final = 80  # characters before and after where two long texts differ
_LINE: Final = 2_000  # characters of a value on a terminal
_PATH: Final = 200
_LEVELS: Final[dict[str, Level]] = {
    "critical": "error", "high": "error", "medium": "warning", "low": "note", "none": "note",
}  # fmt: skip
_MARKS: Final = (("old", "-"), ("new", "+"))


def as_json(drift: Drift) -> Json:
    """A judged change for programs. Long values are cut to where they differ, and not `whole` then."""
    return {
        "classes": list(drift.classes),
        "risk": drift.risk,
        "recommendation": drift.recommendation,
        "kind": drift.kind,
        "fields": [
            _field(each.path, each.kind, each.old, each.new) for each in drift.fields[:FIELDS]
        ],
        "more_fields": max(0, len(drift.fields) - FIELDS),
        "cues": [
            {"path": _cut(path, _PATH), "kind": cue.kind, "found": cue.found}
            for path, cue in drift.cues[:FIELDS]
        ],
        "more_cues": max(0, len(drift.cues) - FIELDS),
    }


def lines(told: Json) -> Iterator[str]:
    """What `as_json` tells, for a terminal."""
    yield f"risk {told['risk']}: {', '.join(told['classes'])}"
    for field in told["fields"]:
        yield f"  {printable(field['path'])} ({field['kind']})"
        for side, mark in _MARKS:
            if side in field:
                yield f"    {mark} {_quoted(field[side])}"
        if not field["whole"]:
            yield "      the rest is left out here"
    if told["more_fields"]:
        yield f"  and {told['more_fields']} more fields"
    for cue in told["cues"]:
        yield f"  cue: {cue['kind']} {_quoted(cue['found'])} in {printable(cue['path'])}"
    if told["more_cues"]:
        yield f"  and {told['more_cues']} more cues"
    yield f"  {told['recommendation']}"


def findings(subject: str, told: Json) -> list[Finding]:
    """One finding for each class of a change; `subject` is what has changed, such as `files/read_file`."""
    level = _LEVELS[told["risk"]]
    return [
        Finding(
            level if index == 0 else "note",
            f"drift/{each}",
            "",
            "",
            0,
            f"{printable(subject)} is not as it was approved: {_where(each, told)}",
            told["recommendation"] if index == 0 else "",
            subject,
        )
        for index, each in enumerate(told["classes"])
    ]


def _where(kind: str, told: Json) -> str:
    cues = [
        f"{_quoted(cue['found'])} in {cue['path']}" for cue in told["cues"] if cue["kind"] == kind
    ]
    paths = [field["path"] for field in told["fields"]]
    named = [printable(each) for each in _few(cues or paths)]
    return f"{kind} ({', '.join(named)})" if named else kind


def _few(several: list[str], most: int = 5) -> list[str]:
    more = len(several) - most
    return several[:most] + ([f"{more} more"] if more > 0 else [])


def _field(path: str, kind: str, old: Any, new: Any) -> Json:
    told: Json = {"path": _cut(path, _PATH), "kind": kind, "whole": True}
    if kind != "added":
        told["old"], told["whole"] = _bounded(old, new)
    if kind != "removed":
        told["new"], whole = _bounded(new, old)
        told["whole"] = told["whole"] and whole
    return told


def _bounded(value: Any, other: Any) -> tuple[Any, bool]:
    written = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if len(written) <= WHOLE:
        return value, True
    beside = other if isinstance(other, str) else json.dumps(other, ensure_ascii=False)
    start = max(0, _common(written, beside) - _AROUND)
    end = max(start + WHOLE // 2, start)
    before = f"[{start} characters] " if start else ""
    after = f" [{len(written) - end} characters]" if end < len(written) else ""
    return f"{before}{written[start:end]}{after}", False


def _common(one: str, other: str) -> int:
    """How many characters two texts have in common at their beginnings."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[:middle] == other[:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _quoted(value: Any) -> str:
    return printable(_cut(json.dumps(value, ensure_ascii=False), _LINE))


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}… [{len(text) - most} characters]"


def all_findings(several: Iterable[tuple[str, Json]]) -> list[Finding]:
    """The findings of several changes, by subject."""
    return [finding for subject, told in several for finding in findings(subject, told)]
