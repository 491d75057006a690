from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from bawn.config import document
from bawn.review.trials import problems
from bawn.review.trials.case_file import CaseFile


def found(tree: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(ValidationError) as caught:
        CaseFile.model_validate(tree)
    return {document.dotted(path): text for path, text in problems.of(caught.value, tree)}


def test_an_unknown_key_is_told_with_those_that_are_known_there() -> None:
    assert found({"serves": {}}) == {
        "serves": "unknown key; expected one of servers, cases; did you mean `servers`?"
    }
    given = {"client": {"nam": "x"}}
    call = {"server": "x", "tool": "t"}
    told = found({"cases": ({"call": call, "given": given, "expect": "deny"},)})
    assert told == {
        "cases[0].given.client.nam": "unknown key; expected one of name, version; did you mean `name`?"
    }


def test_what_is_of_the_wrong_kind_is_told_with_what_was_expected() -> None:
    assert found({"servers": {"x": 1}}) == {"servers.x": "expected a mapping, got 1"}
    assert found({"cases": "x"}) == {"cases": 'expected a list, got "x"'}


def test_problems_come_in_the_order_of_the_file() -> None:
    read = document.read(b"a: 1\nb: 2\n", "f.yaml")
    told = problems.told(read, "f.yaml", [(("b",), "second"), (("a",), "first"), ((), "whole")])
    assert told.problems == ("f.yaml:1: a: first", "f.yaml:1: whole", "f.yaml:2: b: second")
