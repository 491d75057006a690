"""Judge a change by CPU per call, in process: `python -m bench.ab [--base REF] [--rounds 40]`.

Two processes live side by side: one runs the work tree's `src`, one the base's, as git has it. Each
puts bawn's data path together as its own `bench/path.py` says (so that bawn may be put together
differently) and makes a batch of calls when told to. They take turns, base-change-change-base, so
that a drift of the machine hits both alike; a round gives one difference, relative to the base. How a
process happens to lie in memory is worth some per cent too, so several pairs of them share the
rounds. Single figures swing by tens of per cent on shared machines, so the verdict is that of the
rounds together: the median difference with its 95 % confidence interval (percentile bootstrap).
Exit code 1 when the whole interval lies above +3 %: then the change is slower, and not by chance.
2 when there was nothing to compare.

Measured is what a worker does for a call, from bytes to bytes. Kernel and network time are not in it,
nor is what `Worker.run` sets for its process; for those there is `python -m bench`.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import IO, Final

from bench.procfs import Cores, pin
from bench.toolchain import ROOT, WORK

WORSE: Final = 0.03
"""The share by which a change may be slower."""
ROUNDS: Final = 30
"""The fewest rounds that a verdict takes."""
BATCH: Final = 480
"""Calls in one turn: some 20 ms."""
PAIRS: Final = 5
"""Pairs of processes, one after another."""
_RESAMPLED: Final = 5_000


class NothingToCompareError(Exception):
    """A side cannot be run; the text says why."""


class Side:
    """A long-lived process with the data path of one tree."""

    def __init__(self, process: subprocess.Popen[str], tree: Path) -> None:
        self._input, self._output = _pipes(process)
        found = self._output.readline().strip()
        if found != str(tree / "src" / "bawn"):
            raise NothingToCompareError(
                f"expected bawn of {tree}, got {found or 'nothing: see the error above'}"
            )

    def cost(self, total: int) -> float:
        """CPU per call of a batch, in microseconds."""
        self._input.write(f"{total}\n")
        self._input.flush()
        return float(self._output.readline())


def _pipes(process: subprocess.Popen[str]) -> tuple[IO[str], IO[str]]:
    if process.stdin is None or process.stdout is None:
        raise NothingToCompareError("the process has no pipes")
    return process.stdin, process.stdout


@contextmanager
def side(tree: Path, core: int) -> Iterator[Side]:
    """Run the path of a tree on one core."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.path"],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": str(tree / "src"), "PYTHONHASHSEED": "0"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    pin(process.pid, core)
    with process:
        try:
            yield Side(process, tree)
        finally:
            if process.stdin is not None:
                process.stdin.close()


@contextmanager
def revision(ref: str) -> Iterator[Path]:
    """The `src` and `bench` of a revision, in a directory of their own."""
    WORK.mkdir(exist_ok=True)
    with TemporaryDirectory(dir=WORK, prefix="base-") as place:
        archive = subprocess.run(
            ["git", "archive", "--format=tar", ref, "src", "bench"],
            cwd=ROOT,
            capture_output=True,
            check=False,
        )
        if archive.returncode:
            raise NothingToCompareError(archive.stderr.decode(errors="replace").strip())
        subprocess.run(["tar", "-x", "-C", place], input=archive.stdout, check=True)
        yield Path(place)


def compared(base: Path, change: Path, rounds: int) -> Iterator[tuple[float, float]]:
    """The rounds of all pairs of processes."""
    for tree in (base, change):  # what compiles its modules itself is slower afterwards
        subprocess.run(
            [sys.executable, "-m", "compileall", "-q", "src", "bench"], cwd=tree, check=True
        )
    core = Cores.available().tested
    for number in range(PAIRS):
        with side(base, core) as one, side(change, core) as other:
            yield from differences(one, other, len(range(number, rounds, PAIRS)))


def differences(base: Side, change: Side, rounds: int) -> Iterator[tuple[float, float]]:
    """For each round the base's cost and the change's, in microseconds per call."""
    for _ in range(rounds):
        first, second, third, fourth = (each.cost(BATCH) for each in (base, change, change, base))
        yield (first + fourth) / 2, (second + third) / 2


def interval(values: Sequence[float], share: float = 0.95) -> tuple[float, float]:
    """The confidence interval of the median, by resampling; the same for the same values."""
    chance = random.Random(1)
    medians = sorted(median(chance.choices(values, k=len(values))) for _ in range(_RESAMPLED))
    outside = int(_RESAMPLED * (1 - share) / 2)
    return medians[outside], medians[-1 - outside]


def main() -> int:
    """Compare and print the verdict."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.ab",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--base", default="HEAD", metavar="REF", help="what to compare with")
    parser.add_argument("--rounds", type=int, default=40, help=f"at least {ROUNDS}")
    arguments = parser.parse_args()
    if arguments.rounds < ROUNDS:
        parser.error(f"--rounds: expected at least {ROUNDS}")
    try:
        with revision(arguments.base) as base:
            pairs = list(compared(base, ROOT, arguments.rounds))
    except NothingToCompareError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    return verdict(arguments.base, pairs)


def verdict(name: str, pairs: Sequence[tuple[float, float]]) -> int:
    """Print what the rounds say together; 1 for a regression."""
    before, after = (median(costs) for costs in zip(*pairs, strict=True))
    relative = [(new - old) / old for old, new in pairs]
    low, high = interval(relative)
    print(f"{name}: {before:.1f} µs per call; work tree: {after:.1f} µs")
    print(
        f"median difference {median(relative):+.1%}, 95 % interval {low:+.1%} to {high:+.1%}, "
        f"{len(pairs)} rounds"
    )
    if low > WORSE:
        print(f"regression: the interval lies above {WORSE:+.0%}")
        return 1
    print(f"no regression: the interval does not lie above {WORSE:+.0%}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
