"""Structured content that is changed stays what its schema says, or is not given at all."""

from __future__ import annotations

from typing import Any

import pytest

from bawn.inspection.outputs.structured import (
    DROPPED,
    Change,
    Validator,
    forms,
    mended,
    shape,
    validator,
)

AT = "/structuredContent"


def compiled(**properties: Any) -> Validator:
    schema = {"type": "object", "properties": properties, "additionalProperties": False}
    made = validator(schema)
    assert made is not None
    return made


def change(text: str, made: str = "[redacted]", shaped: str = "", place: str = "/a") -> Change:
    return Change(AT + place, forms(text, made, shaped or shape(text, 0), 1))


@pytest.mark.parametrize(
    ("constraint", "text", "left"),
    [
        ({"type": "string"}, "AKIA77", "[redacted]"),
        ({"type": "string", "pattern": "^[A-Z]{4}[0-9]{2}$"}, "AKIA77", "XXXX00"),
        ({"type": "string", "maxLength": 6}, "AKIA77", "XXXX00"),
        ({"type": "string", "pattern": "^[0-9a-f]{8}$"}, "deadbeef", "aaaaaaaa"),
        ({"type": "string", "format": "date"}, "2026-01-31", "1111-11-11"),
        ({"type": "string", "format": "email"}, "me@corp.example", "xx@xxxx.xxxxxxx"),
        ({"type": "string", "format": "uri"}, "https://corp.example/x", "xxxxx://xxxx.xxxxxxx/x"),
        ({"type": "string", "minLength": 12}, "AKIA77AKIA77", "XXXX00XXXX00"),
    ],
)
def test_the_best_form_that_is_valid_is_taken(constraint: Any, text: str, left: str) -> None:
    schema = {"type": "object", "properties": {"a": constraint}, "required": ["a"]}
    made = mended({"a": text}, [change(text)], validator(schema), AT)
    assert made == ({"a": left},)


def test_what_may_be_left_out_is_left_out_rather_than_a_lie() -> None:
    made = mended({"a": "yes", "b": 1}, [change("yes")], compiled(a={"enum": ["yes"]}, b={}), AT)
    assert made == ({"b": 1},)


def test_null_is_taken_where_it_may_stand() -> None:
    schema = {"properties": {"a": {"enum": ["yes", None]}}, "required": ["a"]}
    assert mended({"a": "yes"}, [change("yes")], validator(schema), AT) == ({"a": None},)


def test_where_nothing_is_valid_there_is_no_result() -> None:
    schema = {"properties": {"a": {"const": "yes"}}, "required": ["a"]}
    assert mended({"a": "yes"}, [change("yes")], validator(schema), AT) is None


def test_only_what_has_to_takes_another_form() -> None:
    value = {"a": "AKIA77", "b": "AKIA77"}
    both = [change("AKIA77"), change("AKIA77", place="/b")]
    made = mended(value, both, compiled(a={"maxLength": 6}, b={"type": "string"}), AT)
    assert made == ({"a": "XXXX00", "b": "[redacted]"},)


def test_items_that_have_to_differ_still_do() -> None:
    changes = [
        Change(f"{AT}/{number}", forms(text, "[redacted]", "[redacted]", number))
        for number, text in enumerate(("one", "two"))
    ]
    made = mended(["one", "two"], changes, validator({"uniqueItems": True}), AT)
    assert made == (["[withheld 0]", "[withheld 1]"],)


def test_an_item_of_a_list_is_never_left_out() -> None:
    schema = {"items": {"enum": ["a", None]}}
    assert mended(["a", "a"], [change("a", place="/0")], validator(schema), AT) == ([None, "a"],)


def test_a_key_is_renamed_or_left_out_with_its_value() -> None:
    renamed = Change("key:" + AT + "/k\u200b", ("k", DROPPED))
    value = {"k\u200b": 1, "b": 2}
    assert mended(value, [renamed], None, AT) == ({"k": 1, "b": 2},)
    assert mended(value, [renamed], compiled(**{"k\u200b": {}, "b": {}}), AT) == ({"b": 2},)
    assert mended({**value, "k": 3}, [renamed], None, AT) == ({"k": 3, "b": 2},)


def test_a_text_alone_is_content_too() -> None:
    assert mended("AKIA77", [change("AKIA77", place="")], None, AT) == ("[redacted]",)


def test_what_was_not_valid_before_need_not_be_afterwards() -> None:
    value = {"a": 1, "b": "AKIA77"}
    schema = validator({"properties": {"a": {"type": "string"}, "b": {"maxLength": 6}}})
    assert mended(value, [change("AKIA77", place="/b")], schema, AT) == (
        {"a": 1, "b": "[redacted]"},
    )


def test_nothing_is_fetched_for_a_schema_and_a_bad_one_is_none() -> None:
    assert validator({"$ref": "http://127.0.0.1:9/schema"}) is None
    assert validator({"type": "nonsense"}) is None
    assert validator({"pattern": "(?=x)"}) is None


def test_a_shape_keeps_length_and_kinds_and_nothing_else() -> None:
    assert shape("Ab-9é_Z世", 0) == "Xx-0x_Xx"
    assert shape("Ab-9é_Z世", 1) == "Aa-1a_Aa"
