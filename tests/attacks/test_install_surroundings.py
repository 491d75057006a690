"""Installing where others may write above: another user's project in /tmp is none of ours."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from bawn.errors import Misconfigured
from bawn.launching.package import Package
from bawn.packages import npm
from bawn.packages.tool import Tool

_EVIL = "http://127.0.0.1:9/evil/"


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    """A directory of ours below a project of somebody else's, which claims it as a workspace."""
    (tmp_path / "package.json").write_text('{"name": "theirs", "workspaces": ["*"]}')
    (tmp_path / ".npmrc").write_text(f"registry={_EVIL}\n")
    found = tmp_path / "bawn-scratch"
    found.mkdir(mode=0o700)
    return found


@pytest.mark.skipif(
    shutil.which("npm") is None and "CI" not in os.environ, reason="npm is not installed"
)
@pytest.mark.parametrize("project", [False, True])
def test_the_registry_is_not_taken_from_a_directory_above(scratch: Path, project: bool) -> None:
    if project:
        (scratch / "package.json").write_text('{"name": "ours", "version": "0.0.0"}')
    found = npm.registry_of(Package("npm", "server", "1.0.0"), scratch, Tool(os.environ))
    assert found != _EVIL


def test_npm_is_told_where_it_is_whatever_it_is_asked(scratch: Path) -> None:
    asked: list[tuple[str, ...]] = []

    def run(argv: Sequence[str], directory: Path) -> str:
        asked.append(tuple(argv))
        raise Misconfigured("enough")

    package = Package("npm", "server", "1.0.0")
    for ask in (
        lambda: npm.resolve(package, scratch, run)[0],
        lambda: npm.install(package, (), scratch, run),
        lambda: npm.registry_of(package, scratch, run),
    ):
        with pytest.raises(Misconfigured, match="enough"):
            ask()
    assert len(asked) == 3
    assert all("--prefix=." in argv for argv in asked)
