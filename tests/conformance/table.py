"""docs/conformance.md: what the suite finds direct, through bawn and through its peers."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Final

from tests.conformance import clients, suite
from tests.conformance.compare import EXPECTED, expected, losses, unexpected
from tests.conformance.subjects import BAWN, PEERS, Subject, direct
from tests.conformance.suite import WIRES, Found

PAGE: Final = suite.ROOT / "docs" / "conformance.md"

_HEAD: Final = """# Conformance

Written by `make conformance`; do not edit. The official suite
[`@modelcontextprotocol/conformance`](https://github.com/modelcontextprotocol/conformance)
{suite} tests a fixture server (`tests/conformance/server`, on the official Python SDK {sdk}) that
has every fixture the suite asks for: direct, then with each gateway between. bawn runs as a whole:
workers, steward, runner, audit.

## Server scenarios

Scored scenarios passed/failed, and in brackets all checks passed/failed, unscored ones (the tasks
extension among them) included. A scenario that fails early makes fewer checks.

| path | {wires} |
|---|{rules}|
"""
_NAMES: Final = {
    "modern": "bawn, a server of 2026-07-28 only",
    "legacy": "bawn, a server of the handshake versions only",
    "local": "bawn, a local server (stdio) that speaks both",
}

Row = Mapping[str, Found]


def measure(start: Subject) -> Row:
    """What the suite finds on both wires."""
    with start() as url:
        return {wire: suite.server(url, wire) for wire in WIRES}


def write() -> int:
    """Measure everything and write the page; 1 if bawn loses what nobody expected."""
    rows: dict[str, Row] = {"direct": measure(direct)}
    rows |= {name: measure(BAWN[path]) for path, name in _NAMES.items()}
    rows |= {name: measure(start) for name, start in PEERS.items()}
    page = _page(rows, _clients())
    fresh = PAGE.with_suffix(".new")
    fresh.write_text(page, encoding="utf-8")
    fresh.replace(PAGE)
    straight, known = rows["direct"], expected()
    lost = [
        loss
        for path, name in _NAMES.items()
        for wire in WIRES
        for loss in unexpected(path, losses(wire, straight[wire], rows[name][wire]), known)
    ]
    return int(bool(lost))


def _clients() -> dict[tuple[str, str], tuple[Found, Found]]:
    return {
        (name, wire): (clients.play("direct", wire, name), clients.play("bawn", wire, name))
        for wire, name in clients.chosen()
    }


def _page(rows: Mapping[str, Row], played: Mapping[tuple[str, str], tuple[Found, Found]]) -> str:
    head = _HEAD.format(
        suite=suite.version(),
        sdk=version("mcp"),
        wires=" | ".join(WIRES),
        rules="|".join("---" for _ in WIRES),
    )
    lines = [_row(name, row) for name, row in rows.items()]
    lines += ["", "What fails, by path and wire:", ""]
    lines += [line for name, row in rows.items() for line in _failures(name, row)]
    lines += ["", *_expectations(), "", "## Client scenarios", "", _CLIENTS, ""]
    lines += ["| scenario | wire | direct | bawn |", "|---|---|---|---|"]
    for (name, wire), found in played.items():
        lines.append(f"| {name} | {wire} | {' | '.join(map(_verdict, found))} |")
    return head + "\n".join(lines) + "\n"


_CLIENTS: Final = (
    "The suite's own server, and a scripted client on the official SDK: direct, and with bawn between.\n"
    "Authorization scenarios belong to another test. Checks passed/failed."
)


def _pair(numbers: tuple[int, int]) -> str:
    return f"{numbers[0]}/{numbers[1]}"


def _row(name: str, row: Row) -> str:
    cells = [f"{_pair(found.scored())} ({_pair(found.counted())})" for found in row.values()]
    return f"| {name} | {' | '.join(cells)} |"


def _verdict(found: Found) -> str:
    judged = "pass" if all(found.passed.values()) and found.passed else "fail"
    return f"{judged} ({_pair(found.counted())})"


def _failures(name: str, row: Row) -> list[str]:
    lines = []
    for wire, found in row.items():
        failed = sorted(scenario for scenario, good in found.passed.items() if not good)
        if failed:
            lines.append(f"- {name}, {wire}: {', '.join(failed)}")
    return lines or [f"- {name}: nothing"]


def _expectations() -> list[str]:
    known = expected()
    place = Path(EXPECTED).relative_to(suite.ROOT)
    if not known:
        return [f"`{place}` is empty."]
    told = [f"- {line.path}, {line.wire}, {line.scenario}: {line.cites}" for line in known]
    return [f"Expected through bawn (`{place}`):", "", *told]
