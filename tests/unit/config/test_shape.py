"""What is expected in a place can be asked for, and said."""

from __future__ import annotations

import pytest

from bawn.config import shape as shapes
from bawn.config.document import Path
from bawn.config.model import Config


@pytest.mark.parametrize(
    ("path", "phrase"),
    [
        ((), "a mapping of settings"),
        (("limits", "body"), "an integer of at least 1"),
        (("limits", "total"), "a number above 0 and at most 86400"),
        (("identity", "leeway"), "a number of at least 0 and at most 300"),
        (("public_url",), "text, or null"),
        (("log", "level"), "one of debug, info, warning, error"),
        (("servers",), "a mapping of names to mappings"),
        (("servers", "any"), "a mapping of settings"),
        (("servers", "any", "required"), "true or false"),
        (("servers", "any", "env"), "a mapping of names to text"),
        (("servers", "any", "command"), "a list of length at least 1 of text, or null"),
        (("servers", "any", "command", 7), "text"),
        (("identity", "issuers", 0, "roles", "x"), "text"),
    ],
)
def test_a_place_says_what_it_expects(path: Path, phrase: str) -> None:
    shape = shapes.at(path)

    assert shape is not None
    assert shape.expected == phrase


@pytest.mark.parametrize(
    "path", [("nothing",), ("listen", "x"), ("limits", 0), ("limits", "body", "x", "y")]
)
def test_where_nothing_may_stand_there_is_no_shape(path: Path) -> None:
    assert shapes.at(path) is None


def test_every_key_of_the_model_is_walked() -> None:
    walked = {path[0] for path, _ in shapes.walk()}

    assert walked == set(Config.model_fields)
    assert ("servers", "*", "auth", "token") in {path for path, _ in shapes.walk()}
    assert ("identity", "issuers", "[]", "issuer") in {path for path, _ in shapes.walk()}
