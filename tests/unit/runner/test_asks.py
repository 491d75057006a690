"""What a process asks, and whose caller is asked."""

from __future__ import annotations

from typing import Any

import pytest

from bawn.model import Json
from bawn.runner.asks import EACH, MOST, Asks
from bawn.runner.caller import Caller
from bawn.runner.pending import Deadlines, Pending

ROOTS: Json = {"roots": {}}
FORM: Json = {"elicitation": {"form": {}}}
PARAMS: Json = {"message": "?", "requestedSchema": {}}


class Yard:
    """The questions of one process and its calls in flight."""

    def __init__(self, offered: Json) -> None:
        self.sent: list[Json] = []
        self.told: dict[int, list[Json]] = {}
        self.calls: dict[int, Pending] = {}
        self.asks = Asks(self.sent.append)
        self.asks.offered = offered

    def call(self, offers: Json | None = None, method: str = "tools/call") -> Pending:
        id_ = len(self.calls) + 1
        heard: list[Json] = []

        def tell(message: Json) -> bool:
            heard.append(message)
            return True

        caller = Caller(tell, self.asks.offered if offers is None else offers)
        pending = Pending(id_, method, caller, cancellable=True)
        pending.watch(Deadlines(60, 300), lambda *_: None)
        self.calls[id_], self.told[id_] = pending, heard
        return pending

    def ask(self, id_: Any, method: str = "roots/list", **more: Any) -> None:
        self.asks.put({"jsonrpc": "2.0", "id": id_, "method": method, **more}, self.calls)

    @property
    def codes(self) -> list[int]:
        """The codes of the errors that the process got."""
        return [message["error"]["code"] for message in self.sent]


async def test_a_question_goes_to_the_newest_call_that_is_not_asked_yet() -> None:
    yard = Yard(ROOTS)
    for _ in range(3):
        yard.call()
    for id_ in "abcd":
        yard.ask(id_)
    assert [len(yard.told[n]) for n in (1, 2, 3)] == [1, 1, 2]
    assert yard.sent == []


async def test_ids_are_ours_outside_and_its_own_inside() -> None:
    yard = Yard(ROOTS)
    yard.call()
    yard.ask(1)
    yard.ask("1")
    first, second = (message["id"] for message in yard.told[1])
    assert len({first, second, 1, "1"}) == 4
    assert yard.asks.answer(second, {"result": {"n": 2}})
    assert yard.asks.answer(first, {"error": {"code": 1}})
    assert not yard.asks.answer(first, {"result": {}})
    assert yard.sent == [
        {"jsonrpc": "2.0", "id": "1", "result": {"n": 2}},
        {"jsonrpc": "2.0", "id": 1, "error": {"code": 1}},
    ]


@pytest.mark.parametrize("method", ["tools/list", "completion/complete", "subscriptions/listen"])
async def test_calls_that_may_not_be_interrupted_are_not_asked(method: str) -> None:
    yard = Yard(ROOTS)
    yard.call(method=method)
    yard.ask("a")
    assert yard.codes == [-32603]
    assert yard.told[1] == []


async def test_what_was_not_offered_to_it_or_by_the_call_is_declined() -> None:
    yard = Yard(FORM)
    yard.call(offers={})
    yard.ask("a")
    yard.ask("b", "sampling/createMessage", params={"messages": []})
    yard.ask("c", "elicitation/create", params={**PARAMS, "mode": "url"})
    yard.ask("d", "elicitation/create", params=[])
    yard.ask("e", "elicitation/create", params=PARAMS)
    assert yard.codes == [-32601, -32601, -32602, -32602, -32603]
    assert yard.told[1] == []


async def test_a_call_that_has_its_answer_is_not_asked() -> None:
    yard = Yard(ROOTS)
    yard.call().answered.cancel()
    yard.ask("a")
    assert yard.codes == [-32603]


async def test_open_questions_are_bounded_for_each_call_and_each_process() -> None:
    yard = Yard(ROOTS)
    yard.call()
    for number in range(EACH + 5):
        yard.ask(number)
    assert len(yard.told[1]) == EACH
    for _ in range(20):
        yard.call()
    for number in range(100, 300):
        yard.ask(number)
    assert sum(map(len, yard.told.values())) == MOST
    assert len(yard.codes) == EACH + 5 + 200 - MOST


async def test_a_withdrawn_question_is_taken_from_its_caller() -> None:
    yard = Yard(ROOTS)
    pending = yard.call()
    yard.ask("a")
    ours = yard.told[1][0]["id"]
    odd: list[Any] = [None, True, [], "b", 1]
    for wrong in odd:
        assert not yard.asks.withdraw(wrong)
    assert yard.asks.withdraw("a")
    assert yard.told[1][1]["params"] == {"requestId": ours}
    assert not yard.asks.answer(ours, {"result": {}})
    assert pending.asks == 0


async def test_the_end_of_a_call_declines_what_was_asked_for_its_sake_alone() -> None:
    yard = Yard(ROOTS)
    first, _ = yard.call(), yard.call()
    yard.ask("second")
    yard.ask("first")
    yard.asks.end(first)
    assert [message["id"] for message in yard.sent] == ["first"]
    assert not yard.asks.knows("first")
    assert yard.asks.knows("second")
