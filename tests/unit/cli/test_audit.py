from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import typer
from msgspec.structs import replace
from typer.testing import CliRunner, Result

from bawn.audit.writer import Writer
from bawn.cli.audit import tail
from bawn.storage import StateDirectory
from tests.audited import ADA, ALLOWED, TOOL, call, segment_files, state_in, ticking

app = typer.Typer()
app.command()(tail)


@pytest.fixture
def state(tmp_path: Path) -> StateDirectory:
    (tmp_path / "bawn.yaml").write_text("state: ./state\n")
    return state_in(tmp_path)


def write(state: StateDirectory, *numbers: int, start: int = 1_795_348_800_000_000_000) -> None:
    writer = Writer(state, clock=ticking(start + numbers[0] * 10**9))
    for number in numbers:
        intent = writer.intent(call(number), TOOL, ALLOWED)
        writer.outcome(intent, f"{number:032x}", "ok", 0.0015, 42)
    writer.close()


def run(state: StateDirectory, *options: str) -> Result:
    return CliRunner().invoke(app, ["--config", str(state.path.parent / "bawn.yaml"), *options])


def traces(output: str) -> list[int]:
    return [int(line.split()[-1], 16) for line in output.splitlines()]


def test_a_line_tells_when_who_what_and_how_it_ended(state: StateDirectory) -> None:
    write(state, 1)
    result = run(state)
    assert result.exit_code == 0
    assert result.stdout.split() == [
        "2026-11-22", "12:00:01.000Z", ADA.subject, "allowed", "files", "read_file", "ok", "1.5ms", f"{1:032x}",
    ]  # fmt: skip


def test_a_refusal_and_an_unknown_outcome_are_shown(state: StateDirectory) -> None:
    writer = Writer(state, clock=ticking())
    writer.intent(call(1), TOOL, ALLOWED)
    writer.refusal(call(2), "policy.denied", "")
    writer.close()
    first, second = run(state).stdout.splitlines()
    assert " unknown " in first
    assert " refused " in second
    assert " policy.denied " in second


def test_the_last_lines_are_found_over_segments(state: StateDirectory) -> None:
    for number in range(1, 9, 2):
        write(state, number, number + 1)
    assert traces(run(state, "-n", "5").stdout) == [4, 5, 6, 7, 8]
    assert traces(run(state).stdout) == list(range(1, 9))
    assert run(state, "-n", "0").stdout == ""


def test_as_json_it_is_one_object_a_line(state: StateDirectory) -> None:
    write(state, 1, 2)
    first, second = map(json.loads, run(state, "--json").stdout.splitlines())
    assert (first["who"], first["duration_us"], second["trace"]) == (ADA.subject, 1500, f"{2:032x}")


def of_tenants(state: StateDirectory, **numbers: int) -> None:
    """One call of each tenant's caller, then one of nobody's."""
    writer = Writer(state, clock=ticking())
    for tenant, number in numbers.items():
        writer.intent(call(number, replace(ADA, tenant=tenant)), TOOL, ALLOWED)
    writer.intent(call(99), TOOL, ALLOWED)
    writer.close()


def test_the_calls_of_one_tenant_can_be_shown_alone(state: StateDirectory) -> None:
    of_tenants(state, acme=1, zeta=2)
    assert traces(run(state, "--tenant", "acme").stdout) == [1]
    assert traces(run(state, "--tenant", "").stdout) == [99]
    assert traces(run(state, "--tenant", "nobody").stdout) == []
    assert len(traces(run(state).stdout)) == 3
    (told,) = map(json.loads, run(state, "--tenant", "zeta", "--json").stdout.splitlines())
    assert told["tenant"] == "zeta"


def test_a_tenants_last_calls_are_found_behind_those_of_others(state: StateDirectory) -> None:
    of_tenants(state, acme=1)
    write(state, *range(2, 9), start=1_795_349_000_000_000_000)
    assert traces(run(state, "--tenant", "acme", "-n", "1").stdout) == [1]


def test_following_one_tenant_leaves_out_the_others(
    state: StateDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_tenants(state, acme=1)
    stepwise(monkeypatch, lambda: write(state, 7, start=1_795_349_000_000_000_000))
    assert traces(run(state, "--tenant", "acme", "--follow").stdout) == [1]


def test_a_damaged_chain_is_said_and_told_by_the_exit_code(state: StateDirectory) -> None:
    write(state, 1)
    (path,) = segment_files(state)
    path.write_bytes(path.read_bytes().replace(b"read_file", b"read_fils"))
    result = run(state)
    assert result.exit_code == 1
    assert "does not follow" in result.stderr
    assert traces(result.stdout) == [1]


def test_without_an_audit_it_says_what_to_do_and_makes_nothing(tmp_path: Path) -> None:
    (tmp_path / "bawn.yaml").write_text("state: ./state\n")
    result = CliRunner().invoke(app, ["--config", str(tmp_path / "bawn.yaml")])
    assert result.exit_code == 1
    assert "bawn up" in result.stderr
    assert not (tmp_path / "state").exists()


def test_a_wrong_configuration_is_wrong_use(tmp_path: Path) -> None:
    (tmp_path / "bawn.yaml").write_text("state: [1]\n")
    result = CliRunner().invoke(app, ["--config", str(tmp_path / "bawn.yaml")])
    assert result.exit_code == 2
    assert "state" in result.stderr
    assert "Traceback" not in result.output


def test_a_state_that_others_can_write_is_refused(state: StateDirectory) -> None:
    write(state, 1)
    state.path.chmod(0o777)
    result = run(state)
    assert result.exit_code == 2
    assert "chmod 700" in result.stderr


def stepwise(monkeypatch: pytest.MonkeyPatch, *steps: Callable[[], None]) -> None:
    """Do one of the steps at each wait; then interrupt, as a user does."""
    rest: Iterator[Callable[[], None]] = iter(steps)

    def sleep(_: float) -> None:
        step = next(rest, None)
        if step is None:
            raise KeyboardInterrupt
        step()

    monkeypatch.setattr(time, "sleep", sleep)


def test_following_shows_what_comes_over_rotation_and_restart(
    state: StateDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(state, 1, 2)
    writer = Writer(state, clock=ticking(1_795_348_900_000_000_000), rotate=1000)

    def more(*numbers: int) -> None:
        for number in numbers:
            intent = writer.intent(call(number), TOOL, ALLOWED)
            writer.outcome(intent, f"{number:032x}", "ok", 0.1, 1)
        writer.flush()

    stepwise(
        monkeypatch, lambda: more(3), lambda: more(4, 5, 6), writer.close,
        lambda: write(state, 7, start=1_795_349_000_000_000_000),
    )  # fmt: skip
    result = run(state, "--follow", "-n", "1")
    assert result.exit_code == 0
    assert traces(result.stdout) == [2, 3, 4, 5, 6, 7]


def test_following_shows_a_call_once_it_is_known_how_it_ended(
    state: StateDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = Writer(state, clock=ticking())
    intent = writer.intent(call(1), TOOL, ALLOWED)
    stepwise(
        monkeypatch, lambda: writer.outcome(intent, f"{1:032x}", "error", 0.1, 1), writer.flush
    )
    (line,) = run(state, "--follow").stdout.splitlines()
    assert " error " in line
    writer.close()


def test_a_reader_that_goes_away_is_no_error(state: StateDirectory) -> None:
    write(state, *range(1, 4000))
    program = "import typer; from bawn.cli.audit import tail; app = typer.Typer(); app.command()(tail); app()"
    options = ["--config", str(state.path.parent / "bawn.yaml"), "-n", "4000"]
    process = subprocess.Popen(
        [sys.executable, "-c", program, *options],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ | {"PYTHONUNBUFFERED": ""},
    )  # fmt: skip
    assert process.stdout
    assert process.stderr
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait(60) == 0
    process.stderr.close()


def test_what_people_decided_is_shown_among_the_calls(state: StateDirectory) -> None:
    writer = Writer(state, clock=ticking())
    writer.event(ADA, "approval.granted", f"{1:032x}", {"approval": "x"})
    writer.close()
    line = run(state).stdout.split()
    assert line[2:6] == [ADA.subject, "event", "-", "approval.granted"]
    assert json.loads(run(state, "--json").stdout)["sealed"] == {"approval": "x"}
