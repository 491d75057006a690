"""The other scanner is run by its own interpreter, or it is said why not."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bawn.assurance.measuring.cisco import counted, interpreter
from bawn.assurance.measuring.measure import Dataset
from bawn.assurance.measuring.rows import Row
from bawn.assurance.measuring.wilson import Share
from bawn.errors import Misconfigured
from tests.unit.assurance.measuring.showing import outputs

ANALYZER = """\
import os
class YaraAnalyzer:
    async def analyze(self, content):
        assert "SECRET_OF_THE_CALLER" not in os.environ
        return ["found"] if "steal" in content else []
"""


@pytest.fixture
def scanner(tmp_path: Path) -> Path:
    """A program like Cisco's: its first line names an interpreter that has the package."""
    folder = tmp_path / "lib/mcpscanner/core/analyzers"
    folder.mkdir(parents=True)
    (folder / "yara_analyzer.py").write_text(ANALYZER)
    python = tmp_path / "python3"
    python.write_text(f'#!/bin/sh\nPYTHONPATH={tmp_path}/lib exec {sys.executable} "$@"\n')
    python.chmod(0o755)
    program = tmp_path / "mcp-scanner"
    program.write_text(f"#!{python}\n")
    return program


def test_it_is_shown_the_same_rows(scanner: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_OF_THE_CALLER", "x")
    data = outputs(("attack", "steal"), ("attack", "take"), ("benign", "é\u2028\n"))
    found = counted(interpreter(scanner), data)
    assert (found.caught, found.flagged) == (Share(1, 2), Share(0, 1))


def test_of_a_tool_the_description_and_the_rest_are_looked_at(scanner: Path) -> None:
    tools = ({"name": "a", "description": "steal"}, {"name": "steal"}, {"name": "b", "title": ""})
    rows = tuple(Row(id="a", label="attack", tool=each) for each in tools)
    found = counted(interpreter(scanner), Dataset("tools", rows, ""))
    assert found.caught == Share(2, 3)


def test_a_scanner_that_is_not_there_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Misconfigured, match="not on PATH"):
        interpreter(None)
    with pytest.raises(Misconfigured, match="cannot be read"):
        interpreter(tmp_path / "none")


def test_a_program_of_another_kind_is_not_run(tmp_path: Path) -> None:
    program = tmp_path / "mcp-scanner"
    program.write_text("#!/bin/sh\ntouch ran\n")
    with pytest.raises(Misconfigured, match="names Python"):
        interpreter(program)


def test_a_scanner_that_breaks_is_told(scanner: Path, tmp_path: Path) -> None:
    (tmp_path / "lib/mcpscanner/core/analyzers/yara_analyzer.py").write_text("raise OSError('so')")
    with pytest.raises(Misconfigured, match="could not be run: OSError: so"):
        counted(interpreter(scanner), outputs(("attack", "steal")))
