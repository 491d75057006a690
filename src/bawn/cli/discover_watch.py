"""`bawn discover --watch`: looking again and again, and telling what appeared and what is gone."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypeAlias

from bawn.cli.discover_report import Report, as_tree, described, lines
from bawn.cli.quoting import printable

if TYPE_CHECKING:
    from bawn.discovery.telling.reconcile import Row

Key: TypeAlias = tuple[object, ...]


def watch(
    look: Callable[[], Report],
    keep: Callable[[Report], None],
    say: Callable[[str], None],
    wait: Callable[[], bool],
    *,
    as_json: bool = False,
) -> None:
    """Look until `wait` tells to stop; the first look is told whole, later ones by what has changed."""
    before: Report | None = None
    while True:
        report = look()
        keep(report)
        told = _first(report, as_json) if before is None else changes(before, report, as_json)
        for line in told:
            say(line)
        before = report
        if not wait():
            return


def changes(before: Report, after: Report, as_json: bool = False) -> Iterator[str]:
    """What appeared, what disappeared, and what can be seen again or no more."""
    old, new = ({key_of(row): row for row in report.rows} for report in (before, after))
    for verb, rows in (
        ("appeared", [new[key] for key in new if key not in old]),
        ("disappeared", [old[key] for key in old if key not in new]),
    ):
        for row in rows:
            yield from _told(verb, row, after.at, as_json)
    unseen = {(each.source, each.where, each.why) for each in before.unseen}
    for each in after.unseen:
        if (each.source, each.where, each.why) not in unseen:
            text = f"{each.source} {each.where}: {each.why}"
            yield (
                json.dumps({"event": "not seen", "what": text})
                if as_json
                else printable(f"not seen: {text}")
            )


def key_of(row: Row) -> Key:
    """What makes a row the same at the next look: processes come and go under other numbers."""
    things = {(each.command, each.url) for each in row.sightings}
    return row.kind, row.name, row.dormant, tuple(sorted(things))


def _first(report: Report, as_json: bool) -> Iterator[str]:
    if as_json:
        yield json.dumps({"event": "began", **as_tree(report)})
    else:
        yield from lines(report)


def _told(verb: str, row: Row, at: float, as_json: bool) -> Iterator[str]:
    if as_json:
        (tree,) = as_tree(Report((row,), (), registered=True))["servers"]
        yield json.dumps({"event": verb, **tree})
        return
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))
    yield f"{when} {verb}: {row.kind}"
    yield from described(row)
