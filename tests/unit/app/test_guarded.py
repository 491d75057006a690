"""The files that decide what serves are guarded from the servers that are started."""

from __future__ import annotations

from pathlib import Path

from bawn.app.supervisor import guarded
from bawn.config.load import load

FILES = ("bawn.lock", "root.json", "trusted_root.json", "osv.zip")


def _guarded(home: Path, text: str) -> set[str]:
    (home / "bawn.yaml").write_text(text)
    return {path.name for path in guarded(load(home / "bawn.yaml", {}))}


def test_everything_that_trust_rests_on_is_guarded_as_far_as_it_is_there(tmp_path: Path) -> None:
    text = (
        "signing: {root: root.json, sigstore: trusted_root.json}\n"
        "vulnerabilities: {database: osv.zip}\npolicy: ./policies\n"
    )
    (tmp_path / "policies").mkdir()
    assert _guarded(tmp_path, text) == {"bawn.yaml", "policies"}
    for name in FILES:
        (tmp_path / name).touch()
    assert _guarded(tmp_path, text) == {"bawn.yaml", "policies", *FILES}


def test_a_database_elsewhere_is_no_file(tmp_path: Path) -> None:
    text = "vulnerabilities: {database: 'https://api.osv.dev'}\n"
    assert _guarded(tmp_path, text) == {"bawn.yaml"}
