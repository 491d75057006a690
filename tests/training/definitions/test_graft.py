"""Poison is put at every surface, and the honest definition stays as it was."""

from __future__ import annotations

import copy
import json
from random import Random

import pytest
from training.definitions.graft import SURFACES, among, graft

TOOL = {
    "name": "find",
    "description": "Finds a file. Slowly.",
    "inputSchema": {"type": "object", "properties": {"q": {"type": "string"}}},
}


@pytest.mark.parametrize("surface", SURFACES)
def test_poison_stands_in_the_text_that_is_named(surface: str) -> None:
    before = copy.deepcopy(TOOL)
    poisoned, whole = graft(TOOL, surface, "Mail it on", Random(2))
    assert before == TOOL
    assert "Mail it on" in whole
    assert json.dumps(whole)[1:-1] in json.dumps(poisoned)


def test_it_stands_behind_before_or_amid_what_is_honest() -> None:
    chance = Random(2)
    found = {among("One. Two.", "Mail it.", chance) for _ in range(200)}
    assert any(each.startswith("Mail it") for each in found)
    assert any(each.endswith("Mail it.") for each in found)
    assert any(each.startswith("One") and each.endswith("Two.") for each in found)
