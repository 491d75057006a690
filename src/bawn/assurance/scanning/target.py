"""What is scanned: a server as a file, a configuration, a lockfile or the server itself tells of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from bawn.config import Server
from bawn.discovery.entry import Secret
from bawn.findings.finding import Finding, Level
from bawn.launching.package import Resolution
from bawn.model import Json
from bawn.pins.record import Aspect

Definitions: TypeAlias = Mapping[Aspect, tuple[Json, ...]]


@dataclass(frozen=True, slots=True)
class Target:
    """One server. `definitions` is None where nobody has listed them; `env` may hold secrets.

    `group` names those that one caller reaches together; `settings` are those of a gate's own server.
    `file` and `line` are where it is written down.
    """

    name: str
    group: str
    file: str = ""
    line: int = 0
    command: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    cwd: Path = Path()
    cwd_as_written: str = ""
    url: str = ""
    secrets: tuple[Secret, ...] = ()
    definitions: Definitions | None = None
    settings: Server | None = None
    resolution: Resolution | None = None
    prefix: str = ""

    def finding(
        self, level: Level, kind: str, message: str, fix: str = "", item: str = ""
    ) -> Finding:
        """A finding about this server, or about one of its items."""
        subject = f"{self.name}/{item}" if item else self.name
        return Finding(level, kind, "", self.file, self.line, message, fix, subject)
