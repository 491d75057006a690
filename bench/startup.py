"""How long until something happens: `bawn --help`, `bawn up`, a clean installation."""

from __future__ import annotations

import json
import subprocess
import time
import urllib.error
import urllib.request
import venv
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any, Final

from bench import toolchain
from bench.gate import BAWN, configure, environment
from bench.process import free_port, running, wait_until
from bench.procfs import Cores

_HELPS: Final = 5
_STARTS: Final = 3


def help_seconds() -> float:
    """Wall time of `bawn --help`, the median of five."""
    return median(_seconds([*BAWN, "--help"]) for _ in range(_HELPS))


def ready_seconds(place: Path, cores: Cores) -> tuple[float, str]:
    """From `bawn up` until /readyz says 200 with three local servers required; and which servers.

    The median of three first starts: each with a new state directory.
    """
    servers, which = _three_servers()
    return median(_ready(place / f"start-{n}", servers, cores) for n in range(_STARTS)), which


def install_seconds(place: Path) -> float:
    """A virtual environment with the core in it, from an empty cache: once."""
    begun = time.perf_counter()
    venv.create(place, with_pip=True)
    pip = (str(place / "bin" / "python"), "-m", "pip", "install", "-q", "--no-cache-dir")
    requirements = toolchain.ROOT / "requirements" / "run.txt"
    subprocess.run((*pip, "--require-hashes", "-r", str(requirements)), check=True)
    subprocess.run((*pip, "--no-deps", str(toolchain.ROOT)), check=True)
    subprocess.run([place / "bin" / "bawn", "--help"], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begun


def _seconds(command: list[str]) -> float:
    begun = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begun


def _three_servers() -> tuple[Mapping[str, Any], str]:
    """Servers of the quickstart where they are installed, else mocks."""
    installed = toolchain.ROOT / ".quickstart"
    examples = toolchain.ROOT / "examples" / "quickstart"
    node, python = installed / "node" / "node_modules" / ".bin", installed / "venv" / "bin"
    commands: dict[str, tuple[str | Path, ...]] = {
        "files": (node / "mcp-server-filesystem", examples / "files"),
        "everything": (node / "mcp-server-everything", "stdio"),
        "time": (python / "mcp-server-time", "--local-timezone", "UTC"),
    }
    which = "filesystem and everything (npm), time (PyPI)"
    if not all(Path(command[0]).exists() for command in commands.values()):
        mock = toolchain.mock("stdio")
        commands = dict.fromkeys(commands, (mock, "20"))
        which = "three mocks: the quickstart's servers are not installed"
    servers = {
        name: {"command": [str(word) for word in command], "required": True}
        for name, command in commands.items()
    }
    return servers, which


def _ready(place: Path, servers: Mapping[str, Any], cores: Cores) -> float:
    port = free_port()
    config = configure(place, servers, management=port)
    log = place / "log"
    begun = time.perf_counter()
    command = (*BAWN, "up", "--trust-config", "--config", str(config))
    both = f"{cores.tested},{cores.load}"
    with running(command, both, log, environment(place)) as process:
        wait_until(lambda: _is_ready(port), process, log, pause=0.01)
        return time.perf_counter() - begun


def _is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
            return bool(json.load(answer)["status"] == "ready")
    except (OSError, urllib.error.URLError):
        return False
