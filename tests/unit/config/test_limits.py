"""The bounds of the gate: each is positive, documented, and none can be switched off."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from bawn.config.limits import Limits

NAMES = sorted(Limits.model_fields)


@pytest.mark.parametrize("name", NAMES)
def test_a_bound_has_a_default_and_a_sentence(name: str) -> None:
    assert getattr(Limits(), name) > 0
    assert (Limits.model_fields[name].description or "").endswith(".")


@pytest.mark.parametrize("value", [0, -1, None, "many", float("inf")])
@pytest.mark.parametrize("name", NAMES)
def test_no_bound_can_be_switched_off(name: str, value: object) -> None:
    with pytest.raises(ValidationError):
        Limits.model_validate({name: value})
