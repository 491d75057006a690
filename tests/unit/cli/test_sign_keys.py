"""`bawn sign key` makes keys, shows ids, and never shows a private key."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.cli.signing import desk


def test_a_pair_is_made_once_and_both_have_one_id(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = desk(tmp_path, monkeypatch)
    made = here.done("key", "new", "eve.key")
    secret = (tmp_path / "eve.key").read_text()
    assert secret.splitlines()[1] not in made
    ids = {
        json.loads(here.done("key", "show", f"eve.{kind}", "--json"))["id"]
        for kind in ("key", "pub")
    }
    assert len(ids) == 1
    assert ids.pop() in made
    code, output = here.sign("key", "new", "eve.key")
    assert (code, "left alone" in output) == (2, True)
    assert (tmp_path / "eve.key").read_text() == secret


def test_a_passphrase_comes_from_a_reference_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = desk(tmp_path, monkeypatch)
    monkeypatch.setenv("PHRASE", "correct horse")
    code, output = here.sign("key", "new", "eve.key", "--passphrase", "correct horse")
    assert (code, "can be read by everybody" in output) == (2, True)
    here.done("key", "new", "eve.key", "--passphrase", "${env:PHRASE}")
    assert "ENCRYPTED" in (tmp_path / "eve.key").read_text()
    here.done("key", "show", "eve.key", "--passphrase", "${env:PHRASE}")
    code, output = here.sign("key", "show", "eve.key")
    assert (code, "has a passphrase" in output) == (2, True)


def test_without_a_terminal_no_passphrase_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, output = desk(tmp_path, monkeypatch).sign("key", "new", "eve.key", "--encrypt")
    assert (code, "no terminal" in output) == (2, True)
    assert not (tmp_path / "eve.key").exists()


def test_what_is_no_key_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = desk(tmp_path, monkeypatch)
    assert here.sign("key", "show", "none.pub")[0] == 2
    (tmp_path / "junk.pub").write_text("junk")
    code, output = here.sign("key", "show", "junk.pub")
    assert (code, "expected an Ed25519 public key" in output) == (1, True)
