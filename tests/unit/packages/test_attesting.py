"""What cannot be asked is unmeasured, and why is told."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from bawn.errors import Misconfigured
from bawn.packages import npm, provenance
from bawn.packages.attesting import look
from tests.unit.packages.test_provenance import NPM


def test_the_registry_is_the_users_own_for_its_scope(tmp_path: Path) -> None:
    told = {"@a:registry": "https://a.example/\n", "registry": "https://all.example/\n"}

    def run(argv: Sequence[str], directory: Path) -> str:
        return told.get(argv[3], "undefined\n")

    assert npm.registry_of(NPM.package, tmp_path, run) == "https://a.example/"
    del told["@a:registry"]
    assert npm.registry_of(NPM.package, tmp_path, run) == "https://all.example/"
    told.clear()
    with pytest.raises(Misconfigured, match="does not tell"):
        npm.registry_of(NPM.package, tmp_path, run)


def test_a_registry_that_cannot_be_asked_leaves_it_unmeasured(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def down(*_: object) -> list[bytes]:
        raise Misconfigured("a.example cannot be reached")

    monkeypatch.setattr(provenance, "npm_bundles", down)
    found = look(NPM, None, 7.0, lambda argv, directory: "https://a.example/")
    assert {each.verdict for each in found} == {"unmeasured"}
    assert all("cannot be reached" in each.detail for each in found)
