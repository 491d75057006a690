"""`bawn server diff|approve|reject|quarantine|release`, against the real API and on the real store."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from typer.testing import CliRunner, Result

from bawn.cli import app
from bawn.model import Json
from bawn.pins.record import Record
from bawn.storage.directory import StateDirectory
from tests.approving import NOW
from tests.deciding import REMOTE
from tests.reviewing import DRIFTED, LOCAL, NEW, RECORD, ReviewDesk, change, pin

MODULE = sys.modules["bawn.cli.server_review"]
CONFIG = "state: ./state\nservers:\n  files: {url: 'https://files.example/mcp'}\n"


class Terminal:
    """A user at the gate's machine, with the gate running or not, or afar with --url."""

    def __init__(self, path: Path, patch: pytest.MonkeyPatch, approvals: int = 1) -> None:
        self.path = path / "bawn.yaml"
        self.path.write_text(f"{CONFIG}drift: {{approvals: {approvals}}}\n")
        self.desk = ReviewDesk(path / "state", approvals)
        self.state = StateDirectory(path / "state")
        self.asked: list[str] = []
        client = httpx2.Client
        patch.setattr(
            httpx2,
            "Client",
            lambda **options: client(**options | {"transport": httpx2.MockTransport(self._answer)}),
        )
        patch.delenv("BAWN_TOKEN", raising=False)

    def run(self, *arguments: str, **options: Any) -> Result:
        command = ["server", *arguments]
        if "--url" not in arguments:
            command += ["--config", str(self.path)]
        result = CliRunner().invoke(app, command, **options)
        assert result.exception is None or isinstance(result.exception, SystemExit)
        return result

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(f"{request.method} {request.url.path}")
        token = request.headers.get("authorization", "").removeprefix("Bearer ")

        async def ask() -> httpx2.Response:
            client = self.desk.client(token, REMOTE if token else LOCAL)
            return await client.request(
                request.method,
                request.url.raw_path.decode(),
                content=request.read(),
                headers={"content-type": "application/json"},
            )

        answer = asyncio.run(ask())
        return httpx2.Response(answer.status_code, content=answer.content)


@pytest.fixture(params=["gate", "store"])
def terminal(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Terminal]:
    """Everything holds with a running gate as without one."""
    found = Terminal(tmp_path, monkeypatch)
    if request.param == "store":
        yield found
        assert found.asked == []
        return
    with found.state.hold():
        yield found
        assert found.asked


def test_a_diff_shows_what_waits_and_tells_ci(terminal: Terminal) -> None:
    shown = terminal.run("diff", "files")
    assert shown.exit_code == 1
    for word in (
        "tool read_it",
        '- "Reads a file."',
        '+ "You must call',
        "risk high",
        "tool new_it",
    ):
        assert word in shown.output
    assert "new_it" not in terminal.run("diff", "files", "--tool", "read_it").output


def test_without_a_change_a_diff_is_fine(terminal: Terminal) -> None:
    terminal.desk.put(Record("files", NOW, 1, (pin(NEW),)))
    shown = terminal.run("diff", "files")
    assert (shown.exit_code, shown.output) == (0, "files: nothing waits for approval\n")


def test_programs_get_json_and_code_hosts_sarif(terminal: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "found.sarif"
    told = json.loads(terminal.run("diff", "files", "--json", "--sarif", str(file)).output)
    assert [each["drift"]["risk"] for each in told["waiting"]] == ["high", "low"]
    results = json.loads(file.read_text())["runs"][0]["results"]
    assert [each["ruleId"] for each in results] == [
        "drift/instruction", "drift/text", "drift/added",
    ]  # fmt: skip
    assert results[0]["properties"]["subject"] == "files/read_it"


def test_hostile_names_and_texts_are_shown_escaped(terminal: Terminal) -> None:
    evil: Json = {"name": "x\x1b[2J\u202e", "description": "\x1b]0;own\x07"}
    terminal.desk.put(Record("files", NOW, 1, (), (change(evil),)))
    for output in (
        terminal.run("diff", "files").output,
        terminal.run("approve", "files", "--all", "--yes").output,
    ):
        assert not {"\x1b", "\u202e", "\x07"} & set(output)


def test_an_approval_shows_the_change_and_asks(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MODULE, "on_terminal", lambda: True)
    refused = terminal.run("approve", "files", "--tool", "read_it", input="n\n")
    assert (refused.exit_code, terminal.desk.record()) == (1, RECORD)
    assert "You must call" in refused.output
    done = terminal.run("approve", "files", "--tool", "read_it", input="y\n")
    assert "approved: 1" in done.output
    record = terminal.desk.record()
    assert [each.definition for each in record.pins if each.name == "read_it"] == [DRIFTED]
    assert [each.name for each in record.waiting] == ["new_it"]


def test_where_nobody_can_be_asked_it_takes_a_yes(terminal: Terminal) -> None:
    unasked = terminal.run("approve", "files", "--all")
    assert (unasked.exit_code, terminal.desk.record()) == (2, RECORD)
    assert "--yes" in unasked.output
    assert "approved: 2" in terminal.run("approve", "files", "--all", "--yes").output
    assert terminal.desk.record().waiting == ()


def test_also_keeps_both(terminal: Terminal) -> None:
    terminal.run("approve", "files", "--tool", "read_it", "--also", "--yes")
    assert sum(each.name == "read_it" for each in terminal.desk.record().pins) == 2


def test_what_was_rejected_is_not_part_of_all(terminal: Terminal) -> None:
    assert "rejected: 1" in terminal.run("reject", "files", "--tool", "read_it").output
    assert "approved: 1" in terminal.run("approve", "files", "--all", "--yes").output
    (left,) = terminal.desk.record().waiting
    assert (left.name, bool(left.rejected)) == ("read_it", True)
    shown = terminal.run("diff", "files")
    assert (shown.exit_code, "rejected by" in shown.output) == (0, True)
    assert terminal.run("approve", "files", "--all", "--yes").exit_code == 1
    assert terminal.run("approve", "files", "--tool", "read_it", "--yes").exit_code == 0


def test_a_quarantine_is_put_on_shown_and_lifted(terminal: Terminal) -> None:
    assert terminal.run("quarantine", "files", "--tool", "read_it", "--why", "odd").exit_code == 0
    assert "files/read_it: in quarantine by" in terminal.run("diff", "files").output
    assert terminal.run("release", "files").exit_code == 1
    assert terminal.run("release", "files", "--tool", "read_it").exit_code == 0
    terminal.run("quarantine", "files", "--why", "all of it")
    assert [each.aspect for each in terminal.desk.record().holds] == ["server"]
    assert terminal.run("release", "files").exit_code == 0
    assert terminal.desk.record().holds == ()


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("approve", "files", "--yes"), 2),
        (("approve", "files", "--all", "--tool", "x", "--yes"), 2),
        (("approve", "files", "--tool", "x", "--yes"), 1),
        (("reject", "files", "--instructions"), 1),
        (("reject", "files"), 2),
    ],
)
def test_wrong_use_is_said(terminal: Terminal, arguments: tuple[str, ...], code: int) -> None:
    result = terminal.run(*arguments)
    terminal.run("diff", "files")  # asks in any case
    assert (result.exit_code, terminal.desk.record()) == (code, RECORD)
    assert result.output.startswith("bawn: ")
