from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.errors import Refused
from bawn.model import Json, Kind
from bawn.protocol import completion

ARGUMENT: Json = {"name": "path", "value": "sr"}
PROMPT: Json = {"ref": {"type": "ref/prompt", "name": "files__ask"}, "argument": ARGUMENT}
RESOURCE: Json = {"ref": {"type": "ref/resource", "uri": "file:///{path}"}, "argument": ARGUMENT}

texts = st.text(max_size=8)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=4,
)


def test_a_reference_names_a_prompt_or_a_template() -> None:
    assert completion.target(PROMPT) == (Kind.PROMPT, "files__ask")
    assert completion.target(RESOURCE) == (Kind.TEMPLATE, "file:///{path}")


@pytest.mark.parametrize("context", [None, {}, {"arguments": None}, {"arguments": {"a": "b"}}])
def test_a_context_may_be_given(context: Any) -> None:
    assert completion.target({**PROMPT, "context": context}) == (Kind.PROMPT, "files__ask")


@pytest.mark.parametrize(
    ("params", "named"),
    [
        ({}, "`ref`"),
        ({**PROMPT, "ref": "files__ask"}, "`ref`"),
        ({**PROMPT, "ref": {"name": "x"}}, "`ref.type`"),
        ({**PROMPT, "ref": {"type": "ref/tool", "name": "x"}}, "`ref.type`"),
        ({**PROMPT, "ref": {"type": ["ref/prompt"], "name": "x"}}, "`ref.type`"),
        ({**PROMPT, "ref": {"type": "ref/prompt", "uri": "x"}}, "`ref.name`"),
        ({**PROMPT, "ref": {"type": "ref/resource", "name": "x"}}, "`ref.uri`"),
        ({**PROMPT, "ref": {"type": "ref/resource", "uri": 5}}, "`ref.uri`"),
        ({"ref": PROMPT["ref"]}, "`argument`"),
        ({**PROMPT, "argument": {"name": "a"}}, "`argument`"),
        ({**PROMPT, "argument": {"name": 1, "value": "a"}}, "`argument`"),
        ({**PROMPT, "context": []}, "`context.arguments`"),
        ({**PROMPT, "context": "x"}, "`context.arguments`"),
        ({**PROMPT, "context": {"arguments": ["a"]}}, "`context.arguments`"),
        ({**PROMPT, "context": {"arguments": {"a": 1}}}, "`context.arguments`"),
    ],
)
def test_malformed_params_are_refused_by_name(params: Json, named: str) -> None:
    with pytest.raises(Refused) as caught:
        completion.target(params)
    assert caught.value.reason.id == "message.params"
    assert named in caught.value.public


@given(st.dictionaries(st.sampled_from(["ref", "argument", "context", "x"]), values))
def test_any_other_params_are_refused_and_nothing_worse(params: Json) -> None:
    with pytest.raises(Refused):
        completion.target(params)


@given(st.dictionaries(st.text(), values), st.dictionaries(st.text(), values), st.text())
def test_only_the_name_is_changed(more: Json, inner: Json, name: str) -> None:
    for params, member in ((PROMPT, "name"), (RESOURCE, "uri")):
        given_ = {**more, **params, "ref": {**inner, **params["ref"]}}
        before = copy.deepcopy(given_)
        made = completion.renamed(given_, name)
        assert given_ == before
        assert made == {**given_, "ref": {**given_["ref"], member: name}}
        assert completion.target({**made, "context": None})[1] == name


def test_a_hundred_values_pass_as_they_are() -> None:
    result: Json = {"completion": {"values": ["v"] * 100, "total": 300, "x": 1}, "y": 2}
    assert completion.bounded(result) is result


def test_more_values_are_cut_and_that_is_said() -> None:
    names = [str(number) for number in range(101)]
    result: Json = {"completion": {"values": names, "total": 101, "hasMore": False, "x": 1}, "y": 2}
    assert completion.bounded(result) == {
        "completion": {"values": names[:100], "total": 101, "hasMore": True, "x": 1},
        "y": 2,
    }
    assert len(names) == 101


@pytest.mark.parametrize(
    "result",
    [
        {},
        {"completion": []},
        {"completion": {"values": "abc"}},
        {"completion": {"values": ["a", 1]}},
    ],
)
def test_a_result_without_values_is_invalid(result: Json) -> None:
    with pytest.raises(Refused) as caught:
        completion.bounded(result)
    assert caught.value.reason.id == "upstream.invalid"


@given(st.lists(st.text(), max_size=150), st.dictionaries(st.text(), values))
def test_a_bounded_result_keeps_the_first_values_and_all_else(names: list[str], more: Json) -> None:
    result: Json = {**more, "completion": {**more, "values": names}}
    made = completion.bounded(result)
    assert made["completion"]["values"] == names[:100]
    assert {**made, "completion": 0} == {**result, "completion": 0}
    if len(names) > 100:
        assert made["completion"]["hasMore"] is True
