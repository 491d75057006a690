"""What is on record of a server's package outlives the process."""

from __future__ import annotations

from pathlib import Path

from bawn.launching.package import Artifact, Package, Resolution
from bawn.packages.store import resolutions
from bawn.storage.directory import StateDirectory
from tests.unit.packages.fakes import sri


def test_a_resolution_is_read_back_as_it_was_put(tmp_path: Path) -> None:
    package = Package("npm", "x", "1.0.0")
    artifacts = (Artifact("x", "1.0.0", sri(1), "node_modules/x"),)
    resolution = Resolution(package, package, artifacts, "d", ("node", "a/b.js"), "t", 1.5, "p")
    state = StateDirectory(tmp_path)
    assert resolutions(state).read("files") is None
    resolutions(state).update("files", lambda _: resolution)
    assert resolutions(StateDirectory(tmp_path)).read("files") == resolution
