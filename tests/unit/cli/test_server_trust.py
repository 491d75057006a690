"""`bawn server trust`: every question, who needs somebody first, and what failed is an exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bawn.cli import app
from bawn.pins.record import Change, Pin, Record
from bawn.storage.directory import StateDirectory
from bawn.storage.files import ServerFiles

TEXT = "servers:\n" + "".join(f"  {n}:\n    url: https://{n}.example.com/mcp\n" for n in "abc")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "bawn.yaml"
    path.write_text(TEXT)
    return path


def run(file: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["server", *arguments, "--config", str(file)])


def keep(file: Path, server: str, *, waiting: bool) -> None:
    state = StateDirectory(file.parent / ".bawn")
    pins = (Pin("tool", "read", "0" * 64, {"name": "read"}, 1.0, ("ada",)),)
    changes = (Change("tool", "read", "1" * 64, {"name": "read"}, 1.0),) if waiting else ()
    ServerFiles(state.pins, Record).update(
        server, lambda _: Record(server, 1.0, pins=pins, waiting=changes)
    )


def test_where_no_gate_ran_all_is_unmeasured_and_nothing_is_made(file: Path) -> None:
    result = run(file, "trust")
    assert result.exit_code == 0
    assert "a: 0 of 7 verified, 7 unmeasured" in result.stdout
    assert not (file.parent / ".bawn").exists()


def test_what_failed_is_told_and_comes_first(file: Path) -> None:
    keep(file, "a", waiting=False)
    keep(file, "c", waiting=True)
    result = run(file, "trust", "--sort")
    assert result.exit_code == 1
    heads = [line for line in result.stdout.splitlines() if not line.startswith(" ")]
    assert [line.partition(":")[0] for line in heads] == ["c", "b", "a"]
    assert "FAILED drift" in heads[0]
    assert run(file, "trust", "a").exit_code == 0


def test_programs_read_verdict_evidence_and_age(file: Path) -> None:
    keep(file, "a", waiting=False)
    (told,) = json.loads(run(file, "trust", "a", "--json").stdout)
    pin = told["dimensions"]["pin"]
    assert (pin["verdict"], pin["more"]) == ("verified", 0)
    assert 0 <= pin["age"] < 60
    assert len(pin["of"]) == 64
    assert told["dimensions"]["publisher"]["age"] is None


def test_the_list_and_the_single_view_have_it(file: Path) -> None:
    assert "verified" not in run(file, "list").stdout
    keep(file, "c", waiting=True)
    assert "FAILED:drift" in run(file, "list").stdout
    assert "trust: FAILED drift" in run(file, "show", "c").stdout
    assert json.loads(run(file, "show", "c", "--json").stdout)["trust"]["failed"] == ["drift"]


def test_a_record_that_is_damaged_has_failed(file: Path) -> None:
    keep(file, "a", waiting=False)
    (file.parent / ".bawn" / "pins" / "a.json").write_text("{")
    (told,) = json.loads(run(file, "trust", "a", "--json").stdout)
    assert set(told["failed"]) == {"pin", "drift"}


def test_nobody_of_that_name_is_wrong_use(file: Path) -> None:
    assert run(file, "trust", "nobody").exit_code == 2
