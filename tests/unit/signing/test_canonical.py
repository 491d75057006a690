"""What is signed has one writing, and digits are never lost."""

from __future__ import annotations

import json
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from bawn.signing import canonical
from bawn.signing.statement import StatementForm
from bawn.signing.unverified import Unverified

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(JSON)
def test_the_form_is_that_of_rfc_8785(value: Any) -> None:
    assert canonical.form(value) == rfc8785.dumps(value)


@pytest.mark.parametrize("number", [2**53, 2**64 - 1, -(2**63), 10**40])
def test_large_integers_keep_all_their_digits(number: int) -> None:
    assert canonical.form({"maximum": number}) == b'{"maximum":%d}' % number
    assert canonical.form([number]) != canonical.form([number + 1])


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), "\ud800", {"\ud800": 1}, b"x", {1: 2}]
)
def test_what_is_not_json_has_no_form(value: Any) -> None:
    with pytest.raises((ValueError, AttributeError)):
        canonical.form(value)


@pytest.mark.parametrize("text", ['{"a":1,"a":2}', "{", "", '"\\ud800"', "[" * 300 + "]" * 300])
def test_a_file_with_two_meanings_is_refused(text: str) -> None:
    with pytest.raises(Unverified, match="malformed: the file"):
        canonical.read(text.encode(), "the file")


def test_a_file_may_be_written_in_any_way() -> None:
    value = {"b": [1, {"c": "ü"}], "a": None}
    assert canonical.read(json.dumps(value, indent=3).encode(), "the file") == value


@given(JSON)
def test_no_other_value_is_taken_for_a_statement(value: Any) -> None:
    with pytest.raises(Unverified, match="malformed"):
        canonical.decode(rfc8785.dumps(value), StatementForm)
