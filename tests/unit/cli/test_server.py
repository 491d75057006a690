"""`bawn server` changes the file as asked, or says why not and leaves it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bawn.cli import app
from bawn.config.load import load
from bawn.config.server import Auth, Server
from bawn.pins.record import Record
from bawn.storage import StateDirectory
from bawn.storage.files import ServerFiles

FILE = "servers:\n  issues: {url: https://example.com/mcp}   # kept\n"


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    path = tmp_path / "bawn.yaml"
    path.write_text(FILE)
    return path


def run(file: Path, verb: str, *arguments: str, answer: str | None = None) -> tuple[int, str]:
    words = ["server", verb, "--config", str(file), *arguments]
    result = CliRunner().invoke(app, words, input=answer)
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.exit_code, result.output


def test_a_local_server_is_added_with_all_its_settings(file: Path) -> None:
    code, output = run(
        file,
        "add",
        "files",
        *("--cwd", "./docs", "--env", "TOKEN=${keyring:files}", "--env", "MODE=a=b"),
        *("--isolation", "shared", "--prefix", "", "--required"),
        *("--", "npx", "-y", "--url", "x"),
    )

    assert code == 0
    assert f"bawn trust --config {file}" in output
    assert file.read_text().startswith(FILE)
    assert load(file, {}).config.servers["files"] == Server(
        command=("npx", "-y", "--url", "x"),
        cwd="./docs",
        env={"TOKEN": "${keyring:files}", "MODE": "a=b"},
        isolation="shared",
        prefix="",
        required=True,
    )


def test_a_remote_server_is_added_with_its_token(file: Path) -> None:
    code, output = run(
        file, "add", "wiki", "--url", "https://wiki.example.com/mcp", "--bearer", "${env:WIKI}"
    )

    assert code == 0
    assert "bawn trust" in output  # it sends a credential
    assert load(file, {}).config.servers["wiki"] == Server(
        url="https://wiki.example.com/mcp", auth=Auth(type="bearer", token="${env:WIKI}")
    )


def test_an_owner_who_consented_need_not_again_after_adding(file: Path) -> None:
    run(file, "add", "files", "--", "x")
    CliRunner().invoke(app, ["trust", "--yes", "--config", str(file)])

    assert "bawn trust" not in run(file, "add", "more", "--", "y")[1]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["a"], "expected either --url or a command"),
        (["a", "--url", "https://example.com", "--", "x"], "expected either --url or a command"),
        (["A_b", "--", "x"], "expected an id of 1 to 32"),
        (["issues", "--", "x"], "is here already"),
        (["a", "--env", "API_KEY=hunter2", "--", "x"], "store it with `keyring set bawn NAME`"),
        (["a", "--env", "hunter2", "--", "x"], "expected NAME=VALUE"),
        (["a", "--bearer", "hunter2", "--url", "https://example.com"], "expected a reference"),
        (["a", "--url", "https://me:hunter2@example.com"], "must not carry credentials"),
        (["a", "--", "x", "--token=hunter2"], "this looks like a secret"),
        (["a", "--isolation", "none", "--", "x"], "expected one of principal"),
        (["a", "--cwd", "/", "--url", "https://example.com"], "`cwd` belongs to servers"),
    ],
)
def test_what_cannot_be_is_refused_and_not_written(
    file: Path, arguments: list[str], why: str
) -> None:
    code, output = run(file, "add", *arguments)

    assert code == 2
    assert why in output
    assert "hunter2" not in output
    assert file.read_text() == FILE


def test_servers_are_listed_for_people_and_programs(file: Path) -> None:
    file.write_text(FILE + '  b: {command: [npx, "a b"], prefix: x}\n')

    code, output = run(file, "list")
    found = json.loads(run(file, "list", "--json")[1])

    assert code == 0
    assert output.splitlines() == [
        "issues  principal  https://example.com/mcp",
        "b       principal  npx 'a b'",
    ]
    assert [(one["id"], one["prefix"]) for one in found] == [("issues", None), ("b", "x")]


def test_the_list_tells_whose_a_server_is_where_there_are_tenants(file: Path) -> None:
    assert run(file, "list")[1].split() == ["issues", "principal", "https://example.com/mcp"]
    file.write_text(FILE + "  wiki: {url: https://example.com/wiki, tenant: acme}\n")
    first, second = run(file, "list")[1].splitlines()
    assert first.split() == ["issues", "-", "principal", "https://example.com/mcp"]
    assert second.split() == ["wiki", "acme", "principal", "https://example.com/wiki"]
    assert first.index("principal") == second.index("principal")
    assert json.loads(run(file, "list", "--json")[1])[1]["tenant"] == "acme"


def test_no_servers_is_told_and_is_an_empty_list(file: Path) -> None:
    file.write_text("")

    assert "bawn server add" in run(file, "list")[1]
    assert json.loads(run(file, "list", "--json")[1]) == []


def test_one_server_is_shown_with_its_defaults(file: Path) -> None:
    plain, structured = run(file, "show", "issues")[1], run(file, "show", "issues", "--json")[1]

    assert "  isolation: principal\n" in plain
    assert json.loads(structured)["isolation"] == "principal"
    assert json.loads(structured)["id"] == "issues"


def test_a_server_that_is_not_there_is_told_with_those_that_are(file: Path) -> None:
    for verb in (["show", "nope"], ["remove", "nope", "--yes"]):
        code, output = run(file, *verb)
        assert code == 2
        assert "issues" in output


def test_a_server_is_removed_when_said_twice(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(file, "add", "files", "--", "x")

    assert run(file, "remove", "files", answer="y\n")[0] == 2
    monkeypatch.setattr(sys.modules["bawn.cli.server"], "on_terminal", lambda: True)
    assert run(file, "remove", "files", answer="n\n")[0] == 1
    assert run(file, "remove", "files", answer="y\n")[0] == 0
    assert file.read_text() == FILE


def test_yes_removes_unasked(file: Path) -> None:
    run(file, "add", "files", "--", "x")

    assert run(file, "remove", "files", "--yes")[0] == 0
    assert file.read_text() == FILE


MANY = """\
servers:
  a: {url: https://example.com/a, owner: Ada, labels: [x, y]}
  b: {url: https://example.com/b, owner: Bob, labels: [x], status: disabled}
  c: {url: https://example.com/c, status: deprecated}
"""


def test_owner_status_and_labels_are_columns_where_there_are_any(file: Path) -> None:
    file.write_text(MANY)
    lines = run(file, "list")[1].splitlines()
    assert [line.split() for line in lines] == [
        ["a", "active", "Ada", "x,y", "principal", "https://example.com/a"],
        ["b", "disabled", "Bob", "x", "principal", "https://example.com/b"],
        ["c", "deprecated", "-", "-", "principal", "https://example.com/c"],
    ]


@pytest.mark.parametrize(
    ("options", "ids"),
    [
        (["--label", "x"], ["a", "b"]),
        (["--label", "x", "--label", "y"], ["a"]),
        (["--status", "disabled"], ["b"]),
        (["--owner", "Ada"], ["a"]),
        (["--owner", "Ada", "--status", "disabled"], []),
    ],
)
def test_the_list_is_narrowed(file: Path, options: list[str], ids: list[str]) -> None:
    file.write_text(MANY)
    assert [one["id"] for one in json.loads(run(file, "list", "--json", *options)[1])] == ids
    if not ids:
        assert run(file, "list", *options)[1] == "No server is like that.\n"


def test_a_status_that_there_is_not_is_refused(file: Path) -> None:
    assert run(file, "list", "--status", "gone")[0] == 2


def test_what_was_approved_of_a_removed_server_stays_unless_it_is_to_be_forgotten(
    file: Path,
) -> None:
    state = StateDirectory(load(file, {}).state)
    records = ServerFiles(state.pins, Record)
    records.update("issues", lambda _: Record("issues", 1.0))
    assert run(file, "remove", "issues", "--yes")[0] == 0
    assert records.read("issues") == Record("issues", 1.0)
    file.write_text(FILE)
    assert run(file, "remove", "issues", "--yes", "--forget")[0] == 0
    assert records.read("issues") is None
