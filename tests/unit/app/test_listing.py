"""Listing without a gate asks for consent, and leaves nothing behind; tests/e2e/test_lock.py starts servers."""

from __future__ import annotations

from pathlib import Path

import pytest

from bawn.app import listing
from bawn.errors import Misconfigured
from tests.lockfiles import configured


@pytest.fixture(autouse=True)
def own_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "xdg"))
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    monkeypatch.setattr("bawn.runner.reaper.adopt", lambda: None)


async def test_nothing_is_started_that_its_owner_has_not_consented_to(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="consent"):
        await listing.listed(configured(tmp_path / "home"), {})
    assert not list((tmp_path / "tmp").iterdir())


async def test_nothing_is_started_that_breaks_the_launch_grammar(tmp_path: Path) -> None:
    loaded = configured(tmp_path / "home", "servers: {a: {command: [bash, -c, x]}}\n")
    with pytest.raises(Misconfigured, match="-c"):
        await listing.listed(loaded, {})


async def test_without_servers_there_is_nothing_and_nothing_stays(tmp_path: Path) -> None:
    found = await listing.listed(configured(tmp_path / "home", ""), {})
    assert (dict(found.listings), dict(found.failed)) == ({}, {})
    assert not list((tmp_path / "tmp").iterdir())
