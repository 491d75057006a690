from __future__ import annotations

from typing import Any

import pytest

from bawn.pins.listed import Listed, name_of
from bawn.pins.record import Aspect


@pytest.mark.parametrize(
    ("aspect", "name"),
    [("tool", "a"), ("prompt", "a"), ("template", "b"), ("instructions", ""), ("launch", "")],
)
def test_each_aspect_is_pinned_by_its_own_name(aspect: Aspect, name: str) -> None:
    definition = {"name": "a", "uriTemplate": "b"}
    assert name_of(aspect, definition) == name
    assert Listed(aspect, name, "", definition).key == (aspect, name)


@pytest.mark.parametrize("name", [None, "", 1, True, ["a"], {"a": 1}])
def test_what_is_no_text_is_no_name(name: Any) -> None:
    assert name_of("tool", {"name": name}) is None
    assert name_of("template", {"uriTemplate": name, "name": "a"}) is None
    assert name_of("prompt", {}) is None
