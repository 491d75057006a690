"""No local server may be given a directory that holds bawn's own files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bawn.config import Config
from bawn.config.load import Loaded, load
from bawn.config.roots import refuse_roots
from bawn.errors import Misconfigured


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with a project in it, whose directory holds the configuration."""
    home = tmp_path / "home"
    (home / "project" / "docs").mkdir(parents=True)
    (home / "consents" / "bawn").mkdir(parents=True)
    (home / "project" / ".bawn" / "keys").mkdir(parents=True)
    (home / "project" / "bawn.yaml").write_text("")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_STATE_HOME", str(home / "consents"))
    return home


def loaded(home: Path, *arguments: str, state: str = "./.bawn", **settings: Any) -> Loaded:
    server = {"command": ("serve", *arguments), **settings}
    config = Config.model_validate({"servers": {"files": server}, "state": state})
    return Loaded(config, home / "project" / "bawn.yaml", "")


def refusal(found: Loaded) -> str:
    with pytest.raises(Misconfigured) as problem:
        refuse_roots(found)
    (text,) = problem.value.problems
    return text


@pytest.mark.parametrize(
    ("argument", "contains"),
    [
        ("/", "the configuration"),
        ("~", "the configuration"),
        ("~/project", "the configuration"),
        (".", "the configuration"),
        ("..", "the configuration"),
        ("./docs/..", "the configuration"),
        ("bawn.yaml", "the configuration"),
        (".bawn", "the state directory"),
        ("./.bawn/keys", "the state directory"),
        ("~/consents", "the record of consents"),
        ("~/consents/bawn/trust.json", "the record of consents"),
        ("--root=.", "the configuration"),
        ("--root=~/project", "the configuration"),
        ("root=..", "the configuration"),
        ("/:/host", "the configuration"),
        ("--volume=/:/host:ro", "the configuration"),
        ("docs,.bawn", "the state directory"),
        ("file:///", "the configuration"),
        ("link", "the configuration"),
    ],
)
def test_an_argument_that_contains_bawns_own_is_refused(
    home: Path, argument: str, contains: str
) -> None:
    (home / "project" / "link").symlink_to(home)
    text = refusal(loaded(home, "--verbose", argument))
    assert f"`{argument}`" in text
    assert contains in text
    assert "servers.files.command" in text
    assert "name only the directories" in text


@pytest.mark.parametrize(
    "argument",
    [
        "",
        "docs",
        "./docs",
        "--root=./docs",
        "~/other",
        "/usr/share",
        "${data}",
        "${data}/x",
        "--port=80",
        "http://localhost:8080/",
        "postgresql://who@host:5432/db",
        "UTC",
        "-y",
        "~nobody-has-this-name/x",
        ".bawn2",
        "@modelcontextprotocol/server-filesystem@1.0.0",
    ],
)
def test_other_arguments_pass(home: Path, argument: str) -> None:
    refuse_roots(loaded(home, argument))


def test_the_home_directory_is_refused_wherever_bawns_files_are(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.setenv("HOME", str(empty))
    assert "your home directory" in refusal(loaded(home, "~"))
    refuse_roots(loaded(home, "~/below"))


def test_a_relative_argument_starts_at_the_servers_own_directory(home: Path) -> None:
    refuse_roots(loaded(home, ".", cwd="docs"))
    assert "the configuration" in refusal(loaded(home, "..", cwd="docs"))


def test_relative_arguments_of_a_callers_project_are_not_the_gates(home: Path) -> None:
    refuse_roots(loaded(home, ".", isolation="project"))
    assert "the configuration" in refusal(loaded(home, "~", isolation="project"))


def test_a_state_directory_around_the_configuration_closes_only_itself(home: Path) -> None:
    refuse_roots(loaded(home, "./docs", state="."))
    assert "the configuration" in refusal(loaded(home, ".", state="."))


def test_every_server_and_argument_is_told_at_once(home: Path) -> None:
    with pytest.raises(Misconfigured) as problem:
        refuse_roots(loaded(home, "/", "docs", "~"))
    assert len(problem.value.problems) == 2


def test_the_quickstart_passes() -> None:
    refuse_roots(load(Path(__file__).parents[3] / "examples" / "quickstart.yaml", {}))
