"""`bawn sign init` makes a root that verifies, and keys that only their owners can read."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.cli.signing import desk


def test_the_root_verifies_and_every_private_key_is_private(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = desk(tmp_path, monkeypatch)
    here.init()
    assert "verified: version 1" in here.done("root", "verify")
    keys = sorted((tmp_path / "signing").glob("*.key"))
    assert [each.stem for each in keys] == ["carol", "dan", "organisation", "pat"]
    assert {each.stat().st_mode & 0o777 for each in keys} == {0o600}
    assert "*.key" in (tmp_path / "signing" / ".gitignore").read_text()


def test_who_brings_a_public_key_gets_no_private_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = desk(tmp_path, monkeypatch)
    (tmp_path / "signing").mkdir()
    here.done("key", "new", "carol.key")
    (tmp_path / "carol.pub").rename(tmp_path / "signing" / "carol.pub")
    here.init()
    assert not (tmp_path / "signing" / "carol.key").exists()
    assert "carol" in here.done("root", "show")


def test_a_root_that_is_there_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = desk(tmp_path, monkeypatch)
    here.init()
    before = (tmp_path / "signing" / "root.json").read_bytes()
    code, output = here.sign("init")
    assert (code, "already" in output) == (2, True)
    assert (tmp_path / "signing" / "root.json").read_bytes() == before


@pytest.mark.parametrize(
    "words",
    [
        ("--reviewers", "../evil"),
        ("--reviewers", "cаrol"),
        ("--reviewers", "carol", "--threshold", "reviewer=2"),
        ("--reviewers", "carol", "--threshold", "reviewer=0"),
        ("--threshold", "reviewer"),
        ("--threshold", "boss=1"),
        ("--passphrase", "plain text"),
    ],
)
def test_wrong_use_is_told_and_makes_no_root(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    code, _ = desk(tmp_path, monkeypatch).sign("init", *words)
    assert code == 2
    assert not (tmp_path / "signing" / "root.json").exists()
