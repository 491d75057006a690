"""A process that writes intents and says so: `python -m tests.e2e.audit_writer STATE HOW [FIRST]`.

FIRST is the number of its first call. `forever`: until it is killed. `bounded`: with a limit on the
size of its files, which a full disk looks like, until three intents were refused; then the limit goes,
and it ends in order.
"""

from __future__ import annotations

import itertools
import resource
import signal
import sys
from pathlib import Path

from bawn.audit.writer import Writer
from bawn.errors import Refused
from bawn.storage import StateDirectory
from tests.audited import ALLOWED, TOOL, call

LIMIT = 20_000  # bytes


def tell(line: str) -> None:
    """Say it to whoever started this process, at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def write(writer: Writer, number: int) -> bool:
    """One call; whether its intent was acknowledged."""
    try:
        intent = writer.intent(call(number), TOOL, ALLOWED)
    except Refused as refused:
        tell(f"refused {number} {refused.reason.id}")
        writer.refusal(call(number), refused.reason.id, refused.detail)
        return False
    tell(f"intent {number}")
    writer.outcome(intent, f"{number:032x}", "ok", 0.001, 1)
    return True


def main(state: StateDirectory, how: str, first: int = 1) -> None:
    """Write as `how` says."""
    writer = Writer(state, rotate=10_000_000 if how == "bounded" else 50_000)
    numbers = itertools.count(first)
    if how == "forever":
        for number in numbers:
            write(writer, number)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT, resource.RLIM_INFINITY))
    refused = 0
    while refused < 3:
        refused += not write(writer, next(numbers))
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    write(writer, next(numbers))
    writer.close()


if __name__ == "__main__":
    main(StateDirectory(Path(sys.argv[1])), sys.argv[2], *map(int, sys.argv[3:]))
