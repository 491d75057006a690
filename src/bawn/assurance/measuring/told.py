"""What was measured, as JSON and as lines for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from bawn.assurance.measuring.measure import Counts, Figures, Miss
from bawn.assurance.measuring.rows import Row
from bawn.assurance.measuring.wilson import Share
from bawn.model import Json

_MOST: Final = 12
"""Groups of one sort that are told to people."""


def as_json(
    figures: Figures, others: Mapping[str, Counts], *, misses: bool = False, show: bool = False
) -> Json:
    """The figures of a track; shares are fractions between 0 and 1, and null of nothing."""
    found: Json = {
        **_counts(figures.all),
        "digest": figures.digest,
        "by": {
            group: {name: _counts(each) for name, each in several.items()}
            for group, several in figures.by.items()
        },
        "transforms": {name: _share(each, "recall") for name, each in figures.transforms.items()},
        "latency_us_per_kb": {"p50": figures.latency[0], "p99": figures.latency[1]},
    }
    if others:
        found["against"] = {name: _counts(each) for name, each in others.items()}
    if misses:
        found["misses"] = [_miss(each, show) for each in figures.misses]
    return found


def lines(figures: Figures, others: Mapping[str, Counts]) -> Iterator[str]:
    """The figures of a track for people."""
    yield f"{figures.track}: {_pair(figures.all)}"
    for name, counts in others.items():
        yield f"  {name}: {_pair(counts)}"
    for group, several in figures.by.items():
        for name, counts in largest(several)[:_MOST]:
            yield f"  {group} {name}: {_pair(counts)}"
        if len(several) > _MOST:
            yield f"  {group}: {len(several) - _MOST} smaller ones, see --json"
    for name, share in figures.transforms.items():
        gained = 100 * ((share.value or 0.0) - (figures.all.caught.value or 0.0))
        yield f"  disguise {name}: recall {percent(share)} ({gained:+.1f} points)"
    p50, p99 = figures.latency
    yield f"  latency per KB: p50 {p50:.1f} µs, p99 {p99:.1f} µs"


def miss_lines(figures: Figures, show: bool) -> Iterator[str]:
    """What was missed or falsely flagged, a line each; what it says only if asked for."""
    for each in figures.misses:
        row = each.row
        what = "missed" if row.label == "attack" else "flagged"
        place = " ".join(part for part in (row.kind, row.surface, row.style) if part)
        rules = f" by {', '.join(each.rules)}" if each.rules else ""
        yield f"  {what} {row.id} [{place}]{rules}"
        if show:
            yield f"    {payload(row)!r}"


def largest(groups: Mapping[str, Counts]) -> list[tuple[str, Counts]]:
    """Groups of rows, those with the most rows first."""
    return sorted(
        groups.items(), key=lambda each: (-(each[1].caught.of + each[1].flagged.of), each[0])
    )


def payload(row: Row) -> object:
    """What a row would have looked at."""
    for value in (row.text, row.arguments, row.config, row.tool):
        if value is not None:
            return value
    return {"before": row.before, "after": row.after}


def percent(share: Share) -> str:
    """A share with its interval: `81.2 % (74.0–86.8, 121 of 149)`."""
    if share.value is None or share.interval is None:
        return "not measured"
    low, high = share.interval
    return f"{_figure(share.value)} % ({_figure(low)}–{_figure(high)}, {share.hits} of {share.of})"


def _figure(part: float) -> str:
    return f"{100 * part:.1f}" if part >= 0.01 or part == 0 else f"{100 * part:.2f}"


def _pair(counts: Counts) -> str:
    recall = [f"recall {percent(counts.caught)}"] if counts.caught.of else []
    alarms = [f"false alarms {percent(counts.flagged)}"] if counts.flagged.of else []
    return ", ".join([*recall, *alarms]) or "no rows"


def _counts(counts: Counts) -> Json:
    return {
        **_share(counts.caught, "recall"),
        **_share(counts.flagged, "false_alarms"),
        "attacks": counts.caught.of,
        "benign": counts.flagged.of,
        "caught": counts.caught.hits,
        "flagged": counts.flagged.hits,
    }


def _share(share: Share, name: str) -> Json:
    interval = share.interval
    return {name: share.value, f"{name}_interval": list(interval) if interval else None}


def _miss(miss: Miss, show: bool) -> Json:
    row = miss.row
    told: Json = {"id": row.id, "label": row.label, "kind": row.kind, "surface": row.surface}
    told |= {"style": row.style, "rules": list(miss.rules)}
    return {**told, "payload": payload(row)} if show else told
