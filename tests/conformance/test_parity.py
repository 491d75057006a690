"""Nothing that the official suite finds good direct is worse through bawn."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conformance import clients, compare, subjects, suite
from tests.conformance.suite import WIRES, Found

pytestmark = pytest.mark.e2e

SCORED = {"2025-11-25": (30, 0), "2026-07-28": (37, 0)}


@pytest.fixture(scope="module")
def direct() -> dict[str, Found]:
    """What the suite finds of the fixture itself."""
    with subjects.direct() as url:
        return {wire: suite.server(url, wire) for wire in (*WIRES, suite.ALL)}


@pytest.fixture(scope="module", params=["modern", "legacy"])
def behind(request: pytest.FixtureRequest) -> Iterator[tuple[str, str]]:
    """A gate in front of a server of one era: which era, and the gate's URL."""
    with subjects.BAWN[request.param]() as url:
        yield request.param, url


@pytest.mark.parametrize("wire", WIRES)
def test_the_fixture_passes_every_scored_scenario_and_every_check(
    direct: dict[str, Found], wire: str
) -> None:
    assert direct[wire].scored() == SCORED[wire]
    assert [check for check in direct[wire].checks if check.failed] == []


def test_the_fixture_passes_the_tasks_and_skills_extensions(direct: dict[str, Found]) -> None:
    played = {name for name in direct[suite.ALL].passed if name.startswith(("tasks-", "sep-2640-"))}
    assert len(played) == 13
    assert [check for check in direct[suite.ALL].checks if check.failed] == []


@pytest.mark.parametrize("wire", WIRES)
def test_bawn_loses_nothing(direct: dict[str, Found], behind: tuple[str, str], wire: str) -> None:
    path, url = behind
    lost = compare.losses(wire, direct[wire], suite.server(url, wire))
    assert not list(map(str, compare.unexpected(path, lost, compare.expected())))
    assert not compare.stale(path, wire, lost, compare.expected())


@pytest.mark.parametrize("behind", ["modern"], indirect=True)
def test_bawn_passes_extensions_it_does_not_know(
    direct: dict[str, Found], behind: tuple[str, str]
) -> None:
    _, url = behind
    for scenario in sorted(direct[suite.ALL].passed):
        if scenario.startswith("sep-2640-"):
            found = suite.server(url, suite.ALL, scenario)
            assert not [
                check for check in found.checks if check.failed or check.status == "SKIPPED"
            ]


def test_every_expected_failure_cites_a_reason() -> None:
    for line in compare.expected():
        assert line.path in {*subjects.BAWN, "client"}
        assert line.wire in {*WIRES, clients.EXTENSION}
        assert len(line.cites) > 20, line
