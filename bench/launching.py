"""False alarms of the launch grammar: `python -m bench.launching CORPUS` (JSON Lines, also gzipped).

Each row has `command`, `args` and `env` of a server that people do run. Three counts are told apart.
*Refused* is every row with an error. Of these, *remote* rows name code at an address, which the grammar
refuses by intent: whether a row does is settled here by the words alone, not by the grammar. Any other
error, and any claim that a name imitates another, is a *false alarm*. Exit 1 when those are over 0.5 %.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from typing import Any, Final

from bawn.launching.command import Launching
from bawn.launching.grammar import read

MOST: Final = 0.005
_Z: Final = 1.959964  # the normal quantile of a 95 % interval
_ADDRESSES: Final = ("git+", "http://", "https://", "github:", "git@", "ssh://")
_LIKENESS: Final = frozenset(["launch/lookalike", "launch/impostor", "launch/confusable"])


@dataclass(frozen=True, slots=True)
class Measured:
    """Rows, and how many of them were refused, for which reason, and wrongly."""

    rows: int
    refused: int
    remote: int
    alarms: tuple[tuple[str, ...], ...]
    kinds: Counter[str]


def wilson(hits: int, of: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson, 1927)."""
    if not of:
        return 0.0, 1.0
    share, square = hits / of, _Z * _Z / of
    middle = share + square / 2
    spread = _Z * sqrt(share * (1 - share) / of + square / (4 * of))
    low, high = (middle - spread) / (1 + square), (middle + spread) / (1 + square)
    return max(0.0, low), min(1.0, high)


def measure(rows: Iterator[dict[str, Any]]) -> Measured:
    """Read every row."""
    count = refused = remote = 0
    kinds: Counter[str] = Counter()
    alarms: list[tuple[str, ...]] = []
    for row in rows:
        count += 1
        command = (row["command"], *(row.get("args") or ()))
        found = read(command, row.get("env") or {})
        kinds.update({f"{each.level} {each.kind}" for each in found.problems})
        refused += bool(found.errors)
        wrong = _wrong(found)
        remote += bool(found.errors) and not wrong and _names_an_address(command)
        if wrong or (found.errors and not _names_an_address(command)):
            alarms.append((*sorted(wrong), *command))
    return Measured(count, refused, remote, tuple(alarms), kinds)


def _wrong(found: Launching) -> set[str]:
    errors = {each.kind for each in found.errors} - {"launch/remote"}
    return errors | {each.kind for each in found.problems if each.kind in _LIKENESS}


def _names_an_address(command: tuple[str, ...]) -> bool:
    return any(word.startswith(_ADDRESSES) for word in command)


def report(found: Measured) -> str:
    """The figures with their intervals."""
    lines = [f"launch commands              {found.rows}"]
    for title, hits in (
        ("refused", found.refused),
        ("  of these remote, by intent", found.remote),
        ("false alarms", len(found.alarms)),
    ):
        low, high = wilson(hits, found.rows)
        share = hits / max(found.rows, 1)
        lines.append(f"{title:<28} {hits}  {share:.2%}  95 % interval {low:.2%} to {high:.2%}")
    lines += [f"    {kind:<26} {count}" for kind, count in found.kinds.most_common()]
    if wilson(len(found.alarms), found.rows)[1] > MOST:
        lines.append(
            f"With {found.rows} rows the interval reaches above {MOST:.1%}: the share measured is what "
            "the rows show, and no proof for all commands there are."
        )
    return "\n".join([*lines, *("false alarm: " + " ".join(words) for words in found.alarms)])


def main() -> int:
    """Measure the corpus of the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.launching", description=__doc__)
    parser.add_argument("corpus", type=Path, help="JSON Lines, plain or .gz")
    path: Path = parser.parse_args().corpus
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    found = measure(json.loads(line) for line in data.splitlines() if line.strip())
    print(report(found))
    return 0 if len(found.alarms) <= MOST * found.rows else 1


if __name__ == "__main__":
    sys.exit(main())
