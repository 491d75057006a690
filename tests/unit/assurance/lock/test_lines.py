"""A server and an item are found in the text of a lockfile."""

from __future__ import annotations

from pathlib import Path

from bawn.assurance.lock.lines import lines
from tests.lockfiles import configured, text


def test_each_server_and_item_has_its_line(tmp_path: Path) -> None:
    content = text(configured(tmp_path).config)
    found = lines(content)
    assert set(found) == {"far", "far/read", "far/write", "files", "files/read", "files/write"}
    shown = content.decode().splitlines()
    assert shown[found["files"] - 1] == '  "files": {'
    assert '"name": "write"' in shown[found["far/write"] - 1]


def test_another_layout_has_none() -> None:
    assert lines(b'{"servers":{"a":{"pins":[]}}}') == {}
    assert lines(b'  "a": {\n    {"aspect": broken\n') == {"a": 1}
