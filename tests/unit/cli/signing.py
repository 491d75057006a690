"""A directory with a trust root and a lockfile, and the commands run in it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from bawn.cli import app


@dataclass(frozen=True)
class Desk:
    """`sign` runs `bawn sign …` here: its exit code and all that it prints."""

    path: Path

    def sign(self, *words: str, answer: str | None = None) -> tuple[int, str]:
        result = CliRunner().invoke(app, ["sign", *words], input=answer)
        assert result.exception is None or isinstance(result.exception, SystemExit), (
            result.exception
        )
        return result.exit_code, result.output

    def done(self, *words: str) -> str:
        code, output = self.sign(*words)
        assert code == 0, output
        return output

    def init(self) -> None:
        """Two of carol and dan review, pat publishes for `files`, one key signs roots."""
        self.done("init", "--publishers", "pat=files", "--reviewers", "carol,dan",
                  "--threshold", "reviewer=2")  # fmt: skip

    def write_lock(self, **more: Any) -> None:
        (self.path / "bawn.lock").write_text(json.dumps({"servers": {"files": {}}, **more}))


def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A desk in this directory, which becomes the working directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "xdg"))
    return Desk(tmp_path)
