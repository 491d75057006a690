from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcp_types import (
    SubscriptionsAcknowledgedNotification,
    SubscriptionsListenRequestParams,
    SubscriptionsListenResult,
)

from bawn.errors import Refused
from bawn.model import Json
from bawn.protocol import listening
from bawn.protocol.listening import Filter

SUBSCRIPTION = "io.modelcontextprotocol/subscriptionId"

texts = st.text(max_size=8)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=4,
)
ids = st.integers() | st.text()
filters = st.builds(
    Filter,
    tools=st.booleans(),
    prompts=st.booleans(),
    resources=st.booleans(),
    uris=st.lists(st.text(), max_size=4, unique=True).map(tuple),
    tasks=st.lists(st.text(), max_size=4, unique=True).map(tuple),
)


def _params(**asked: Any) -> Json:
    return {"notifications": asked}


def _refused(params: Json, most: int = 4) -> str:
    with pytest.raises(Refused) as caught:
        listening.read(params, most)
    assert caught.value.reason.id == "message.params"
    return caught.value.public


# ── what is asked for ───────────────────────────────────────────────────────────────────────────


def test_every_kind_can_be_asked_for() -> None:
    asked = _params(
        toolsListChanged=True,
        promptsListChanged=False,
        resourcesListChanged=True,
        resourceSubscriptions=["file:///a", "file:///b", "file:///a"],
        taskIds=["t"],
    )
    assert listening.read(asked, 4) == Filter(
        tools=True, resources=True, uris=("file:///a", "file:///b"), tasks=("t",)
    )


def test_nothing_may_be_asked_for() -> None:
    assert listening.read(_params(), 0) == Filter()
    assert listening.read(_params(toolsListChanged=None, taskIds=None), 0) == Filter()


def test_unknown_kinds_are_neither_refused_nor_acknowledged() -> None:
    asked = listening.read(_params(**{"com.example/weather": ["x"], "toolsListChanged": True}), 4)
    honoured = listening.acknowledged(asked, 1)["params"]["notifications"]
    assert honoured == {"toolsListChanged": True}


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        ({"toolsListChanged": 1}, "toolsListChanged"),
        ({"promptsListChanged": "true"}, "promptsListChanged"),
        ({"resourcesListChanged": []}, "resourcesListChanged"),
        ({"resourceSubscriptions": "file:///a"}, "resourceSubscriptions"),
        ({"resourceSubscriptions": [1]}, "resourceSubscriptions"),
        ({"taskIds": {}}, "taskIds"),
        ({"taskIds": [None]}, "taskIds"),
    ],
)
def test_a_wrong_type_is_refused_by_name(asked: Json, named: str) -> None:
    assert named in _refused({"notifications": asked})


@pytest.mark.parametrize("params", [{}, {"notifications": None}, {"notifications": []}])
def test_a_filter_must_be_there(params: Json) -> None:
    assert "`notifications`" in _refused(params)


def test_a_stream_tells_of_so_many_things_and_no_more() -> None:
    listening.read(_params(resourceSubscriptions=["a", "b"], taskIds=["a", "b"]), 4)
    assert "4" in _refused(_params(resourceSubscriptions=["a", "b", "c"], taskIds=["a", "b"]))
    assert "taskIds" in _refused(_params(taskIds=["a"] * 5))


# ── what is told ────────────────────────────────────────────────────────────────────────────────


def test_what_is_honoured_is_acknowledged_first() -> None:
    assert listening.acknowledged(Filter(prompts=True, uris=("a",), tasks=("t",)), "l-1") == {
        "jsonrpc": "2.0",
        "method": "notifications/subscriptions/acknowledged",
        "params": {
            "_meta": {SUBSCRIPTION: "l-1"},
            "notifications": {
                "promptsListChanged": True,
                "resourceSubscriptions": ["a"],
                "taskIds": ["t"],
            },
        },
    }


def test_a_notification_carries_the_callers_id_and_not_the_servers() -> None:
    params: Json = {"uri": "file:///a", "_meta": {SUBSCRIPTION: "upstream's", "own": 1}, "x": 2}
    before = copy.deepcopy(params)
    assert listening.notification("notifications/resources/updated", params, 7) == {
        "jsonrpc": "2.0",
        "method": "notifications/resources/updated",
        "params": {"uri": "file:///a", "_meta": {SUBSCRIPTION: 7, "own": 1}, "x": 2},
    }
    assert params == before


@pytest.mark.parametrize("params", [None, {}, {"_meta": None}])
def test_a_notification_without_params_is_stamped_too(params: Json | None) -> None:
    told = listening.notification("notifications/tools/list_changed", params, 7)
    assert told["params"] == {"_meta": {SUBSCRIPTION: 7}}


def test_the_end_is_a_result() -> None:
    assert listening.ended(7) == {"resultType": "complete", "_meta": {SUBSCRIPTION: 7}}


@given(filters, ids)
def test_a_filter_is_read_as_it_was_written(filter_: Filter, id_: str | int) -> None:
    asked: Json = {"notifications": listening.written(filter_)}
    assert listening.read(asked, 8) == filter_
    told = listening.acknowledged(filter_, id_)
    assert told["params"]["notifications"] == asked["notifications"]


@given(filters, st.integers() | st.text(min_size=1))
def test_the_sdk_reads_what_we_write(filter_: Filter, id_: str | int) -> None:
    SubscriptionsListenRequestParams.model_validate({"notifications": listening.written(filter_)})
    SubscriptionsAcknowledgedNotification.model_validate(listening.acknowledged(filter_, id_))
    SubscriptionsListenResult.model_validate(listening.ended(id_))


@given(
    st.dictionaries(texts, values, max_size=3),
    st.dictionaries(texts, values, max_size=3),
    ids,
    st.integers(0, 9),
)
def test_nothing_else_of_a_notification_changes(
    params: Json, meta: Json, id_: str | int, most: int
) -> None:
    told = listening.notification("m", {**params, "_meta": meta}, id_)["params"]
    assert told == {**params, "_meta": {**meta, SUBSCRIPTION: id_}}
    if "notifications" not in params:
        _refused(params, most)


@given(
    st.dictionaries(
        st.sampled_from(["toolsListChanged", "resourceSubscriptions", "taskIds", "x"]), values
    )
)
def test_any_other_filter_is_read_or_refused(asked: Json) -> None:
    try:
        made = listening.read({"notifications": asked}, 4)
    except Refused:
        return
    assert made.tools is bool(asked.get("toolsListChanged"))
    assert len(made.uris) + len(made.tasks) <= 4


@pytest.mark.parametrize(
    ("uri", "whole"),
    [
        ("file:///dir", "file:///dir"),
        ("file:///dir/a", "file:///dir"),
        ("file:///dir/sub", "file:///dir"),
        ("file:///dir/sub/b/c", "file:///dir/sub/"),
        ("file:///dirt", None),
        ("file:///", None),
        ("other:", None),
    ],
)
def test_a_part_belongs_to_the_nearest_that_was_subscribed_to(uri: str, whole: str | None) -> None:
    subscribed = ["file:///dir", "file:///dir/sub/", "x:y"]
    assert listening.whole(subscribed, uri) == whole
