"""`bawn server sbom` prints what a server would run, and says when that is not all of it."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner, Result

from bawn.cli import app
from bawn.launching.package import Artifact, Package, Resolution
from bawn.storage.directory import StateDirectory
from tests.unit.vulnerabilities.trees import project


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "none"))
    project(tmp_path / "srv")
    Path("bawn.yaml").write_text(
        "servers:\n"
        "  own: {command: [node, srv/index.js]}\n"
        "  git: {command: [uvx, mcp-server-git==1.0]}\n"
        "  far: {url: https://example.com/mcp}\n"
    )


def run(*arguments: str) -> Result:
    result = CliRunner().invoke(app, ["server", "sbom", *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result


def test_it_prints_cyclonedx() -> None:
    result = run("own")
    told = json.loads(result.stdout)
    assert (result.exit_code, told["bomFormat"], told["specVersion"]) == (0, "CycloneDX", "1.6")
    assert {each["name"] for each in told["components"]} == {"own", "a", "b", "tool"}
    assert result.stderr == ""


def test_it_writes_a_file(tmp_path: Path) -> None:
    assert run("own", "--output", "bom.json").stdout == ""
    assert json.loads((tmp_path / "bom.json").read_text())["metadata"]["component"]["name"] == "own"


def test_a_file_that_cannot_be_written_is_told() -> None:
    result = run("own", "--output", "nowhere/bom.json")
    assert result.exit_code == 2
    assert "cannot be written" in result.stderr


@pytest.mark.parametrize(("name", "said"), [("git", "partial"), ("far", "unknown")])
def test_what_is_not_complete_says_so(name: str, said: str) -> None:
    result = run(name)
    assert result.exit_code == 0
    assert f"the inventory is {said}" in result.stderr


def test_what_was_installed_is_told_by_its_digests(tmp_path: Path) -> None:
    package = Package("pypi", "mcp-server-git", "1.0")
    artifacts = (Artifact("mcp-server-git", "1.0", ""), Artifact("jinja2", "3.1.2", ""))
    state = StateDirectory(tmp_path / ".bawn")
    from bawn.packages.store import resolutions

    resolutions(state).update("git", lambda _: Resolution(package, package, artifacts, "d"))
    told = json.loads(run("git").stdout)
    assert [each["purl"] for each in told["components"]] == [
        "pkg:pypi/jinja2@3.1.2", "pkg:pypi/mcp-server-git@1.0",
    ]  # fmt: skip


def test_a_record_of_the_installed_that_is_torn_counts_for_nothing(tmp_path: Path) -> None:
    state = StateDirectory(tmp_path / ".bawn")
    file = state.packages / "git.json"
    file.write_bytes(msgspec.json.encode("torn"))
    file.chmod(0o600)
    result = run("git")
    assert "the inventory is partial" in result.stderr
    assert "git.json" in result.stderr


def test_an_unknown_server_is_wrong_use() -> None:
    result = run("nobody")
    assert result.exit_code == 2
    assert "it has own, git, far" in result.stderr
