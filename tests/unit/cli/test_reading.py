"""What is wrong with a configuration reaches the user line by line, and the exit code is 2."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer

from bawn.cli.reading import explained, loaded, on_terminal
from bawn.errors import Misconfigured


def test_every_problem_is_a_line_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as caught, explained():
        raise Misconfigured("first:\n  more", "sec\x1bond")

    assert caught.value.exit_code == 2
    assert capsys.readouterr().err == "bawn: first:\n  more\nbawn: sec\\x1bond\n"


def test_the_environment_of_the_process_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bawn.yaml").write_text("log: {level: info}\n")
    monkeypatch.setenv("BAWN_LOG__LEVEL", "debug")

    assert loaded(tmp_path / "bawn.yaml").config.log.level == "debug"


def test_a_pipe_is_no_terminal() -> None:
    assert not on_terminal()
