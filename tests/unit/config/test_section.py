"""What sections are made of."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from bawn.config.section import Section, setting


class Sample(Section):
    """A section."""

    size: int = setting(1, "How large.", "preview")
    names: list[str] = setting(list, "Which.")


def test_a_setting_carries_its_sentence_and_its_tier() -> None:
    field = Sample.model_fields["size"]
    assert (field.description, field.json_schema_extra) == ("How large.", {"tier": "preview"})


def test_a_default_that_can_change_is_made_anew_each_time() -> None:
    assert Sample().names == []
    assert Sample().names is not Sample().names


def test_a_section_is_closed_to_unknown_keys_and_to_change() -> None:
    with pytest.raises(ValidationError):
        Sample.model_validate({"siez": 2})
    with pytest.raises(ValidationError):
        Sample().size = 2  # type: ignore[misc]  # that is the point
