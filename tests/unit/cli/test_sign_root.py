"""`bawn sign root` changes a root by those who may, and only then."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from bawn.signing import chain
from bawn.signing.seen import Seen
from tests.unit.cli.signing import Desk, desk


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    made = desk(tmp_path, monkeypatch)
    made.init()
    return made


def test_a_key_is_added_and_another_revoked(here: Desk) -> None:
    here.done("key", "new", "eve.key")
    here.done("root", "rotate", "--add", "reviewer=eve=eve.pub", "--remove", "reviewer=dan",
              "--key", "signing/organisation.key", "--yes")  # fmt: skip
    found = json.loads(here.done("root", "show", "--json"))
    assert found["version"] == 2
    assert {each["name"] for each in found["keys"].values()} == {
        "carol",
        "eve",
        "organisation",
        "pat",
    }


def test_a_version_waits_until_the_new_keys_have_signed_as_well(here: Desk) -> None:
    here.done("key", "new", "olaf.key")
    told = here.done("root", "rotate", "--add", "organisation=olaf=olaf.pub",
                     "--threshold", "organisation=2", "--key", "signing/organisation.key", "--yes")  # fmt: skip
    assert "waits" in told
    assert "version 1" in here.done("root", "verify")
    code, output = here.sign(
        "root", "rotate", "--threshold", "reviewer=1", "--key", "olaf.key", "--yes"
    )
    assert (code, "waits for signatures" in output) == (2, True)
    here.done("root", "rotate", "--key", "olaf.key", "--yes")
    assert "version 2" in here.done("root", "verify")
    assert not (here.path / "signing" / "root.json.next").exists()


def test_a_reviewer_cannot_change_the_root(here: Desk) -> None:
    here.done("root", "rotate", "--threshold", "reviewer=1", "--key", "signing/carol.key", "--yes")
    assert "version 1" in here.done("root", "verify")


def test_without_consent_nothing_is_signed(here: Desk) -> None:
    before = (here.path / "signing" / "root.json").read_bytes()
    code, output = here.sign("root", "rotate", "--threshold", "reviewer=1",
                             "--key", "signing/organisation.key")  # fmt: skip
    assert (code, "no terminal" in output) == (2, True)
    assert (here.path / "signing" / "root.json").read_bytes() == before


@pytest.mark.parametrize(
    "words",
    [("--add", "boss=eve=eve.pub"), ("--add", "reviewer"), ("--remove", "reviewer=nobody"),
     ("--threshold", "reviewer=x")],
)  # fmt: skip
def test_wrong_use_is_told(here: Desk, words: tuple[str, ...]) -> None:
    assert here.sign("root", "rotate", *words, "--key", "signing/organisation.key", "--yes")[0] == 2


def test_a_missing_root_and_a_spoiled_one_are_told_apart(here: Desk) -> None:
    assert here.sign("root", "verify", "--root", "none.json")[0] == 2
    path = here.path / "signing" / "root.json"
    path.write_bytes(path.read_bytes()[:-20])
    code, output = here.sign("root", "verify")
    assert (code, "refused: malformed" in output) == (1, True)


def test_a_gate_trusts_a_replaced_root_only_when_its_owner_says_so(here: Desk) -> None:
    (here.path / "bawn.yaml").write_text("signing: {root: signing/root.json}\nstate: state\n")
    root = here.path / "signing" / "root.json"
    here.done("root", "trust", "--yes")
    seen = Seen(here.path / "state" / "signing.json")
    chain.load(root.read_bytes(), time.time(), seen)
    for each in (here.path / "signing").iterdir():
        each.unlink()
    here.init()
    with pytest.raises(Exception, match="another trust root"):
        chain.load(root.read_bytes(), time.time(), seen)
    assert here.sign("root", "trust")[0] == 2
    here.done("root", "trust", "--yes")
    chain.load(root.read_bytes(), time.time(), seen)
