"""What stands in the place of a result that is held back is valid, and tells how it can be had."""

from __future__ import annotations

import pytest

from bawn.inspection.outputs.withholding import NOTE, Withheld, withheld, withheld_error
from bawn.model import Detection, Json, Severity
from bawn.ports import Found


def found(rule: str, action: str = "quarantine", *, shadow: bool = False) -> Found:
    return Found("/x", Detection(rule, Severity.HIGH, 0, 4, "what it was"), action, shadow)


WHY = Withheld(
    "ab12", 1_800_000_000.0,
    (found("output/a"), found("output/a"), found("output/b", "pass"), found("c/d", shadow=True)),
    "https://gate.example.com",
)  # fmt: skip
RESULT: Json = {
    "resultType": "complete",
    "content": [{"type": "text", "text": "hostile"}],
    "structuredContent": {"a": "hostile"},
    "_meta": {"x": "hostile"},
}


def test_a_call_is_said_to_have_happened_and_how_its_answer_can_be_had() -> None:
    made = withheld("tools/call", RESULT, WHY)
    assert made is not None
    (block,) = made["content"]
    for part in ("ab12", "carried out", "output/a", "bawn quarantine show ab12", "2027-01-15",
                 "GET https://gate.example.com/api/v1/quarantine/ab12"):  # fmt: skip
        assert part in block["text"]
    assert (made["resultType"], made["isError"]) == ("complete", False)
    assert made["_meta"] == {
        NOTE: {"handle": "ab12", "expires": 1_800_000_000.0, "rules": ["output/a"]}
    }


@pytest.mark.parametrize(
    "method", ["tools/call", "prompts/get", "resources/read", "completion/complete"]
)
def test_nothing_of_what_was_held_is_in_it(method: str) -> None:
    told = str(withheld(method, RESULT, WHY))
    for part in ("hostile", "what it was", "output/b", "c/d"):
        assert part not in told


def test_where_a_schema_wants_structured_content_it_is_an_error() -> None:
    made = withheld("tools/call", RESULT, WHY, checked=True)
    assert made is not None
    assert made["isError"] is True
    assert "structuredContent" not in made


def test_each_method_gets_a_result_of_its_own_shape() -> None:
    prompt = withheld("prompts/get", RESULT, WHY) or {}
    assert prompt["messages"][0]["role"] == "user"
    assert prompt["messages"][0]["content"]["type"] == "text"
    read = withheld("resources/read", RESULT, WHY, uri="file:///a") or {}
    assert (read["contents"][0]["uri"], read["ttlMs"]) == ("file:///a", 0)
    assert read["cacheScope"] == "private"
    completed = withheld("completion/complete", RESULT, WHY) or {}
    assert completed["completion"]["values"] == []


def test_a_task_keeps_its_state_and_no_word_of_the_server() -> None:
    task: Json = {
        "resultType": "complete", "taskId": "t", "status": "completed", "ttlMs": 5,
        "statusMessage": "hostile", "result": RESULT,
    }  # fmt: skip
    made = withheld("tasks/get", task, WHY) or {}
    assert "hostile" not in str(made)
    assert (made["taskId"], made["status"], made["ttlMs"]) == ("t", "completed", 5)
    assert "ab12" in made["result"]["content"][0]["text"]
    failed = (
        withheld("tasks/get", {**task, "status": "failed", "error": {"message": "x"}}, WHY) or {}
    )
    assert failed["error"]["code"] == -32603
    assert withheld("tasks/get", {**task, "status": "input_required"}, WHY) is None


def test_a_question_and_what_is_unknown_have_no_substitute() -> None:
    assert withheld("tools/call", {"resultType": "input_required"}, WHY) is None
    assert withheld("vendor/method", RESULT, WHY) is None


def test_an_error_keeps_its_code_alone() -> None:
    made = withheld_error({"code": -32602, "message": "hostile", "data": "hostile"}, WHY)
    assert made["code"] == -32602
    assert "hostile" not in str(made)
