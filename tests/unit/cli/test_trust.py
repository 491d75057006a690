"""`bawn trust` shows exactly what will run, and takes consent from a person only."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bawn.cli import app
from bawn.cli.trust import first_consent
from bawn.config import trust
from bawn.config.load import load
from bawn.config.trust import is_trusted
from bawn.errors import Misconfigured

LONG = "x" * 5000
FILE = f"""\
servers:
  files:
    command: [npx, "server files", "\\e[2Jharmless", {LONG}]
    cwd: ./docs
    env: {{TOKEN: "${{keyring:files}}"}}
  issues: {{url: https://example.com/mcp}}
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    path = tmp_path / "bawn.yaml"
    path.write_text(FILE)
    return path


def run(file: Path, *arguments: str, answer: str | None = None) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["trust", "--config", str(file), *arguments], input=answer)
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.exit_code, result.output


def consented(file: Path) -> bool:
    found = load(file, {})
    return is_trusted(found.path, found.digest)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["bawn.cli.trust"], "on_terminal", lambda: True)


def test_without_a_terminal_nothing_is_consented_to(file: Path) -> None:
    code, output = run(file, answer="y\n")

    assert code == 2
    assert "no terminal to ask on" in output
    assert f"bawn trust --yes --config {file}" in output
    assert not consented(file)


def test_each_command_is_shown_whole_and_harmless(file: Path) -> None:
    code, output = run(file, "--yes")

    assert code == 0
    assert f"npx 'server files' $'\\x1b[2Jharmless' {LONG}\n" in output
    assert "in ./docs" in output
    assert "with TOKEN=${keyring:files}" in output
    assert "\x1b" not in output
    assert "issues" not in output


def test_yes_consents_without_being_asked(file: Path) -> None:
    assert run(file, "--yes")[0] == 0
    assert consented(file)


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("n\n", 1), ("\n", 1)])
def test_on_a_terminal_only_a_yes_is_a_yes(file: Path, answer: str, code: int) -> None:
    assert run(file, answer=answer)[0] == code
    assert consented(file) is (code == 0)


@pytest.mark.usefixtures("terminal")
def test_no_answer_is_no_consent(file: Path) -> None:
    assert run(file, answer="")[0] == 1
    assert not consented(file)


def test_consent_given_once_is_not_asked_for_again(file: Path) -> None:
    run(file, "--yes")

    code, output = run(file)

    assert code == 0
    assert "consented to this already" in output


def test_what_starts_nothing_needs_no_consent(file: Path) -> None:
    file.write_text("servers: {issues: {url: https://example.com/mcp}}\n")

    code, output = run(file)

    assert code == 0
    assert "no consent is needed" in output
    assert not consented(file)


def test_what_cannot_be_used_cannot_be_consented_to(file: Path) -> None:
    file.write_text("servers: {files: {command: []}}\n")

    assert run(file, "--yes")[0] == 2


def test_a_store_that_cannot_be_relied_on_is_told(file: Path, tmp_path: Path) -> None:
    run(file, "--yes")
    (tmp_path / "state/bawn/trust.json").chmod(0o666)

    code, output = run(file, "--yes")

    assert code == 2
    assert "others can change what you consented to" in output


# ── for services ──


def service(file: Path) -> None:
    """What `up --trust-config` does before it starts anything."""
    first_consent(load(file, {}))


def test_a_services_first_start_consents(file: Path) -> None:
    service(file)
    assert consented(file)
    service(file)


def test_a_file_that_has_changed_since_needs_a_person(file: Path) -> None:
    service(file)
    file.write_text(FILE.replace("server files", "other files"))
    with pytest.raises(Misconfigured, match=r"changed since .*`bawn trust --yes"):
        service(file)
    assert not consented(file)
    assert run(file, "--yes")[0] == 0
    service(file)


def test_a_service_that_can_record_nothing_starts_all_the_same(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nowhere(path: Path, digest: str) -> None:
        raise Misconfigured("read-only")

    monkeypatch.setattr(trust, "record", nowhere)
    service(file)
    assert not consented(file)


def test_bawns_own_files_are_given_to_no_server(file: Path) -> None:
    file.write_text(f"servers: {{files: {{command: [x, {file.parent}]}}}}\n")
    with pytest.raises(Misconfigured, match="files"):
        service(file)
    code, output = run(file, "--yes")
    assert code == 2
    assert "files" in output
    assert not consented(file)
