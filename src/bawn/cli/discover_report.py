"""What `bawn discover` tells: a table for people, JSON, SARIF, and a Prometheus text file."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from bawn.cli.quoting import command_line, printable

if TYPE_CHECKING:
    from pathlib import Path

    from bawn.discovery.shadow.sighting import Sighting, Unseen
    from bawn.discovery.telling.reconcile import Row

_SHOWN: Final = 12
"""Sightings of one server that are shown; the rest is counted. JSON has them all."""

_HEADINGS: Final = {
    "look-alike": "can be taken for another",
    "bypass": "past the gate",
    "unknown": "not registered",
    "known": "registered, where it belongs",
    "behind": "behind the gate",
}


class Report(NamedTuple):
    """One look: the rows, what was not seen, and whether there is a configuration to hold them against."""

    rows: tuple[Row, ...]
    unseen: tuple[Unseen, ...]
    registered: bool
    at: float = 0.0

    @property
    def alarms(self) -> bool:
        """Whether anything should be done."""
        return any(row.alarms for row in self.rows)


def as_tree(report: Report) -> dict[str, Any]:
    """The report for programs."""
    import msgspec

    found = [{**msgspec.to_builtins(row), "alarms": row.alarms} for row in report.rows]
    return {
        "servers": [{"class": row.pop("kind"), **row} for row in found],
        "not_seen": msgspec.to_builtins(report.unseen),
        "registered": report.registered,
    }


def lines(report: Report) -> Iterator[str]:
    """The report for people."""
    kind: str = ""
    for row in report.rows:
        if row.kind != kind:
            kind = row.kind
            yield f"{kind}: {_HEADINGS[kind]}"
        yield from described(row)
    if not report.rows:
        yield "No MCP server was seen."
    yield from _not_seen(report.unseen)
    yield ""
    yield _sum(report)
    if not report.registered:
        yield "There is no bawn.yaml: nothing is registered, so that every server is unknown. `bawn init` writes one."
    elif report.alarms:
        yield "Next: `bawn discover --adopt NAME` moves one behind the gate, after showing what that means."


def described(row: Row) -> Iterator[str]:
    """One server: what it is, where it was seen, and what is wrong with it."""
    mark = f" [{row.level}]" if row.alarms else " [switched off]" if row.dormant else ""
    yield f"  {printable(row.name)}{mark}"
    for what in dict.fromkeys(map(what_of, row.sightings)):
        yield f"      {what}"
    for each in row.sightings[:_SHOWN]:
        yield f"      seen: {_seen(each)}"
    if len(row.sightings) > _SHOWN:
        yield f"      and {len(row.sightings) - _SHOWN} times more"
    for why in row.why:
        yield f"      {printable(why)}"


def what_of(sighting: Sighting) -> str:
    """The exact command, or the URL."""
    if sighting.command:
        return command_line(sighting.command)
    return printable(sighting.url) or sighting.what


def _seen(sighting: Sighting) -> str:
    parts = [sighting.source, printable(sighting.where)]
    if sighting.source != "client" and sighting.client:
        parts.append(f"of {sighting.client}")
    if sighting.user:
        parts.append(f"(user {printable(sighting.user)})")
    if sighting.count > 1:
        parts.append(f"{sighting.count} times")
    return " ".join(parts)


def _not_seen(unseen: Sequence[Unseen]) -> Iterator[str]:
    if unseen:
        yield "not seen: what may be there could not be looked at"
    for each in unseen:
        more = f" ({each.count})" if each.count > 1 else ""
        yield f"  {each.source} {printable(each.where)}: {printable(each.why)}{more}"


def _sum(report: Report) -> str:
    counts = Counter[str](row.kind for row in report.rows if not row.dormant)
    told = [f"{counts[kind]} {kind}" for kind in _HEADINGS if counts[kind]]
    off = sum(row.dormant for row in report.rows)
    told += [f"{off} switched off"] if off else []
    return f"{', '.join(told) or 'nothing'}; {len(report.unseen)} not seen."


def write_sarif(path: Path, report: Report) -> None:
    """The findings as SARIF.

    Raises:
        OSError: it cannot be written; what was there is untouched.
    """
    from bawn.config import atomic
    from bawn.discovery.telling.reconcile import findings
    from bawn.findings import sarif

    tree = sarif.document(findings(report.rows, report.unseen))
    atomic.replace(path, json.dumps(tree, indent=2).encode() + b"\n", 0o644)


def write_metrics(path: Path, report: Report) -> None:
    """The counts, for Prometheus' textfile collector.

    Raises:
        OSError: it cannot be written; what was there is untouched.
    """
    from bawn.config import atomic

    atomic.replace(path, metrics(report), 0o644, durable=False)


def metrics(report: Report) -> bytes:
    """Servers by class and source (one that several sources saw counts for each), and what was not seen."""
    from prometheus_client import CollectorRegistry, Gauge, generate_latest

    from bawn.discovery.telling.reconcile import CLASSES

    registry = CollectorRegistry()
    seen = Gauge("bawn_discovery_servers", "MCP servers that were seen.", ["class", "source"], registry=registry)  # fmt: skip
    total = Gauge("bawn_discovery_rows", "Distinct MCP servers.", ["class"], registry=registry)
    alarms = Gauge("bawn_discovery_alarms", "Those that call for something.", ["level"], registry=registry)  # fmt: skip
    missed = Gauge("bawn_discovery_not_seen", "What could not be looked at.", ["source"], registry=registry)  # fmt: skip
    last = Gauge("bawn_discovery_last_run_timestamp_seconds", "When it was looked.", registry=registry)  # fmt: skip
    for kind in CLASSES:
        total.labels(kind).set(sum(row.kind == kind for row in report.rows))
    for level in ("error", "warning"):
        alarms.labels(level).set(sum(row.alarms and row.level == level for row in report.rows))
    pairs = Counter(pair for row in report.rows for pair in _sources(row))
    for (of_kind, source), count in pairs.items():
        seen.labels(of_kind, source).set(count)
    for name, count in _counted(report.unseen).items():
        missed.labels(name).set(count)
    last.set(report.at or time.time())
    return generate_latest(registry)


def _sources(row: Row) -> set[tuple[str, str]]:
    return {(row.kind, each.source) for each in row.sightings}


def _counted(unseen: Iterable[Unseen]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for each in unseen:
        counts[each.source] += each.count
    return counts
