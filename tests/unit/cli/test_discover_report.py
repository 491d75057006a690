"""What is told of one look: a table, JSON, and figures."""

from __future__ import annotations

from bawn.cli.discover_report import Report, as_tree, lines, metrics
from bawn.discovery.shadow.sighting import Unseen
from bawn.discovery.telling.reconcile import reconcile
from tests.unit.discovery.seen import entry, registered

ROWS = tuple(
    reconcile(
        registered(),
        [
            entry("weather", "uvx", "weather-mcp", secrets=("env KEY",)),
            entry("off", "uvx", "off-mcp", disabled=True),
            entry("gate", "bawn", "stdio"),
        ],
    )
)
REPORT = Report(ROWS, (Unseen("socket", "/proc", "another user's", 3),), registered=True, at=7.0)


def test_the_table_tells_class_level_place_and_what_was_not_seen() -> None:
    text = "\n".join(lines(REPORT))
    assert "unknown: not registered\n  weather [error]\n      uvx weather-mcp\n" in text
    assert "seen: client /home/ada/weather.json:3" in text
    assert "off [switched off]" in text
    assert "  socket /proc: another user's (3)" in text
    assert "1 unknown, 1 behind, 1 switched off; 1 not seen." in text


def test_many_sightings_of_one_server_are_counted() -> None:
    seen = [entry("w", "uvx", "weather-mcp", where=f"/f{at}:1") for at in range(20)]
    text = "\n".join(lines(Report(tuple(reconcile(registered(), seen)), (), registered=True)))
    assert text.count("seen: client") == 12
    assert "and 8 times more" in text


def test_the_tree_names_the_class_and_whether_it_alarms() -> None:
    tree = as_tree(REPORT)
    assert [(row["class"], row["alarms"]) for row in tree["servers"]] == [
        ("unknown", True), ("unknown", False), ("behind", False),
    ]  # fmt: skip


def test_the_figures_count_by_class_source_and_level() -> None:
    text = metrics(REPORT).decode()
    for line in (
        'bawn_discovery_rows{class="unknown"} 2.0',
        'bawn_discovery_rows{class="bypass"} 0.0',
        'bawn_discovery_servers{class="behind",source="client"} 1.0',
        'bawn_discovery_alarms{level="error"} 1.0',
        'bawn_discovery_alarms{level="warning"} 0.0',
        'bawn_discovery_not_seen{source="socket"} 3.0',
        "bawn_discovery_last_run_timestamp_seconds 7.0",
    ):
        assert f"{line}\n" in text
