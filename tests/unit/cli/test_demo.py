"""`bawn demo` tells the story in plain lines, and its exit code tells whether it went so."""

from __future__ import annotations

import errno
import io
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from bawn.cli import app
from bawn.demo import benign as benigns
from bawn.demo import caller as callers
from bawn.demo import gate as gates
from bawn.demo import play as plays
from bawn.demo.benign import OWN, TIME, Benign
from bawn.demo.caller import CallerError
from bawn.demo.expected import Seen
from bawn.demo.gate import DemoError
from bawn.demo.play import Told
from bawn.demo.story import Step

MODULE = sys.modules["bawn.cli.demo"]  # the package's attribute of this name is the command


class House:
    """A gate that is none, and a story that goes as it is set to."""

    def __init__(self, home: Path) -> None:
        self.config, self.token_file = home / "bawn.yaml", home / "token"
        self.endpoint = "http://127.0.0.1:1/mcp"
        self.done: list[str] = []
        self.problems: dict[str, str] = {}
        self.broken: dict[str, BaseException] = {}
        self.port = -1

    def _do(self, what: str) -> None:
        self.done.append(what)
        if what in self.broken:
            raise self.broken[what]

    @contextmanager
    def a_gate(self, benign: Benign, port: int) -> Iterator[House]:
        self.port = port
        self._do(f"made for {benign.id}")
        try:
            yield self
        finally:
            self._do("ended")

    def start(self) -> None:
        self._do("start")

    def token(self) -> str:
        return "t"

    def install(self) -> None:
        self._do("install")

    def write(self, benign: Benign) -> None:
        self._do(f"write {benign.id}")

    def wait(self) -> int:
        self._do("wait")
        raise KeyboardInterrupt

    def play(self, gate: object, caller: object, steps: tuple[Step, ...]) -> Iterator[Told]:
        for step in steps:
            self._do(step.id)
            problem = self.problems.get(step.id)
            found = ("definition/x",) if step.hidden else ()
            seen = Seen("a.reason", "It is so", "abcdef0123456789")
            yield Told(step, seen, (problem,) if problem else (), found)


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    made = House(tmp_path)
    monkeypatch.setattr(gates, "a_gate", made.a_gate)
    monkeypatch.setattr(plays, "play", made.play)
    monkeypatch.setattr(plays, "until_offered", lambda caller, steps: made._do("offered"))
    monkeypatch.setattr(benigns, "present", lambda: replace(TIME, command=("/bin/time",)))
    return made


def run(*options: str, **how: Any) -> Result:
    return CliRunner().invoke(app, ["demo", *options], **how)


def test_the_story_has_each_step_with_its_reason_and_where_to_read_more(house: House) -> None:
    shown = run("--once")
    assert shown.exit_code == 0
    assert house.done[:3] == ["made for time", "start", "offered"]
    assert house.done[-1] == "ended"
    assert "wait" not in house.done
    assert shown.stdout.count("a.reason: It is so") == 7
    assert shown.stdout.count("   read   docs/") == 7
    assert "found  definition/x" in shown.stdout
    assert "All 7 steps went as told." in shown.stdout
    assert "\x1b" not in shown.stdout
    assert shown.stderr == ""


def test_a_step_that_goes_otherwise_is_exit_code_1_and_said(house: House) -> None:
    house.problems["rug-pull"] = "toolbox__forecast is still offered"
    shown = run("--once")
    assert shown.exit_code == 1
    assert "NOT SO toolbox__forecast is still offered" in shown.stdout
    assert "1 of 7 steps did not go as told: A rug pull." in shown.stdout
    part = shown.stdout.partition("A rug pull")[2].partition("An injection")[0]
    assert "refused the next call" not in part


def test_the_endpoint_stays_up_with_things_to_try_until_ctrl_c(house: House) -> None:
    shown = run("--port", "8899")
    assert shown.exit_code == 0
    assert house.port == 8899
    assert house.done[-2:] == ["wait", "ended"]
    for told in (house.endpoint, str(house.token_file), str(house.config)):
        assert told in shown.stderr
    assert f"bawn why abcdef012345 --config {house.config}" in shown.stderr
    assert f"bawn server diff toolbox --config {house.config}" in shown.stderr


def test_what_went_wrong_is_the_exit_code_after_ctrl_c_too(house: House) -> None:
    house.problems["secret"] = "it stands in a file"
    assert run().exit_code == 1


def test_a_gate_that_ends_by_itself_is_told(house: House) -> None:
    house.broken["wait"] = DemoError("the gate ended by itself, with code 3")
    shown = run()
    assert shown.exit_code == 1
    assert "with code 3" in shown.stderr


def test_programs_get_json_and_nothing_else(house: House) -> None:
    shown = run("--once", "--json")
    told = json.loads(shown.stdout)
    assert shown.exit_code == 0
    assert told["as_told"] is True
    assert told["honest"]["real"] is True
    assert [step["id"] for step in told["steps"]][:2] == ["honest", "poisoned-tool"]
    house.problems["honest"] = "no"
    shown = run("--once", "--json")
    assert shown.exit_code == 1
    assert json.loads(shown.stdout)["as_told"] is False


@pytest.mark.parametrize(
    ("at", "problem"),
    [
        ("start", DemoError("the gate did not start\nthe \x1b port is taken")),
        ("offered", CallerError("the gate did not start\nthe \x1b port is taken")),
    ],
)  # fmt: skip
def test_what_cannot_be_shown_is_told_and_taken_away(
    house: House, at: str, problem: Exception
) -> None:
    house.broken[at] = problem
    shown = run("--once")
    assert shown.exit_code == 1
    assert "bawn: the gate did not start\nthe \\x1b port is taken\n" in shown.stderr
    assert house.done[-1] == "ended"


def test_a_machine_without_room_is_told(house: House) -> None:
    house.broken["start"] = OSError(errno.ENOSPC, "No space left on device", "/tmp/x")
    shown = run("--once")
    assert shown.exit_code == 1
    assert "bawn: the demo cannot be given here: [Errno 28] No space left" in shown.stderr
    assert "TMPDIR" in shown.stderr


def test_who_ends_it_half_way_is_told_that_nothing_is_left(house: House) -> None:
    house.broken["injection"] = KeyboardInterrupt()
    shown = run()
    assert shown.exit_code == 1
    assert "before the story was over" in shown.stderr
    assert house.done[-1] == "ended"


class TestWithoutARealServer:
    """Nothing is fetched without the user's word."""

    @pytest.fixture(autouse=True)
    def none(self, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(benigns, "present", lambda: None)

    def test_our_own_takes_its_place_and_one_line_says_so(self, house: House) -> None:
        shown = run("--once")
        assert shown.exit_code == 0
        assert "install" not in house.done
        assert house.done[0] == f"made for {OWN.id}"
        (line,) = shown.stderr.splitlines()
        assert "no real server is here" in line
        assert "--install" in line
        assert OWN.tool in shown.stdout

    def test_it_is_installed_where_the_user_says_so(self, house: House) -> None:
        shown = run("--once", "--install")
        assert house.done[:2] == ["made for time", "install"]
        assert TIME.tool in shown.stdout
        assert shown.stderr == ""

    def test_where_it_cannot_be_had_our_own_takes_its_place(self, house: House) -> None:
        house.broken["install"] = DemoError("pip said " + "no " * 200)
        shown = run("--once", "--install", "--json")
        assert shown.exit_code == 0
        assert house.done[:3] == ["made for time", "install", f"write {OWN.id}"]
        assert json.loads(shown.stdout)["honest"]["real"] is False
        (line,) = shown.stderr.splitlines()
        assert "pip said no" in line
        assert len(line) < 350

    @pytest.mark.parametrize(("said", "installs"), [("y\n", True), ("\n", False)])
    def test_a_terminal_is_asked(
        self, house: House, monkeypatch: pytest.MonkeyPatch, said: str, installs: bool
    ) -> None:
        monkeypatch.setattr(MODULE, "on_terminal", lambda: True)
        run("--once", "--fast", input=said)
        assert ("install" in house.done) is installs

    def test_a_no_given_before_is_not_asked_for(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(MODULE, "on_terminal", lambda: True)
        shown = run("--once", "--fast", "--no-install")
        assert "install" not in house.done
        assert "Install mcp-server-time" not in shown.output


class Terminal(io.StringIO):
    """Somebody looks at it."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("no_colour", "colours"), [("", True), ("1", False)])
def test_colours_are_for_terminals_where_nobody_minds(
    monkeypatch: pytest.MonkeyPatch, no_colour: str, colours: bool
) -> None:
    monkeypatch.setenv("NO_COLOR", no_colour)
    monkeypatch.setattr(sys, "stdout", Terminal())
    assert ("\x1b[" in MODULE._style("text", "green")) is colours


@pytest.mark.parametrize(
    ("options", "said", "waits"),
    [(("--once",), "\n" * 6, 6), (("--once",), "", 6), (("--once", "--fast"), "", 0), (("--once", "--json"), "", 0)],
)  # fmt: skip
def test_a_terminal_goes_on_by_enter(
    house: House,
    monkeypatch: pytest.MonkeyPatch,
    options: tuple[str, ...],
    said: str,
    waits: int,
) -> None:
    monkeypatch.setattr(MODULE, "on_terminal", lambda: True)
    shown = run(*options, input=said)
    assert shown.exit_code == 0
    assert shown.output.count("Enter goes on") == waits


def test_foreign_text_cannot_move_the_cursor(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.problems["honest"] = "it is \x1b[2J"
    shown = run("--once")
    assert "\x1b" not in shown.stdout
    assert "\\x1b[2J" in shown.stdout


def test_the_client_is_made_for_the_endpoint(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[tuple[str, str]] = []
    real = callers.Caller

    def caller(url: str, token: str) -> callers.Caller:
        made.append((url, token))
        return real(url, token)

    monkeypatch.setattr(callers, "Caller", caller)
    run("--once")
    assert made == [(house.endpoint, "t")]
