"""What the steward found out of the servers, as a small file that every worker reads when it is asked.

So a worker can tell the health of all without the steward, which may be just about to be started again.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

from bawn.config.atomic import replace
from bawn.findings.evidence import Evidence
from bawn.model import Health, ServerState


class Report(msgspec.Struct, frozen=True):
    """The state of each server, and of the View that was made of them."""

    servers: dict[str, ServerState]
    view: str = ""
    items: dict[str, int] = {}
    longest_name: str = ""
    confinement: dict[str, str] = {}
    """How each local server is confined, in words; empty where the runner has not told."""

    policy: list[str] = []
    """What is wrong with the policies, as far as the servers tell."""

    across: list[str] = []
    """What servers are to each other that somebody should see."""

    trust: dict[str, tuple[Evidence, ...]] = {}
    """The trust status of each server."""

    waiting: dict[str, int] = {}
    """How many definitions of each server wait for a decision."""

    vulnerabilities: dict[str, dict[str, int]] = {}
    """Known vulnerabilities of what each server runs, by severity."""


_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(Report).decode


def write(path: Path, report: Report) -> None:
    """Put the report in the place of the last one.

    Raises:
        OSError: the last one stays.
    """
    replace(path, _encode(report), durable=False)


def read(path: Path) -> Report:
    """The last report; an empty one when there is none that can be read."""
    try:
        return _decode(path.read_bytes())
    except (OSError, msgspec.MsgspecError, UnicodeError):
        return Report({})


def failing(report: Report, required: list[str]) -> list[str]:
    """Those of the required servers that do not work."""
    states = report.servers
    return [n for n in required if n not in states or states[n].health is not Health.OK]
