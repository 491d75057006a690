"""Somebody with write access to the audit, or to what is audited and logged, wants to hide or forge."""

from __future__ import annotations

import io
import json
import logging
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bawn.audit.read import Problem
from bawn.audit.recover import recover
from bawn.audit.writer import Writer
from bawn.model import Client, Item, Kind
from bawn.storage import StateDirectory
from bawn.telemetry import logs
from tests.audited import ALLOWED, TOOL, call, calls, die, read, segment_files, state_in, ticking


@pytest.fixture
def state(tmp_path: Path) -> StateDirectory:
    """Three segments, ended in order, each following the one before."""
    state, clock = state_in(tmp_path), ticking()
    for start in (1, 11, 21):
        writer = Writer(state, clock=clock)
        for number in range(start, start + 4):
            intent = writer.intent(call(number), TOOL, ALLOWED)
            writer.outcome(intent, f"{number:032x}", "ok", 0.1, 1)
        writer.close()
    assert read(state)[1] == []
    return state


def problems(state: StateDirectory) -> list[Problem]:
    return read(state)[1]


def edit(path: Path, change: Callable[[list[bytes]], list[bytes]]) -> None:
    path.write_bytes(b"".join(change(path.read_bytes().splitlines(keepends=True))))


@pytest.mark.parametrize("segment", [0, 1])
@pytest.mark.parametrize("line", range(11))
def test_an_edited_line_is_detected(state: StateDirectory, segment: int, line: int) -> None:
    path = segment_files(state)[segment]

    def change(lines: list[bytes]) -> list[bytes]:
        assert len(lines) == 11
        before, lines[line] = lines[line], lines[line].replace(b'"at":1', b'"at":2')
        assert before != lines[line]
        return lines

    edit(path, change)
    assert problems(state)


@pytest.mark.parametrize("segment", [0, 1, 2])
@pytest.mark.parametrize("line", range(11))
def test_a_removed_line_is_detected(state: StateDirectory, segment: int, line: int) -> None:
    edit(segment_files(state)[segment], lambda lines: lines[:line] + lines[line + 1 :])
    assert problems(state)


@pytest.mark.parametrize("segment", [0, 1, 2])
@pytest.mark.parametrize("line", range(10))
def test_swapped_lines_are_detected(state: StateDirectory, segment: int, line: int) -> None:
    def swap(lines: list[bytes]) -> list[bytes]:
        lines[line], lines[line + 1] = lines[line + 1], lines[line]
        return lines

    edit(segment_files(state)[segment], swap)
    assert problems(state)


@pytest.mark.parametrize("segment", [0, 1, 2])
@pytest.mark.parametrize("left", range(11))
def test_a_cut_off_end_is_detected(state: StateDirectory, segment: int, left: int) -> None:
    edit(segment_files(state)[segment], lambda lines: lines[:left])
    assert problems(state)


@pytest.mark.parametrize("left", range(1, 11))
def test_a_cut_off_end_is_detected_after_recovery_too(state: StateDirectory, left: int) -> None:
    """A cut makes a segment look like that of a killed writer: its recovery does not cover it up."""
    edit(segment_files(state)[1], lambda lines: lines[:left])
    recover(state.audit)
    assert problems(state)


@pytest.mark.parametrize("segment", [0, 1])
def test_a_removed_segment_is_detected(state: StateDirectory, segment: int) -> None:
    segment_files(state)[segment].unlink()
    assert problems(state)


def test_an_added_line_is_detected(state: StateDirectory) -> None:
    path = segment_files(state)[2]
    edit(path, lambda lines: [*lines, lines[1]])
    (problem,) = problems(state)
    assert "after the end" in problem.text
    recover(state.audit)
    assert problems(state)


def test_a_segment_replayed_under_another_name_is_detected(state: StateDirectory) -> None:
    first = segment_files(state)[0]
    shutil.copy(first, first.with_name("20300101T000000.000000Z-abcd1234-000000.jsonl"))
    (problem,) = problems(state)
    assert "copy" in problem.text


def test_a_segment_put_in_the_place_of_another_is_detected(state: StateDirectory) -> None:
    first, second, _ = segment_files(state)
    shutil.copy(first, second)
    assert problems(state)


def test_an_earlier_state_of_a_segment_is_detected(state: StateDirectory) -> None:
    path = segment_files(state)[0]
    chain = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(chain[:3]))
    recover(state.audit)
    assert any("end is not the one it had" in problem.text for problem in problems(state))


def test_a_killed_writers_segment_cannot_be_edited_before_recovery(tmp_path: Path) -> None:
    state = state_in(tmp_path)
    writer = Writer(state, clock=ticking())
    for number in range(1, 5):
        writer.intent(call(number), TOOL, ALLOWED)
    die(writer)
    edit(
        segment_files(state)[0], lambda lines: [line.replace(b"files", b"filez") for line in lines]
    )
    recover(state.audit)
    assert problems(state)


def test_a_name_in_a_changed_segment_leads_out_of_nowhere(state: StateDirectory) -> None:
    victim = state.path / "victim"
    victim.write_bytes(b"secret\n")
    first, second, _ = segment_files(state)
    content = second.read_bytes().replace(first.name.encode(), b"../victim")
    second.write_bytes(content)
    assert all("secret" not in problem.text for problem in problems(state))
    assert problems(state)


NASTY = '\x1b[2J\n{"kind":"close"}\r\u202e\x9b31m\u2028'


def test_what_a_caller_controls_forges_no_audit_line(tmp_path: Path) -> None:
    state = state_in(tmp_path)
    writer = Writer(state, clock=ticking())
    tool = Item(Kind.TOOL, "files", NASTY, NASTY, {})
    asked = call(client=Client(NASTY, NASTY), method=NASTY, params={"name": NASTY}, session=NASTY)
    intent = writer.intent(asked, tool, ALLOWED)
    writer.refusal(asked, "policy.denied", NASTY)
    writer.outcome(intent, asked.trace, NASTY, 1, 1)
    writer.close()
    assert read(state)[1] == []
    assert len(segment_files(state)[0].read_bytes().splitlines()) == 6
    assert {one.status for one in calls(state)} == {NASTY, "policy.denied"}


def test_what_a_caller_controls_moves_no_cursor_of_an_auditor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import typer

    from bawn.cli.audit import tail

    app = typer.Typer()
    app.command()(tail)
    (tmp_path / "bawn.yaml").write_text("state: ./state\n")
    state = state_in(tmp_path)
    writer = Writer(state, clock=ticking())
    intent = writer.intent(call(), Item(Kind.TOOL, "files", NASTY, NASTY, {}), ALLOWED)
    writer.outcome(intent, f"{1:032x}", NASTY, 1, 1)
    writer.close()
    for options in ([], ["--json"]):
        result = CliRunner().invoke(app, ["--config", str(tmp_path / "bawn.yaml"), *options])
        assert result.exit_code == 0
        assert result.output.count("\n") == 1
        assert result.output.rstrip("\n").isprintable()


@pytest.fixture
def log() -> io.StringIO:
    return io.StringIO()


@pytest.mark.parametrize("format_", ["json", "console"])
def test_what_a_caller_controls_forges_no_log_line(log: io.StringIO, format_: logs.Format) -> None:
    logs.configure(format_, "info", log)
    logger = logging.getLogger("bawn.test")
    logger.warning("refused %s", NASTY, extra={"detail": NASTY, "nested": {NASTY: [NASTY]}})
    line = log.getvalue()
    assert line.count("\n") == 1
    assert line.rstrip("\n").isprintable()
    if format_ == "json":
        assert json.loads(line)["detail"] == NASTY


def test_an_audit_that_others_could_read_or_replace_is_refused(state: StateDirectory) -> None:
    """The files themselves are for the owner alone."""
    for path in segment_files(state):
        assert path.stat().st_mode & 0o777 == 0o600
    for path in (state.audit, state.subjects, state.keys):
        assert path.stat().st_mode & 0o777 == 0o700
    assert all(entry.stat().st_mode & 0o077 == 0 for entry in os.scandir(state.subjects))
