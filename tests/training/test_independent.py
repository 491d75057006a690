"""The independent set is as large as it has to be, of the form that the bench reads, and holds no secret."""

from __future__ import annotations

import importlib
from collections import Counter
from pathlib import Path

import pytest

from bawn.assurance.measuring.measure import TRACKS
from bawn.assurance.measuring.rows import read

FOLDER = Path(importlib.import_module("training.independent").__path__[0])
made = importlib.import_module("training.independent.secrets")

LEAST = {
    "tools": (150, 150),
    "outputs": (150, 200),
    "arguments": (150, 200),
    "launch": (40, 60),
    "drift": (40, 40),
}
SURFACES = {
    "description", "param_description", "param_name", "default", "enum", "examples", "title",
    "annotations", "output_schema", "defs",
}  # fmt: skip


@pytest.mark.parametrize("track", sorted(LEAST))
def test_each_track_has_enough_of_both_and_no_row_twice(track: str) -> None:
    rows = read(FOLDER / f"{track}.jsonl", TRACKS[track]).found
    labels = Counter(row.label for row in rows)
    assert (labels["attack"], labels["benign"]) >= LEAST[track]
    assert labels["benign"] >= LEAST[track][1]
    assert len({row.id for row in rows}) == len(rows)


def test_attacks_on_tools_are_of_every_surface_and_style() -> None:
    rows = read(FOLDER / "tools.jsonl", ("tool",)).found
    styles = {(row.surface, row.style) for row in rows if row.label == "attack"}
    assert styles == {(surface, style) for surface in SURFACES for style in ("loud", "quiet")}


def test_secrets_are_made_when_asked_for_and_always_the_same(tmp_path: Path) -> None:
    path = made.write(tmp_path / "deep")
    rows = read(path, ("text",)).found
    labels = Counter(row.label for row in rows)
    assert (labels["attack"], labels["benign"]) == (102, 150)
    assert len({row.kind for row in rows if row.label == "attack"}) >= 70
    assert made.write(tmp_path / "again").read_bytes() == path.read_bytes()
    assert not list(FOLDER.glob("secrets.jsonl*"))
