"""The recorded calls that a command is about: of which time, and read to the end."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from math import inf
from typing import TYPE_CHECKING, Annotated

import typer

from bawn.cli.options import fail
from bawn.cli.quoting import printable
from bawn.cli.reading import explained

if TYPE_CHECKING:
    from bawn.model import View
    from bawn.review.past.recorded import Recorded
    from bawn.storage import StateDirectory

SinceOption = Annotated[
    str | None,
    typer.Option("--since", help="From this time on: 2026-01-31, or with a time of day; UTC."),
]
UntilOption = Annotated[
    str | None, typer.Option("--until", help="Up to this time, and not at it; as --since.")
]


def recorded(
    state: StateDirectory, view: View, since: str | None = None, until: str | None = None
) -> Iterator[Recorded]:
    """Every call of that time; what is wrong with the audit goes to standard error."""
    from bawn.review.past.recorded import Recording

    first = _instant("--since", since, 0.0)
    last = _instant("--until", until, inf)
    recording = Recording(state, view)
    try:
        with explained():
            yield from recording.calls(first, last)
    except OSError as problem:
        fail(f"the audit cannot be read: {problem}", "Look at the directory that holds `state`.")
    for fault in recording.problems:
        print(f"bawn: {printable(str(fault))}", file=sys.stderr)


def _instant(option: str, text: str | None, default: float) -> float:
    if text is None:
        return default
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        fail(f"{option} {text!r}: expected a time such as 2026-01-31T08:00", code=2)
