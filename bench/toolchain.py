"""What the measurements need beyond Python: wrk, nginx and a C compiler, the mocks, FastMCP."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).resolve().parent
ROOT: Final = HERE.parent
WORK: Final = ROOT / ".bench"
"""Everything that is built or written: ignored by git, and safe to remove."""

_PACKAGES: Final = {
    "wrk": ("wrk",),
    "nginx": ("nginx-light",),
    "cc": ("gcc", "libc6-dev"),
}


class MissingError(Exception):
    """A program is not there and could not be installed; the text says what to do."""


def require(*programs: str) -> None:
    """Have these programs, installing Debian's packages when that is possible.

    Raises:
        MissingError: one is not there.
    """
    missing = [name for name in programs if shutil.which(name) is None]
    if not missing:
        return
    packages = [package for name in missing for package in _PACKAGES[name]]
    command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages]
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        raise MissingError(
            f"{', '.join(missing)} not found; expected on PATH: run `{' '.join(command)}` as root, or "
            "install them in your system's way"
        )
    print(f"installing {' '.join(packages)}", file=sys.stderr)
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for step in (["apt-get", "update", "-qq"], command):
        done = subprocess.run(step, env=quiet, capture_output=True, text=True, check=False)
        if done.returncode:
            raise MissingError(f"`{' '.join(step)}` failed: {done.stderr.strip()[-500:]}")


def mock(name: str) -> Path:
    """The mock server `upstream` (HTTP) or `stdio`, compiled if its source has changed.

    Raises:
        MissingError: there is no C compiler, or it does not like the source.
    """
    sources = [HERE / "mock" / f"{name}.c", HERE / "mock" / "message.c"]
    built = WORK / name
    newest = max(path.stat().st_mtime for path in (HERE / "mock").iterdir())
    if built.exists() and built.stat().st_mtime >= newest:
        return built
    require("cc")
    WORK.mkdir(exist_ok=True)
    fresh = built.with_name(f"{name}.{os.getpid()}")
    command = ["cc", "-O2", "-std=c11", "-Wall", "-Wextra", "-o", str(fresh), *map(str, sources)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise MissingError(f"{name}.c does not compile: {done.stderr.strip()[-500:]}")
    return fresh.replace(built)


def fastmcp() -> Path:
    """The interpreter of a virtual environment that holds FastMCP as `bench/fastmcp.txt` locks it.

    Raises:
        MissingError: it cannot be installed.
    """
    place, lock = WORK / "fastmcp", HERE / "fastmcp.txt"
    python, done = place / "bin" / "python", place / "installed.txt"
    if done.exists() and done.read_bytes() == lock.read_bytes():
        return python
    print("installing FastMCP into .bench/fastmcp", file=sys.stderr)
    venv.create(place, clear=True, with_pip=True)
    command = [str(python), "-m", "pip", "install", "-q", "--require-hashes", "-r", str(lock)]
    tried = subprocess.run(command, capture_output=True, text=True, check=False)
    if tried.returncode:
        raise MissingError(f"FastMCP cannot be installed: {tried.stderr.strip()[-500:]}")
    shutil.copy(lock, done)
    return python


def version_of(*command: str | Path) -> str:
    """The first line that a program says of its version, on either output."""
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    return (said.stdout or said.stderr).partition("\n")[0].strip()
