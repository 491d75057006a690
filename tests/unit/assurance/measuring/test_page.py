"""The page's figures are replaced whole, and people's words around them stay."""

from __future__ import annotations

from pathlib import Path

import pytest

from bawn.assurance.measuring.measure import Counts, measured
from bawn.assurance.measuring.page import BEGIN, END, Run, write
from bawn.assurance.measuring.wilson import Share
from bawn.errors import Misconfigured
from tests.unit.assurance.measuring.showing import outputs, subject


@pytest.fixture
def runs() -> list[Run]:
    data = outputs(("attack", "steal"), ("attack", "take"), ("benign", "hello"))
    others = {"another": Counts(Share(2, 2), Share(1, 1))}
    return [(measured(subject(), data, True, lambda *_: None), others)]


def test_a_page_is_made_with_everything_measured(tmp_path: Path, runs: list[Run]) -> None:
    page = tmp_path / "detection.md"
    write(page, runs, "2026-01-02")
    text = page.read_text()
    assert "Measured 2026-01-02." in text
    assert "| outputs | 50.0 %" in text
    assert "| another | 100.0 %" in text
    assert "| zero width | 0.0 %" in text
    assert "`" + "0" * 64 + "`" in text


def test_words_around_the_figures_stay(tmp_path: Path, runs: list[Run]) -> None:
    page = tmp_path / "detection.md"
    page.write_text(f"# Mine\n\n{BEGIN}\nold figures\n{END}\n\nand more of mine\n")
    write(page, runs)
    text = page.read_text()
    assert text.startswith("# Mine\n")
    assert text.endswith("and more of mine\n")
    assert "old figures" not in text
    assert "Measured " not in text


def test_a_page_without_marks_is_left_alone(tmp_path: Path, runs: list[Run]) -> None:
    page = tmp_path / "detection.md"
    page.write_text("# Mine\n")
    with pytest.raises(Misconfigured, match="expected the lines"):
        write(page, runs)
    assert page.read_text() == "# Mine\n"


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path, runs: list[Run]) -> None:
    with pytest.raises(Misconfigured, match="cannot be written"):
        write(tmp_path / "nowhere" / "detection.md", runs)
