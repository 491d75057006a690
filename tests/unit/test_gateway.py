from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bawn.config import Limits, RoleRule, Server
from bawn.errors import REASONS, Refused
from bawn.gateway import OFF_LOOP, isolation_key
from bawn.model import Answer, Call, Client, Decision, Item, Json, Kind, Outbound, Principal
from bawn.policy.roles import Roles
from bawn.ports import Arrival, Emit
from bawn.protocol import versions
from tests.gate import (
    ADA,
    EVE,
    ISSUER,
    LEGACY,
    META,
    MODERN,
    VIC,
    House,
    arrive,
    legacy,
    listing,
    modern,
    session_of,
)

READ: Json = {"name": "files__read", "arguments": {"path": "/a"}}


def _reason(body: Json) -> str:
    reason: str = body["error"]["data"]["reason"]
    return reason


async def _refused(house: House, arrival: Arrival, reason: str, status: int | None = None) -> Json:
    """The error, after seeing that nothing was sent."""
    reply, body = await house.ask(arrival)
    assert _reason(body) == reason
    assert reply.status == (REASONS[reason].status if status is None else status)
    assert house.sent == []
    error: Json = body["error"]
    return error


class Held:
    """A server that answers when it is let, and says when it was reached."""

    def __init__(self, house: House, *servers: str) -> None:
        self.reached = asyncio.Event()
        self.let = asyncio.Event()
        self.cancelled = 0
        for server in servers or ("files",):
            house.upstreams[server].behave = self

    async def __call__(self, outbound: Outbound, emit: Emit | None) -> Answer:
        self.reached.set()
        try:
            await self.let.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return Answer(result={"resultType": "complete", "content": []})


def _raising(error: BaseException) -> Callable[[Outbound, Emit | None], Awaitable[Answer]]:
    async def behave(outbound: Outbound, emit: Emit | None) -> Answer:
        raise error

    return behave


def _answering(answer: Answer) -> Callable[[Outbound, Emit | None], Awaitable[Answer]]:
    async def behave(outbound: Outbound, emit: Emit | None) -> Answer:
        return answer

    return behave


# ── the path ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("ask", [modern, legacy])
async def test_a_call_is_recorded_then_sent_then_recorded_again(
    ask: Callable[..., Arrival],
) -> None:
    house = House()
    reply, body = await house.ask(ask("tools/call", READ))
    assert reply.status == 200
    assert body["result"]["from"] == "files"
    assert house.journal.words() == ["intent", "send", "outcome"]
    [(call, item, decision, number)] = house.journal.of("intent")
    assert (call.params["name"], item.name, decision.rule) == (
        "files__read",
        "read",
        "role developer",
    )
    [(intent, trace, status, size)] = house.journal.of("outcome")
    assert (intent, trace, status, size) == (number, call.trace, "ok", len(reply.body))
    assert house.meter.calls == [("files", "tools/call", "ok")]
    assert house.gateway.concurrency.principals == {}


async def test_what_leaves_has_the_servers_name_and_our_metadata() -> None:
    house = House()
    await house.answer(modern("tools/call", READ | {"own": [1]}))
    [sent] = house.sent
    assert (sent.server, sent.method, sent.name) == ("files", "tools/call", "read")
    assert sent.params["own"] == [1]
    assert sent.params["arguments"] == {"path": "/a"}
    assert sent.params["_meta"][META + "clientCapabilities"] == {}


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("prompts/get", {"name": "files__summary"}),
        ("resources/read", {"uri": "file:///a"}),
        ("resources/read", {"uri": "file:///deep/b"}),
    ],
)
async def test_prompts_and_resources_take_the_same_path(method: str, params: Json) -> None:
    house = House()
    await house.answer(modern(method, params))
    assert house.journal.words() == ["intent", "send", "outcome"]


async def test_nothing_leaves_that_cannot_be_recorded() -> None:
    house = House()
    house.audit.failing = Refused(REASONS["audit.unavailable"], detail="disk full")
    error = await _refused(house, modern("tools/call", READ), "audit.unavailable")
    assert "disk full" not in json.dumps(error)
    assert house.journal == []
    assert house.gateway.concurrency.principals == {}


async def test_a_servers_error_is_an_outcome_of_its_own() -> None:
    house = House()
    house.upstreams["files"].behave = _answering(Answer(error={"code": -32602, "message": "no"}))
    reply, body = await house.ask(modern("tools/call", READ))
    assert (reply.status, body["error"]) == (400, {"code": -32602, "message": "no"})
    assert house.journal.of("outcome")[0][2] == "error"


@pytest.mark.parametrize("reason", [r for r in REASONS if r.startswith("upstream.")])
async def test_a_failing_server_is_an_outcome_with_its_reason(reason: str) -> None:
    house = House()
    house.upstreams["files"].behave = _raising(Refused(REASONS[reason], detail="s3cr3t"))
    reply, body = await house.ask(modern("tools/call", READ))
    assert _reason(body) == reason
    assert b"s3cr3t" not in reply.body
    assert house.journal.of("outcome")[0][2] == reason
    assert house.meter.calls == [("files", "tools/call", reason)]
    assert house.meter.refusals == [reason]


@pytest.mark.parametrize("kind", ["input_required", "task"])
async def test_a_server_that_asks_back_is_refused(kind: str) -> None:
    house = House()
    house.upstreams["files"].behave = _answering(Answer(result={"resultType": kind}))
    _, body = await house.ask(modern("tools/call", READ))
    assert _reason(body) == "upstream.input_required"
    assert house.journal.of("outcome")[0][2] == "upstream.input_required"


@pytest.mark.parametrize("kind", ["unheard-of", [], {}, 5, None])
async def test_an_unknown_kind_of_result_is_refused(kind: object) -> None:
    house = House()
    house.upstreams["files"].behave = _answering(Answer(result={"resultType": kind}))
    _, body = await house.ask(modern("tools/call", READ))
    assert _reason(body) == "upstream.invalid"
    assert house.journal.of("outcome")[0][2] == "upstream.invalid"


async def test_progress_goes_to_the_caller() -> None:
    house = House()

    async def behave(outbound: Outbound, emit: Emit | None) -> Answer:
        assert emit is not None
        await emit({"method": "notifications/progress"})
        return Answer(result={})

    house.upstreams["files"].behave = behave
    await house.answer(modern("tools/call", READ))
    assert house.emitted == [{"method": "notifications/progress"}]


# ── fail closed ─────────────────────────────────────────────────────────────────────────────────


class Broken:
    """A policy engine that fails."""

    def decide(self, principal: Principal, item: Item) -> Decision:
        raise RuntimeError("s3cr3t")

    def permission_set(self, principal: Principal) -> str:
        raise RuntimeError("s3cr3t")


@pytest.mark.parametrize("method", ["tools/call", "tools/list"])
async def test_a_policy_that_fails_refuses(method: str) -> None:
    house = House(policy=Broken())
    error = await _refused(house, modern(method, READ), "internal.error")
    assert "s3cr3t" not in json.dumps(error)
    assert house.journal.of("intent") == []


@pytest.mark.parametrize(
    "error", [RuntimeError("s3cr3t"), KeyError("x"), TimeoutError(), OSError()]
)
async def test_an_unforeseen_failure_of_the_audit_refuses(error: Exception) -> None:
    house = House()
    house.audit.failing = error
    await _refused(house, modern("tools/call", READ), "internal.error")
    assert house.gateway.concurrency.principals == {}


@pytest.mark.parametrize(
    "error", [RuntimeError("s3cr3t"), KeyError("x"), TimeoutError(), RecursionError()]
)
async def test_an_unforeseen_failure_of_a_server_is_refused_and_recorded(error: Exception) -> None:
    house = House()
    house.upstreams["files"].behave = _raising(error)
    reply, body = await house.ask(modern("tools/call", READ))
    assert _reason(body) == "internal.error"
    assert b"s3cr3t" not in reply.body
    assert house.journal.words() == ["intent", "send", "outcome"]
    assert house.journal.of("outcome")[0][2] == "internal.error"
    assert house.gateway.concurrency.principals == {}


async def test_an_answer_that_cannot_be_written_is_refused_and_recorded() -> None:
    house = House()
    house.upstreams["files"].behave = _answering(Answer(result={"x": object()}))
    _, body = await house.ask(modern("tools/call", READ))
    assert _reason(body) == "internal.error"
    assert house.journal.of("outcome")[0][2] == "internal.error"


async def test_a_server_without_a_way_to_it_is_refused() -> None:
    house = House()
    del house.upstreams["files"]
    await _refused(house, modern("tools/call", READ), "internal.error")
    assert house.journal.words() == ["intent", "outcome"]


async def test_sessions_that_fail_refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    house = House()

    def fail(arrival: Arrival) -> Client | None:
        raise RuntimeError("s3cr3t")

    monkeypatch.setattr(house.sessions, "open", fail)
    await _refused(house, legacy("tools/call", READ, session="x"), "internal.error")


async def test_before_the_first_view_nothing_is_served_but_ping() -> None:
    house = House(serving=False)
    for method in ("tools/call", "tools/list", "server/discover"):
        await _refused(house, modern(method, READ), "gate.not_ready")
    _, body = await house.ask(legacy("ping"))
    assert body["result"] == {}


async def test_a_server_that_was_never_listed_is_said_to_be_away() -> None:
    house = House()
    house.gateway.swap(house.view(listing("issues", dict.fromkeys(Kind, ()))))
    await _refused(house, modern("tools/list", at="files"), "server.unavailable")


async def test_a_credential_for_one_server_serves_only_there() -> None:
    bound = Principal("ada", ISSUER, ADA.roles, float("inf"), endpoint="files")
    house = House()
    for at in (None, "issues"):
        reply = await house.answer(modern("tools/list", who=bound, at=at))
        assert reply.status == 401
        assert dict(reply.headers)[b"www-authenticate"] == b"Bearer auth.audience"
    _, body = await house.ask(modern("tools/call", {"name": "read"}, who=bound, at="files"))
    assert "result" in body


# ── denied and unknown ──────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("ask", [modern, legacy])
@pytest.mark.parametrize(
    ("method", "denied", "unknown"),
    [
        ("tools/call", {"name": "files__read"}, {"name": "files__rea0"}),
        ("prompts/get", {"name": "files__summary"}, {"name": "files__summar0"}),
        ("resources/read", {"uri": "file:///a"}, {"uri": "elif:///a"}),
        ("resources/read", {"uri": "file:///by/template"}, {"uri": "elif:///by/template"}),
    ],
)
async def test_what_is_denied_reads_as_what_does_not_exist(
    ask: Callable[..., Arrival], method: str, denied: Json, unknown: Json
) -> None:
    house = House()
    one, first = await house.ask(ask(method, denied, who=EVE))
    other, second = await house.ask(ask(method, unknown, who=EVE))
    assert first["error"]["data"].pop("trace") != second["error"]["data"].pop("trace")
    assert first == second
    assert (one.status, one.headers) == (other.status, other.headers)
    assert len(one.body) == len(other.body)
    assert house.sent == []
    assert [reason for _, reason, _ in house.journal.of("refusal")] == [
        "policy.denied",
        "target.unknown",
    ]


async def test_a_list_shows_what_may_be_called() -> None:
    house = House(roles={"reader": RoleRule(tools=("read",), servers=("files",))})
    reader = Principal("r", ISSUER, frozenset({"reader"}), float("inf"))
    _, body = await house.ask(modern("tools/list", who=reader))
    assert [tool["name"] for tool in body["result"]["tools"]] == ["files__read"]
    _, body = await house.ask(modern("tools/list", who=EVE))
    assert body["result"]["tools"] == []


# ── concurrency ─────────────────────────────────────────────────────────────────────────────────


async def test_calls_in_flight_are_limited_for_each_principal() -> None:
    house = House(limits=Limits(calls_per_principal=1))
    held = Held(house)
    first = asyncio.create_task(house.answer(modern("tools/call", READ)))
    await held.reached.wait()
    _, body = await house.ask(modern("tools/call", READ, id_=2))
    assert _reason(body) == "limit.principal"
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
    assert _reason(body) == "limit.server"
    _, body = await house.ask(modern("tools/call", {"name": "issues__search"}, who=bob))
    assert "result" in body
    held.let.set()
    await first


# ── cancellation ────────────────────────────────────────────────────────────────────────────────


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
    assert (_reason(body), body["id"]) == ("call.cancelled", id_)
    assert held.cancelled == 1
    assert house.journal.of("outcome")[0][2] == "cancelled"
    assert house.gateway.concurrency.principals == {}
    assert not house.gateway._running
    assert not house.gateway._cancelled


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
    await _refused(House(), _cancel(id_), "message.params")


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
    assert _reason((await other)[1]) == "call.cancelled"
    assert not house.gateway._running


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
    assert house.gateway.concurrency.principals == {}
    assert not house.gateway._running


# ── the View ────────────────────────────────────────────────────────────────────────────────────


async def test_a_call_ends_under_the_view_it_began_with() -> None:
    house = House()
    held = Held(house)
    call = asyncio.create_task(house.ask(modern("tools/call", READ)))
    await held.reached.wait()
    house.gateway.swap(house.view(listing("issues", dict.fromkeys(Kind, ()))))
    held.let.set()
    assert "result" in (await call)[1]
    _, body = await house.ask(modern("tools/call", READ))
    assert _reason(body) == "target.unknown"
    _, body = await house.ask(modern("tools/list"))
    assert body["result"]["tools"] == []


# ── eras ────────────────────────────────────────────────────────────────────────────────────────


async def test_a_modern_session_header_is_ignored_and_goes_nowhere() -> None:
    remote = Server(url="http://127.0.0.1:9/mcp", isolation="session")
    house = House(servers={"files": remote, "issues": remote, "bare": remote})
    for session in (b"one", b"two"):
        await house.answer(modern("tools/call", READ, headers={b"mcp-session-id": session}))
    assert len({sent.isolation for sent in house.sent}) == 1
    assert {call.session for call, *_ in house.journal.of("intent")} == {None}


async def test_a_legacy_client_is_served_without_a_session_too() -> None:
    house = House()
    for version in (*versions.HANDSHAKE, None):
        _, body = await house.ask(legacy("tools/call", READ, version=version))
        assert body["result"] == {"content": [], "from": "files"}


async def test_initialize_begins_a_session_that_later_requests_name() -> None:
    house = House()
    session = await session_of(house)
    told = legacy("notifications/initialized", id_=None, session=session)
    assert (await house.answer(told)).status == 202
    _, body = await house.ask(legacy("tools/call", READ, session=session))
    assert "result" in body
    [(call, *_)] = house.journal.of("intent")
    assert (call.client.name, call.session) == ("test", session)


@pytest.mark.parametrize("version", ["2099-01-01", "2024-11-05", MODERN])
async def test_initialize_with_any_version_is_answered_by_one_that_is_served(version: str) -> None:
    params: Json = {"protocolVersion": version, "capabilities": {}}
    reply, body = await House().ask(legacy("initialize", params, version=None))
    assert body["result"]["protocolVersion"] == "2025-11-25"
    assert b"mcp-session-id" in dict(reply.headers)


async def test_discover_tells_the_endpoint() -> None:
    _, body = await House().ask(modern("server/discover", at="issues"))
    assert body["result"]["supportedVersions"] == list(versions.SUPPORTED)
    assert body["result"]["cacheScope"] == "private"


async def test_ping_is_answered_to_whoever_has_one() -> None:
    house = House()
    assert (await house.ask(legacy("ping", id_="p")))[1] == {
        "jsonrpc": "2.0",
        "id": "p",
        "result": {},
    }
    await _refused(house, modern("ping"), "method.unknown")


@pytest.mark.parametrize(
    "method", ["notifications/initialized", "notifications/roots/list_changed", "x", "tools/call"]
)
async def test_a_notification_is_accepted_and_goes_nowhere(method: str) -> None:
    house = House()
    reply = await house.answer(legacy(method, READ, id_=None))
    assert (reply.status, reply.body) == (202, b"")
    assert house.journal == []


@pytest.mark.parametrize("id_", [0, 1, -1, "0", "", 2**63, -(2**70), 10**40, "é" * 100])
@pytest.mark.parametrize("ask", [modern, legacy])
async def test_an_id_comes_back_as_it_was(ask: Callable[..., Arrival], id_: str | int) -> None:
    house = House()
    for method, params in (("tools/call", READ), ("tools/list", {}), ("tools/call", {})):
        _, body = await house.ask(ask(method, params, id_=id_))
        assert body["id"] == id_
        assert type(body["id"]) is type(id_)


async def test_an_unsupported_version_is_told_what_is_served() -> None:
    arrival = modern(
        "tools/list",
        meta={META + "protocolVersion": "2099-01-01"},
        headers={b"mcp-protocol-version": b"2099-01-01"},
    )
    error = await _refused(House(), arrival, "version.unsupported")
    assert error["code"] == -32022
    assert error["data"]["supported"] == list(versions.SUPPORTED)
    assert error["data"]["requested"] == "2099-01-01"


async def test_a_missing_resource_has_the_code_of_the_callers_era() -> None:
    house = House()
    uri = {"uri": "nowhere://"}
    assert (await _refused(house, modern("resources/read", uri), "target.unknown"))[
        "code"
    ] == -32602
    error = await _refused(house, legacy("resources/read", uri), "target.unknown", status=200)
    assert error["code"] == -32002


# ── bodies ──────────────────────────────────────────────────────────────────────────────────────


async def test_a_large_body_of_another_spelling_is_read_off_the_loop_to_the_same_end() -> None:
    house = House()
    arrival = modern("tools/call", READ | {"arguments": {"text": "a" * (2 * OFF_LOOP)}})
    spaced = b" " + arrival.body
    await house.answer(Arrival(arrival.principal, None, arrival.headers, spaced))
    [sent] = house.sent
    assert sent.params["arguments"] == {"text": "a" * (2 * OFF_LOOP)}


async def test_unknown_members_and_odd_keys_survive_to_the_server() -> None:
    house = House()
    arguments = {"__proto__": {"x": 1}, "constructor": None, "n": 2**70, "e": 0.1, "Name": "é😀"}
    await house.answer(modern("tools/call", READ | {"arguments": arguments, "x-own": True}))
    [sent] = house.sent
    assert sent.params["arguments"] == arguments
    assert sent.params["x-own"] is True


async def test_the_callers_trace_is_the_one_correlation_id() -> None:
    house = House()
    trace = "0af7651916cd43dd8448eb211c80319c"
    parent = f"00-{trace}-b7ad6b7169203331-01"
    await house.answer(modern("tools/call", READ, meta={"traceparent": parent}))
    assert house.sent[0].trace == house.journal.of("outcome")[0][1] == trace
    _, body = await house.ask(arrive(b"{", {b"traceparent": parent.encode()}))
    assert body["error"]["data"]["trace"] == trace


async def test_a_body_that_cannot_be_read_has_a_trace_as_well() -> None:
    _, body = await House().ask(arrive(b"not json"))
    assert len(body["error"]["data"]["trace"]) == 32
    assert body["id"] is None


async def test_a_refusal_is_counted_once_by_what_the_caller_reads() -> None:
    house = House()
    await house.answer(modern("tools/call", {"name": "nothing"}))
    assert house.meter.refusals == ["target.unknown"]
    assert house.meter.calls == []


# ── isolation ───────────────────────────────────────────────────────────────────────────────────


def _of(who: Principal, session: str | None = None, project: str | None = None) -> Call:
    return Call(1, "tools/call", {}, who, None, Client(LEGACY), "t", session, project)


def _key(isolation: Any, call: Call) -> str:
    return isolation_key(isolation, call.principal.key, call)


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


# ── one choke point ─────────────────────────────────────────────────────────────────────────────

_METHODS = [
    *versions.METHODS,
    "completion/complete",
    "tasks/list",
    "TOOLS/CALL",
    "sampling/createMessage",
]
_NAMES = [
    "files__read", "files__write", "issues__search", "issues__read", "echo", "read", "write",
    "search", "files__summary", "summary", "file:///a", "file:///b/c", "common://doc", "ui://x", "",
]  # fmt: skip
_KINDS = {"tools/call": Kind.TOOL, "prompts/get": Kind.PROMPT, "resources/read": Kind.RESOURCE}

_rule = st.builds(
    RoleRule,
    servers=st.sampled_from([("*",), ("files",), ("issues", "bare"), ()]),
    tools=st.sampled_from([("*",), ("read",), ("w*", "echo"), ()]),
    prompts=st.sampled_from([("*",), ("s*",), ()]),
    resources=st.sampled_from([("*",), ("file:///*",), ("common://doc", "ui://*"), ()]),
)
_message = st.tuples(
    st.sampled_from([modern, legacy]),
    st.sampled_from(_METHODS),
    st.sampled_from(_NAMES),
    st.sampled_from([None, "files", "issues", "bare"]),
    st.sampled_from(["a", "b", "developer", "viewer", "nobody"]),
    st.sampled_from([1, "x", None]),
)


def _target(at: str | None, kind: Kind, name: str) -> Item | None:
    """Which item a name stands for, told from what the servers offer and from nothing else."""
    servers = {"files": "files__", "issues": "issues__", "bare": ""}
    own = {
        ("files", Kind.TOOL): {"read", "write"},
        ("issues", Kind.TOOL): {"search", "read"},
        ("bare", Kind.TOOL): {"echo"},
        ("files", Kind.PROMPT): {"summary"},
    }
    if kind is Kind.RESOURCE:
        if at is not None:
            return Item(kind, at, name, name, {})
        found = name.startswith("file:///")
        return Item(kind, "files", name, name, {}) if found else None
    for server, prefix in servers.items():
        for tool in own.get((server, kind), ()):
            shown = tool if at is not None else prefix + tool
            if name == shown and at in (None, server):
                return Item(kind, server, tool, prefix + tool, {})
    return None


@settings(max_examples=250, deadline=None)
@given(_rule, _rule, st.lists(_message, min_size=1, max_size=8))
def test_what_reaches_a_server_is_exactly_what_the_policy_allows_asked_directly(
    one: RoleRule, other: RoleRule, messages: list[tuple[Any, ...]]
) -> None:
    roles = {"a": one, "b": other}
    asyncio.run(_send_all(House(roles=roles), Roles(roles), messages))


async def _send_all(house: House, policy: Roles, messages: list[tuple[Any, ...]]) -> None:
    for ask, method, name, at, role, id_ in messages:
        who = Principal("p", ISSUER, frozenset({role}), float("inf"))
        item = _target(at, _KINDS[method], name) if method in _KINDS else None
        if id_ is None and ask is modern:
            id_ = 5
        allowed = item is not None and id_ is not None and policy.decide(who, item).allowed
        house.journal.clear()
        params = {"uri" if method == "resources/read" else "name": name, "taskId": name}
        if ask is modern and method not in _KINDS:
            params = {"taskId": name} if method.startswith("tasks/") else {}
        await house.answer(ask(method, params, who=who, at=at, id_=id_))
        reached = [(sent.server, sent.name) for sent in house.sent]
        assert reached == ([(item.server, item.name)] if allowed and item else [])
        words = [word for word in house.journal.words() if word != "refusal"]
        assert words == (["intent", "send", "outcome"] if allowed else [])
