"""What a gateway loses of what a direct connection passes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from ruamel.yaml import YAML

from tests.conformance.suite import Found

EXPECTED: Final = Path(__file__).parent / "expected-failures.yml"


@dataclass(frozen=True)
class Loss:
    """A check that is worse here than direct."""

    wire: str
    scenario: str
    check: str
    status: str
    said: str

    def __str__(self) -> str:
        return f"{self.wire} {self.scenario} {self.check}: {self.status} {self.said}"


def losses(wire: str, direct: Found, here: Found) -> list[Loss]:
    """Every check that is lost: it fails here only, or passes direct and was not even made here."""
    before = {check.key: check for check in direct.checks}
    now = {check.key: check for check in here.checks}
    lost = [
        check
        for key, check in now.items()
        if check.failed and not (key in before and before[key].failed)
    ]
    for key, check in before.items():
        if check.status == "SUCCESS" and (key not in now or now[key].status == "SKIPPED"):
            lost.append(replace(check, status="MISSING", said="the scenario did not come to it"))
    return [Loss(wire, check.scenario, check.id, check.status, check.said) for check in lost]


@dataclass(frozen=True)
class Expected:
    """A line of expected-failures.yml: why a check cannot pass in front of such a server."""

    path: str
    wire: str
    scenario: str
    checks: tuple[str, ...]
    """Empty: every check of the scenario."""
    cites: str

    def covers(self, path: str, loss: Loss) -> bool:
        """Whether this loss is the expected one."""
        asked = (self.path, self.wire, self.scenario)
        named = not self.checks or loss.check in self.checks
        return named and asked == (path, loss.wire, loss.scenario)


def expected() -> list[Expected]:
    """The lines of the file."""
    rows = YAML(typ="safe").load(EXPECTED.read_text()) or []
    return [
        Expected(row["path"], str(row["wire"]), row["scenario"], tuple(row.get("checks", ())), row["cites"])
        for row in rows
    ]  # fmt: skip


def unexpected(path: str, lost: Iterable[Loss], known: list[Expected]) -> Iterator[Loss]:
    """The losses that no line covers."""
    for loss in lost:
        if not any(line.covers(path, loss) for line in known):
            yield loss


def stale(path: str, wire: str, lost: list[Loss], known: list[Expected]) -> list[Expected]:
    """The lines for this path and wire whose scenario loses nothing any more: to be removed."""
    mine = [line for line in known if (line.path, line.wire) == (path, wire)]
    return [line for line in mine if not any(line.covers(path, loss) for loss in lost)]
