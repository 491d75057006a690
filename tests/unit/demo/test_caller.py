"""The client of the demo speaks 2026-07-28, and tells a gate that does not answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import httpx2
import pytest

from bawn.demo import caller as callers
from bawn.demo.caller import Caller, CallerError
from bawn.model import Json
from bawn.protocol import versions

URL = "http://127.0.0.1:9/mcp"

Answer = Callable[[Json], httpx2.Response]


class Site:
    """Answers each message so, and remembers what came."""

    def __init__(self, answer: Answer) -> None:
        self.requests: list[httpx2.Request] = []
        self._answer = answer

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        return self._answer(json.loads(request.content))

    def caller(self) -> Caller:
        return Caller(URL, "t0ken", httpx2.MockTransport(self))


def result(message: Json, **members: object) -> httpx2.Response:
    return httpx2.Response(200, json={"jsonrpc": "2.0", "id": message["id"], "result": members})


def events(*lines: str) -> httpx2.Response:
    text = "".join(f"{line}\n\n" for line in lines)
    return httpx2.Response(200, text=text, headers={"content-type": "text/event-stream"})


def offering(*offers: list[str]) -> Answer:
    """Lists one offer after another, and has a stream that tells of three changes."""
    left: Iterator[list[str]] = iter(offers)

    def answer(message: Json) -> httpx2.Response:
        if message["method"] == "subscriptions/listen":
            return events("data: {}", ": alive", "data: {}", "data: {}")
        return result(message, tools=[{"name": name} for name in next(left)])

    return answer


def test_a_call_is_modern_mirrored_and_authenticated() -> None:
    site = Site(lambda message: result(message, content=[]))
    with site.caller() as caller:
        assert caller.tool("a__b", {"x": 1})["result"] == {"content": []}
    (request,) = site.requests
    assert request.headers["authorization"] == "Bearer t0ken"
    assert request.headers["mcp-method"] == "tools/call"
    assert request.headers["mcp-name"] == "a__b"
    assert request.headers["mcp-protocol-version"] == versions.MODERN
    body = json.loads(request.content)
    assert body["params"]["arguments"] == {"x": 1}
    assert body["params"]["_meta"][versions.META_VERSION] == versions.MODERN


def test_an_answer_may_come_as_an_event() -> None:
    site = Site(lambda message: events('data: {"id": 1, "result": {"ok": true}}'))
    with site.caller() as caller:
        assert caller.tool("a", {})["result"] == {"ok": True}


def test_every_page_of_the_list_is_read() -> None:
    def answer(message: Json) -> httpx2.Response:
        if "cursor" in message["params"]:
            return result(message, tools=[{"name": "b"}])
        return result(message, tools=[{"name": "a"}], nextCursor="2")

    with Site(answer).caller() as caller:
        assert caller.tools() == {"a", "b"}


def test_it_waits_for_the_change_that_brings_what_is_wanted() -> None:
    site = Site(offering([], ["a"], ["a", "b"]))
    with site.caller() as caller:
        caller.until(lambda offered: "b" in offered)
    methods = [request.headers["mcp-method"] for request in site.requests]
    assert methods == ["subscriptions/listen", "tools/list", "tools/list", "tools/list"]


def test_what_is_there_already_is_not_waited_for() -> None:
    site = Site(offering(["a"]))
    with site.caller() as caller:
        caller.until({"a"}.issubset)
    assert len(site.requests) == 2


def test_a_stream_that_ends_first_is_told() -> None:
    with (
        Site(offering([], [], [])).caller() as caller,
        pytest.raises(CallerError, match="ended the stream"),
    ):
        caller.until({"a"}.issubset)


def test_a_stream_without_news_is_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(callers, "PATIENCE", 0.0)
    with (
        Site(offering([], [], [])).caller() as caller,
        pytest.raises(CallerError, match="not listed"),
    ):
        caller.until({"a"}.issubset)


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (httpx2.Response(502, text="<html>"), "HTTP 502, and no JSON"),
        (httpx2.ConnectError("refused"), "does not answer: ConnectError"),
    ],
)
def test_a_gate_that_does_not_answer_is_told(
    reply: httpx2.Response | httpx2.ConnectError, said: str
) -> None:
    def answer(message: Json) -> httpx2.Response:
        if isinstance(reply, httpx2.ConnectError):
            raise reply
        return reply

    with Site(answer).caller() as caller, pytest.raises(CallerError, match=said):
        caller.tool("a", {})


def test_a_gate_that_does_not_list_its_tools_is_told() -> None:
    def refused(message: Json) -> httpx2.Response:
        return httpx2.Response(401, json={"id": message["id"], "error": {"code": 1}})

    with Site(refused).caller() as caller, pytest.raises(CallerError, match="does not list"):
        caller.tools()
