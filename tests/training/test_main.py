"""One command makes a model, and says what it expects."""

from __future__ import annotations

from pathlib import Path

import pytest
from training.__main__ import main


def test_wrong_use_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models"]) == 2
    assert "definitions" in capsys.readouterr().err


def test_a_folder_that_is_no_corpus_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["definitions", str(tmp_path)]) == 2
    assert "benign_tools" in capsys.readouterr().err
