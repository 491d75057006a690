from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.errors import Refused
from bawn.model import Answer
from bawn.protocol import answers
from bawn.protocol.strict import encode


def _refused(tree: Any, expected: str | int = 7) -> None:
    with pytest.raises(Refused) as caught:
        answers.response(tree, expected)
    assert caught.value.reason.id == "upstream.invalid"


def _message(**members: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 7} | members


def test_what_has_a_method_is_no_response() -> None:
    assert not answers.is_response(_message(method="ping"))
    assert not answers.is_response({"jsonrpc": "2.0", "method": "notifications/progress"})
    assert answers.is_response(_message(result={}))
    assert not answers.is_response([])


def test_a_result_and_an_error_are_told_apart() -> None:
    assert answers.response(_message(result={"a": 1}), 7) == Answer(result={"a": 1})
    error = {"code": -32602, "message": "no", "data": 5}
    assert answers.response(_message(error=error), 7) == Answer(error=error)


def test_an_error_may_come_without_the_id_that_could_not_be_read() -> None:
    error = {"code": -32700, "message": "no"}
    assert answers.response(_message(id=None, error=error), 7) == Answer(error=error)


@pytest.mark.parametrize("id_", [8, "7", 7.0, None, True])
def test_a_result_for_another_request_is_refused(id_: Any) -> None:
    _refused(_message(id=id_, result={}))
    _refused({"jsonrpc": "2.0", "result": {}})


def test_true_is_not_one() -> None:
    _refused(_message(id=True, result={}), expected=1)


@pytest.mark.parametrize(
    "tree",
    [
        None,
        [],
        [_message(result={})],
        "x",
        {"id": 7, "result": {}},
        _message(jsonrpc="1.0", result={}),
        _message(),
        _message(result=None),
        _message(result=[]),
        _message(result="x"),
        _message(result={}, error={"code": 1, "message": ""}),
        _message(id=8, error={"code": 1, "message": ""}),
        _message(error=[]),
        _message(error="x"),
    ],
)
def test_anything_else_is_refused(tree: Any) -> None:
    _refused(tree)


def test_an_error_is_completed_where_it_lacks_what_every_error_has() -> None:
    answer = answers.response(_message(error={"code": True, "message": 5, "data": 1}), 7)
    assert answer.error is not None
    assert answer.error["code"] == -32603
    assert "without a message" in answer.error["message"]
    assert answer.error["data"] == 1


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(0, 9) | st.text(max_size=3),
        lambda inner: (
            st.dictionaries(st.sampled_from(["jsonrpc", "id", "result", "error", "code"]), inner)
            | st.lists(inner)
        ),
        max_leaves=8,
    )
)
def test_any_tree_is_an_answer_or_refused(tree: Any) -> None:
    whole = tree | {"jsonrpc": "2.0"} if isinstance(tree, dict) else tree
    try:
        answer = answers.response(whole, 7)
    except Refused:
        return
    assert (answer.result is None) != (answer.error is None)


# ── what kind it is ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "answer",
    [
        Answer(result={"resultType": "complete"}, written=b'{"resultType":"complete"}'),
        Answer(result={"resultType": "input_required", "requestState": "x"}, parked=True),
        Answer(result={"resultType": "task", "taskId": "t"}),
        Answer(error={"code": 1, "message": ""}),
    ],
)
def test_an_answer_that_says_its_kind_is_left_as_it_is(answer: Answer) -> None:
    assert answers.judged(answer) is answer


def test_a_result_that_does_not_say_its_kind_is_complete_and_says_so_from_here_on() -> None:
    answer = answers.judged(Answer(result={"content": []}, written=b'{"content":[]}'))
    assert answer == Answer(result={"resultType": "complete", "content": []})


@pytest.mark.parametrize("kind", ["", "Complete", "other", None, 5, [], {}, ["complete"], True])
def test_an_unknown_kind_of_result_is_the_servers_fault(kind: Any) -> None:
    with pytest.raises(Refused) as caught:
        answers.judged(Answer(result={"resultType": kind}))
    assert caught.value.reason.id == "upstream.invalid"


# ── whole messages as we would write them ───────────────────────────────────────────────────────


@given(st.dictionaries(st.text(max_size=3), st.integers() | st.text(max_size=3), max_size=3))
def test_a_canonical_result_is_passed_on_as_it_was_written(result: dict[str, Any]) -> None:
    tree = {"jsonrpc": "2.0", "id": 7, "result": result}
    answer = answers.canonical_response(tree, 7, encode(tree))
    assert answer.result == result
    assert answer.written == encode(result)


@pytest.mark.parametrize(
    "tree",
    [
        {"id": 7, "jsonrpc": "2.0", "result": {"a": 1}},
        {"jsonrpc": "2.0", "result": {"a": 1}, "id": 7},
        {"jsonrpc": "2.0", "id": 7, "result": {"a": 1}, "more": {"b": 2}},
        {"jsonrpc": "2.0", "id": 7, "result": {"a": 1}, "error": None},
    ],
)
def test_a_result_in_another_order_or_company_is_written_anew(tree: dict[str, Any]) -> None:
    answer = answers.canonical_response(tree, 7, encode(tree))
    assert answer == Answer(result={"a": 1})


@pytest.mark.parametrize(
    "tree",
    [
        [],
        None,
        "x",
        {"jsonrpc": "2.0", "id": 8, "result": {}},
        {"jsonrpc": "2.0", "id": 77, "result": {}},
        {"jsonrpc": "2.0", "id": 7, "result": []},
        {"jsonrpc": "2.0", "id": 7, "result": {}, "error": {"code": 1, "message": ""}},
    ],
)
def test_the_shorter_way_refuses_what_the_longer_one_does(tree: Any) -> None:
    with pytest.raises(Refused):
        answers.canonical_response(tree, 7, encode(tree))


def test_what_was_decided_for_one_caller_is_nobody_elses_to_keep() -> None:
    public = Answer(result={"contents": [], "cacheScope": "public", "ttlMs": 5}, written=b"{}")
    kept = answers.private(public)
    assert kept == Answer(result={"contents": [], "cacheScope": "private", "ttlMs": 5})
    for other in (Answer(error={"code": 1}), kept):
        assert answers.private(other) is other


@pytest.mark.parametrize("ttl", [-1, True, "9", None, 1.5, [], 2**40])
def test_how_long_a_result_may_be_kept_is_always_said(ttl: Any) -> None:
    expected = 2**40 if ttl == 2**40 else 0
    for result in ({"ttlMs": ttl, "cacheScope": "private"}, {"ttlMs": ttl}, {"cacheScope": 5}):
        kept = answers.private(Answer(result={"contents": [], **result})).result or {}
        assert kept["cacheScope"] == "private"
        assert kept["ttlMs"] == (expected if "ttlMs" in result else 0)
        assert type(kept["ttlMs"]) is int


def test_what_nobody_may_keep_has_no_hints() -> None:
    result = {"resultType": "input_required", "ttlMs": 5, "cacheScope": "public"}
    assert answers.uncached(result) == {"resultType": "input_required"}
    plain = {"resultType": "input_required"}
    assert answers.uncached(plain) is plain


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (-32002, -32602), (-32042, -32603), (-32050, -32603), (-32099, -32603), (-32023, -32603),
        (-32020, -32020), (-32021, -32021), (-32022, -32022), (-32000, -32000), (-32019, -32019),
        (-32100, -32100), (-32601, -32601), (1, 1),
    ],
)  # fmt: skip
def test_a_code_that_the_version_keeps_for_itself_means_what_it_says(code: int, told: int) -> None:
    error = {"code": code, "message": "m", "data": {"own": 1}}
    assert answers.judged(Answer(error=error)) == Answer(error={**error, "code": told})
    assert error["code"] == code
