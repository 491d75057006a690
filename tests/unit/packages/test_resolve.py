"""One digest for a package and all it needs."""

from __future__ import annotations

from pathlib import Path

import pytest

from bawn.errors import Misconfigured
from bawn.launching.package import Artifact, Package
from bawn.packages import resolve
from tests.unit.packages.fakes import FakeNpm, entry, sri

EXACT = Package("npm", "server", "1.0.0")
ONE = Artifact("server", "1.0.0", sri(1), "node_modules/server")
TWO = Artifact("dep", "2.0.0", sri(2), "node_modules/dep")


def test_the_digest_is_of_what_is_installed_in_any_order() -> None:
    digest = resolve.digest(EXACT, (ONE, TWO))
    assert digest == resolve.digest(EXACT, (TWO, ONE))
    assert len(digest) == 64
    others = [
        resolve.digest(EXACT, (ONE,)),
        resolve.digest(Package("npm", "server", "1.0.1"), (ONE, TWO)),
        resolve.digest(EXACT, (ONE, Artifact("dep", "2.0.0", sri(3), "node_modules/dep"))),
        resolve.digest(EXACT, (ONE, Artifact("dep", "2.0.0", sri(2), "node_modules/x"))),
    ]
    assert digest not in others
    assert len(set(others)) == 4


def test_a_resolution_has_no_address_of_a_registry_and_an_exact_version(tmp_path: Path) -> None:
    tool = FakeNpm({"node_modules/server": entry()})
    found = resolve.resolve(Package("npm", "server", "^1"), tmp_path, tool)
    assert found.asked == Package("npm", "server", "^1")
    assert found.package == EXACT
    assert found.package.exact
    assert "://" not in repr(found)


def test_a_name_that_is_an_option_never_reaches_a_tool(tmp_path: Path) -> None:
    tool = FakeNpm({})
    with pytest.raises(Misconfigured, match="expected a name"):
        resolve.resolve(Package("npm", "--registry=http://evil.example"), tmp_path, tool)
    assert tool.asked == []


def test_too_many_artifacts_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolve, "MOST", 1)
    tool = FakeNpm({"node_modules/server": entry(), "node_modules/dep": entry()})
    with pytest.raises(Misconfigured, match="2 artifacts"):
        resolve.resolve(Package("npm", "server"), tmp_path, tool)
