"""`python -m tests.conformance`: the official suite, direct and through bawn."""

from __future__ import annotations

import argparse
import sys
from contextlib import ExitStack, suppress

from tests.conformance import clients, compare, subjects, suite, table
from tests.conformance.compare import Loss, losses
from tests.conformance.suite import ALL, WIRES, Found


def main(arguments: list[str]) -> int:
    """Compare what was asked for; 0 if bawn loses nothing that is not expected."""
    parser = argparse.ArgumentParser(prog="tests.conformance", description=__doc__)
    parser.add_argument("--path", choices=sorted(subjects.BAWN), action="append", dest="paths")
    parser.add_argument(
        "--wire", choices=(*WIRES, ALL, clients.EXTENSION), action="append", dest="wires"
    )
    parser.add_argument("--scenario", help="this one only; with --wire, at that version")
    parser.add_argument("--client", action="store_true", help="the client scenarios instead")
    parser.add_argument("--serve", action="store_true", help="start the first path and wait")
    parser.add_argument("--table", action="store_true", help="write docs/conformance.md anew")
    parser.add_argument("--verbose", action="store_true", help="print the suite's own output too")
    asked = parser.parse_args(arguments)
    paths = asked.paths or ["modern", "legacy"]
    wires = asked.wires or list(WIRES)
    if asked.table:
        return table.write()
    if asked.serve:
        return _serve(paths[0])
    if asked.client:
        return _clients(asked.scenario, asked.wires)
    lost = 0
    with subjects.direct() as url:
        direct = {wire: suite.server(url, wire, asked.scenario) for wire in wires}
    for wire, found in direct.items():
        _print(f"direct, {wire}", found, [])
    for path in paths:
        with subjects.BAWN[path]() as url:
            for wire in wires:
                here = suite.server(url, wire, asked.scenario)
                missed = losses(wire, direct[wire], here)
                missed = list(compare.unexpected(path, missed, compare.expected()))
                _print(f"bawn, {path} server, {wire}", here, missed)
                if asked.verbose:
                    say(here.output)
                lost += len(missed)
    return 1 if lost else 0


def _clients(scenario: str | None, wires: list[str] | None) -> int:
    lost = 0
    for wire, name in clients.chosen(scenario, wires):
        direct, here, missed = clients.lost(wire, name)
        _print(f"client {name}, {wire}, direct", direct, [])
        _print(f"client {name}, {wire}, bawn", here, missed)
        lost += len(missed)
    return 1 if lost else 0


def say(line: str) -> None:
    """One line on standard output, at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _print(name: str, found: Found, lost: list[Loss]) -> None:
    scored, counted = found.scored(), found.counted()
    say(f"{name}: scenarios {scored[0]}/{scored[1]}, checks {counted[0]}/{counted[1]}")
    for loss in lost:
        say(f"  {loss}")


def _serve(path: str) -> int:
    with ExitStack() as started:
        say(started.enter_context(subjects.BAWN[path]()))
        with suppress(KeyboardInterrupt):
            sys.stdin.read()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
