"""The two halves of the inspection on a detector that finds what it is told to."""

from __future__ import annotations

import itertools
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bawn.config import Config, Server
from bawn.config.inspection import InspectionConfig
from bawn.detectors.survey import Survey
from bawn.inspection.decisions import Decisions
from bawn.inspection.guard.guard import Guard
from bawn.inspection.leaving import Leaving
from bawn.inspection.outputs.withholding import Withheld
from bawn.inspection.redaction.tokens import Tokens
from bawn.inspection.returning import Returning
from bawn.model import Call, Client, Detection, Item, Json, Kind, Principal, Severity, Surface
from bawn.ports import Found
from bawn.ports.inspecting import Wanted
from bawn.protocol.sealing import Sealer
from tests.gate import ADA

NOON = 1_800_000_000.0
SURFACES = frozenset(Surface)
WORDS = {
    "EVIL": ("output/evil", Severity.HIGH),
    "ODD": ("output/odd", Severity.LOW),
    "PLANTED": ("canary/first", Severity.CRITICAL),
    "hunter2": ("secret/password", Severity.HIGH),
}
"""What is found, by the word that it is."""

TOOL: Json = {
    "name": "read",
    "inputSchema": {
        "type": "object",
        "properties": {
            "path": {"type": "string", "description": "Path of the file."},
            "note": {"type": "string", "maxLength": 300},
            "count": {"type": "integer"},
        },
    },
}
READ = Item(Kind.TOOL, "files", "read", "files__read", TOOL)
PAGE = Item(Kind.RESOURCE, "files", "file:///a", "file:///a", {})


class Words:
    """Finds the words above."""

    id = "output"
    surfaces = SURFACES
    forms: Wanted = "raw"
    triggers: Sequence[str] = tuple(WORDS)

    def detect(self, text: str, surface: Surface) -> Sequence[Detection]:
        """Fills `ports.Detector`."""
        found = [
            Detection(rule, severity, at, at + len(word), "…")
            for word, (rule, severity) in WORDS.items()
            if (at := text.find(word)) >= 0
        ]
        return sorted(found, key=lambda each: each.start)


class Stages:
    """Leaving and returning, and what was held back."""

    def __init__(self, *, server: dict[str, Any] | None = None, **settings: Any) -> None:
        inspection = InspectionConfig.model_validate(settings)
        given = Server.model_validate({"url": "http://127.0.0.1:9/mcp", **(server or {})})
        config = Config(servers={"files": given}, inspection=inspection)
        survey = Survey([Words()])
        decisions = Decisions(inspection, lambda: NOON)
        numbers = itertools.count()
        sealer = Sealer([b"k" * 32], lambda: os.urandom(12))
        self.tokens = Tokens(sealer, lambda: NOON) if inspection.reversible else None
        self.held: list[Json] = []
        guard = Guard("/home/ada", own=("/srv/gate/bawn.yaml",))
        self.leaving = Leaving(config, Path("/srv/gate"), survey, guard, decisions, self.tokens)
        self.returning = Returning(
            survey,
            decisions,
            lambda: f"n{next(numbers)}",
            inspection.redacted,
            self.tokens,
            self._hold,
        )

    def _hold(self, call: Call, item: Item, tree: Json, found: Sequence[Found]) -> Withheld:
        self.held.append(tree)
        return Withheld("h" * 40, NOON + 60, tuple(found), "http://gate")


def call(params: Json, principal: Principal = ADA, method: str = "tools/call") -> Call:
    """A call with these params."""
    return Call(1, method, params, principal, "files", Client("2026-07-28"), "t" * 32)


def arguments(**given: Any) -> Json:
    """The params of a call of the tool."""
    return {"name": "read", "arguments": given}


def text(*several: str) -> Json:
    """A result of these texts."""
    content = [{"type": "text", "text": each} for each in several]
    return {"resultType": "complete", "content": content}
