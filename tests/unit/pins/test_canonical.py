from __future__ import annotations

import json
import random
from typing import Any

import msgspec
import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from bawn.model import Json
from bawn.pins.canonical import DEEPEST, LARGEST, Uncanonical, canonical
from tests.unit.pins.definitions import DATA, TOOLS, changed, disguised, meaning


def _tool(schema: Any) -> bytes:
    return canonical("tool", {"name": "read", "inputSchema": schema})


@given(TOOLS, st.randoms(use_true_random=False))
def test_what_means_the_same_has_one_form(definition: Json, chance: random.Random) -> None:
    form = canonical("tool", definition)
    other = disguised(definition, chance)
    assert canonical("tool", other) == form
    for text in (
        json.dumps(other, ensure_ascii=True),
        json.dumps(other, ensure_ascii=False, indent=3),
        msgspec.json.encode(other).decode(),
    ):
        assert canonical("tool", json.loads(text)) == form
        assert canonical("tool", msgspec.json.decode(text)) == form


@settings(max_examples=400)
@given(st.data())
def test_a_single_change_anywhere_has_another_form_unless_it_means_nothing(
    data: st.DataObject,
) -> None:
    before = data.draw(TOOLS)
    after = data.draw(changed(before))
    same = meaning(before) == meaning(after)
    assert (canonical("tool", before) == canonical("tool", after)) is same


@given(st.dictionaries(st.text(max_size=3), DATA), st.dictionaries(st.text(max_size=3), DATA))
def test_no_two_values_share_a_form(one: Json, other: Json) -> None:
    forms = canonical("prompt", one), canonical("prompt", other)
    assert (forms[0] == forms[1]) is (meaning(one) == meaning(other))


@given(st.dictionaries(st.text(max_size=3), DATA))
def test_the_form_is_json_of_the_same_value(definition: Json) -> None:
    assert meaning(json.loads(canonical("prompt", definition))) == meaning(definition)


_SMALL = st.one_of(
    st.none(),
    st.booleans(),
    st.text(),
    st.integers(-(2**53) + 1, 2**53 - 1),
    st.floats(min_value=-1e15, max_value=1e15),
    st.floats(min_value=-1e-3, max_value=1e-3),
)


@given(
    st.dictionaries(
        st.text(),
        st.recursive(
            _SMALL,
            lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
            max_leaves=10,
        ),
    )
)
def test_within_its_domain_the_form_is_that_of_rfc_8785(definition: Json) -> None:
    assert canonical("prompt", definition) == rfc8785.dumps(definition)


def test_names_are_sorted_as_rfc_8785_shows() -> None:
    names = ["\u20ac", "\r", "\ufb33", "1", "\u0080", "\U0001f600", "\u00f6"]
    form = json.loads(canonical("prompt", dict.fromkeys(names, 0)))
    assert list(form) == ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("1.0", "1"),
        ("1e0", "1"),
        ("10E-1", "1"),
        ("-0", "0"),
        ("-0.0", "0"),
        ("4.50", "4.5"),
        ("2e-3", "0.002"),
        ("0.000001", "0.000001"),
        ("0.0000001", "1e-7"),
        ("5e-324", "5e-324"),
        ("333333333.33333329", "333333333.3333333"),
        ("9007199254740993", "9007199254740993"),
        ("9007199254740992.0", "9007199254740992"),
        ("1e21", "1" + "0" * 21),
        ("-1E30", str(int(-1e30))),
    ],
)
def test_a_number_has_one_form_by_its_value(text: str, form: str) -> None:
    assert canonical("prompt", json.loads(f'{{"n":{text}}}')) == f'{{"n":{form}}}'.encode()


def test_a_large_number_is_neither_its_neighbour_nor_a_string() -> None:
    values: list[Any] = [2**53, 2**53 + 1, 2**60, 1152921504606847000, 10**400, 10**400 + 1]
    values += [str(value) for value in values]
    values += [[value] for value in values] + [{"": value} for value in values]
    assert len({canonical("prompt", {"n": value}) for value in values}) == len(values)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"required": ["a", "b"]}, {"required": ["b", "a", "b"]}),
        ({"type": ["null", "string"]}, {"type": ["string", "null"]}),
        ({"enum": [1, "b", None, [1, 2]]}, {"enum": [[1, 2], None, "b", 1.0, 1]}),
        ({"dependentRequired": {"a": ["b", "c"]}}, {"dependentRequired": {"a": ["c", "b"]}}),
        ({"dependencies": {"a": ["b", "c"]}}, {"dependencies": {"a": ["c", "b"]}}),
    ],
)
@pytest.mark.parametrize(
    "wrap",
    [
        "{}", '{{"items":{}}}', '{{"items":[{}]}}', '{{"prefixItems":[true,{}]}}', '{{"anyOf":[{}]}}',
        '{{"allOf":[{}]}}', '{{"oneOf":[{}]}}', '{{"not":{}}}', '{{"if":{}}}', '{{"then":{}}}',
        '{{"else":{}}}', '{{"additionalProperties":{}}}', '{{"propertyNames":{}}}',
        '{{"contains":{}}}', '{{"unevaluatedItems":{}}}', '{{"unevaluatedProperties":{}}}',
        '{{"contentSchema":{}}}', '{{"additionalItems":{}}}', '{{"properties":{{"required":{}}}}}',
        '{{"properties":{{"enum":{}}}}}', '{{"patternProperties":{{"type":{}}}}}',
        '{{"$defs":{{"default":{}}}}}', '{{"definitions":{{"x":{}}}}}',
        '{{"dependentSchemas":{{"x":{}}}}}', '{{"dependencies":{{"x":{}}}}}',
    ],
)  # fmt: skip
@pytest.mark.parametrize("member", ["inputSchema", "outputSchema"])
def test_the_order_of_what_is_like_a_set_means_nothing_wherever_a_schema_stands(
    one: Json, other: Json, wrap: str, member: str
) -> None:
    forms = {
        canonical("tool", {"name": "x", member: json.loads(wrap.format(json.dumps(schema)))})
        for schema in (one, other)
    }
    assert len(forms) == 1


@pytest.mark.parametrize(
    "wrap",
    [
        '{{"default":{}}}', '{{"const":{}}}', '{{"examples":[{}]}}', '{{"enum":[{}]}}',
        '{{"x-own":{}}}', '{{"properties":{{"a":{{"default":{}}}}}}}',
        '{{"enum":[{{"required":{}}}]}}',
    ],
)  # fmt: skip
@pytest.mark.parametrize("word", ["required", "type", "enum"])
def test_data_within_a_schema_is_not_taken_for_a_schema(wrap: str, word: str) -> None:
    forms = {
        _tool(json.loads(wrap.format(json.dumps({word: order}))))
        for order in (["a", "b"], ["b", "a"])
    }
    assert len(forms) == 2


def test_a_property_named_like_a_keyword_is_a_schema() -> None:
    one, other = (
        {"properties": {"required": {"examples": order}, "enum": {"default": order}}}
        for order in (["a", "b"], ["b", "a"])
    )
    assert _tool(one) != _tool(other)


@pytest.mark.parametrize("beside", ["enumNames", "x-enum-varnames", "markdownEnumDescriptions"])
def test_the_order_of_an_enum_has_a_meaning_where_another_list_tells_of_its_values(
    beside: str,
) -> None:
    names = ["safe", "danger"]
    one, other = ({"enum": order, beside: names} for order in (["a", "b"], ["b", "a"]))
    assert _tool(one) != _tool(other)
    assert _tool({**one, "required": ["a", "b"]}) == _tool({**one, "required": ["b", "a"]})


@pytest.mark.parametrize("member", ["annotations", "_meta", "icons", "execution", "anything"])
def test_outside_of_schemas_every_order_has_a_meaning(member: str) -> None:
    one, other = ({"name": "x", member: {"required": order}} for order in (["a", "b"], ["b", "a"]))
    assert canonical("tool", one) != canonical("tool", other)


def test_the_arguments_of_a_prompt_keep_their_order() -> None:
    one, other = [{"name": "a"}, {"name": "b"}], [{"name": "b"}, {"name": "a"}]
    assert canonical("prompt", {"arguments": one}) != canonical("prompt", {"arguments": other})


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("\ud800", "lone surrogate"),
        ({"\udc00": 1}, "lone surrogate"),
        (float("nan"), "not finite"),
        (float("-inf"), "not finite"),
        ([10**5000], "too many digits"),
        ({1: 2}, "not a string"),
        ({1, 2}, "not JSON"),
        (b"x", "not JSON"),
    ],
)
@pytest.mark.parametrize("member", ["_meta", "inputSchema"])
def test_what_is_not_json_has_no_form(value: Any, why: str, member: str) -> None:
    with pytest.raises(Uncanonical, match=why):
        canonical("tool", {member: [value]})


@pytest.mark.parametrize("step", ["not", "x"])
@pytest.mark.parametrize("lists", [False, True])
def test_nesting_is_bounded(step: str, lists: bool) -> None:
    def nested(levels: int) -> Any:
        made: Any = {}
        for _ in range(levels - 1):
            made = [made] if lists else {step: made}
        return {"inputSchema": made}

    assert canonical("tool", nested(DEEPEST - 1))
    for levels in (DEEPEST, 10_000):
        with pytest.raises(Uncanonical, match="deep"):
            canonical("tool", nested(levels))


def test_what_nests_in_itself_has_no_form() -> None:
    endless: Json = {}
    endless["self"] = endless
    with pytest.raises(Uncanonical, match="deep"):
        canonical("tool", endless)


def test_near_the_end_of_the_stack_it_is_refused_and_nothing_else() -> None:
    def dig(frames: int) -> bytes:
        return dig(frames - 1) if frames else _tool(deep)

    deep: Any = {}
    for _ in range(DEEPEST - 10):
        deep = {"not": deep}
    with pytest.raises(Uncanonical, match="deep"):
        dig(850)


def test_the_size_is_bounded() -> None:
    room = LARGEST - len(canonical("prompt", {"name": ""}))
    assert len(canonical("prompt", {"name": "a" * room})) == LARGEST
    with pytest.raises(Uncanonical, match="larger"):
        canonical("prompt", {"name": "a" * (room + 1)})
