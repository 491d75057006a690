"""The honest server is somebody else's where one is installed."""

from __future__ import annotations

from pathlib import Path

import pytest

from bawn.demo.benign import OWN, PACKAGE, TIME, present
from bawn.demo.honest import Honest
from bawn.launching.grammar import read


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with the program, and a PATH without it."""
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    program = tmp_path / "bin" / "mcp-server-time"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    return program


def test_it_is_found_on_the_path(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(place.parent))
    found = present(())
    assert found is not None
    assert found.command[0] == str(place)
    assert found.real


def test_it_is_found_beside_what_is_named(place: Path) -> None:
    found = present((place.parent.parent, place.parent))
    assert found is not None
    assert found.command == (str(place), "--local-timezone", "UTC")


def test_what_is_not_there_or_no_program_is_not_taken(place: Path) -> None:
    assert present(()) is None
    place.chmod(0o644)
    assert present((place.parent,)) is None


def test_what_would_be_installed_is_named_by_its_exact_version() -> None:
    launching = read(TIME.command, {})
    assert not launching.errors
    assert launching.package is not None
    assert f"{launching.package.name}=={launching.package.version}" == PACKAGE


def test_our_own_is_no_real_one_and_answers_as_the_story_has_it() -> None:
    assert not OWN.real
    name = OWN.tool.partition("__")[2]
    assert Honest().call(name, OWN.arguments) == OWN.says
