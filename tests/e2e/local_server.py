"""The fixture server of servers/stdio.py as a line of a configuration, and its diary."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from bawn.model import Json
from tests.e2e.runner_process import SERVER


def local(name: str, *traits: str, diary: Path, env: str = "", **settings: str) -> str:
    """A server of this name; `settings`, and `env` after a comma, are written as they are.

    Unconfined unless they say otherwise, so that the process ids in its diary are those of the tests.
    """
    settings = {"confine": "off", **settings}
    extra = "".join(f", {key}: {value}" for key, value in settings.items())
    command = json.dumps([sys.executable, SERVER, *traits])
    return f"  {name}: {{command: {command}, env: {{DIARY: '{diary}'{env}}}{extra}}}\n"


def entries(diary: Path, event: str) -> list[Json]:
    """What the servers wrote of this event."""
    lines = diary.read_text().splitlines() if diary.exists() else []
    return [entry for entry in map(json.loads, lines) if entry["event"] == event]
