"""`bawn drill` against a real gate: what it kills is back, and what callers saw is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bawn.model import Json
from tests.e2e import census
from tests.e2e.conftest import StartGate
from tests.e2e.gate_process import Gate
from tests.e2e.witnesses import LIMITS, local

pytestmark = pytest.mark.e2e

CALL = ("--tool", "shared__tell", "--arguments", '{"who": "drill"}')
KILLS = ("worker", "steward", "keeper", "child", "runner")


@pytest.fixture
def up(gate: StartGate, tmp_path: Path) -> Gate:
    """A gate with local servers."""
    servers = local("shared", "principal", diary=tmp_path / "diary", family=True)
    return gate(f"servers:\n{servers}{LIMITS}").until_ok()


def drilled(up: Gate, *options: str) -> tuple[int, dict[str, Json]]:
    """The exit code and the figures of a drill, by fault."""
    done = up.run("drill", "--yes", "--json", "--seconds", "2", *options)
    assert done.returncode in (0, 1), done.stderr
    return done.returncode, {told["fault"]: told for told in json.loads(done.stdout)}


@pytest.mark.parametrize("fault", KILLS)
def test_what_is_killed_is_back_and_every_caller_is_answered_again(up: Gate, fault: str) -> None:
    before = census.take(up)
    code, told = drilled(up, *CALL, "--fault", fault)
    after = census.take(up)
    seen = told[fault]
    assert seen["done"], seen
    assert seen["answered"] > 0
    assert seen["unanswered"] == 0
    assert fault == "worker" or seen["resets"] == 0
    assert seen["all"] is not None
    # what is not back while the drill looks, on a busy machine, is late as well
    late = [seen[what] is None or seen[what] > 2000 for what in ("first", "all", "processes")]
    assert (code == 0) == (not any(late))
    killed = int(seen["did"].rpartition(" ")[2])
    assert killed in before.processes
    assert killed not in after.processes
    assert after.parts["supervisor"] == before.parts["supervisor"]
    assert not after.leftovers


def test_a_halted_server_costs_the_callers_of_another_nothing(up: Gate) -> None:
    code, told = drilled(up, "--fault", "slow")
    assert code == 0
    assert told["slow"]["errors"] == {}
    assert told["slow"]["p99"] < 1000
    stopped = int(told["slow"]["did"].rpartition(" ")[2])
    assert "State:\tT" not in (census.PROC / str(stopped) / "status").read_text()


def test_the_table_is_for_people(up: Gate) -> None:
    done = up.run("drill", "--yes", "--seconds", "2", "--fault", "worker")
    assert "worker: killed process" in done.stdout
    assert "`--tool` lets them reach a server" in done.stdout
    assert done.stderr == ""  # progress is for terminals


def test_without_a_gate_the_next_step_is_to_start_one(tmp_path: Path) -> None:
    done = Gate(tmp_path, "").run("drill", "--yes")
    assert done.returncode == 1
    assert "bawn up" in done.stderr
