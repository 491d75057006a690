"""Running a package manager: no shell, a scrubbed environment, bounded time and output."""

from __future__ import annotations

import os
import re
import select
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from bawn.errors import INTEGRITY_LAUNCH, Misconfigured, Refused

SECONDS: Final = 600.0
"""npm waits 300 of them for one answer, and then asks again."""
OUTPUT: Final = 4 << 20
REPORT: Final = 32 << 20
"""Bytes of a lock or report that a tool writes; a thousand packages take one."""

_KEPT: Final = frozenset(
    [
        "PATH",
        "HOME",
        "LANG",
        "TMPDIR",
        "USER",
        "XDG_CONFIG_HOME",
        "XDG_CACHE_HOME",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "NO_PROXY",
        "ALL_PROXY",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
        "REQUESTS_CA_BUNDLE",
        "NODE_EXTRA_CA_CERTS",
        "NPM_TOKEN",
        "NODE_AUTH_TOKEN",
        "NETRC",
        "PIP_INDEX_URL",
        "PIP_EXTRA_INDEX_URL",
        "PIP_FIND_LINKS",
        "PIP_NO_INDEX",
        "PIP_CERT",
        "PIP_CLIENT_CERT",
        "PIP_TRUSTED_HOST",
        "PIP_PROXY",
        "PIP_DEFAULT_TIMEOUT",
        "PIP_RETRIES",
        "PIP_CONFIG_FILE",
        "PIP_CACHE_DIR",
        "PIP_KEYRING_PROVIDER",
        "NPM_CONFIG_REGISTRY",
        "NPM_CONFIG_USERCONFIG",
        "NPM_CONFIG_GLOBALCONFIG",
        "NPM_CONFIG_CAFILE",
        "NPM_CONFIG_CA",
        "NPM_CONFIG_PROXY",
        "NPM_CONFIG_HTTPS_PROXY",
        "NPM_CONFIG_NOPROXY",
        "NPM_CONFIG_CACHE",
        "NPM_CONFIG_FETCH_TIMEOUT",
        "NPM_CONFIG_FETCH_RETRIES",
        "NPM_CONFIG_FETCH_RETRY_FACTOR",
        "NPM_CONFIG_FETCH_RETRY_MINTIMEOUT",
        "NPM_CONFIG_FETCH_RETRY_MAXTIMEOUT",
    ]
)
"""Where registries are and how they are reached; nothing that says what is run, or installed where."""
_CREDENTIALS: Final = re.compile(r"(?<=://)[^/@\s]+@")
_TAMPERED: Final = ("EINTEGRITY", "DO NOT MATCH THE HASHES", "Hashes are required in --require")
_TOLD: Final = 6  # lines of what a tool said that are shown

Run: TypeAlias = Callable[[Sequence[str], Path], str]
"""Runs a tool in a directory and gives what it wrote; tests have another."""


@dataclass(frozen=True, slots=True)
class Tool:
    """Starts tools, each for `seconds` and `output` bytes at most.

    Raises:
        Misconfigured: when called: it is not there, fails, takes too long or writes too much.
        Refused: integrity.launch: what it was given by a registry is not what it has to be.
    """

    environment: Mapping[str, str]
    seconds: float = SECONDS
    output: int = OUTPUT

    def __call__(self, argv: Sequence[str], directory: Path) -> str:
        env = scrubbed(self.environment)
        program = shutil.which(argv[0], path=env.get("PATH", os.defpath))
        if program is None:
            raise Misconfigured(
                f"`{argv[0]}` was not found on PATH; expected it to be installed: packages of its "
                "kind cannot be resolved without"
            )
        process = subprocess.Popen(
            (program, *argv[1:]),
            cwd=directory,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            said = self._read(process, Path(argv[0]).name)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        if process.returncode != 0:
            raise _failed(Path(argv[0]).name, said)
        return said

    def _read(self, process: subprocess.Popen[bytes], name: str) -> str:
        if process.stdout is None:
            return ""
        ends = time.monotonic() + self.seconds
        said = bytearray()
        with process.stdout as pipe:
            while True:
                ready, _, _ = select.select([pipe], [], [], max(0.0, ends - time.monotonic()))
                if not ready:
                    raise Misconfigured(
                        f"{name} was not done within {self.seconds:g} s, and was ended; is its "
                        "registry reachable?"
                    )
                chunk = os.read(pipe.fileno(), 1 << 16)
                if not chunk:
                    break
                said += chunk
                if len(said) > self.output:
                    raise Misconfigured(
                        f"{name} wrote more than {self.output} bytes, and was ended"
                    )
        with suppress(subprocess.TimeoutExpired):
            process.wait(max(0.1, ends - time.monotonic()))
        return said.decode("utf-8", "replace")


def scrubbed(environment: Mapping[str, str]) -> dict[str, str]:
    """The part of an environment that says where a registry is, and how it is reached."""
    kept = {
        name: value
        for name, value in environment.items()
        if name.upper() in _KEPT
        or name.startswith("LC_")
        or name.lower().startswith(("npm_config_@", "npm_config_//"))
    }
    return kept | {"PIP_NO_INPUT": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "NO_COLOR": "1"}


def read_bounded(path: Path, most: int = REPORT) -> bytes:
    """What a tool wrote into a file.

    Raises:
        Misconfigured: there is none, or it is too large.
    """
    try:
        with path.open("rb") as file:
            content = file.read(most + 1)
    except OSError as problem:
        raise Misconfigured(f"{path.name} was not written ({problem.strerror})") from None
    if len(content) > most:
        raise Misconfigured(f"{path.name} is larger than {most} bytes; nothing was taken from it")
    return content


def _failed(name: str, said: str) -> Misconfigured | Refused:
    lines = [line.strip() for line in _CREDENTIALS.sub("***@", said).splitlines() if line.strip()]
    telling = [line for line in lines if "error" in line.lower() or "DO NOT MATCH" in line]
    shown = "; ".join((telling or lines)[:_TOLD])[:1500]
    if any(mark in said for mark in _TAMPERED):
        return Refused(
            INTEGRITY_LAUNCH,
            detail=f"{name} was given something else than what was resolved: {shown}",
        )
    return Misconfigured(f"{name} could not do it: {shown or 'it said nothing'}")
