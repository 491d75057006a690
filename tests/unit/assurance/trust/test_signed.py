from __future__ import annotations

from pathlib import Path

import pytest

from bawn.assurance.trust.signed import Signatures
from bawn.config import Config, Server
from bawn.config.integrity import SigningConfig
from bawn.pins.record import Pin, Record
from bawn.pins.tree import root
from bawn.storage.directory import StateDirectory
from bawn.storage.files import ServerFiles
from tests.unit.cli.signing import desk

PIN = Pin("tool", "read", "0" * 64, {"name": "read"}, 1.0, ("ada",))
ROOT = root([PIN])
CONFIG = Config(
    servers={"files": Server(url="https://files.example.com/mcp")},
    signing=SigningConfig(root="signing/root.json"),
)


def test_without_a_root_nothing_can_be_said(tmp_path: Path) -> None:
    found = Signatures(Config(), tmp_path).of("files", ROOT)
    assert found.verdict == "unmeasured"
    assert "no trust root" in found.detail


def test_enough_reviewers_vouch_for_these_pins_and_for_no_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = desk(tmp_path, monkeypatch)
    here.init()
    (signing,) = tmp_path.glob("signing/root.json")
    assert signing.is_file()
    text = "servers:\n  files:\n    url: https://files.example.com/mcp\n"
    (tmp_path / "bawn.yaml").write_text(text)
    files = ServerFiles(StateDirectory(tmp_path / ".bawn").pins, Record)
    files.update("files", lambda _: Record("files", 1.0, pins=(PIN,)))
    known = Signatures(CONFIG, tmp_path)
    assert known.of("files", ROOT).verdict == "unmeasured"
    here.done("server", "files", "--key", "signing/carol.key", "--yes")
    assert known.of("files", ROOT).verdict == "failed"  # one of two
    here.done("server", "files", "--key", "signing/dan.key", "--yes")
    signed = known.of("files", ROOT)
    assert signed.verdict == "verified"
    assert "carol" in signed.detail
    assert signed.of == ROOT
    assert known.of("files", "1" * 64).verdict == "failed"
    assert known.of("other", ROOT).verdict == "unmeasured"
