from __future__ import annotations

from pathlib import Path

import pytest

from bawn.discovery.pointing.journal import Journal, Record, Rewritten, default_path
from bawn.errors import Misconfigured

RECORD = Record(
    "cursor", "/f", b"\xff\x00 bytes", "d1", "d2", (Rewritten(("s",), "a", {"x": 1}, None),)
)


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "state" / "connections.json")


def test_records_come_back_as_they_were(journal: Journal) -> None:
    assert journal.read() == {}
    with journal.locked():
        journal.put(Path("/f"), (RECORD, RECORD))
        journal.put(Path("/g"), (RECORD,))
    assert journal.read() == {Path("/f"): (RECORD, RECORD), Path("/g"): (RECORD,)}
    journal.put(Path("/f"), ())
    assert list(journal.read()) == [Path("/g")]


def test_only_the_owner_can_read_it(journal: Journal) -> None:
    with journal.locked():
        journal.put(Path("/f"), (RECORD,))
    assert journal.path.stat().st_mode & 0o777 == 0o600
    assert journal.path.parent.stat().st_mode & 0o777 == 0o700
    journal.path.chmod(0o644)
    with pytest.raises(Misconfigured, match="expected mode 0600"):
        journal.read()


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"files": 1}', b'{"files": {}, "version": 2}']
)
def test_a_damaged_journal_is_refused_and_kept(journal: Journal, content: bytes) -> None:
    journal.path.parent.mkdir()
    journal.path.write_bytes(content)
    journal.path.chmod(0o600)
    with pytest.raises(Misconfigured, match="cannot be used"):
        journal.put(Path("/f"), (RECORD,))
    assert journal.path.read_bytes() == content


def test_a_link_in_its_place_is_not_followed(journal: Journal, tmp_path: Path) -> None:
    journal.path.parent.mkdir()
    (tmp_path / "other").write_text('{"files": {}}')
    journal.path.symlink_to(tmp_path / "other")
    with pytest.raises(Misconfigured, match="cannot be used"):
        journal.read()


def test_it_lies_in_the_users_state_directory() -> None:
    assert default_path({"HOME": "/h"}) == Path("/h/.local/state/bawn/connections.json")
    assert default_path({"HOME": "/h", "XDG_STATE_HOME": "/s"}) == Path("/s/bawn/connections.json")
    assert default_path({"HOME": "/h", "XDG_STATE_HOME": "s"}).is_relative_to("/h")
