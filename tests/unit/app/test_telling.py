"""Approvers are told by the steward, where there are any."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from bawn.app.telling import notifier
from bawn.approvals.notify import Notifier
from bawn.config import Config
from bawn.errors import Misconfigured
from bawn.storage import StateDirectory
from bawn.upstream.http1 import PooledClient

CARA = '{"approvals": {"approvers": [{"name": "cara", "roles": ["oncall"], "webhook": "%s"}]}}'


def made(place: Path, settings: str) -> Notifier | None:
    config = Config.model_validate_json(settings)
    client = PooledClient(1, 1.0, ssl.create_default_context())
    return notifier(config, place, StateDirectory(place / "state"), client)


def test_where_nobody_is_to_be_told_nothing_looks(tmp_path: Path) -> None:
    assert made(tmp_path, "{}") is None
    assert not (tmp_path / "state" / "state.db").exists()


def test_approvers_are_told(tmp_path: Path) -> None:
    found = made(tmp_path, CARA % "http://127.0.0.1:9/hook")
    assert isinstance(found, Notifier)
    found._store._database.close()


def test_a_secret_that_is_not_there_is_refused_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="NO_SUCH"):
        made(tmp_path, CARA % "${env:NO_SUCH}")


def test_a_store_that_cannot_be_opened_is_told(tmp_path: Path) -> None:
    (tmp_path / "state" / "state.db").mkdir(parents=True)
    with pytest.raises(Misconfigured, match="disk"):
        made(tmp_path, CARA % "http://127.0.0.1:9/hook")
