"""The benchmark's own honesty: its targets answer rightly, and it notices when one does not."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from bench import procfs
from bench.ab import interval
from bench.fleet import Fleet
from bench.procfs import Cores
from bench.target import SERVER
from bench.toolchain import ROOT
from bench.verify import WrongAnswerError, verify

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    with Fleet(tmp_path_factory.mktemp("bench"), Cores.available()) as running:
        yield running


@pytest.mark.parametrize("name", ["direct", "yardstick", "bawn", "bawn, stdio"])
def test_every_answer_of_a_target_belongs_to_its_request(fleet: Fleet, name: str) -> None:
    target = fleet.target(name)
    assert asyncio.run(verify(target, 200, connections=8, each=4)) == 32
    assert asyncio.run(verify(target, 1_000_000, connections=2, each=1)) == 2


def test_a_target_that_answers_something_else_is_noticed(fleet: Fleet) -> None:
    wrong = replace(fleet.target("bawn"), tool="mock__no_such_tool")
    with pytest.raises(WrongAnswerError, match=r"target\.unknown"):
        asyncio.run(verify(wrong, 200, connections=1, each=1))


def test_a_target_that_refuses_is_noticed(fleet: Fleet) -> None:
    stranger = replace(fleet.target("bawn"), bearer="not-a-token")
    with pytest.raises(WrongAnswerError, match="status 401"):
        asyncio.run(verify(stranger, 200, connections=1, each=1))


def test_the_cost_of_calls_is_charged_to_the_processes_that_bear_it(fleet: Fleet) -> None:
    target = fleet.target("bawn, stdio")
    before = {part: procfs.cpu_ns(pids) for part, pids in target.parts.items()}
    asyncio.run(verify(target, 200, connections=4, each=25))
    spent = {part: procfs.cpu_ns(pids) - before[part] for part, pids in target.parts.items()}
    assert spent["worker"] > spent["supervisor"]
    assert spent["runner"] > spent["supervisor"]
    assert spent[SERVER] > 0


def test_the_path_runs_in_process_and_tells_its_cost() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench.path"],
        cwd=ROOT,
        input="160\n",
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    source, cost = done.stdout.split()
    assert Path(source) == ROOT / "src" / "bawn"
    assert float(cost) > 0


def test_a_slower_change_is_told_from_noise() -> None:
    noise = [(-1) ** n * 0.1 * (n % 7) / 7 for n in range(40)]
    low, high = interval(noise)
    assert low < 0 < high
    low, high = interval([0.06 + value / 10 for value in noise])
    assert low > 0.03
    assert high < 0.09
