"""docs/detection.md: the figures of a run, between two marks of a page whose other words are people's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from bawn.assurance.measuring.measure import Counts, Figures
from bawn.assurance.measuring.told import largest, percent
from bawn.assurance.measuring.wilson import Share
from bawn.config.atomic import replace
from bawn.errors import Misconfigured

BEGIN: Final = "<!-- bench: begin, written by `bawn bench detect --write` -->"
END: Final = "<!-- bench: end -->"

_PAGE: Final = f"""\
# What is detected

How much of what is known to be hostile the gate sees, and how often it is wrong about what is not. What
no detector sees is contained by policy: see `docs/policy.md`.

{BEGIN}
{END}
"""
_GROUPS: Final = {"surface": "Surface", "style": "Style", "kind": "Kind"}
_MOST: Final = 40  # kinds in one table

Run = tuple[Figures, Mapping[str, Counts]]
"""The figures of a track, and those of other scanners on the same rows."""


def write(path: Path, runs: Sequence[Run], date: str = "") -> None:
    """Puts the figures of a run between the marks of a page, which is made if it is not there.

    Raises:
        Misconfigured: the page has not both marks, or cannot be written.
    """
    try:
        before = path.read_text("utf-8") if path.exists() else _PAGE
        head, begin, rest = before.partition(BEGIN)
        _, end, tail = rest.partition(END)
        if not begin or not end:
            raise Misconfigured(f"{path}: expected the lines `{BEGIN}` and `{END}`; add them")
        text = f"{head}{BEGIN}\n\n{figures(runs, date)}\n{END}{tail}"
        replace(path, text.encode(), 0o644, durable=False)
    except OSError as error:
        raise Misconfigured(f"{path}: cannot be written: {error.strerror}") from None


def figures(runs: Sequence[Run], date: str = "") -> str:
    """The part of the page that a run writes. The same run gives the same text, times excepted."""
    said = f"Measured {date}. " if date else ""
    intro = (
        f"{said}Shares are followed by their 95 % interval (Wilson) and by how many of how many. "
        "Everything went through the functions by which the running gate decides, at default settings: "
        "flagged is what it would not have let pass as it is. Disguises are of the attacks on what models "
        "read, and a disguise that is itself conspicuous may be caught more often than what it hides."
    )
    return "\n".join(
        [intro, "", *_overview(runs), *(line for run in runs for line in _track(*run))]
    )


def _overview(runs: Sequence[Run]) -> Iterator[str]:
    rows = [
        (each.track, percent(each.all.caught), percent(each.all.flagged), *map(_us, each.latency))
        for each, _ in runs
    ]
    heading = ("Track", "Recall", "False alarms", "p50 per KB", "p99 per KB")
    yield from _table(heading, rows)


def _track(figures: Figures, others: Mapping[str, Counts]) -> Iterator[str]:
    yield from (f"## {figures.track}", "", f"Data: SHA-256 `{figures.digest}`.", "")
    heading = ("", "Recall", "False alarms")
    beside = [("bawn", figures.all), *others.items()]
    if others:
        yield from _table(heading, (_row(name, counts) for name, counts in beside))
    for group, title in _GROUPS.items():
        several = figures.by.get(group, {})  # type: ignore[call-overload]  # its keys are these
        if several:
            found = largest(several)[:_MOST]
            yield from _table((title, *heading[1:]), (_row(name, each) for name, each in found))
    if figures.transforms:
        own = figures.all.caught
        rows = (
            (name.replace("_", " "), percent(each), _lost(own, each))
            for name, each in figures.transforms.items()
        )
        yield from _table(("Disguise", "Recall", "Points lost"), rows)


def _row(name: str, counts: Counts) -> tuple[str, str, str]:
    def cell(share: Share) -> str:
        return percent(share) if share.of else ""

    return name.replace("|", "\\|"), cell(counts.caught), cell(counts.flagged)


def _lost(own: Share, share: Share) -> str:
    return f"{100 * ((own.value or 0.0) - (share.value or 0.0)):.1f}"


def _us(microseconds: float) -> str:
    return f"{microseconds:.0f} µs"


def _table(
    heading: Sequence[str], rows: Iterator[tuple[str, ...]] | Sequence[tuple[str, ...]]
) -> Iterator[str]:
    yield f"| {' | '.join(heading)} |"
    yield f"|{'---|' * len(heading)}"
    yield from (f"| {' | '.join(row)} |" for row in rows)
    yield ""
