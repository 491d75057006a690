"""The API is asked in batches and by page; whatever it does wrong is a problem of those it was asked about."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest

from bawn.vulnerabilities import api as module
from bawn.vulnerabilities.api import Api
from bawn.vulnerabilities.component import Component
from bawn.vulnerabilities.database import Answer
from tests.vulnerable import JINJA, NEW_JINJA, OLD_JINJA, component

URL = "https://osv.example.com"
Reply = Callable[[str, Any], Any]


@dataclass
class Raw:
    """A response as it goes over the wire."""

    status: int
    content: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)

    def made(self) -> httpx2.Response:
        stream = httpx2.ByteStream(self.content)
        return httpx2.Response(self.status, headers=self.headers, stream=stream)


class Scripted(httpx2.AsyncBaseTransport):
    """Answers by a function of path and body; a `Raw` one is sent as it is."""

    def __init__(self, reply: Reply) -> None:
        self.reply = reply
        self.asked: list[tuple[str, Any]] = []

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        body = json.loads((await request.aread()) or b"null")
        self.asked.append((request.url.path, body))
        told = self.reply(request.url.path, body)
        if isinstance(told, Exception):
            raise told
        return (told if isinstance(told, Raw) else Raw(200, json.dumps(told).encode())).made()


async def ask(reply: Reply, *components: Component) -> tuple[list[Answer], Scripted]:
    transport = Scripted(reply)
    api = Api(URL, transport)
    answers = await api.answers(components or [OLD_JINJA])
    await api.aclose()
    return answers, transport


def honest(path: str, body: Any) -> Any:
    if path == "/v1/querybatch":
        hit = {"vulns": [{"id": JINJA["id"], "modified": "2024-02-01T00:00:00Z"}]}
        return {"results": [hit if each["version"] == "3.1.2" else {} for each in body["queries"]]}
    assert path == f"/v1/vulns/{JINJA['id']}"
    return JINJA


async def test_records_are_fetched_for_what_is_claimed_and_once() -> None:
    answers, transport = await ask(honest, OLD_JINJA, NEW_JINJA, OLD_JINJA)
    claimed = Answer((JINJA,), (JINJA["id"],))
    assert answers == [claimed, Answer(), claimed]
    assert [path for path, _ in transport.asked] == ["/v1/querybatch", f"/v1/vulns/{JINJA['id']}"]
    assert transport.asked[0][1]["queries"][0] == {
        "package": {"name": "jinja2", "ecosystem": "PyPI"},
        "version": "3.1.2",
    }


async def test_more_than_a_batch_is_asked_in_several(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BATCH", 2)
    _, transport = await ask(honest, *[NEW_JINJA] * 5)
    assert [len(body["queries"]) for _, body in transport.asked] == [2, 2, 1]


async def test_pages_are_read_to_the_last_of_each_component() -> None:
    def paged(path: str, body: Any) -> Any:
        if path != "/v1/querybatch":
            return {"id": path.rpartition("/")[2]}
        return {"results": [page(each.get("page_token", "")) for each in body["queries"]]}

    def page(token: str) -> dict[str, Any]:
        number = int(token or 0)
        more = {"next_page_token": str(number + 1)} if number < 2 else {}
        return {"vulns": [{"id": f"X-{number}"}], **more}

    (answer,), transport = await ask(paged)
    assert answer.claims == ("X-0", "X-1", "X-2")
    assert answer.problem == ""
    assert [body["queries"][0].get("page_token") for _, body in transport.asked[:3]] == [
        None, "1", "2",
    ]  # fmt: skip


@pytest.mark.parametrize("tokens", [lambda n: "same", lambda n: str(n)], ids=["same", "endless"])
async def test_pages_that_do_not_end_are_a_problem(tokens: Callable[[int], str]) -> None:
    count = iter(range(10_000))
    (answer,), transport = await ask(
        lambda path, body: {"results": [{"vulns": [], "next_page_token": tokens(next(count))}]}
    )
    assert "pages do not end" in answer.problem
    assert len(transport.asked) <= module.PAGES + 1


@pytest.mark.parametrize(
    "junk",
    [
        {}, [], None, "ok", {"results": None}, {"results": {}}, {"results": []}, {"results": [{}, {}]},
        {"results": [None]}, {"results": [{"error": "later"}]}, {"results": [{"vulns": {}}]},
        {"results": [{"vulns": [{}]}]}, {"results": [{"vulns": ["X-1"]}]},
        {"results": [{"vulns": [{"id": "../../x"}]}]}, {"results": [{"next_page_token": 5}]},
        Raw(500), Raw(204), Raw(302, headers={"location": "/"}),
        Raw(200, content=b"<html>"), Raw(200, content=b"\xff"),
        Raw(200, content=b"[" * 100_000),
        Raw(200, content=b"{}", headers={"content-encoding": "gzip"}),
        httpx2.ConnectError("no route"), httpx2.ReadTimeout("slow"),
    ],
    ids=str,
)  # fmt: skip
async def test_junk_is_a_problem_and_never_clean(junk: Any) -> None:
    (answer,), _ = await ask(lambda path, body: junk)
    assert answer.problem
    assert not answer.records


async def test_a_partial_batch_is_a_problem_for_all_of_it() -> None:
    answers, _ = await ask(lambda path, body: {"results": [{}]}, NEW_JINJA, OLD_JINJA)
    assert [bool(each.problem) for each in answers] == [True, True]


async def test_one_odd_result_hurts_its_own_component_alone() -> None:
    answers, _ = await ask(lambda path, body: {"results": [{}, {"vulns": 5}]}, NEW_JINJA, OLD_JINJA)
    assert [bool(each.problem) for each in answers] == [False, True]


@pytest.mark.parametrize("record", [{"id": "OTHER-1"}, {}, [], Raw(404), Raw(200, content=b"x")])
async def test_a_claim_stays_when_its_record_cannot_be_had(record: Any) -> None:
    def reply(path: str, body: Any) -> Any:
        return honest(path, body) if body is not None else record

    (answer,), _ = await ask(reply)
    assert answer.claims == (JINJA["id"],)
    assert answer.problem
    assert answer.records == ()


async def test_a_large_answer_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LARGEST", 10)
    (answer,), _ = await ask(honest)
    assert "more than 10 bytes" in answer.problem


async def test_the_records_of_one_look_have_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_IDS", 1)

    def reply(path: str, body: Any) -> Any:
        if body is None:
            return {"id": path.rpartition("/")[2]}
        return {"results": [{"vulns": [{"id": "X-1"}, {"id": "X-2"}]}]}

    (answer,), transport = await ask(reply)
    assert len(transport.asked) == 2
    assert answer.claims == ("X-1", "X-2")
    assert "more than 1 records" in answer.problem


async def test_an_api_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    class Silent(httpx2.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
            await asyncio.Event().wait()
            raise AssertionError

    for bound in ("TOTAL", "_REQUEST"):
        with monkeypatch.context() as patched:
            patched.setattr(module, bound, 0.01)
            api = Api(URL, Silent())
            (answer,) = await api.answers([OLD_JINJA])
            await api.aclose()
            assert answer.problem


async def test_packages_that_osv_has_not_are_not_asked_for() -> None:
    (answer,), transport = await ask(honest, component("x", "1", "oci"))
    assert answer.problem == "no database has packages of oci"
    assert transport.asked == []
