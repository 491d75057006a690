from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable

import pytest

from bawn.config import RoleRule
from bawn.errors import REASONS, Refused
from bawn.model import (
    Answer,
    Call,
    Client,
    Decision,
    Item,
    Json,
    Kind,
    Label,
    Outbound,
    Principal,
    View,
)
from bawn.ports import Arrival, Emit
from tests.gate import (
    ADA,
    EVE,
    ISSUER,
    META,
    Held,
    House,
    legacy,
    listing,
    modern,
    reason_of,
)

READ: Json = {"name": "files__read", "arguments": {"path": "/a"}}


def _raising(error: BaseException) -> Callable[[Outbound, Emit | None], Awaitable[Answer]]:
    async def behave(outbound: Outbound, emit: Emit | None) -> Answer:
        raise error

    return behave


def _answering(answer: Answer) -> Callable[[Outbound, Emit | None], Awaitable[Answer]]:
    async def behave(outbound: Outbound, emit: Emit | None) -> Answer:
        return answer

    return behave


# ── the path ──────────────────────────────────────────────────────────────────────────────────────


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
        "permit roles",
    )
    [(intent, trace, status, size)] = house.journal.of("outcome")
    assert (intent, trace, status, size) == (number, call.trace, "ok", len(reply.body))
    assert house.meter.calls == [("files", "tools/call", "ok")]
    assert house.nothing_in_flight


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
    error = await house.refused(modern("tools/call", READ), "audit.unavailable")
    assert "disk full" not in json.dumps(error)
    assert house.journal == []
    assert house.nothing_in_flight


async def test_a_servers_error_is_an_outcome_of_its_own() -> None:
    house = House()
    house.upstreams["files"].behave = _answering(Answer(error={"code": -32602, "message": "no"}))
    reply, body = await house.ask(modern("tools/call", READ))
    assert (reply.status, body["error"]) == (400, {"code": -32602, "message": "no"})
    assert house.journal.of("outcome")[0][2] == "error"


@pytest.mark.parametrize("reason", [r for r in REASONS if r.startswith("upstream.")])
async def test_a_failing_server_is_an_outcome_with_itsreason_of(reason: str) -> None:
    house = House()
    house.upstreams["files"].behave = _raising(Refused(REASONS[reason], detail="s3cr3t"))
    reply, body = await house.ask(modern("tools/call", READ))
    assert reason_of(body) == reason
    assert b"s3cr3t" not in reply.body
    assert house.journal.of("outcome")[0][2] == reason
    assert house.meter.calls == [("files", "tools/call", reason)]
    assert house.meter.refusals == [reason]


@pytest.mark.parametrize(
    ("method", "params", "result"),
    [
        ("tools/call", READ, {"resultType": "input_required"}),
        ("tools/call", READ, {"resultType": "input_required", "inputRequests": {"a": {}}}),
        ("tools/call", READ, {"resultType": "task", "taskId": "t"}),
        (
            "completion/complete",
            {"ref": {"type": "ref/prompt", "name": "files__summary"}}
            | {"argument": {"name": "a", "value": ""}},
            {"resultType": "input_required", "requestState": "s"},
        ),
    ],
    ids=["asks nothing", "asks nonsense", "a task nobody declared", "asks where it may not"],
)
async def test_a_server_that_asks_out_of_turn_is_refused(
    method: str, params: Json, result: Json
) -> None:
    house = House()
    house.upstreams["files"].behave = _answering(Answer(result=result))
    _, body = await house.ask(modern(method, params))
    assert reason_of(body) == "upstream.invalid"
    assert house.journal.of("outcome")[0][2] == "upstream.invalid"
    assert house.meter.calls == [("files", method, "upstream.invalid")]


async def test_a_place_in_the_house_that_fails_before_the_message_is_read_refuses() -> None:
    house = House()

    def fail() -> bool:
        raise RuntimeError("s3cr3t")

    house.barrier.behind = fail  # type: ignore[method-assign]  # the point of the test
    error = await house.refused(modern("tools/call", READ), "internal.error")
    assert "s3cr3t" not in json.dumps(error)
    assert house.journal == []


@pytest.mark.parametrize("kind", ["unheard-of", [], {}, 5, None])
async def test_an_unknown_kind_of_result_is_refused(kind: object) -> None:
    house = House()
    house.upstreams["files"].behave = _answering(Answer(result={"resultType": kind}))
    _, body = await house.ask(modern("tools/call", READ))
    assert reason_of(body) == "upstream.invalid"
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


# ── fail closed ───────────────────────────────────────────────────────────────────────────────────


class Broken:
    """A policy engine that fails."""

    def decide(self, call: Call, item: Item) -> Decision:
        raise RuntimeError("s3cr3t")

    def may(self, principal: Principal, item: Item) -> bool:
        raise RuntimeError("s3cr3t")

    def touches(self, item: Item) -> frozenset[Label]:
        raise RuntimeError("s3cr3t")

    def swap(self, view: View) -> None:
        """Fills `ports.PolicyEngine`."""

    def permission_set(self, principal: Principal) -> str:
        raise RuntimeError("s3cr3t")


@pytest.mark.parametrize("method", ["tools/call", "tools/list"])
async def test_a_policy_that_fails_refuses(method: str) -> None:
    house = House(policy=Broken())
    error = await house.refused(modern(method, READ), "internal.error")
    assert "s3cr3t" not in json.dumps(error)
    assert house.journal.of("intent") == []


@pytest.mark.parametrize(
    "error", [RuntimeError("s3cr3t"), KeyError("x"), TimeoutError(), OSError()]
)
async def test_an_unforeseen_failure_of_the_audit_refuses(error: Exception) -> None:
    house = House()
    house.audit.failing = error
    await house.refused(modern("tools/call", READ), "internal.error")
    assert house.nothing_in_flight


@pytest.mark.parametrize(
    "error", [RuntimeError("s3cr3t"), KeyError("x"), TimeoutError(), RecursionError()]
)
async def test_an_unforeseen_failure_of_a_server_is_refused_and_recorded(error: Exception) -> None:
    house = House()
    house.upstreams["files"].behave = _raising(error)
    reply, body = await house.ask(modern("tools/call", READ))
    assert reason_of(body) == "internal.error"
    assert b"s3cr3t" not in reply.body
    assert house.journal.words() == ["intent", "send", "outcome"]
    assert house.journal.of("outcome")[0][2] == "internal.error"
    assert house.nothing_in_flight


async def test_an_answer_that_cannot_be_written_is_refused_and_recorded() -> None:
    house = House()
    house.upstreams["files"].behave = _answering(Answer(result={"x": object()}))
    _, body = await house.ask(modern("tools/call", READ))
    assert reason_of(body) == "internal.error"
    assert house.journal.of("outcome")[0][2] == "internal.error"


async def test_a_server_without_a_way_to_it_is_refused() -> None:
    house = House()
    del house.upstreams["files"]
    await house.refused(modern("tools/call", READ), "internal.error")
    assert house.journal.words() == ["intent", "outcome"]


async def test_sessions_that_fail_refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    house = House()

    def fail(arrival: Arrival) -> Client | None:
        raise RuntimeError("s3cr3t")

    monkeypatch.setattr(house.sessions, "open", fail)
    await house.refused(legacy("tools/call", READ, session="x"), "internal.error")


async def test_before_the_first_view_nothing_is_served_but_ping() -> None:
    house = House(serving=False)
    for method in ("tools/call", "tools/list", "server/discover"):
        await house.refused(modern(method, READ), "gate.not_ready")
    _, body = await house.ask(legacy("ping"))
    assert body["result"] == {}


async def test_a_server_that_was_never_listed_is_said_to_be_away() -> None:
    house = House()
    house.gateway.swap(house.view(listing("issues", dict.fromkeys(Kind, ()))))
    await house.refused(modern("tools/list", at="files"), "server.unavailable")


async def test_a_credential_for_one_server_serves_only_there() -> None:
    bound = Principal("ada", ISSUER, ADA.roles, float("inf"), endpoint="files")
    house = House()
    for at in (None, "issues"):
        reply = await house.answer(modern("tools/list", who=bound, at=at))
        assert reply.status == 401
        assert dict(reply.headers)[b"www-authenticate"] == b"Bearer auth.audience"
    _, body = await house.ask(modern("tools/call", {"name": "read"}, who=bound, at="files"))
    assert "result" in body


# ── denied and unknown ────────────────────────────────────────────────────────────────────────────


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


# ── the View ──────────────────────────────────────────────────────────────────────────────────────


async def test_a_call_ends_under_the_view_it_began_with() -> None:
    house = House()
    held = Held(house)
    call = asyncio.create_task(house.ask(modern("tools/call", READ)))
    await held.reached.wait()
    house.gateway.swap(house.view(listing("issues", dict.fromkeys(Kind, ()))))
    held.let.set()
    assert "result" in (await call)[1]
    _, body = await house.ask(modern("tools/call", READ))
    assert reason_of(body) == "target.unknown"
    _, body = await house.ask(modern("tools/list"))
    assert body["result"]["tools"] == []


async def test_a_claim_is_not_told_to_who_may_use_none_of_its_servers() -> None:
    house = House()
    for who, reason in ((ADA, "resource.claimed"), (EVE, "target.unknown")):
        _, body = await house.ask(modern("resources/read", {"uri": "common://doc"}, who=who))
        assert reason_of(body) == reason
    _, unknown = await house.ask(modern("resources/read", {"uri": "nobody://has"}, who=EVE))
    assert unknown["error"]["message"] == body["error"]["message"]
    assert [reason for _, reason, _ in house.journal.of("refusal")][:2] == ["resource.claimed"] * 2
