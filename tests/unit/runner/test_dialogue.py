"""JSON-RPC with one process, without the process."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from bawn.errors import Refused
from bawn.model import Answer, Json
from bawn.runner.caller import Caller
from bawn.runner.dialogue import Dialogue
from bawn.runner.journal import Journal
from bawn.runner.lines import Overlong
from bawn.runner.pending import Deadlines
from tests.unit.runner.fakes import Ear

PATIENT = Deadlines(60, 300)


class Wire:
    """The far side: what was written, and the means to answer."""

    def __init__(self) -> None:
        self.sent: list[Json] = []
        self.changes = 0
        self.dialogue = Dialogue(self._write, Journal("files"), self._change)
        self._arrived = asyncio.Event()

    def _write(self, data: bytes) -> None:
        assert data.endswith(b"\n")
        assert data.count(b"\n") == 1
        self.sent.append(json.loads(data))
        self._arrived.set()

    def _change(self, method: str) -> None:
        self.changes += 1

    async def asked(self, method: str = "tools/call", count: int = 1) -> Json:
        """The latest of `count` messages of this method, once they were all written."""
        while len(found := [m for m in self.sent if m.get("method") == method]) < count:
            self._arrived.clear()
            await self._arrived.wait()
        return found[-1]

    def say(self, **message: Any) -> None:
        self.dialogue.hear(json.dumps({"jsonrpc": "2.0", **message}).encode())


@pytest.fixture
async def wire() -> Wire:
    return Wire()


def call(
    wire: Wire,
    params: Json | None = None,
    deadlines: Deadlines = PATIENT,
    caller: Caller | None = None,
    method: str = "tools/call",
) -> asyncio.Task[Answer]:
    return asyncio.create_task(wire.dialogue.ask(method, params or {}, deadlines, caller))


async def refusal(task: asyncio.Task[Answer]) -> str:
    with pytest.raises(Refused) as refused:
        await task
    return refused.value.reason.id


async def test_answers_find_their_calls_in_any_order(wire: Wire) -> None:
    calls = [call(wire, {"n": n}) for n in range(3)]
    await wire.asked(count=3)
    ids = [message["id"] for message in wire.sent]
    assert len(set(ids)) == 3
    for n in (2, 0, 1):
        wire.say(id=ids[n], result={"n": n})
    assert [(await task).result for task in calls] == [{"n": 0}, {"n": 1}, {"n": 2}]


async def test_an_error_is_an_answer(wire: Wire) -> None:
    task = call(wire)
    error = {"code": 5, "message": "m", "data": [1]}
    wire.say(id=(await wire.asked())["id"], error=error)
    assert (await task) == Answer(error=error)


@pytest.mark.parametrize(
    "line",
    [
        b"hello",
        b"",
        b"\r",
        b"[]",
        b"null",
        b"3",
        b'{"jsonrpc":"2.0","id":77,"result":{}}',
        b'{"jsonrpc":"2.0","id":"1","result":{}}',
        b'{"jsonrpc":"2.0","id":1.0,"result":{}}',
        b'{"jsonrpc":"2.0","id":true,"result":{}}',
        b'{"jsonrpc":"2.0","id":null,"result":{}}',
        b'[{"jsonrpc":"2.0","id":1,"result":{}}]',
        b'{"jsonrpc":"2.0","method":"notifications/progress"}',
        b'{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":[]}}',
        b'{"jsonrpc":"2.0","method":7}',
        b'{"jsonrpc":"2.0","method":"ping","id":[]}',
        b"[" * 5_000,
        b"\xff\x00",
    ],
)
async def test_no_odd_line_disturbs_a_call(wire: Wire, line: bytes) -> None:
    task = call(wire)
    id_ = (await wire.asked())["id"]
    wire.dialogue.hear(line)
    assert len(wire.sent) == 1
    wire.say(id=id_, result={"ok": 1})
    assert (await task).result == {"ok": 1}


async def test_batches_are_read_where_the_version_has_them(wire: Wire) -> None:
    task = call(wire)
    id_ = (await wire.asked())["id"]
    wire.dialogue.batches = True
    wire.dialogue.hear(json.dumps([{"jsonrpc": "2.0", "id": id_, "result": {}}]).encode())
    assert (await task).result == {}


async def test_the_second_answer_is_ignored_and_counted(wire: Wire) -> None:
    task = call(wire)
    id_ = (await wire.asked())["id"]
    wire.say(id=id_, result={"n": 1})
    wire.say(id=id_, result={"n": 2})
    assert (await task).result == {"n": 1}
    wire.say(id=id_, result={"n": 3})
    assert wire.dialogue.ignored == 2


@pytest.mark.parametrize(
    "answer", [{"result": []}, {"result": None}, {"error": "no"}, {}, {"result": {}, "error": {}}]
)
async def test_an_answer_of_the_wrong_shape_is_invalid(wire: Wire, answer: Json) -> None:
    task = call(wire)
    wire.say(id=(await wire.asked())["id"], **answer)
    assert await refusal(task) == "upstream.invalid"


@pytest.mark.parametrize("template", ['{"jsonrpc":"2.0","id":%d,"r', '{"result":{},"id":%d}'])
async def test_an_overlong_line_fails_the_call_it_names(wire: Wire, template: str) -> None:
    task, other = call(wire), call(wire)
    await wire.asked(count=2)
    ids = [message["id"] for message in wire.sent]
    text = (template % ids[0]).encode()
    wire.dialogue.hear(Overlong(text, text))
    assert await refusal(task) == "upstream.too_large"
    wire.say(id=ids[1], result={})
    assert (await other).result == {}


async def test_an_overlong_line_that_names_nobody_is_ignored(wire: Wire) -> None:
    task = call(wire)
    id_ = (await wire.asked())["id"]
    inner = b'{"result":{"a":{"id":%d}}}' % id_
    wire.dialogue.hear(Overlong(inner, inner))
    assert wire.dialogue.ignored == 1
    wire.say(id=id_, result={})
    await task


async def test_an_answer_with_lone_surrogates_is_mended(wire: Wire) -> None:
    task = call(wire)
    id_ = (await wire.asked())["id"]
    wire.dialogue.hear(b'{"jsonrpc":"2.0","id":%d,"result":{"t":"\\ud800"}}' % id_)
    assert (await task).result == {"t": "\ufffd"}


@pytest.mark.parametrize("value", [b"NaN", b"1e999", b'"\xff"', b"[" * 2_000 + b"]" * 2_000])
async def test_an_answer_beyond_mending_is_invalid_at_once(wire: Wire, value: bytes) -> None:
    task = call(wire)
    id_ = (await wire.asked())["id"]
    wire.dialogue.hear(b'{"jsonrpc":"2.0","id":%d,"result":{"t":%s}}' % (id_, value))
    assert await refusal(task) == "upstream.invalid"


async def test_silence_ends_at_the_first_byte_and_the_server_is_told(wire: Wire) -> None:
    task = call(wire, deadlines=Deadlines(0.01, 60))
    assert await refusal(task) == "upstream.first_byte"
    cancelled = await wire.asked("notifications/cancelled")
    assert cancelled["params"]["requestId"] == wire.sent[0]["id"]
    assert "id" not in cancelled


async def test_progress_buys_time_but_not_beyond_the_total(wire: Wire) -> None:
    task = call(wire, {"_meta": {"progressToken": "p"}}, Deadlines(0.05, 0.2))
    token = (await wire.asked())["params"]["_meta"]["progressToken"]
    wire.say(method="notifications/progress", params={"progressToken": token, "progress": 1})
    assert await refusal(task) == "upstream.total"


async def test_a_cancelled_call_is_cancelled_at_the_server(wire: Wire) -> None:
    task = call(wire)
    id_ = (await wire.asked())["id"]
    task.cancel()
    cancelled = await wire.asked("notifications/cancelled")
    assert cancelled["params"]["requestId"] == id_
    wire.say(id=id_, result={})
    assert wire.dialogue.ignored == 1


async def test_an_uncancellable_request_is_given_up_quietly(wire: Wire) -> None:
    with pytest.raises(Refused):
        await wire.dialogue.ask("initialize", {}, Deadlines(0.01, 0.01), cancellable=False)
    assert [message["method"] for message in wire.sent] == ["initialize"]


async def test_progress_tokens_are_ours_outside_and_the_callers_inside(wire: Wire) -> None:
    ears = Ear(), Ear()
    params = {"_meta": {"progressToken": "same", "x": 1}}
    tasks = [call(wire, params, caller=ears[n].caller) for n in range(2)]
    await wire.asked(count=2)
    tokens = [message["params"]["_meta"]["progressToken"] for message in wire.sent]
    assert len(set(tokens)) == 2
    assert params == {"_meta": {"progressToken": "same", "x": 1}}
    assert wire.sent[0]["params"]["_meta"]["x"] == 1
    wire.say(method="notifications/progress", params={"progressToken": tokens[1], "progress": 5})
    for message in wire.sent:
        wire.say(id=message["id"], result={})
    wire.say(method="notifications/progress", params={"progressToken": tokens[1], "progress": 6})
    await asyncio.gather(*tasks)
    assert ears[0].told == []
    assert [told["params"] for told in ears[1].told] == [{"progressToken": "same", "progress": 5}]


async def test_progress_that_was_not_asked_for_goes_nowhere(wire: Wire) -> None:
    ear = Ear()
    task = call(wire, caller=ear.caller)
    id_ = (await wire.asked())["id"]
    wire.say(method="notifications/progress", params={"progressToken": id_, "progress": 5})
    wire.say(id=id_, result={})
    await task
    assert ear.told == []


async def test_ping_is_answered_and_every_other_question_declined(wire: Wire) -> None:
    wire.say(id="a", method="ping")
    wire.say(id=0, method="roots/list")
    ping, roots = wire.sent
    assert ping == {"jsonrpc": "2.0", "id": "a", "result": {}}
    assert roots["id"] == 0
    assert roots["error"]["code"] == -32601


async def test_each_kind_of_changed_list_is_reported(wire: Wire) -> None:
    for kind in ("tools", "prompts", "resources", "roots"):
        wire.say(method=f"notifications/{kind}/list_changed")
    assert wire.changes == 3


async def test_the_end_fails_what_is_in_flight_and_what_comes_after(wire: Wire) -> None:
    tasks = [call(wire), call(wire)]
    await wire.asked(count=2)
    wire.dialogue.end("exit code 1")
    assert [await refusal(task) for task in tasks] == ["upstream.died"] * 2
    assert await refusal(call(wire)) == "upstream.unreachable"
    assert len(wire.sent) == 2


async def test_a_process_that_does_not_read_is_sent_nothing_more(wire: Wire) -> None:
    wire.dialogue.reads(False)
    wire.say(id=1, method="ping")
    wire.dialogue.tell("notifications/initialized")
    assert await refusal(call(wire, deadlines=Deadlines(0.01, 60))) == "upstream.unreachable"
    assert wire.sent == []
    waiting = call(wire)
    wire.dialogue.reads(True)
    wire.say(id=(await wire.asked())["id"], result={})
    await waiting


async def test_of_unreadable_answers_to_one_call_only_one_is_held(wire: Wire) -> None:
    task = call(wire)
    id_ = (await wire.asked())["id"]
    for _ in range(50):
        wire.dialogue.hear(b'{"jsonrpc":"2.0","id":%d,"result":{"t":"\\ud800"}}' % id_)
    assert wire.dialogue.ignored == 49
    assert (await task).result == {"t": "\ufffd"}


# ── log messages and streams of notifications ───────────────────────────────────────────────────


def log(wire: Wire, level: Any = "info") -> None:
    wire.say(method="notifications/message", params={"level": level, "data": "x"})


async def test_log_messages_go_to_the_one_call_that_asked(wire: Wire) -> None:
    quiet, loud = Ear(), Ear(level=1)
    tasks = [call(wire, caller=quiet.caller), call(wire, caller=loud.caller)]
    await wire.asked(count=2)
    for level in ("debug", "info", "emergency", "odd", None):
        log(wire, level)
    assert [told["params"]["level"] for told in loud.told] == ["info", "emergency"]
    other = call(wire, caller=Ear(level=0).caller)
    await wire.asked(count=3)
    log(wire)
    assert len(loud.told) == 2
    assert quiet.told == []
    for task in (*tasks, other):
        task.cancel()


async def test_where_many_share_a_process_a_log_message_needs_a_call_alone(wire: Wire) -> None:
    wire.dialogue.shared = True
    loud = Ear(level=0)
    task = call(wire, caller=loud.caller)
    await wire.asked()
    log(wire)
    other = call(wire, caller=Ear().caller)
    await wire.asked(count=2)
    log(wire)
    assert len(loud.told) == 1
    for each in (task, other):
        each.cancel()


async def test_nothing_is_told_once_the_answer_is_there(wire: Wire) -> None:
    loud = Ear(level=0)
    task = call(wire, caller=loud.caller)
    wire.say(id=(await wire.asked())["id"], result={})
    log(wire)
    await task
    assert loud.told == []


LISTEN = "subscriptions/listen"
ACKNOWLEDGED = "notifications/subscriptions/acknowledged"


def tagged(wire: Wire, id_: Any, method: str = "notifications/resources/updated") -> None:
    wire.say(method=method, params={"_meta": {"io.modelcontextprotocol/subscriptionId": id_}})


async def test_a_tagged_notification_goes_to_its_own_stream(wire: Wire) -> None:
    ears = Ear(), Ear()
    tasks = [call(wire, caller=ear.caller, method=LISTEN) for ear in ears]
    await wire.asked(LISTEN, 2)
    id_ = wire.sent[0]["id"]
    odd: list[Any] = [id_, 77, str(id_), float(id_), True, None, []]
    for tag in odd:
        tagged(wire, tag)
    assert [len(ear.told) for ear in ears] == [1, 0]
    tagged(wire, id_, "notifications/tools/list_changed")
    assert wire.changes == 0
    for task in tasks:
        task.cancel()


async def test_a_call_is_no_stream(wire: Wire) -> None:
    ear = Ear()
    task = call(wire, caller=ear.caller)
    tagged(wire, (await wire.asked())["id"])
    assert ear.told == []
    task.cancel()


async def test_an_acknowledged_stream_lasts_and_ends_as_the_server_says(wire: Wire) -> None:
    ear = Ear()
    task = call(wire, {}, Deadlines(0.02, 0.02), ear.caller, LISTEN)
    id_ = (await wire.asked(LISTEN))["id"]
    tagged(wire, id_, ACKNOWLEDGED)
    done, _ = await asyncio.wait({task}, timeout=0.1)
    assert not done
    wire.say(method="notifications/cancelled", params={"requestId": id_})
    answer = await task
    assert answer.result is not None
    assert answer.result["resultType"] == "complete"


async def test_a_stream_that_is_not_acknowledged_is_given_up(wire: Wire) -> None:
    task = call(wire, {}, Deadlines(0.01, 60), Ear().caller, LISTEN)
    assert await refusal(task) == "upstream.first_byte"


async def test_the_calls_of_a_server_are_not_its_to_cancel(wire: Wire) -> None:
    task = call(wire)
    id_ = (await wire.asked())["id"]
    wire.say(method="notifications/cancelled", params={"requestId": id_})
    wire.say(id=id_, result={})
    assert (await task).result == {}


async def test_a_stream_whose_listener_is_slow_is_ended(wire: Wire) -> None:
    ear = Ear()
    task = call(wire, caller=ear.caller, method=LISTEN)
    id_ = (await wire.asked(LISTEN))["id"]
    ear.reads = False
    tagged(wire, id_)
    assert await refusal(task) == "upstream.outcome_unknown"
    assert (await wire.asked("notifications/cancelled"))["params"]["requestId"] == id_
