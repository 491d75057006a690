"""Where the CPU of a call goes: `python -m bench.stages [--seconds 10] [--lines]`.

The path of `path.py` runs while a timer looks at its stack a thousand times a second. Time in
libraries and in C counts for the line of bawn that called them; what no line of bawn called is
uvicorn's and the loop's. Shares are multiplied with the cost of a call, so the figures add up to it.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType
from typing import Final

import uvloop

import bawn
from bench.path import DataPath

_EVERY: Final = 0.001  # seconds
_HOUSE: Final = str(Path(bawn.__file__).parent) + "/"
_BATCH: Final = 1_600
_SHOWN: Final = 40


class Sampler:
    """Counts where the program is whenever the timer fires, while it is switched on."""

    def __init__(self) -> None:
        self.seen: Counter[tuple[str, str, int]] = Counter()
        self.under: Counter[tuple[str, str]] = Counter()

    @contextmanager
    def on(self) -> Iterator[None]:
        """Sample meanwhile."""
        before = signal.signal(signal.SIGALRM, self._look)
        signal.setitimer(signal.ITIMER_REAL, _EVERY, _EVERY)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)

    def _look(self, number: int, frame: FrameType | None) -> None:
        place: tuple[str, str, int] | None = None
        functions = set()
        while frame is not None:
            code = frame.f_code
            file = code.co_filename
            if file.startswith(_HOUSE):
                functions.add((file[len(_HOUSE) :], code.co_qualname))
                place = place or (file[len(_HOUSE) :], code.co_qualname, frame.f_lineno)
            elif "/uvicorn/" in file and place is None:
                place = ("uvicorn", code.co_qualname, frame.f_lineno)
            frame = frame.f_back
        self.seen[place or ("event loop, and the bench itself", "", 0)] += 1
        self.under.update(functions)


async def _sampled(place: Path, seconds: float) -> tuple[Sampler, float]:
    path = await DataPath.open(place)
    cost = min([await path.cost(_BATCH) for _ in range(10)])
    batches = max(1, int(seconds * 1e6 / (cost * _BATCH)))
    sampler = Sampler()
    with sampler.on():
        for _ in range(batches):
            await path.cost(_BATCH)
    return sampler, cost


def _print(title: str, counted: Counter[str], each: float) -> None:
    print(f"\n{title}")
    for name, count in counted.most_common(_SHOWN):
        print(f"  {count * each:7.2f} µs  {name}")


def main() -> int:
    """Sample and print: by file, by function with everything below it, and by line if asked."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.stages",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seconds", type=float, default=10.0, help="how long to sample")
    parser.add_argument("--lines", action="store_true", help="show the costliest lines too")
    arguments = parser.parse_args()
    with TemporaryDirectory(prefix="bawn-path-") as place:
        sampler, cost = uvloop.run(_sampled(Path(place), arguments.seconds))
    total = sampler.seen.total()
    print(f"{cost:.1f} µs per call, {total} samples")
    files: Counter[str] = Counter()
    lines: Counter[str] = Counter()
    for (file, function, line), count in sampler.seen.items():
        files[file] += count
        lines[f"{file}:{line} {function}"] += count
    _print("by file, itself and what it calls outside bawn", files, cost / total)
    functions = Counter({f"{file} {name}": n for (file, name), n in sampler.under.items()})
    _print("by function, with everything below it", functions, cost / total)
    if arguments.lines:
        _print("by line", lines, cost / total)
    return 0


if __name__ == "__main__":
    sys.exit(main())
