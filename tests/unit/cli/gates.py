"""A configuration, and a running gate that is none: what commands about gates see."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from bawn.app import control
from bawn.app.control import NotRunningError
from bawn.cli import app
from bawn.model import Json

STATUS: Json = {
    "config": "/etc/bawn.yaml",
    "url": "http://127.0.0.1:8811",
    "management": "127.0.0.1:8812",
    "socket": "/run/gate.sock",
    "policy": {"directory": None, "version": "0" * 64, "rules": 1, "enforcement": "enforce"},
    "pids": {"supervisor": 1, "steward": 4, "runner": None, "workers": [2, None, 3]},
}


def server(state: str = "ok", detail: str = "", *, local: bool = False) -> Json:
    """What /readyz says of one server."""
    confined = "no: bubblewrap is not installed" if local else None
    return {"state": state, "detail": detail, "version": "2026-07-28", "confined": confined}


def health(**servers: Json) -> Json:
    """What /readyz says to the owner."""
    return {
        "status": "ready",
        "audit": "writing",
        "longest_name": "files__read",
        "servers": servers,
    }


class FakeGate:
    """Answers orders so; None is a gate that does not run, or a worker that does not answer."""

    def __init__(self, place: Path, patch: pytest.MonkeyPatch, text: str = "") -> None:
        self.path = place / "bawn.yaml"
        self.path.write_text(text or "servers: {far: {url: 'http://127.0.0.1:9/'}}\n")
        self.answer: Json | None = STATUS
        self.health: Json | None = health()
        self.asked: list[str] = []
        self.more: list[Json] = []
        patch.setenv("XDG_STATE_HOME", str(place / "xdg"))
        patch.setattr(control, "ask", self._ask)
        # the package's attribute of this name is the command, not its module
        patch.setattr(sys.modules["bawn.cli.status"], "health", lambda socket: self.health)

    def _ask(self, state: Path, what: str, **more: str) -> Json:
        self.asked.append(what)
        self.more.append(more)
        if self.answer is None:
            raise NotRunningError(f"no gate runs on {state}")
        return dict(self.answer)

    def run(self, *arguments: str, **options: Any) -> Result:
        """Run a command about this gate."""
        command = [*arguments, "--config", str(self.path)]
        result = CliRunner().invoke(app, command, **options)
        assert result.exception is None or isinstance(result.exception, SystemExit)
        return result
