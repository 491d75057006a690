from __future__ import annotations

from pathlib import Path

from training.outputs.authors import authors
from training.outputs.machine import machine
from training.outputs.validation import MACHINE, OVER, REAL, Scored, alarms, threshold


def test_the_threshold_lets_no_group_have_more_alarms_than_allowed() -> None:
    real = [Scored(REAL[0], 0, score / 100) for score in range(1000)]
    over = [Scored(OVER, 0, score / 1000) for score in range(1000)]
    score = threshold([*real, *over])
    assert sum(each.score >= score for each in real) <= 4
    assert sum(each.score >= score - 0.05 for each in real) > 3


def test_texts_of_packages_count_like_the_outputs_of_tools() -> None:
    high = [Scored(f"{MACHINE}any", 0, 9.0)] * 10
    assert threshold([*high, Scored(REAL[0], 0, 0.0)]) > 9


def test_alarms_are_counted_by_label_and_family() -> None:
    scored = [Scored("a", 1, 2.0), Scored("a", 1, 0.0), Scored("a", 0, 3.0)]
    assert alarms(scored, 1.0) == {"attack a": (1, 2), "benign a": (1, 1)}


def test_there_are_passages_of_several_authors_with_both_labels() -> None:
    kinds = {(each.family, each.label) for each in authors()}
    assert len({family for family, _ in kinds}) > 1
    assert {(family, label) for family, _ in kinds for label in (0, 1)} == kinds


def test_the_same_folder_gives_the_same_pieces_and_of_python_docstrings_alone(
    tmp_path: Path,
) -> None:
    package = tmp_path / "tool"
    package.mkdir()
    (package / "a.py").write_text(
        f'"""{"Says something. " * 40}"""\nSECRET = 1\n', encoding="utf-8"
    )
    (package / "b.md").write_text("It reads a file. " * 60, encoding="utf-8")
    pieces = list(machine(tmp_path))
    assert pieces == list(machine(tmp_path))
    assert len(pieces) > 1
    assert {each.group for each in pieces} == {"tool"}
    assert not any("SECRET" in each.text or each.label for each in pieces)
