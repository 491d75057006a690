from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bawn.app import beside
from bawn.app.beside import Beside
from bawn.config.load import load
from bawn.errors import Misconfigured
from bawn.launching.installed import Installed
from bawn.storage import StateDirectory

RULE = "permit (principal, action, resource);\n"


def _read(home: Path, text: str = "policy: ./policies\n") -> Beside:
    (home / "bawn.yaml").write_text(text)
    return beside.read(load(home / "bawn.yaml", {}), StateDirectory(home / "state"))


def test_policies_that_changed_are_told_of(tmp_path: Path) -> None:
    (tmp_path / "policies").mkdir()
    rules = tmp_path / "policies" / "a.cedar"
    rules.write_text(RULE)
    before = _read(tmp_path)
    assert _read(tmp_path).changes_of(before) == ()
    rules.write_text(f'@id("all")\n{RULE}')
    assert _read(tmp_path).changes_of(before) == ("the policies",)


def test_rules_that_are_lost_are_no_change_but_a_fault(tmp_path: Path) -> None:
    (tmp_path / "policies").mkdir()
    rules = tmp_path / "policies" / "a.cedar"
    rules.write_text(RULE)
    before = _read(tmp_path)
    rules.unlink()
    with pytest.raises(Misconfigured, match="file any more"):
        _read(tmp_path).changes_of(before)


def test_another_package_on_the_disk_is_told_of(tmp_path: Path) -> None:
    before = _read(tmp_path, "log: {level: info}\n")
    after = replace(before, installed={"files": Installed(("node", "x.js"), "/root", "aa")})
    assert after.changes_of(before) == ("the installed packages",)
