"""What the suite is run against: the fixture, and each gateway in front of it."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import sys
import tempfile
import venv
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final

from bench import toolchain

from tests.conformance.suite import ROOT
from tests.e2e.gate_process import Gate, free_port, wait_until

FIXTURE: Final = (sys.executable, "-m", "tests.conformance.server")
SERVER: Final = "fixture"
"""The fixture's name behind the gate."""
_LOCK: Final = Path(__file__).parent / "suite" / "mcp-proxy.txt"

Subject = Callable[[], AbstractContextManager[str]]
"""Starts what is tested, and yields the URL of its endpoint."""


@contextlib.contextmanager
def serving(port: int, *command: str | Path) -> Iterator[str]:
    """A process that listens on this port; ended afterwards, with its output if it did not start."""
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(
            [str(part) for part in command], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=said, stderr=said
        )  # fmt: skip

        def listens() -> bool:
            if process.poll() is not None:
                said.seek(0)
                raise RuntimeError(f"{command[0]} did not start:\n{said.read()[-3000:]}")
            return _listens(port)

        try:
            wait_until(listens, what=f"{command[0]} listening")
            yield f"http://127.0.0.1:{port}/mcp"
        finally:
            process.terminate()
            process.wait(20)


def _listens(port: int) -> bool:

    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextlib.contextmanager
def direct(era: str = "both") -> Iterator[str]:
    """The fixture itself."""
    port = free_port()
    with serving(port, *FIXTURE, "--port", str(port), "--era", era) as url:
        yield url


@contextlib.contextmanager
def gate(server: str) -> Iterator[Gate]:
    """A whole bawn in front of one server that is configured by this YAML mapping."""
    home = Path(tempfile.mkdtemp(prefix="bawn-conformance-"))
    # the suite's own tools tell clients what they must do, which nobody should trust unread
    own = "identity: {mode: none}\ninspection: {definitions: pass}\n"
    servers = f"{own}servers:\n  {SERVER}: {{{server}, prefix: ''}}\n"
    made = Gate(home, servers, flags=("--trust-config", "--insecure-no-auth"))
    try:
        made.start()
        made.until_ok(SERVER)
        yield made
        made.stop()
    finally:
        made.kill()
        shutil.rmtree(home, ignore_errors=True)


@contextlib.contextmanager
def bawn(era: str = "modern", one: bool = False) -> Iterator[str]:
    """bawn over HTTP; `one` asks at the server's own endpoint, else at that of all servers."""
    with direct(era) as upstream, gate(f"url: '{upstream}'") as up:
        yield f"{up.url}/{SERVER}" if one else up.url


@contextlib.contextmanager
def bawn_local() -> Iterator[str]:
    """bawn in front of the fixture as a local server over stdio."""
    command = ", ".join(f"'{part}'" for part in (*FIXTURE, "--stdio"))
    with gate(f"command: [{command}], cwd: '{ROOT}'") as up:
        yield up.url


@contextlib.contextmanager
def fastmcp() -> Iterator[str]:
    """FastMCP's proxy, as the benchmarks start it."""
    port = free_port()
    with (
        direct() as upstream,
        serving(
            port, toolchain.fastmcp(), toolchain.HERE / "fastmcp_proxy.py", str(port), upstream
        ) as url,
    ):
        yield url


@contextlib.contextmanager
def mcp_proxy() -> Iterator[str]:
    """mcp-proxy, which offers a local server over HTTP."""
    port = free_port()
    program = _environment("mcp-proxy", _LOCK) / "mcp-proxy"
    with serving(port, program, "--port", str(port), "--", *FIXTURE, "--stdio") as url:
        yield url


def _environment(name: str, lock: Path) -> Path:
    """The programs of a virtual environment of its own, as the lock has it."""
    place = toolchain.WORK / name
    done = place / "installed.txt"
    if not done.exists() or done.read_bytes() != lock.read_bytes():
        venv.create(place, clear=True, with_pip=True)
        pip = (str(place / "bin/python"), "-m", "pip", "install", "-q")
        subprocess.run([*pip, "--require-hashes", "-r", str(lock)], check=True)
        shutil.copy(lock, done)
    return place / "bin"


def locked(lock: Path, name: str) -> str:
    """The version that a lock holds of this package."""
    lines = lock.read_text().splitlines()
    return next(
        line.split()[0].partition("==")[2] for line in lines if line.startswith(f"{name}==")
    )


BAWN: Final[dict[str, Subject]] = {
    "modern": lambda: bawn("modern"),
    "legacy": lambda: bawn("legacy"),
    "both": lambda: bawn("both"),
    "one": lambda: bawn("both", one=True),
    "local": bawn_local,
}
"""bawn in front of every kind of server: of one era, of both, at its own endpoint, over stdio."""

PEERS: Final[dict[str, Subject]] = {
    f"FastMCP proxy {locked(toolchain.HERE / 'fastmcp.txt', 'fastmcp')}": fastmcp,
    f"mcp-proxy {locked(_LOCK, 'mcp-proxy')}": mcp_proxy,
}
