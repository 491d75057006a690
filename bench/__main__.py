"""Measure bawn beside its peers and write docs/benchmarks.md: `python -m bench`.

The whole takes about eleven minutes and installs what it needs (Debian: wrk, nginx, gcc; FastMCP into
.bench/). `--quick` takes about two minutes; it and `--only` print figures and leave the page alone.
"""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from bench import matrix, policy, procfs, report, startup, toolchain
from bench.figures import Times
from bench.fleet import Fleet
from bench.process import NotStartedError
from bench.procfs import Cores
from bench.verify import WrongAnswerError

PAGE: Final = toolchain.ROOT / "docs" / "benchmarks.md"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few rows and short rounds")
    parser.add_argument("--only", metavar="TEXT", help="rows whose label holds TEXT")
    parser.add_argument("--install", action="store_true", help="time a clean installation too")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write every sample as JSON")
    return parser.parse_args()


def _setting() -> dict[str, str]:
    cores = Cores.available()
    return {
        **procfs.machine(),
        "pinning": f"program under test on core {cores.tested}, load and server on core {cores.load}",
        "bawn": version("bawn"),
        "uvicorn, httptools, uvloop": ", ".join(map(version, ("uvicorn", "httptools", "uvloop"))),
        "nginx": toolchain.version_of("nginx", "-v").rpartition("/")[2],
        "wrk": toolchain.version_of("wrk", "-v").split(" [")[0],
        "FastMCP": _locked("fastmcp"),
    }


def _locked(package: str) -> str:
    for line in (toolchain.HERE / "fastmcp.txt").read_text().splitlines():
        name, _, rest = line.partition("==")
        if name == package:
            return rest.split()[0]
    return "unknown"


def _times(place: Path, arguments: argparse.Namespace) -> tuple[Times, str]:
    if arguments.only:
        return Times(), ""
    ready, servers = startup.ready_seconds(place, Cores.available())
    install = startup.install_seconds(place / "venv") if arguments.install else None
    return Times(startup.help_seconds(), ready, install), servers


def main() -> int:
    """Run; 0 when everything answered rightly, 1 when not, 2 when something is missing."""
    arguments = _arguments()
    cases = matrix.QUICK if arguments.quick else matrix.FULL
    if arguments.only:
        cases = matrix.only(cases, arguments.only)
    try:
        toolchain.require("wrk", "nginx", "cc")
        toolchain.WORK.mkdir(exist_ok=True)
        cores = Cores.available()
        with TemporaryDirectory(dir=toolchain.WORK, prefix="run-") as place:
            times, servers = _times(Path(place), arguments)
            decided = {} if arguments.only else policy.measure(cores)
            with Fleet(Path(place), cores) as fleet:
                results = matrix.measure(cases, fleet, cores)
    except toolchain.MissingError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    except (WrongAnswerError, NotStartedError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    date = f"{datetime.now(UTC):%Y-%m-%d}"
    run = report.Run(date, _setting(), results, times, servers, decided)
    print(report.tables(run))
    if arguments.json:
        arguments.json.write_text(json.dumps(report.as_json(run), indent=1))
    if not (arguments.quick or arguments.only):
        PAGE.write_text(report.page(run))
    return 0


if __name__ == "__main__":
    sys.exit(main())
