"""`bawn sign` signs what it shows, and verifies offline."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bawn.pins import tree
from bawn.pins.record import Pin, Record
from bawn.storage import StateDirectory
from bawn.storage.files import ServerFiles
from tests.unit.cli.signing import Desk, desk

CAROL, DAN = (("--key", f"signing/{name}.key", "--yes") for name in ("carol", "dan"))


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    made = desk(tmp_path, monkeypatch)
    made.init()
    made.write_lock()
    return made


def test_a_lockfile_is_signed_by_one_after_another(here: Desk) -> None:
    assert here.sign("verify")[0] == 1
    here.done("lock", *CAROL)
    code, output = here.sign("verify")
    assert (code, "threshold: reviewer: 1 of 2" in output) == (1, True)
    here.done("lock", *DAN)
    assert "signed by carol, dan" in here.done("verify")
    told = json.loads(here.done("verify", "--json"))
    assert told["verified"] is True
    assert sorted(each["name"] for each in told["signers"]) == ["carol", "dan"]


def test_what_was_changed_after_it_was_signed_is_refused(here: Desk) -> None:
    here.done("lock", *CAROL)
    here.done("lock", *DAN)
    found = json.loads((here.path / "bawn.lock").read_text())
    (here.path / "bawn.lock").write_text(json.dumps({**found, "servers": {"evil": {}}}))
    code, output = here.sign("verify", "--json")
    told = json.loads(output)
    assert (code, told["verified"], told["why"]) == (1, False, "subject")


def test_without_consent_or_key_nothing_is_signed(here: Desk) -> None:
    before = (here.path / "bawn.lock").read_bytes()
    assert here.sign("lock", "--key", "signing/carol.key")[0] == 2
    assert here.sign("lock", "--yes")[0] == 2
    assert here.sign("lock", "--key", "none.key", "--yes")[0] == 2
    assert (here.path / "bawn.lock").read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b'{"a":1,"a":2}'])
def test_a_file_that_is_no_lockfile_is_refused_and_left_alone(here: Desk, content: bytes) -> None:
    (here.path / "bawn.lock").write_bytes(content)
    assert here.sign("verify")[0] == 1
    assert here.sign("lock", *CAROL)[0] == 1
    assert (here.path / "bawn.lock").read_bytes() == content


def test_missing_files_are_wrong_use(here: Desk) -> None:
    assert here.sign("verify", "none.lock")[0] == 2
    assert here.sign("verify", "--root", "none.json")[0] == 2


def test_the_pins_of_a_server_are_signed_for_that_server(here: Desk) -> None:
    (here.path / "bawn.yaml").write_text(
        "state: state\nservers: {files: {url: 'https://example.com/mcp'}}\n"
    )
    assert here.sign("server", "files", *CAROL)[0] == 1
    pin = Pin("tool", "read", "ab" * 32, {"name": "read"}, 1.0)
    store = ServerFiles(StateDirectory(here.path / "state").pins, Record)
    store.update("files", lambda _: Record("files", 1.0, pins=(pin,)))
    here.done("server", "files", *CAROL)
    here.done("server", "files", *DAN)
    told = json.loads(here.done("verify", "signatures/files.json", "--json"))
    assert told["subjects"] == {"pins/files": tree.root([pin])}
    assert told["server"] == "files"
    (here.path / "signatures" / "files.json").rename(here.path / "signatures" / "issues.json")
    assert here.sign("verify", "signatures/issues.json")[0] == 1
    assert here.sign("server", "none", *CAROL)[0] == 2
