"""bawn's own side towards servers, as the suite's servers see it."""

from __future__ import annotations

import pytest

from tests.conformance import clients, compare

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize(("wire", "scenario"), list(clients.chosen()))
def test_a_client_scenario_passes_through_bawn_as_it_does_direct(wire: str, scenario: str) -> None:
    direct, here, lost = clients.lost(wire, scenario)
    assert any(check.status == "SUCCESS" for check in direct.checks), direct.output
    assert not list(map(str, compare.unexpected("client", lost, compare.expected())))
    assert all(here.passed.values()), here.output
