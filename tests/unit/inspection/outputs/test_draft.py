"""A tree is copied where it is changed and nowhere else, and the one that was given never changes."""

from __future__ import annotations

import copy
from typing import Any

from bawn.inspection.outputs.draft import Draft

TREE: dict[str, Any] = {"a": [{"b": 1}, {"c": 2}], "x/y": {"z": {}}, "same": {"deep": []}}


def test_changes_leave_the_rest_the_same_objects() -> None:
    before = copy.deepcopy(TREE)
    draft = Draft(TREE)
    draft.put("/a/0/b", 5)
    draft.put("/a/1", "other")
    draft.drop("/x~1y/z")
    done = draft.done()
    assert done == {"a": [{"b": 5}, "other"], "x/y": {}, "same": {"deep": []}}
    assert done["same"] is TREE["same"]
    assert before == TREE


def test_keys_are_renamed_where_they_stand_and_after_what_is_below() -> None:
    draft = Draft(TREE)
    draft.rename("/x~1y", "w")
    draft.rename("/x~1y/z", "v")
    draft.put("/x~1y/z", 3)
    done = draft.done()
    assert list(done) == ["a", "w", "same"]
    assert done["w"] == {"v": 3}


def test_the_whole_can_be_replaced() -> None:
    draft = Draft("text")
    draft.put("", "other")
    assert draft.done() == "other"


def test_what_is_not_there_is_told_so() -> None:
    draft = Draft(TREE)
    assert [draft.at(place) for place in ("/a/7", "/a/b", "/q", "/a/0/b/c")] == [None] * 4
    assert (draft.has("/x~1y"), draft.has("/a/0"), draft.has("/q")) == (True, False, False)
