"""The gateway while calls are in flight: how many, whose, and how they are cancelled."""

from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.config import Limits
from bawn.model import Call, Client, Json, Principal
from bawn.policy.isolation import isolation_key
from bawn.ports import Arrival
from tests.gate import (
    ADA,
    EVE,
    ISSUER,
    LEGACY,
    MODERN,
    VIC,
    Held,
    House,
    arrive,
    legacy,
    modern,
    reason_of,
    session_of,
)

READ: Json = {"name": "files__read", "arguments": {"path": "/a"}}


# ── concurrency ───────────────────────────────────────────────────────────────────────────────────


async def test_calls_in_flight_are_limited_for_each_principal() -> None:
    house = House(limits=Limits(calls_per_principal=1))
    held = Held(house)
    first = asyncio.create_task(house.answer(modern("tools/call", READ)))
    await held.reached.wait()
    _, body = await house.ask(modern("tools/call", READ, id_=2))
    assert reason_of(body) == "limit.principal"
    assert [reason for _, reason, _ in house.journal.of("refusal")] == ["limit.principal"]
    assert len(house.sent) == 1
    reader = Principal("bob", ISSUER, ADA.roles, float("inf"))
    other = asyncio.create_task(house.answer(modern("tools/call", READ, who=reader)))
    held.let.set()
    assert (await first).status == (await other).status == 200
    _, body = await house.ask(modern("tools/call", READ, id_=3))
    assert "result" in body


async def test_calls_in_flight_are_limited_for_each_server() -> None:
    house = House(limits=Limits(calls_per_server=1))
    held = Held(house)
    first = asyncio.create_task(house.answer(modern("tools/call", READ)))
    await held.reached.wait()
    bob = Principal("bob", ISSUER, ADA.roles, float("inf"))
    _, body = await house.ask(modern("tools/call", READ, who=bob))
    assert reason_of(body) == "limit.server"
    _, body = await house.ask(modern("tools/call", {"name": "issues__search"}, who=bob))
    assert "result" in body
    held.let.set()
    await first


# ── cancellation ──────────────────────────────────────────────────────────────────────────────────


def _cancel(id_: object, **arrival: Any) -> Arrival:
    return legacy("notifications/cancelled", {"requestId": id_}, id_=None, **arrival)


@pytest.mark.parametrize("id_", [0, 7, "", "a", -(2**70)])
async def test_a_legacy_notification_cancels_its_own_call(id_: object) -> None:
    house = House()
    held = Held(house)
    session = await session_of(house)
    call = asyncio.create_task(house.ask(legacy("tools/call", READ, id_=id_, session=session)))
    await held.reached.wait()
    reply = await house.answer(_cancel(id_, session=session))
    assert (reply.status, reply.body) == (202, b"")
    _, body = await call
    assert (reason_of(body), body["id"]) == ("call.cancelled", id_)
    assert held.cancelled == 1
    assert house.journal.of("outcome")[0][2] == "cancelled"
    assert house.nothing_in_flight
    assert house.in_flight == 0


async def test_nobody_else_cancels_it() -> None:
    house = House()
    held = Held(house)
    session, second = await session_of(house), await session_of(house)
    foreign, elsewhere = await session_of(house, VIC), await session_of(house, at="files")
    call = asyncio.create_task(house.ask(legacy("tools/call", READ, id_=7, session=session)))
    await held.reached.wait()
    harmless = [
        _cancel(7),
        _cancel(7, session=second),
        _cancel(7, session=foreign, who=VIC),
        _cancel(7, who=VIC),
        _cancel(7, session=elsewhere, at="files"),
        _cancel("7", session=session),
        _cancel(8, session=session),
        arrive(
            {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 7}},
            {b"mcp-protocol-version": MODERN.encode(), b"mcp-session-id": session.encode()},
        ),
    ]
    for arrival in harmless:
        assert (await house.answer(arrival)).status == 202
    stolen = await house.answer(_cancel(7, session=session, who=VIC))
    assert stolen.status == 404
    held.let.set()
    _, body = await call
    assert "result" in body
    assert held.cancelled == 0


@pytest.mark.parametrize("id_", [None, True, 1.5, [7], {}])
async def test_a_cancellation_of_nothing_is_refused(id_: object) -> None:
    await House().refused(_cancel(id_), "message.params")


async def test_a_cancellation_that_comes_too_late_is_accepted() -> None:
    house = House()
    await house.answer(legacy("tools/call", READ, id_=7))
    assert (await house.answer(_cancel(7))).status == 202


async def test_of_two_calls_with_one_id_the_first_to_end_leaves_the_other_alone() -> None:
    house = House()
    quick, slow = Held(house, "files"), Held(house, "issues")
    one = asyncio.create_task(house.ask(legacy("tools/call", READ, id_=7)))
    await quick.reached.wait()
    other = asyncio.create_task(house.ask(legacy("tools/call", {"name": "issues__read"}, id_=7)))
    await slow.reached.wait()
    quick.let.set()
    assert "result" in (await one)[1]
    await house.answer(_cancel(7))
    assert reason_of((await other)[1]) == "call.cancelled"
    assert house.in_flight == 0


@pytest.mark.parametrize("ask", [modern, legacy])
async def test_a_caller_that_goes_away_ends_its_call(ask: Callable[..., Arrival]) -> None:
    house = House()
    held = Held(house)
    call = asyncio.create_task(house.answer(ask("tools/call", READ)))
    await held.reached.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert held.cancelled == 1
    assert house.journal.words() == ["intent", "send", "outcome"]
    assert house.journal.of("outcome")[0][2] == "cancelled"
    assert house.meter.calls == [("files", "tools/call", "cancelled")]
    assert house.nothing_in_flight
    assert house.in_flight == 0


# ── what a call costs ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("ask", [modern, legacy])
async def test_a_thousand_calls_leave_nothing_for_the_collector(
    ask: Callable[..., Arrival],
) -> None:
    house = House()
    arrivals = [ask("tools/call", READ, id_=number) for number in range(1000)]
    assert (await house.answer(arrivals[0])).status == 200
    gc.collect()
    gc.disable()
    try:
        for arrival in arrivals:
            assert (await house.answer(arrival)).status == 200
        assert gc.collect() == 0
    finally:
        gc.enable()


async def test_a_repeated_call_is_judged_as_the_first_one_was() -> None:
    house = House()
    bodies = [(await house.ask(modern("tools/call", READ, id_=number)))[1] for number in range(3)]
    assert [body["id"] for body in bodies] == [0, 1, 2]
    assert house.journal.words() == ["intent", "send", "outcome"] * 3
    first, *others = (sent.params for sent in house.sent)
    assert all(params == first for params in others)
    _, body = await house.ask(modern("tools/call", READ, id_=9, who=EVE))
    assert (reason_of(body), body["id"]) == ("target.unknown", 9)
    _, body = await house.ask(modern("tools/call", READ, id_=10, at="issues"))
    assert (reason_of(body), body["id"]) == ("target.unknown", 10)


# ── isolation ─────────────────────────────────────────────────────────────────────────────────────


def _of(who: Principal, session: str | None = None, project: str | None = None) -> Call:
    return Call(1, "tools/call", {}, who, None, Client(LEGACY), "t", session, project)


def _key(isolation: Any, call: Call) -> str:
    return isolation_key(isolation, call)


@pytest.mark.parametrize("isolation", ["principal", "session", "project"])
def test_two_principals_never_share_a_process_unless_all_do(isolation: str) -> None:
    one, other = _of(ADA, "s", "p"), _of(VIC, "s", "p")
    assert _key(isolation, one) != _key(isolation, other)
    assert _key("shared", one) == _key("shared", other)


@given(
    st.sampled_from(["principal", "session", "project"]),
    st.none() | st.text(),
    st.none() | st.text(),
)
def test_a_key_is_opaque_and_differs_where_isolation_says(
    isolation: str, one: str | None, other: str | None
) -> None:
    field = {"session": "session", "project": "project"}.get(isolation, "session")
    first, second = (_key(isolation, _of(ADA, **{field: value})) for value in (one, other))
    same = isolation == "principal" or (one or "") == (other or "")
    assert (first == second) == same
    assert len(first) == 32
    assert set(first) <= set("0123456789abcdef")


def test_kinds_of_isolation_do_not_meet() -> None:
    call = _of(ADA)
    assert len({_key(kind, call) for kind in ("principal", "session", "project", "shared")}) == 4


async def test_the_end_of_a_session_ends_its_calls_and_no_others() -> None:
    house = House()
    held = Held(house)
    session, other = await session_of(house), await session_of(house)
    calls = [
        asyncio.create_task(house.answer(legacy("tools/call", READ, session=each, id_=1)))
        for each in (session, other)
    ]
    while house.in_flight < 2:
        await asyncio.sleep(0)
    house.gateway.end(legacy("", session=session))
    ended = await calls[0]
    assert reason_of(json.loads(ended.body)) == "call.cancelled"
    assert not calls[1].done()
    held.let.set()
    assert (await calls[1]).status == 200
