"""`bawn approvals` against the real API and book, without a socket in between."""

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
from tests.approving import BOB, TWO
from tests.deciding import OWNER, REMOTE, Desk

MODULE = sys.modules["bawn.cli.approvals"]


class Terminal:
    """A user at the gate's machine, or afar with --url."""

    def __init__(self, desk: Desk, path: Path, patch: pytest.MonkeyPatch) -> None:
        self.desk = desk
        self.path = path / "bawn.yaml"
        self.path.write_text("state: ./state\n")
        (path / "state").mkdir(mode=0o700)
        self.asked: list[httpx2.Request] = []
        self.made: list[dict[str, Any]] = []
        self.down = False
        client = httpx2.Client

        def made(**options: Any) -> httpx2.Client:
            self.made.append(dict(options))
            return client(**options | {"transport": httpx2.MockTransport(self._answer)})

        patch.setattr(httpx2, "Client", made)
        patch.delenv("BAWN_TOKEN", raising=False)

    def run(self, *arguments: str, **options: Any) -> Result:
        command = ["approvals", *arguments]
        if "--url" not in arguments:
            command += ["--config", str(self.path)]
        result = CliRunner().invoke(app, command, **options)
        assert result.exception is None or isinstance(result.exception, SystemExit)
        return result

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(request)
        if self.down:
            raise httpx2.ConnectError("no such socket")
        local = "authorization" not in request.headers

        async def ask() -> httpx2.Response:
            browser = self.desk.browser(OWNER if local else REMOTE)
            return await browser.request(
                request.method,
                request.url.raw_path.decode(),
                content=request.read(),
                headers=[(k, v) for k, v in request.headers.items() if k != "host"],
            )

        answer = asyncio.run(ask())
        return httpx2.Response(answer.status_code, content=answer.content)


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    desk = Desk(tmp_path)
    yield Terminal(desk, tmp_path, monkeypatch)
    desk.close()


def test_what_waits_is_listed_a_line_each(terminal: Terminal) -> None:
    assert "nothing waits" in terminal.run("list").output
    asked = terminal.desk.ask()
    (line,) = terminal.run("list").output.splitlines()
    assert line.split()[:3] == [asked.id[:12], "ada", "deploys/roll_out"]
    assert line.endswith("you may decide  1 more of oncall")


def test_programs_get_json(terminal: Terminal) -> None:
    asked = terminal.desk.ask()
    (listed,) = json.loads(terminal.run("list", "--json").output)
    shown = json.loads(terminal.run("show", asked.id[:6], "--json").output)
    assert listed == shown
    assert shown["id"] == asked.id


def test_one_is_shown_with_all_that_is_granted(terminal: Terminal) -> None:
    asked = terminal.desk.ask(arguments={"to": "\x1b[2Jproduction\u202e", "n": 1.50})
    shown = terminal.run("show", asked.id)
    for word in (asked.id, "ada", "roll_out", "deploys.cedar:3", "1 of oncall", "\\u202e", "1.5"):
        assert word in shown.output
    assert "\x1b" not in shown.output
    assert "\u202e" not in shown.output


def test_a_grant_shows_it_and_asks(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = terminal.desk.ask()
    monkeypatch.setattr(MODULE, "on_terminal", lambda: True)
    refused = terminal.run("grant", asked.id, input="n\n")
    assert refused.exit_code == 1
    assert '"production"' in refused.output
    assert terminal.desk.ask().state == "pending"
    granted = terminal.run("grant", asked.id[:8], "--note", "fine", input="y\n")
    assert granted.exit_code == 0
    assert "is granted" in granted.output
    assert terminal.desk.ask().state == "granted"
    assert "uid:1000 grant: fine" in terminal.run("show", asked.id).output


def test_where_nobody_can_be_asked_it_takes_a_yes(terminal: Terminal) -> None:
    asked = terminal.desk.ask()
    unasked = terminal.run("grant", asked.id)
    assert (unasked.exit_code, terminal.desk.ask().state) == (2, "pending")
    assert "--yes" in unasked.output
    assert terminal.run("grant", asked.id, "--yes").exit_code == 0
    assert terminal.desk.ask().state == "granted"


def test_a_first_of_two_is_told_what_is_still_needed(terminal: Terminal) -> None:
    asked = terminal.desk.ask(TWO)
    assert "1 more of oncall" in terminal.run("grant", asked.id, "--yes").output


def test_one_no_denies(terminal: Terminal) -> None:
    asked = terminal.desk.ask()
    assert "is denied" in terminal.run("deny", asked.id[:10], "--note", "not today").output
    assert terminal.desk.ask().state == "denied"
    assert (
        json.loads(terminal.run("list", "--state", "denied", "--json").output)[0]["id"] == asked.id
    )


def test_what_is_over_is_a_finding_with_the_next_step(terminal: Terminal) -> None:
    asked = terminal.desk.ask()
    terminal.desk.deny(asked, BOB)
    again = terminal.run("grant", asked.id, "--yes")
    assert again.exit_code == 1
    assert "approval.unknown" in again.output
    assert "your roles" in again.output


def test_a_beginning_has_to_be_one_of_exactly_one(terminal: Terminal) -> None:
    ids = [terminal.desk.ask(arguments={"n": n}).id for n in range(17)]
    many = next(a[0] for a in ids if sum(b[0] == a[0] for b in ids) > 1)
    assert terminal.run("show", many).exit_code == 2
    assert terminal.run("show", "0" * 31).exit_code == 1
    for bad in ("../x", "%2e", "é", "a b"):
        assert terminal.run("show", bad).exit_code == 2
    assert not any(".." in str(request.url) for request in terminal.asked)


def test_wrong_use_is_said(terminal: Terminal) -> None:
    assert terminal.run("list", "--state", "open").exit_code == 2
    assert terminal.run("list", "--state", "x&y").exit_code == 2
    assert terminal.run("list", "--token-file", "x").exit_code == 2


def test_a_gate_that_is_down_is_said_to_be(terminal: Terminal) -> None:
    terminal.down = True
    answer = terminal.run("list")
    assert answer.exit_code == 1
    assert "bawn status" in answer.output


def test_from_afar_it_is_the_token_that_counts(
    terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = terminal.desk.ask()
    url = ("--url", "https://gate.example.com/")
    monkeypatch.setenv("BAWN_TOKEN", "bob.oncall")
    assert terminal.run("grant", asked.id, "--yes", *url).exit_code == 0
    assert terminal.desk.audit.told[-1] == ("bob", "approval.granted")
    token = tmp_path / "token"
    token.write_text("carol.oncall\n")
    assert terminal.run("deny", asked.id, *url, "--token-file", str(token)).exit_code == 0
    assert terminal.run("list", *url, "--token-file", "-", input="dan.oncall\n").exit_code == 0
    assert {each["base_url"] for each in terminal.made} == {"https://gate.example.com"}
    assert {each["follow_redirects"] for each in terminal.made} == {False}


@pytest.mark.parametrize("url", ["http://gate.example.com", "gate", "ftp://x", "https://"])
def test_a_token_goes_nowhere_where_others_could_read_it(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("BAWN_TOKEN", "bob.oncall")
    assert terminal.run("list", "--url", url).exit_code == 2
    assert terminal.asked == []


def test_from_afar_without_a_token_is_wrong_use(terminal: Terminal, tmp_path: Path) -> None:
    for more in ((), ("--token-file", str(tmp_path / "none"))):
        answer = terminal.run("list", "--url", "https://gate.example.com", *more)
        assert answer.exit_code == 2
    assert terminal.asked == []
