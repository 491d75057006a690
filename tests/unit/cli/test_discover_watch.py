"""`bawn discover --watch`: the first look whole, then changes alone."""

from __future__ import annotations

import json
from collections.abc import Iterator

from bawn.cli.discover_report import Report
from bawn.cli.discover_watch import changes, watch
from bawn.discovery.shadow.sighting import Sighting, Unseen
from bawn.discovery.telling.reconcile import reconcile
from tests.unit.discovery.seen import entry, process, registered


def report(*seen: Sighting, unseen: tuple[Unseen, ...] = ()) -> Report:
    return Report(tuple(reconcile(registered(), seen)), unseen, registered=True, at=1.0)


WEATHER = entry("weather", "uvx", "weather-mcp")
NEWS = entry("news", "uvx", "news-mcp")


def watched(*reports: Report, as_json: bool = False) -> tuple[list[str], list[Report]]:
    said: list[str] = []
    kept: list[Report] = []
    waits: Iterator[bool] = iter([True] * (len(reports) - 1) + [False])
    looks = iter(reports)
    watch(lambda: next(looks), kept.append, said.append, lambda: next(waits), as_json=as_json)
    return said, kept


def test_only_changes_are_told_after_the_first_look() -> None:
    said, kept = watched(report(WEATHER), report(WEATHER), report(WEATHER, NEWS), report(NEWS))
    assert len(kept) == 4  # what is measured is written each time
    text = "\n".join(said)
    assert text.count("appeared: unknown\n  news [warning]") == 1
    assert text.count("disappeared: unknown\n  weather [warning]") == 1
    assert said.count("  weather [warning]") == 2  # at first, and when it went


def test_a_process_that_starts_again_under_another_number_is_no_change() -> None:
    one, other = (report(process("/x/mcp-weather", pid=pid)) for pid in (5, 6))
    assert list(changes(one, other)) == []


def test_an_entry_that_is_switched_on_is_a_change() -> None:
    off = entry("weather", "uvx", "weather-mcp", disabled=True)
    assert any("appeared" in line for line in changes(report(off), report(WEATHER)))


def test_what_cannot_be_seen_any_more_is_told_once() -> None:
    blind = Unseen("process", "/proc", "it failed")
    said, _ = watched(report(), report(unseen=(blind,)), report(unseen=(blind,)))
    assert said.count("not seen: process /proc: it failed") == 1


def test_programs_get_one_line_of_json_for_each_change() -> None:
    said, _ = watched(report(), report(WEATHER), as_json=True)
    began, appeared = map(json.loads, said)
    assert began == {"event": "began", "servers": [], "not_seen": [], "registered": True}
    assert (appeared["event"], appeared["class"], appeared["name"]) == ("appeared", "unknown", "weather")  # fmt: skip
