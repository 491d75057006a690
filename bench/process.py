"""Programs that run while something is measured: started on one core, ended without leftovers."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

_PATIENCE: Final = 30.0  # seconds


class NotStartedError(Exception):
    """A program did not get ready; the text ends with the last lines of its log."""


@contextmanager
def running(
    command: Sequence[str | Path],
    cores: int | str,
    log: Path,
    env: Mapping[str, str] | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """A program on these cores, its output in `log`; it is ended on the way out."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["taskset", "-c", str(cores), *command],
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(40)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_until(
    ready: Callable[[], bool], process: subprocess.Popen[bytes], log: Path, pause: float = 0.02
) -> None:
    """Ask every `pause` seconds until it is so.

    Raises:
        NotStartedError: the program ended, or took too long.
    """
    give_up = time.monotonic() + _PATIENCE
    while not ready():
        if process.poll() is not None or time.monotonic() > give_up:
            last = log.read_text(errors="replace")[-1500:]
            raise NotStartedError(f"{process.args!r} did not get ready:\n{last}")
        time.sleep(pause)


def listens(port: int) -> bool:
    """Whether somebody accepts connections on this port of the loopback interface."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def free_port() -> int:
    """A port of the loopback interface that nobody uses at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
