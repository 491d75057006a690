"""Rows are read as they are, or it is said where one is not."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path

import pytest

from bawn.assurance.measuring.rows import find, read
from bawn.errors import Misconfigured

GOOD = '{"id":"a","label":"attack","kind":"x","text":"t","extra":[1]}\n\n{"id":"b","label":"benign","text":"u"}\n'


def test_rows_are_read_and_what_nobody_knows_is_ignored(tmp_path: Path) -> None:
    (tmp_path / "outputs.jsonl").write_text(GOOD)
    found = read(tmp_path / "outputs.jsonl", ("text",))
    assert [(row.id, row.label, row.kind, row.text) for row in found.found] == [
        ("a", "attack", "x", "t"),
        ("b", "benign", "", "u"),
    ]


def test_a_compressed_file_is_the_same_file(tmp_path: Path) -> None:
    (tmp_path / "outputs.jsonl.gz").write_bytes(gzip.compress(GOOD.encode()))
    path = find(tmp_path, "outputs")
    assert path == tmp_path / "outputs.jsonl.gz"
    found = read(path, ("text",))
    assert len(found.found) == 2
    assert found.digest == hashlib.sha256(GOOD.encode()).hexdigest()


def test_every_malformed_line_is_told_with_file_and_number(tmp_path: Path) -> None:
    path = tmp_path / "outputs.jsonl"
    path.write_bytes(
        b'{"id":"a","label":"attack","text":"t"}\n{"id":"b"\n{"id":"c","label":"maybe","text":""}\n'
        b'{"id":"d","label":"benign"}\n{"id":"e","label":"benign","text":"\xff"}\n'
    )
    with pytest.raises(Misconfigured) as told:
        read(path, ("text",))
    places = [problem.split(": ")[0] for problem in told.value.problems]
    assert places == [f"{path}:{number}" for number in (2, 3, 4, 5)]
    assert "`text`" in told.value.problems[2]


def test_a_broken_archive_is_told(tmp_path: Path) -> None:
    path = tmp_path / "outputs.jsonl.gz"
    path.write_bytes(gzip.compress(GOOD.encode())[:-9])
    with pytest.raises(Misconfigured, match="cannot be read"):
        read(path, ("text",))


def test_of_many_malformed_lines_the_first_are_told(tmp_path: Path) -> None:
    path = tmp_path / "tools.jsonl"
    path.write_text("x\n" * 50)
    with pytest.raises(Misconfigured) as told:
        read(path, ("tool",))
    assert len(told.value.problems) == 21
    assert told.value.problems[-1].endswith("30 more")


def test_a_track_without_a_file_has_none(tmp_path: Path) -> None:
    assert find(tmp_path, "tools") is None
