"""Entries follow the configuration and the records; what cannot be read is not vouched for."""

from __future__ import annotations

from pathlib import Path

import pytest

from bawn.config.model import Config
from bawn.config.server import Server
from bawn.errors import Refused
from bawn.launching.package import Package, Resolution
from bawn.pins import tree
from bawn.pins.record import Pin, Record
from bawn.registry.collection import Collection
from bawn.storage import StateDirectory
from bawn.storage.files import ServerFiles

CONFIG = Config(
    servers={
        "files": Server(command=("npx", "files@1.2.3")),
        "wiki": Server(url="https://wiki.example.com/mcp", tenant="acme", status="deprecated"),
        "old": Server(url="https://old.example.com/mcp", status="disabled"),
    }
)
PIN = Pin("tool", "read", "ab" * 32, {"name": "read"}, 500.0)


@pytest.fixture
def state(tmp_path: Path) -> StateDirectory:
    return StateDirectory(tmp_path / "state")


def test_without_records_there_are_the_settings_and_nothing_is_made(tmp_path: Path) -> None:
    known = Collection(CONFIG, tmp_path / "none", 100.0)
    found = {each.id: each for each in known.published()}
    assert set(found) == {"files", "wiki"}
    assert (found["wiki"].status, found["wiki"].tenant) == ("deprecated", "acme")
    assert (found["files"].published, found["files"].updated) == (100.0, 100.0)
    assert known.entry("old").status == "disabled"
    assert not (tmp_path / "none").exists()


def test_what_is_approved_and_installed_shows_as_soon_as_it_is(state: StateDirectory) -> None:
    known = Collection(CONFIG, state.path, 100.0)
    before = known.entry("files")
    ServerFiles(state.pins, Record).update("files", lambda _: Record("files", 50.0, pins=(PIN,)))
    package = Package("npm", "files", "1.2.3")
    resolution = Resolution(package, package, (), "cd" * 32, resolved=400.0)
    ServerFiles(state.packages, Resolution).update("files", lambda _: resolution)
    after = known.entry("files")
    assert (before.root, before.resolved) == ("", "")
    assert (after.root, after.resolved) == (tree.root([PIN]), "cd" * 32)
    (files,) = (each for each in known.published() if each.id == "files")
    assert (files.published, files.updated) == (50.0, 500.0)
    assert known.entry("files") is known.entry("files")


def test_a_record_that_cannot_be_read_takes_its_server_from_the_list_and_no_other(
    state: StateDirectory,
) -> None:
    files = ServerFiles(state.pins, Record)
    files.update("files", lambda _: Record("files", 50.0))
    files.path("files").write_text("torn")
    known = Collection(CONFIG, state.path, 100.0)
    assert [each.id for each in known.published()] == ["wiki"]
    with pytest.raises(Refused):
        known.entry("files")
