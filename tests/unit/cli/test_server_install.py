"""`bawn server install` and `update` say what they would do, and do nothing that was not asked for."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from bawn.cli import app
from bawn.config.load import load
from bawn.errors import INTEGRITY_LAUNCH, Misconfigured, Refused
from bawn.launching.package import Package, Resolution
from bawn.packages import resolve
from bawn.packages.provenance import judge
from bawn.packages.store import resolutions
from bawn.storage.directory import StateDirectory
from tests.unit.packages.fakes import FakeNpm, entry

FILE = """# kept
servers:
  files:
    command: [npx, -y, server@1.0.0]   # why
  odd: {command: [npx, --prefix, /x, other@1.0.0]}
  wiki: {url: https://wiki.example.com/mcp}
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    tool = FakeNpm({"node_modules/server": entry("1.0.0"), "node_modules/dep": entry("2.0.0")})
    real = resolve.resolve

    def offline(package: Package, base: Path) -> Resolution:
        version = package.version or "3.0.0"
        tool.entries["node_modules/server"] = entry(version)
        return real(package, base, tool)

    monkeypatch.setattr(resolve, "resolve", offline)
    monkeypatch.setattr("bawn.packages.install.Tool", lambda environment: tool)
    monkeypatch.setattr(
        "bawn.packages.attesting.look", lambda found, verifier, at: judge(found, [], verifier, at)
    )
    path = tmp_path / "bawn.yaml"
    path.write_text(FILE)
    return path


def run(file: Path, verb: str, *arguments: str) -> tuple[int, str]:
    words = ["server", verb, "--config", str(file), *arguments]
    result = CliRunner().invoke(app, words)
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.exit_code, result.output


def recorded(file: Path) -> Resolution | None:
    return resolutions(StateDirectory(file.parent / ".bawn")).read("files")


def test_it_shows_what_is_installed_and_puts_it_on_record(file: Path) -> None:
    code, output = run(file, "install", "files", "--yes")
    assert code == 0
    assert "npm:server@1.0.0" in output
    assert "2 artifacts" in output
    assert "scripts of packages are not run" in output
    assert "provenance: unmeasured: npm:server@1.0.0 has no attestation" in output
    assert "`bawn reload`" in output
    found = recorded(file)
    assert found is not None
    assert found.program == ("node", "node_modules/server/index.js")
    assert found.tree


def test_without_a_terminal_it_has_to_be_said_that_nobody_is_asked(file: Path) -> None:
    code, output = run(file, "install", "files")
    assert code == 2
    assert "--yes" in output
    assert recorded(file) is None


def test_all_leaves_out_what_cannot_be_installed_and_says_why(file: Path) -> None:
    code, output = run(file, "install", "--all", "--yes")
    assert code == 0
    assert "odd: is left out: the option `--prefix`" in output
    assert recorded(file) is not None


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ((), "expected the id of a server, or --all"),
        (("files", "--all"), "expected the id of a server, or --all"),
        (("none",), "no server `none`"),
        (("wiki",), "runs no package"),
        (("odd",), "the option `--prefix`"),
    ],
)
def test_wrong_use_is_told_with_exit_code_2(
    file: Path, arguments: tuple[str, ...], why: str
) -> None:
    code, output = run(file, "install", "--yes", *arguments)
    assert code == 2
    assert why in output


def test_a_refusal_is_told_with_exit_code_1(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(package: Package, base: Path) -> Resolution:
        raise Refused(INTEGRITY_LAUNCH, detail="another digest")

    monkeypatch.setattr(resolve, "resolve", refused)
    code, output = run(file, "install", "files", "--yes")
    assert code == 1
    assert "another digest" in output

    def failing(package: Package, base: Path) -> Resolution:
        raise Misconfigured("the registry is not there")

    monkeypatch.setattr(resolve, "resolve", failing)
    code, output = run(file, "install", "files", "--yes")
    assert code == 2
    assert "the registry is not there" in output


@pytest.mark.parametrize(("to", "version"), [(("--to", "2.0.0"), "2.0.0"), ((), "3.0.0")])
def test_update_moves_the_version_and_leaves_every_other_line(
    file: Path, to: tuple[str, ...], version: str
) -> None:
    code, output = run(file, "update", "files", "--yes", *to)
    assert code == 0, output
    assert f"npm:server@1.0.0 becomes npm:server@{version}" in output
    command = load(file, {}).config.servers["files"].command
    assert command == ("npx", "-y", f"server@{version}")
    kept = [line for line in FILE.splitlines() if "server@" not in line]
    assert [line for line in file.read_text().splitlines() if "server@" not in line] == kept
    found = recorded(file)
    assert found is not None
    assert found.asked == Package("npm", "server", version)


def test_a_torn_record_is_put_right(file: Path) -> None:
    run(file, "install", "files", "--yes")
    state = StateDirectory(file.parent / ".bawn")
    resolutions(state).path("files").write_text("{")
    assert run(file, "install", "files", "--yes")[0] == 0
    assert recorded(file) is not None
