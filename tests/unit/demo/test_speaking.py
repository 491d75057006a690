"""The demo's servers speak both eras, and tell whoever listens that their tools have changed."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence

import pytest

from bawn.demo.speaking import CHANGED, LEGACY, Speaker
from bawn.model import Json
from bawn.protocol import versions

META: Json = {"_meta": {versions.META_VERSION: versions.MODERN}}


class Counting:
    """One tool, whose description counts its calls."""

    name = "counting"

    def __init__(self) -> None:
        self.calls = 0

    def tools(self) -> Sequence[Json]:
        return ({"name": "count", "description": f"Called {self.calls} times."},)

    def call(self, name: str, arguments: Json) -> str:
        self.calls += arguments.get("by", 1)
        return f"{name} is {self.calls}"


def talk(*messages: Json) -> list[Json]:
    """What is answered to these, line by line."""
    heard = io.StringIO()
    lines = [json.dumps({"jsonrpc": "2.0", **message}) for message in messages]
    Speaker(Counting(), heard).run(lines)
    return [json.loads(line) for line in heard.getvalue().splitlines()]


def ask(id_: int, method: str, **params: object) -> Json:
    return {"id": id_, "method": method, "params": params}


def test_a_modern_client_discovers_lists_and_calls() -> None:
    discovered, listed, called = talk(
        ask(1, "server/discover", **META),
        ask(2, "tools/list", **META),
        ask(3, "tools/call", name="count", arguments={"by": 0}, **META),
    )
    assert discovered["result"]["supportedVersions"] == [versions.MODERN]
    assert discovered["result"]["capabilities"] == {"tools": {"listChanged": True}}
    assert listed["result"]["tools"][0]["name"] == "count"
    assert listed["result"]["ttlMs"] == 0
    assert called["result"]["resultType"] == "complete"
    assert called["result"]["content"] == [{"type": "text", "text": "count is 0"}]


def test_a_client_of_a_handshake_version_is_initialised_and_served() -> None:
    strange, opened, pong, listed = talk(
        ask(1, "server/discover"),
        ask(2, "initialize", protocolVersion="2025-11-25"),
        {"method": "notifications/initialized"},
        ask(3, "ping"),
        ask(4, "tools/list"),
    )
    assert strange["error"]["code"] == -32601
    assert opened["result"]["protocolVersion"] == LEGACY == "2025-11-25"
    assert pong["result"] == {}
    assert "resultType" not in listed["result"]
    assert "ttlMs" not in listed["result"]


def test_a_version_that_is_not_spoken_is_told_which_one_is() -> None:
    (refused,) = talk(ask(1, "tools/list", _meta={versions.META_VERSION: "2030-01-01"}))
    assert refused["error"]["code"] == -32022
    assert refused["error"]["data"]["supported"] == [versions.MODERN]


def test_a_modern_listener_hears_of_a_change_before_the_answer() -> None:
    acknowledged, changed, answered = talk(
        ask(7, "subscriptions/listen", notifications={"toolsListChanged": True}, **META),
        ask(8, "tools/call", name="count", **META),
    )
    assert acknowledged["params"]["notifications"] == {"toolsListChanged": True}
    assert changed["method"] == CHANGED
    assert changed["params"]["_meta"] == {versions.META_SUBSCRIPTION: 7}
    assert answered["id"] == 8


def test_an_initialised_client_hears_of_a_change_before_the_answer() -> None:
    _, changed, answered = talk(ask(1, "initialize"), ask(2, "tools/call", name="count"))
    assert changed == {"jsonrpc": "2.0", "method": CHANGED}
    assert answered["id"] == 2


@pytest.mark.parametrize(
    "first",
    [
        ask(7, "subscriptions/listen", notifications={}, **META),
        {"method": "notifications/cancelled", "params": {"requestId": 7}},
    ],
)
def test_nobody_is_told_who_does_not_want_to_be(first: Json) -> None:
    listening = ask(7, "subscriptions/listen", notifications={"toolsListChanged": True}, **META)
    before = [first] if "id" in first else [listening, first]
    *_, last = told = talk(*before, ask(8, "tools/call", name="count", **META))
    assert last["id"] == 8
    assert CHANGED not in [each.get("method") for each in told]


def test_what_changes_nothing_is_not_announced() -> None:
    _, answered = talk(
        ask(1, "initialize"), ask(2, "tools/call", name="count", arguments={"by": 0})
    )
    assert answered["id"] == 2


def test_what_is_not_there_is_refused_and_answers_are_passed_over() -> None:
    no_tool, no_method = talk(
        ask(1, "tools/call", name="other"),
        {"id": 5, "result": {}},
        ask(2, "prompts/list"),
    )
    assert (no_tool["id"], no_tool["error"]["code"]) == (1, -32602)
    assert (no_method["id"], no_method["error"]["code"]) == (2, -32601)
