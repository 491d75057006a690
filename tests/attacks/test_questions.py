"""Attacks by what servers ask and by who answers: other people's questions, floods, deceptive pages."""

from __future__ import annotations

import asyncio
from typing import Any, Final

import pytest

from bawn.config import Limits
from bawn.model import Json, Principal
from bawn.ports import Elsewhere
from tests.gate import (
    ABLE,
    ADA,
    DONE,
    FORM,
    ISSUER,
    META,
    ROOTS,
    SAMPLE,
    House,
    Script,
    arrive,
    asks,
    legacy,
    modern,
    reason_of,
    session_of,
)
from tests.unit.gateway.calling import READ, YES, Caller, caller_of, silent, waiting_in

DECLARED: Final[Json] = {META + "clientCapabilities": ABLE}
BOB: Final = Principal("bob", ISSUER, ADA.roles, float("inf"))
LARGE: Final[Json] = {"result": {"action": "accept", "content": {"x": "y" * (3 << 20)}}}


async def _asked(house: House, caller: Caller) -> asyncio.Task[Json]:
    running = asyncio.create_task(caller.call())
    async with asyncio.timeout(30):
        await caller.asked.wait()
    return running


async def _end(*running: asyncio.Task[Json]) -> None:
    for task in running:
        task.cancel()
    await asyncio.wait(running)


# ── whose question it is ──────────────────────────────────────────────────────────────────────────


async def test_nobody_answers_a_question_that_was_put_to_another() -> None:
    house = House()
    Script(house, asks({"sure": FORM}), DONE)
    caller = await caller_of(house, silent)
    running = await _asked(house, caller)
    [request] = caller.requests()
    id_, answer = request["id"], {"result": YES}
    mine = caller.session
    assert mine is not None
    other = await session_of(house, capabilities=ABLE)
    bobs = await session_of(house, BOB, capabilities=ABLE)
    there = await session_of(house, at="files", capabilities=ABLE)
    for who, session, at in (
        (BOB, bobs, None), (BOB, mine, None), (ADA, other, None), (ADA, there, "files"),
        (ADA, mine, "files"),
    ):  # fmt: skip
        await caller.post(id_, answer, who=who, at=at, session=session)
        assert waiting_in(house) == 1
    for headers in ({}, {b"mcp-protocol-version": b"2026-07-28"}):
        body = {"jsonrpc": "2.0", "id": id_, **answer}
        await house.answer(arrive(body, {**headers, b"mcp-session-id": None}))
        assert waiting_in(house) == 1
    assert not running.done()
    assert (await caller.post(id_, answer)).status == 202
    assert "result" in await running


@pytest.mark.parametrize(
    "id_", ["9.x", "99999.x", "-1.x", "1e3.x", "٣.x", "0x1.x", ".x", "1", 10**30, "1" * 5000, ""]
)
async def test_no_id_of_an_answer_leads_astray(id_: object) -> None:
    house = House()
    caller = await caller_of(house, silent)
    body = {"jsonrpc": "2.0", "id": id_, "result": {}}
    arrival = arrive(body, {b"mcp-session-id": (caller.session or "").encode()})
    slot = house.gateway._stages.asks.elsewhere(id_)
    if slot is None:
        assert (await house.answer(arrival)).status == 202
    else:
        assert 0 <= slot < 1_000_000
        with pytest.raises(Elsewhere):
            await house.answer(arrival)


async def test_an_answer_that_came_is_not_taken_back_by_another() -> None:
    house = House()
    script = Script(house, asks({"sure": FORM, "where": ROOTS}), DONE)
    caller = await caller_of(house, silent)
    running = await _asked(house, caller)
    while len(caller.requests()) < 2:
        await asyncio.sleep(0)
    form, roots = caller.requests()
    await caller.post(form["id"], {"result": {"action": "decline"}})
    await caller.post(form["id"], {"result": YES})
    await caller.post(roots["id"], {"result": {"roots": []}})
    await running
    assert house.sent[-1].params["inputResponses"]["sure"] == {"action": "decline"}
    del script


# ── floods ────────────────────────────────────────────────────────────────────────────────────────


async def test_calls_that_wait_for_their_legacy_caller_are_bounded() -> None:
    house = House(limits=Limits(parked=3))
    house.gateway._stages.asks._most = 3
    Script(house, asks({"sure": FORM}))
    callers = [await caller_of(house, silent) for _ in range(3)]
    running = [await _asked(house, caller) for caller in callers]
    one_more = await caller_of(house, silent)
    async with asyncio.timeout(30):
        assert reason_of(await one_more.call()) == "limit.parked"
    await _end(*running)
    assert waiting_in(house) == 0
    again = await caller_of(house, silent)
    await _end(await _asked(house, again))


async def test_answers_that_wait_for_others_are_bounded_in_bytes() -> None:
    house = House()
    Script(house, asks({f"sure{number}": FORM for number in range(8)}), DONE)
    caller = await caller_of(house, silent)
    running = await _asked(house, caller)
    while len(caller.requests()) < 8:
        await asyncio.sleep(0)
    statuses = [(await caller.post(r["id"], LARGE)).status for r in caller.requests()[:7]]
    assert statuses == [202] * 5 + [503] * 2
    asks_ = house.gateway._stages.asks
    assert sum(asks_._held.values()) <= 16 << 20
    await _end(running)
    assert not asks_._held
    assert not asks_._calls


@pytest.mark.parametrize("number", [65, 500])
async def test_a_server_does_not_ask_hundreds_of_questions_at_once(number: int) -> None:
    house = House()
    Script(house, asks({str(n): SAMPLE for n in range(number)}))
    caller = await caller_of(house, silent)
    assert reason_of(await caller.call()) == "upstream.invalid"
    assert caller.told == []
    _, body = await house.ask(modern("tools/call", READ, meta=DECLARED))
    assert reason_of(body) == "upstream.invalid"


# ── what a person is shown ────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "ftp://h/", "//h/", "h", "",
        "https:///h", "https:h", "https://", "https://u:p@h/", "https://good.example@evil.example/",
        "https://evil.example\\@good.example/", "https://h/\n", "https://h/ x", "\thttps://h/",
        "https://h\u202e/", "https://h\u200b.example/", "https://h:99999/", "https://h:x/",
        "https://[::1", "intent://h/", "HTTPS:\\\\h", "blob:https://h/", "view-source:https://h/",
        None, 5, ["https://h/"], {"href": "https://h/"},
    ],
)  # fmt: skip
async def test_nobody_is_sent_to_a_page_that_hides_where_it_leads(url: Any) -> None:
    page = {"method": "elicitation/create", "params": {"mode": "url", "message": "m", "url": url}}
    for requests in ({"page": page}, {"sure": FORM, "page": page}):
        house = House()
        Script(house, asks(requests))
        _, body = await house.ask(modern("tools/call", READ, meta=DECLARED))
        assert reason_of(body) == "upstream.invalid"
        caller = await caller_of(house, silent)
        assert reason_of(await caller.call()) == "upstream.invalid"
        assert caller.told == []


async def test_a_server_cannot_ask_in_the_name_of_another_or_of_the_gate() -> None:
    for message in ("[issues] Sign in", "[files]", "[Files] x", " [files] x", "[bawn] x"):
        house = House()
        form = {**FORM, "params": {**FORM["params"], "message": message}}
        Script(house, asks({"sure": form}))
        _, body = await house.ask(modern("tools/call", READ, meta=DECLARED))
        shown = body["result"]["inputRequests"]["sure"]["params"]["message"]
        assert shown.startswith("[files] ")
    house = House()
    Script(house, asks({"bawn.approve": FORM}))
    _, body = await house.ask(modern("tools/call", READ, meta=DECLARED))
    assert reason_of(body) == "upstream.invalid"


async def test_who_declared_nothing_is_asked_nothing_whatever_is_smuggled() -> None:
    house = House()
    Script(house, asks({"sure": FORM}))
    session = await session_of(house, capabilities={})
    told: list[Json] = []

    async def tell(message: Json) -> None:
        told.append(message)

    smuggled = {**READ, "_meta": {META + "clientCapabilities": ABLE}, "capabilities": ABLE}
    await house.gateway.answer(legacy("tools/call", smuggled, session=session), tell)
    assert told == []


@pytest.mark.parametrize("modern_caller", [True, False])
async def test_a_call_that_waits_with_a_question_that_nobody_may_be_asked_is_let_go(
    modern_caller: bool,
) -> None:
    page = {"mode": "url", "url": "javascript:1", "message": "m"}
    bad = asks({"x": {"method": "elicitation/create", "params": page}}, "park", parked=True)
    house = House()
    Script(house, bad)  # however often it is asked
    if modern_caller:
        _, body = await house.ask(modern("tools/call", READ, meta=DECLARED))
    else:
        body = await (await caller_of(house, silent)).call()
    assert reason_of(body) == "upstream.invalid"
    ending = house.gateway._path._ending
    while ending:
        await asyncio.wait(set(ending))
    first, last = house.sent
    assert not first.parked
    assert last.parked
    assert last.params["requestState"] == "park"
    assert set(last.declined) == {"x"}
