from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import cedarpy
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.model import Kind, Label
from bawn.policy.cedar.context import PARTS, Moment, Shape, context, converted
from tests.unit.policy import house
from tests.unit.policy.house import call, item, who

_keys = st.one_of(st.sampled_from(["__entity", "__extn", "__expr", "n"]), st.text(max_size=3))
_scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(max_size=5),
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(-10**7, 10**7).map(lambda n: n / 10_000),
)  # fmt: skip
_values = st.recursive(
    _scalars,
    lambda some: st.one_of(st.lists(some, max_size=3), st.dictionaries(_keys, some, max_size=3)),
    max_leaves=12,
)


def holds(condition: str, facts: dict[str, Any]) -> bool:
    answer = cedarpy.is_authorized(
        {"principal": {"type": "U", "id": "u"}, "action": {"type": "Action", "id": "a"},
         "resource": {"type": "R", "id": "r"}, "context": msgspec.json.encode(facts).decode()},
        f"permit(principal, action, resource) when {{ {condition} }};", "[]",
    )  # fmt: skip
    assert not answer.diagnostics.errors
    return answer.allowed


# ── arguments ───────────────────────────────────────────────────────────────────────────────────


@given(_values)
def test_cedar_can_hold_whatever_a_caller_sends(value: Any) -> None:
    assert holds("context has a", {"a": converted(value)})


@given(_values, st.booleans())
def test_nothing_is_dropped_and_nothing_becomes_what_the_caller_made_up(
    value: Any, number: bool
) -> None:
    shape = Shape(number, {"n": Shape(True)}, Shape(number))
    _faithful(value, converted(value, shape), shape.number)


def _faithful(value: Any, made: Any, number: bool) -> None:
    if isinstance(value, dict) and not value.keys() & {"__entity", "__extn", "__expr"}:
        assert made.keys() == value.keys()
        for name in value:
            _faithful(value[name], made[name], True)
    elif isinstance(value, list):
        assert len(made) == len(value)
        for one, other in zip(value, made, strict=True):
            _faithful(one, other, number)
    elif value is None:
        assert made == {}
    elif isinstance(made, dict):
        assert isinstance(value, int | float)
        assert made.keys() == {"__extn"}
        assert made["__extn"]["fn"] == "decimal"
        assert Decimal(made["__extn"]["arg"]) == Decimal(repr(value))
    elif isinstance(made, str) and not isinstance(value, str):
        assert json.loads(made) == value
    else:
        assert made == value
        assert type(made) is type(value)


@pytest.mark.parametrize(
    ("value", "made"),
    [
        (2**63 - 1, 2**63 - 1),
        (2**63, "9223372036854775808"),
        (-(2**63) - 1, "-9223372036854775809"),
        (1.5, {"__extn": {"fn": "decimal", "arg": "1.5000"}}),
        (5.0, {"__extn": {"fn": "decimal", "arg": "5.0000"}}),
        (0.00001, "0.00001"),
        (1e22, "1e22"),
        (10**400, str(10**400)),
    ],
)
def test_numbers_are_held_exactly_or_as_their_text(value: float, made: Any) -> None:
    assert converted(value) == made


def test_what_the_schema_calls_a_number_is_a_decimal_however_it_is_written() -> None:
    schema = {
        "type": "object",
        "properties": {
            "n": {"type": "number"},
            "maybe": {"type": ["number", "null"]},
            "count": {"type": "integer"},
            "many": {"type": "array", "items": {"type": "number"}},
            "deep": {"properties": {"n": {"type": "number"}}},
        },
    }
    shape = Shape.of(item(inputSchema=schema))
    given = {"n": 1, "maybe": 2, "count": 3, "many": [4], "deep": {"n": 5}, "other": 6}
    made = {"arguments": converted(given, shape)}
    one = 'context.arguments.{}.greaterThan(decimal("0.5"))'
    for path in ("n", "maybe", "deep.n"):
        assert holds(one.format(path), made)
    assert holds('context.arguments.many.contains(decimal("4.0"))', made)
    assert holds("context.arguments.count == 3 && context.arguments.other == 6", made)


@pytest.mark.parametrize("number", [2**63, 10**30])
def test_a_number_too_large_for_a_decimal_is_its_text(number: int) -> None:
    assert converted(number, Shape(True)) == str(number)


def test_depth_is_no_way_around_a_rule() -> None:
    value: Any = "x"
    for _ in range(400):
        value = [value]
    assert holds("context has a", {"a": converted(value)})
    schema: Any = {"type": "number"}
    for _ in range(400):
        schema = {"properties": {"a": schema}}
    assert Shape.of_schema(schema) == Shape()


@pytest.mark.parametrize("schema", [None, True, [], {"properties": []}, {"type": {}}, {"items": 3}])
def test_a_schema_that_is_none_says_nothing(schema: Any) -> None:
    assert Shape.of_schema(schema) == Shape()


# ── the rest of the context ─────────────────────────────────────────────────────────────────────


def test_the_context_says_who_when_and_what_was_touched() -> None:
    asked = call(who("bot", agent="bot"), {"a": [1]})
    moment = Moment(asked, house.NOON, frozenset({Label.PRIVATE}), Shape())
    made = context(moment)
    assert made.keys() == PARTS
    for condition in (
        'context.method == "tools/call"', "context.arguments.a.contains(1)",
        'context.client == {name: "c", version: "2026-07-28"}',
        'context.agent == "bot"', 'context.endpoint == ""', "context.hour == 12",
        "context.weekday == 3", 'context.now == datetime("2026-10-21T12:00:00Z")',
        "context.flow.private && !context.flow.untrusted && !context.flow.sends",
        "context.risk.isEmpty()",
    ):  # fmt: skip
        assert holds(condition, made), condition


def test_only_uses_of_tools_and_prompts_have_arguments() -> None:
    for method, expected in (("tools/call", {"a": 1}), ("tasks/get", {}), ("resources/read", {})):
        moment = Moment(call(who(), {"a": 1}, method), 0.0, frozenset(), Shape())
        assert context(moment)["arguments"] == expected


def test_parts_that_nobody_looks_at_are_left_out() -> None:
    moment = Moment(call(who()), 0.0, frozenset(), Shape())
    assert context(moment, frozenset({"hour"})) == {"hour": 0}


def test_a_prompt_has_no_numbers() -> None:
    assert Shape.of(item(kind=Kind.PROMPT, arguments=[{"name": "n"}])) == Shape()
