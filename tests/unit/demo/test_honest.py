"""The honest server of our own does what it says."""

from __future__ import annotations

import pytest

from bawn.demo.honest import Honest


@pytest.mark.parametrize(
    ("arguments", "said"), [({"text": "soda  bread"}, "2 words"), ({}, "0 words")]
)
def test_it_counts_words(arguments: dict[str, str], said: str) -> None:
    (tool,) = Honest().tools()
    assert Honest().call(tool["name"], arguments) == said
