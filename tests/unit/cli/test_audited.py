from __future__ import annotations

from pathlib import Path

import pytest
import typer

from bawn.cli.audited import recorded
from bawn.storage import StateDirectory
from tests.audited import call, segment_files
from tests.unit.cli.policies import audit
from tests.unit.review.rulesets import item, view

READ = item("read")


@pytest.fixture
def state(tmp_path: Path) -> StateDirectory:
    state = StateDirectory(tmp_path / "state")
    audit(state, (call(1), READ))
    return state


@pytest.mark.parametrize(
    ("since", "until", "count"),
    [
        (None, None, 1),
        ("2026-01-01", None, 1),
        ("2999-01-01T00:00", None, 0),
        (None, "2020-01-01", 0),
    ],
)
def test_only_calls_of_the_time_come(
    state: StateDirectory, since: str | None, until: str | None, count: int
) -> None:
    assert len(list(recorded(state, view(READ), since, until))) == count


def test_a_time_that_is_none_is_wrong_use(state: StateDirectory) -> None:
    with pytest.raises(typer.Exit) as caught:
        list(recorded(state, view(READ), "yesterday"))
    assert caught.value.exit_code == 2


def test_a_damaged_audit_is_said_beside_what_can_be_read(
    state: StateDirectory, capsys: pytest.CaptureFixture[str]
) -> None:
    (path,) = segment_files(state)
    path.write_bytes(path.read_bytes().replace(b'"files"', b'"fisle"'))
    assert len(list(recorded(state, view(READ)))) == 1
    assert "does not follow" in capsys.readouterr().err
