from __future__ import annotations

import copy
import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.errors import Refused
from bawn.model import Json
from bawn.protocol import tasks
from bawn.protocol.sealing import Sealer
from bawn.protocol.tasks import TaskHandle

_numbers = itertools.count()


def _nonce() -> bytes:
    return next(_numbers).to_bytes(12, "big")


SEALER = Sealer([b"k" * 32], _nonce)
TASK = TaskHandle("iss|ada", None, "files", "ada", "tool", "index", "786512e2", 1000.0)
RELATED = "io.modelcontextprotocol/related-task"


def _shout(id_: str) -> str:
    return id_.upper()


# ── ids ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_task_is_found_by_its_id_alone() -> None:
    assert tasks.open(SEALER, tasks.seal(SEALER, TASK)) == TASK


def test_an_id_tells_nothing_of_the_task() -> None:
    sealed = tasks.seal(SEALER, TASK)
    assert sealed.isascii()
    assert "786512e2" not in sealed
    assert tasks.seal(SEALER, TASK) != sealed


@given(st.text() | st.integers() | st.none() | st.lists(st.text()))
def test_anything_else_is_no_task(text: Any) -> None:
    with pytest.raises(Refused) as caught:
        tasks.open(SEALER, text)
    assert caught.value.reason.id == "task.unknown"


@pytest.mark.parametrize("at", [0, 5, 20, 60, -1])
def test_a_changed_id_is_no_task(at: int) -> None:
    sealed = list(tasks.seal(SEALER, TASK))
    sealed[at] = "A" if sealed[at] != "A" else "B"
    with pytest.raises(Refused) as caught:
        tasks.open(SEALER, "".join(sealed))
    assert caught.value.reason.id == "task.unknown"


@pytest.mark.parametrize(
    "sealed",
    [
        Sealer([b"o" * 32], _nonce).seal("task", {}),  # another gate's
        SEALER.seal("session", {"principal": "iss|ada"}),  # another kind of handle
        SEALER.seal("task", {"principal": "iss|ada"}),  # of another release
    ],
)
def test_a_handle_of_another_kind_is_no_task(sealed: str) -> None:
    with pytest.raises(Refused) as caught:
        tasks.open(SEALER, sealed)
    assert caught.value.reason.id == "task.unknown"


def test_a_task_serves_its_caller_at_its_endpoint_until_it_ends() -> None:
    assert TASK.serves("iss|ada", None, 999.0)
    assert not TASK.serves("iss|ada", None, 1000.0)
    assert not TASK.serves("iss|eve", None, 999.0)
    assert not TASK.serves("iss|ada", "files", 999.0)


# ── where they stand ────────────────────────────────────────────────────────────────────────────

CREATED: Json = {
    "resultType": "task",
    "taskId": "abc",
    "status": "working",
    "createdAt": "2026-11-25T10:30:00Z",
    "lastUpdatedAt": "2026-11-25T10:30:00Z",
    "ttlMs": 60000,
    "com.example/own": {"taskId": "abc"},
}
FINISHED: Json = {
    **CREATED,
    "resultType": "complete",
    "status": "completed",
    "result": {"taskId": "abc", "content": [{"type": "text", "text": "abc"}]},
}


@pytest.mark.parametrize("result", [CREATED, FINISHED])
def test_a_result_has_the_callers_id(result: Json) -> None:
    before = copy.deepcopy(result)
    assert tasks.rewritten(result, _shout) == {**result, "taskId": "ABC"}
    assert result == before


def test_the_related_task_has_it_too() -> None:
    result: Json = {"content": [], "_meta": {RELATED: {"taskId": "abc", "x": 1}, "own": "abc"}}
    assert tasks.rewritten(result, _shout) == {
        "content": [],
        "_meta": {RELATED: {"taskId": "ABC", "x": 1}, "own": "abc"},
    }


@pytest.mark.parametrize(
    "tree",
    [
        {},
        {"resultType": "complete"},
        {"taskId": 5, "_meta": {RELATED: "abc"}},
        {"_meta": {RELATED: {"taskId": None}}},
        {"_meta": "abc"},
    ],
)
def test_where_no_id_stands_nothing_changes(tree: Json) -> None:
    assert tasks.rewritten(tree, _shout) == tree


def test_an_id_that_may_not_be_told_stops_the_message() -> None:
    def unknown(id_: str) -> str:
        raise KeyError(id_)

    with pytest.raises(KeyError):
        tasks.rewritten(CREATED, unknown)
