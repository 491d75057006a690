"""A configuration, what is on record for it, and `bawn lock` run on it."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner, Result

from bawn.cli import app
from bawn.config.load import Loaded
from bawn.launching.definition import launch_of
from bawn.model import Json
from bawn.pins.record import Change, Record
from bawn.storage import StateDirectory
from bawn.storage.files import ServerFiles
from tests.lockfiles import CONFIG, READ, WRITE, configured, pin


class Place:
    """A configuration and what is on record for it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.loaded: Loaded = configured(home, "state: ./state\n" + CONFIG)
        self.file = home / "bawn.lock"

    def run(self, *words: str) -> Result:
        command = ["lock", *words, "--config", str(self.loaded.path)]
        result = CliRunner().invoke(app, command)
        assert result.exception is None or isinstance(result.exception, SystemExit), (
            result.exception
        )
        return result

    def code(self, *words: str) -> int:
        return self.run(*words).exit_code

    def approve(self, server: str, *tools: Json, waiting: tuple[Change, ...] = ()) -> None:
        """Have these on record, and nothing else."""
        pins = tuple(map(pin, tools))
        if server == "files":
            pins += (pin(launch_of(self.loaded.config.servers[server], None), "launch", ""),)
        files = ServerFiles(StateDirectory(self.loaded.state).pins, Record)
        files.update(server, lambda _: Record(server, 1.0, pins=pins, waiting=waiting))

    def approved(self) -> Place:
        for server in ("files", "far"):
            self.approve(server, READ, WRITE)
        return self
