"""`bawn quarantine` on the store of a gate that does not run, and at one that does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx2
import pytest
import typer
from typer.testing import CliRunner, Result

from bawn.cli import quarantine as verbs
from bawn.model import Detection, Item, Json, Kind, Severity
from bawn.ports import Found
from bawn.storage import StateDirectory
from bawn.storage.quarantine import Held, Quarantine
from tests.approving import ADA

TOOL = Item(Kind.TOOL, "mail", "re\x1bad", "mail__read", {"name": "read"})
RESULT: Json = {"content": [{"type": "text", "text": "held \x1b[2J words\u202e"}]}
SEEN = Detection("output/x", Severity.HIGH, 0, 4, "some \x1b evidence", view="base64>folded")
FOUND = (Found("/content/0/text", SEEN, "quarantine"),)

app = typer.Typer()
app.command("list")(verbs.list_held)
app.command("show")(verbs.show)
app.command("release")(verbs.release)
app.command("discard")(verbs.discard)


class Terminal:
    def __init__(self, path: Path) -> None:
        self.config = path / "bawn.yaml"
        self.config.write_text("state: ./state\n")
        self.state = StateDirectory(path / "state")
        self.store = Quarantine(self.state, 14)

    def put(self) -> Held:
        return self.store.put(ADA, TOOL, "tools/call", "7" * 32, FOUND, RESULT)

    def run(self, *arguments: str) -> Result:
        result = CliRunner().invoke(app, [*arguments, "--config", str(self.config)])
        assert result.exception is None or isinstance(result.exception, SystemExit)
        return result

    def events(self) -> list[str]:
        return [each for path in sorted(self.state.audit.iterdir()) for each in _events(path)]


def _events(path: Path) -> list[str]:
    told = [json.loads(line) for line in path.read_text().splitlines()]
    return [each["what"] for each in told if each.get("kind") == "event"]


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    return Terminal(tmp_path)


def test_what_is_held_is_a_line_each(terminal: Terminal) -> None:
    assert terminal.run("list").output == "nothing is held back\n"
    held = terminal.put()
    line = terminal.run("list").output
    for part in (held.handle[:16], "held", "ada", r"mail/re\x1bad", "output/x"):
        assert part in line
    (told,) = json.loads(terminal.run("list", "--json").output)
    assert (told["handle"], told["who"]) == (held.handle, "ada")


def test_one_is_shown_and_its_content_by_asking_alone(terminal: Terminal) -> None:
    held = terminal.put()
    shown = terminal.run("show", held.handle[:10]).output
    assert "words" not in shown
    assert (
        r"output/x (high) at /content/0/text (seen as base64>folded): some \x1b evidence" in shown
    )
    assert terminal.events() == []
    shown = terminal.run("show", held.handle, "--content").output
    assert r"\u001b[2J words\u202e" in shown
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert terminal.events() == ["quarantine.shown"]
    told = json.loads(terminal.run("show", held.handle, "--content", "--json").output)
    assert told["result"] == RESULT


def test_a_release_and_a_discard_take_a_yes_and_are_recorded(terminal: Terminal) -> None:
    held = terminal.put()
    for verb in ("release", "discard"):
        assert terminal.run(verb, held.handle).exit_code == 2
    assert terminal.events() == []
    assert "ada can fetch it now" in terminal.run("release", held.handle, "--yes").output
    assert terminal.store.facts(held.handle).released == "owner"
    assert "released" in terminal.run("show", held.handle).output
    assert terminal.run("discard", held.handle, "--yes").exit_code == 0
    assert terminal.store.listed() == []
    assert terminal.events() == ["quarantine.released", "quarantine.discarded"]


def test_a_handle_that_is_none_is_told(terminal: Terminal) -> None:
    terminal.put()
    terminal.put()
    assert terminal.run("show", "zz/").exit_code == 2
    assert terminal.run("show", "z").exit_code == 1
    unknown = terminal.run("show", "0" * 40)
    assert (unknown.exit_code, "inspection.held" in unknown.output) == (1, True)
    several = terminal.run("show", terminal.store.listed()[0].handle[:8])
    assert (several.exit_code, "2 handles begin" in several.output) == (2, True)


def test_a_torn_one_is_said_to_be_and_can_be_discarded(terminal: Terminal) -> None:
    held = terminal.put()
    (terminal.state.quarantine / f"{held.handle}.facts").write_bytes(b"")
    assert "broken" in terminal.run("list").output
    shown = terminal.run("show", held.handle, "--content")
    assert (shown.exit_code, "torn" in shown.output) == (1, True)
    refused = terminal.run("release", held.handle, "--yes")
    assert (refused.exit_code, "torn" in refused.output) == (1, True)
    assert terminal.run("discard", held.handle, "--yes").exit_code == 0


def test_a_running_gate_is_asked(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    held = terminal.put()
    asked: list[str] = []
    told = {"handle": held.handle, "state": "broken", "problem": "torn"}

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(f"{request.method} {request.url.raw_path.decode()}")
        return httpx2.Response(
            200, json={"held": []} if request.url.path.endswith("/quarantine") else told
        )

    client = httpx2.Client

    def made(**options: Any) -> httpx2.Client:
        return client(**options | {"transport": httpx2.MockTransport(answer)})

    monkeypatch.setattr(httpx2, "Client", made)
    path = f"/api/v1/quarantine/{held.handle}"
    with terminal.state.hold():
        terminal.run("list")
        terminal.run("show", held.handle, "--content")
        terminal.run("discard", held.handle, "--yes")
    assert asked == [
        "GET /api/v1/quarantine",
        f"GET {path}?content=true",
        f"GET {path}",
        f"POST {path}/discard",
    ]


def test_a_refusal_of_the_gate_is_explained(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = httpx2.Client
    refusal = {"error": "inspection.held", "message": "Nothing is held"}

    def made(**options: Any) -> httpx2.Client:
        transport = httpx2.MockTransport(lambda _: httpx2.Response(404, json=refusal))
        return client(**options | {"transport": transport})

    monkeypatch.setattr(httpx2, "Client", made)
    with terminal.state.hold():
        shown = terminal.run("show", "0" * 40)
    assert (shown.exit_code, "bawn quarantine list" in shown.output) == (1, True)


def test_where_no_gate_ever_ran_that_is_said(tmp_path: Path) -> None:
    config = tmp_path / "bawn.yaml"
    config.write_text("state: ./nowhere\n")
    result = CliRunner().invoke(app, ["list", "--config", str(config)])
    assert (result.exit_code, "no gate ever ran" in result.output) == (1, True)
    assert not (tmp_path / "nowhere").exists()
