from __future__ import annotations

from typing import Any

import pytest

from bawn import __version__
from bawn.errors import Refused
from bawn.model import Client, Endpoint
from bawn.protocol import lifecycle, versions
from tests.gate import LEGACY, META


def _endpoint() -> Endpoint:
    return Endpoint(None, {}, frozenset(), {"tools": {}}, {}, 30)


def test_discover_tells_versions_capabilities_and_how_long_it_holds() -> None:
    assert lifecycle.discover(_endpoint(), "") == {
        "resultType": "complete",
        "supportedVersions": list(versions.SUPPORTED),
        "capabilities": {"tools": {}},
        "ttlMs": 30,
        "cacheScope": "private",
        "_meta": {
            META + "serverInfo": {"name": "bawn", "title": "bawn gate", "version": __version__}
        },
    }


def test_instructions_are_told_where_there_are_any() -> None:
    assert lifecycle.discover(_endpoint(), "Be kind.")["instructions"] == "Be kind."
    told = lifecycle.initialize(Client(LEGACY), _endpoint(), "Be kind.")
    assert told["instructions"] == "Be kind."
    assert "instructions" not in lifecycle.initialize(Client(LEGACY), _endpoint(), "")


@pytest.mark.parametrize("version", versions.HANDSHAKE)
def test_a_served_version_is_agreed_on(version: str) -> None:
    params = {
        "protocolVersion": version,
        "capabilities": {"roots": {}},
        "clientInfo": {"name": "c"},
    }
    client = lifecycle.handshake(params)
    assert client == Client(version, "c", {"roots": {}})
    assert lifecycle.initialize(client, _endpoint(), "") == {
        "protocolVersion": version,
        "capabilities": {"tools": {}},
        "serverInfo": lifecycle.SERVER_INFO,
    }


@pytest.mark.parametrize("version", ["2099-01-01", "2024-10-07", "2026-07-28", "", "1.0"])
def test_any_other_version_is_answered_by_the_newest_with_a_handshake(version: str) -> None:
    params = {"protocolVersion": version, "capabilities": {}}
    assert lifecycle.handshake(params).version == "2025-11-25"


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"protocolVersion": LEGACY},
        {"capabilities": {}},
        {"protocolVersion": 5, "capabilities": {}},
        {"protocolVersion": LEGACY, "capabilities": []},
        {"protocolVersion": [LEGACY], "capabilities": {}},
    ],
)
def test_a_handshake_without_its_parameters_is_refused(params: dict[str, Any]) -> None:
    with pytest.raises(Refused) as caught:
        lifecycle.handshake(params)
    assert caught.value.reason.id == "message.params"


@pytest.mark.parametrize("info", [None, 5, {}, {"name": 5}, {"name": None}])
def test_a_client_may_stay_unnamed(info: Any) -> None:
    params = {"protocolVersion": LEGACY, "capabilities": {}, "clientInfo": info}
    assert lifecycle.handshake(params).name == ""


def test_a_long_name_is_cut() -> None:
    params = {"protocolVersion": LEGACY, "capabilities": {}, "clientInfo": {"name": "n" * 999}}
    assert len(lifecycle.handshake(params).name) == 128
