"""Figures count what the gate said of each row, as a whole and by group."""

from __future__ import annotations

from pathlib import Path

import pytest

from bawn.assurance.measuring.measure import datasets, figures, measured
from bawn.assurance.measuring.transforms import SPLIT, TRANSFORMS
from bawn.assurance.measuring.wilson import Share
from bawn.errors import Misconfigured
from tests.unit.assurance.measuring.showing import outputs, subject

DATA = outputs(
    ("attack", "steal it"),
    ("attack", "steal that"),
    ("attack", "take it"),
    ("benign", "hello"),
    ("benign", "do not steal"),
)


def quiet(track: str, done: int, of: int) -> None:
    pass


def test_recall_and_false_alarms_are_counted() -> None:
    found = measured(subject(), DATA, False, quiet)
    assert found.all.caught == Share(2, 3)
    assert found.all.flagged == Share(1, 2)
    assert found.by["style"]["quiet"].caught == Share(1, 2)
    assert found.by["style"]["loud"].caught == Share(1, 1)
    assert found.by["kind"]["mail"].flagged == Share(1, 2)
    assert found.by["surface"] == {}


def test_what_was_wrong_is_listed_with_the_rule() -> None:
    found = measured(subject(), DATA, False, quiet)
    assert [(each.row.id, each.rules) for each in found.misses] == [
        ("r2", ()),
        ("r4", ("output/steal",)),
    ]


def test_each_attack_is_shown_in_every_disguise() -> None:
    found = measured(subject(), DATA, True, quiet)
    assert found.transforms.keys() == {*TRANSFORMS, SPLIT}
    assert found.transforms["upper_case"] == Share(0, 3)
    assert found.transforms[SPLIT] == Share(2, 3)
    assert measured(subject(), DATA, False, quiet).transforms == {}


def test_progress_ends_with_all_rows() -> None:
    told: list[tuple[str, int, int]] = []
    measured(subject(), DATA, False, lambda *each: told.append(each))
    assert told == [("outputs", 0, 5), ("outputs", 5, 5)]


def test_latency_is_the_median_and_the_99th_percentile() -> None:
    found = figures(DATA, [], {}, [float(each) for each in range(1, 201)])
    assert found.latency == (101.0, 199.0)
    assert figures(DATA, [], {}, []).latency == (0.0, 0.0)


def test_tracks_are_those_whose_file_is_there(tmp_path: Path) -> None:
    (tmp_path / "outputs.jsonl").write_text('{"id":"a","label":"attack","text":"t"}\n')
    (tmp_path / "secrets.jsonl").write_text('{"id":"a","label":"attack","text":"t"}\n')
    assert [each.track for each in datasets(tmp_path)] == ["outputs", "secrets"]


def test_an_empty_directory_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"expected one or more of tools\.jsonl"):
        datasets(tmp_path)


def test_malformed_lines_of_all_files_are_told(tmp_path: Path) -> None:
    (tmp_path / "outputs.jsonl").write_text("{}\n")
    (tmp_path / "drift.jsonl").write_text('{"id":"a","label":"attack","before":1}\n')
    with pytest.raises(Misconfigured) as told:
        datasets(tmp_path)
    assert [problem.split("/")[-1].split(":")[0] for problem in told.value.problems] == [
        "outputs.jsonl",
        "drift.jsonl",
    ]
