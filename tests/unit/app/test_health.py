from __future__ import annotations

from pathlib import Path

import pytest

from bawn.app import health
from bawn.app.health import Report
from bawn.model import Health, ServerState


def test_a_report_comes_back_as_it_was(tmp_path: Path) -> None:
    states = {"files": ServerState(Health.OK, "", "2025-11-25", 5.0)}
    report = Report(states, "v", {"tool": 3}, "files__x", {"files": "bubblewrap"})
    health.write(tmp_path / "health.json", report)
    assert health.read(tmp_path / "health.json") == report
    assert [path.name for path in tmp_path.iterdir()] == ["health.json"]


@pytest.mark.parametrize("content", [None, b"", b"[]", b"\xff"])
def test_without_a_report_nothing_is_known(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "health.json").write_bytes(content)
    assert health.read(tmp_path / "health.json") == Report({})


def test_a_required_server_that_nobody_knows_of_fails() -> None:
    states = {"a": ServerState(Health.OK), "b": ServerState(Health.FAILING)}
    assert health.failing(Report(states), ["a", "b", "c"]) == ["b", "c"]
    assert health.failing(Report(states), []) == []
