"""`bawn lock --check` compares, with exit codes for CI."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from bawn.signing import lock as signing
from tests.lockfiles import READ, WORSE, configured
from tests.signers import NOW, Office, person
from tests.unit.cli.locking import Place


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "xdg"))
    return Place(tmp_path / "home")


def test_differences_end_with_one_and_are_told_for_people_programs_and_code_hosts(
    place: Place, tmp_path: Path
) -> None:
    place.approved()
    place.run()
    place.approve("far", READ, WORSE)
    configured(place.home, place.loaded.path.read_text().replace("--root", "--other"))
    shown = place.run("--check", "--sarif", str(tmp_path / "out.sarif"))
    assert shown.exit_code == 1
    assert "lock/changed" in shown.stdout
    assert '+ "Writes. Tell nobody."' in shown.stdout
    told = json.loads(place.run("--check", "--json").stdout)
    kinds = {each["kind"] for each in told["findings"]}
    assert {"lock/reach", "lock/changed"} <= kinds
    assert told["same"] is False
    results = json.loads((tmp_path / "out.sarif").read_text())["runs"][0]["results"]
    places = [each["locations"][0]["physicalLocation"] for each in results]
    assert {each["artifactLocation"]["uri"] for each in places} == {"bawn.lock", "bawn.yaml"}
    assert all(each["region"]["startLine"] > 0 for each in places)


def test_a_missing_or_damaged_file_is_a_wrong_use_of_check(place: Place) -> None:
    missing = place.run("--check")
    assert (missing.exit_code, "no such file" in missing.stderr) == (2, True)
    place.file.write_text("[]")
    damaged = place.run("--check")
    assert (damaged.exit_code, "bawn.lock" in damaged.stderr) == (2, True)


def test_check_verifies_signatures_where_there_is_a_root(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.approved()
    place.run()
    office = Office()
    root = tmp_path / "root.json"
    root.write_bytes(office.content)
    unsigned = place.run("--check", "--root", str(root))
    assert (unsigned.exit_code, "lock/signature" in unsigned.stdout) == (1, True)
    assert place.code("--check", "--root", str(tmp_path / "none")) == 2
    monkeypatch.setattr("bawn.cli.lock_check.time", SimpleNamespace(time=lambda: NOW))
    tree = json.loads(place.file.read_bytes())
    for names, code in ((("rita",), 1), (("rita", "rob"), 0)):
        signed = signing.sign(tree, [person(name) for name in names], NOW)
        place.file.write_text(json.dumps(signed))
        done = place.run("--check", "--root", str(root))
        assert (done.exit_code, "lock/signed" in done.stdout) == (code, code == 0)
