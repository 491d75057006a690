"""Findings as Markdown, for comments on changes.

Whatever comes from elsewhere stands within code, where nothing is a link, a mention, HTML or a table.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from bawn.findings.finding import Finding
from bawn.telemetry.text import printable

MOST: Final = 500
"""Findings that are told; comments have an end."""

_TICKS: Final = re.compile(r"`+")
_PLURALS: Final = {"error": "errors", "warning": "warnings", "note": "notes"}


def document(findings: Sequence[Finding], servers: int) -> str:
    """The findings, the gravest first as they come."""
    return "\n".join(_lines(findings, servers)) + "\n"


def code(text: str) -> str:
    """A text as a span of code, whatever is in it (CommonMark, "Code spans")."""
    plain = printable(text).strip() or " "
    fence = "`" * (max((len(each) for each in _TICKS.findall(plain)), default=0) + 1)
    pad = " " if plain.startswith("`") or plain.endswith("`") else ""
    return f"{fence}{pad}{plain}{pad}{fence}"


def _lines(findings: Sequence[Finding], servers: int) -> Iterator[str]:
    yield "## bawn scan"
    yield ""
    counts = [
        f"{sum(each.level == level for each in findings)} {name}"
        for level, name in _PLURALS.items()
    ]
    yield f"{servers} server{'' if servers == 1 else 's'}: {', '.join(counts)}."
    for level, name in _PLURALS.items():
        graded = [each for each in findings[:MOST] if each.level == level]
        if graded:
            yield ""
            yield f"### {name.capitalize()}"
            yield ""
        for each in graded:
            place = f" in {code(each.place)}" if each.place else ""
            yield f"- **{each.kind}**{place}: {code(each.message)}"
            if each.fix:
                yield f"  - {code(each.fix)}"
    if len(findings) > MOST:
        yield ""
        yield f"{len(findings) - MOST} more findings are left out here."
