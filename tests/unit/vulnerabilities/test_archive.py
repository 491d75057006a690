"""A dump is read record by record; what cannot be read is told, and nothing leaves its bounds."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path

import pytest

from bawn.vulnerabilities import archive
from bawn.vulnerabilities.archive import Member, UnreadableError, members
from tests import vulnerable
from tests.vulnerable import RECORDS


def names(found: list[Member]) -> set[str]:
    return {Path(each.name).name for each in found if not each.problem}


def test_a_directory_and_an_archive_hold_the_same(tmp_path: Path) -> None:
    expected = {f"{each['id']}.json" for each in RECORDS}
    assert names(list(members(vulnerable.directory(tmp_path / "d")))) == expected
    assert names(list(members(vulnerable.archive(tmp_path / "a.zip")))) == expected


def test_other_files_are_no_records(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("x")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        file.writestr("README.md", "x")
    assert list(members(tmp_path)) == list(members(tmp_path / "a.zip")) == []


def test_a_link_within_is_met_once_and_a_link_out_is_a_problem(tmp_path: Path) -> None:
    root = vulnerable.directory(tmp_path / "d")
    (root / "again").symlink_to("PyPI")
    (tmp_path / "secret.json").write_text("{}")
    assert len(list(members(root))) == len(RECORDS)
    (root / "out.json").symlink_to(tmp_path / "secret.json")
    (root / "nowhere").symlink_to(root / "not there")
    broken = [each for each in members(root) if each.problem]
    assert {Path(each.name).name for each in broken} == {"out.json", "nowhere"}
    assert all(not each.content for each in broken)


def test_a_large_record_is_a_problem_and_is_not_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "LARGEST", 1000)
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "bomb.json").write_bytes(b" " * 1001)
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("bomb.json", b" " * 1001)
    for path in (tmp_path / "d", tmp_path / "a.zip"):
        (found,) = members(path)
        assert "larger than 1000 bytes" in found.problem
        assert found.content == b""


def test_a_member_that_lies_about_its_size_is_no_record(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("x.json", b" " * 5000)
    content = path.read_bytes()
    path.write_bytes(content.replace(struct.pack("<L", 5000), struct.pack("<L", 10)))
    (found,) = members(path)
    assert found.problem or len(found.content) <= 10


def test_all_together_have_a_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = vulnerable.archive(tmp_path / "a.zip")
    monkeypatch.setattr(archive, "MOST", 1)
    with pytest.raises(UnreadableError, match="larger than"):
        list(members(path))
    monkeypatch.setattr(archive, "MOST", 10)
    monkeypatch.setattr(archive, "TOTAL", 100)
    with pytest.raises(UnreadableError, match="larger than"):
        list(members(path))


def test_a_huge_table_of_contents_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = vulnerable.archive(tmp_path / "a.zip")
    monkeypatch.setattr(archive, "_DIRECTORY", 10)
    with pytest.raises(UnreadableError, match="table of contents"):
        list(members(path))


@pytest.mark.parametrize(
    "content", [b"", b"PK", b"no archive at all" * 100, b"PK\x05\x06" + b"\xff" * 18]
)
def test_what_is_no_archive_is_unreadable(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(content)
    with pytest.raises(UnreadableError):
        list(members(path))


def test_a_torn_archive_is_unreadable(tmp_path: Path) -> None:
    path = vulnerable.archive(tmp_path / "a.zip")
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(UnreadableError):
        list(members(path))


def test_a_broken_member_is_told_and_the_others_are_read(tmp_path: Path) -> None:
    path = vulnerable.archive(tmp_path / "a.zip")
    content = bytearray(path.read_bytes())
    content[80:90] = b"\xff" * 10  # within the first member's data
    path.write_bytes(content)
    found = list(members(path))
    assert [bool(each.problem) for each in found] == [True, False, False]


def test_names_that_lead_elsewhere_lead_nowhere(tmp_path: Path) -> None:
    path = tmp_path / "in" / "a.zip"
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w") as file:
        for name in ("../../evil.json", "/etc/evil.json", "C:\\evil.json"):
            file.writestr(name, "{}")
    assert len(list(members(path))) == 3
    assert [each.name for each in tmp_path.rglob("*")] == ["in", "a.zip"]
