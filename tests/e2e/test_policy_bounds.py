"""What bounds a caller besides rules, over all workers: flows, quotas and scopes."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import httpx2
import pytest

from bawn.model import Json
from bawn.protocol.conversation import HANDLE
from tests.e2e.approvers import Office
from tests.e2e.caller import a_caller
from tests.e2e.conftest import StartGate
from tests.e2e.gate_process import Gate
from tests.e2e.policed import answers, crowd, killed, on_each_worker, reached, remote, written
from tests.e2e.remote_process import Raw, raw_server

pytestmark = pytest.mark.e2e

RULES = """
@id("developers")
permit (principal in Role::"developer", action in Action::"use", resource);

@id("no-garbage")
forbid (principal, action == Action::"call web/garbage", resource);

@id("what-leaves-asks") @ask("oncall")
forbid (principal, action in Action::"use", resource)
when { context.flow.untrusted && context.flow.private && resource.labels.contains("sends") };
"""
LABELS = """
servers:
  web: {tools: {"*": {labels: [untrusted]}}}
  hr: {tools: {"*": {labels: [private]}}}
  mail: {tools: {"*": {labels: [sends]}}}
  rated: {tools: {"*": {labels: []}}}
  dear: {tools: {"*": {labels: [], cost: 2}}}
"""
HEAD = """\
workers: 2
policy: '{policy}'
scopes:
  "mcp:all": {{tools: ["*"]}}
  "mcp:read": {{tools: [echo]}}
quotas:
  - {{per: principal, servers: [rated], rate: 6/day}}
  - {{per: conversation, servers: [dear], cost: 5, window: 86400}}
servers:
"""
_numbers = count(1)


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Raw]:
    with raw_server(tmp_path_factory.mktemp("raw")) as server:
        yield server


@pytest.fixture(scope="module")
def up(shared_gate: StartGate, tmp_path_factory: pytest.TempPathFactory, raw: Raw) -> Gate:
    place = tmp_path_factory.mktemp("policy")
    written(place, {"rules.cedar": RULES, "labels.yaml": LABELS})
    servers = remote(raw, "web", "hr", "mail", "rated", "dear")
    return shared_gate(HEAD.format(policy=place) + servers).until_ok()


@pytest.fixture
def token(up: Gate) -> str:
    """Of somebody whom no other test knows."""
    return up.token(sub=f"somebody {next(_numbers)}", scopes=("mcp:all",))


@pytest.fixture
def meta() -> Json:
    """A conversation that no other test has."""
    return {HANDLE: f"talk {next(_numbers)}"}


# ── flows ───────────────────────────────────────────────────────────────────────────────────────


async def test_what_two_workers_touched_for_one_conversation_makes_sending_ask(
    up: Gate, raw: Raw, token: str, meta: Json
) -> None:
    async with crowd(up, token, meta) as callers:
        one, another = (await on_each_worker(up, callers)).values()
        assert await one.text("mail__echo", mail=1)
        assert await one.text("web__echo")
        assert await another.text("mail__echo", mail=2)
        assert await another.text("hr__echo")
        for caller in (one, another):
            assert await caller.refusal("mail__echo", **meta) == "approval.pending"
            assert await caller.text("web__echo")
    async with a_caller(up.url, token, {HANDLE: "quite another"}) as elsewhere:
        assert await elsewhere.text("mail__echo", mail=3)
    assert reached(raw, "mail", **meta) == 0


async def test_somebody_elses_conversation_of_the_same_name_is_not_touched(
    up: Gate, token: str, meta: Json
) -> None:
    other = up.token(sub="somebody else", scopes=("mcp:all",))
    async with a_caller(up.url, token, meta) as one, a_caller(up.url, other, meta) as another:
        assert await one.text("web__echo")
        assert await one.text("hr__echo")
        assert await another.text("mail__echo", **meta)
        assert await one.refusal("mail__echo", **meta) == "approval.pending"


async def test_what_was_touched_and_counted_outlives_workers_and_the_gate(
    up: Gate, raw: Raw, token: str, meta: Json
) -> None:
    async with a_caller(up.url, token, meta) as caller:
        assert await caller.text("web__echo")
        assert await caller.text("hr__echo")
        for number in range(6):
            assert await caller.text("rated__echo", number=number)
    await killed(up, "worker 0", "worker 1")
    async with a_caller(up.url, token, meta) as caller:
        assert await caller.refusal("rated__echo", **meta) == "limit.rate"
        asked = (await caller.tool("mail__echo", **meta))["error"]["data"]
    up.kill()
    up.start().until_ok()
    ben = Office(up, up.token("oncall", sub="ben"))
    assert ben.grant(asked["approval"]) == "granted"
    async with a_caller(up.url, token, meta) as caller:
        assert await caller.refusal("rated__echo", **meta) == "limit.rate"
        assert await caller.text("mail__echo", **meta)
        assert await caller.refusal("mail__echo", **meta) == "approval.pending"
    assert reached(raw, "mail", **meta) == 1


# ── quotas ──────────────────────────────────────────────────────────────────────────────────────


async def test_a_rate_holds_over_all_workers_and_tells_when_to_come_again(
    up: Gate, raw: Raw, token: str, meta: Json
) -> None:
    async with crowd(up, token) as callers:
        await on_each_worker(up, callers)
        found = await answers(callers, "rated__echo", **meta)
        assert found == {"ok": 6, "limit.rate": len(callers) - 6}
        reply = await callers[0].send("tools/call", {"name": "rated__echo", "arguments": {}})
        assert await callers[0].text("web__echo")
    told = reply.json()["error"]["data"]
    assert told["reason"] == "limit.rate"
    assert 0 < told["retryAfter"] <= 2 * 86_400
    assert int(reply.headers["retry-after"]) >= told["retryAfter"]
    assert reached(raw, "rated", **meta) == 6


async def test_a_budget_is_a_conversations_own(up: Gate, raw: Raw, token: str, meta: Json) -> None:
    async with crowd(up, token, meta) as callers:
        await on_each_worker(up, callers)
        found = await answers(callers, "dear__echo", **meta)
    assert found == {"ok": 2, "limit.budget": len(callers) - 2}
    async with a_caller(up.url, token, {HANDLE: "a new one"}) as caller:
        assert await caller.text("dear__echo", **meta)
    assert reached(raw, "dear", **meta) == 3


# ── scopes ──────────────────────────────────────────────────────────────────────────────────────


async def test_a_call_beyond_the_tokens_scopes_is_challenged_for_the_scope_that_would_do(
    up: Gate, raw: Raw, meta: Json
) -> None:
    reading = up.token(sub="rita", scopes=("mcp:read",))
    call = {"name": "web__headers", "arguments": meta}
    async with a_caller(up.url, reading) as caller:
        assert await caller.text("web__echo")
        reply = await caller.send("tools/call", call)
        assert reply.status_code == 403
        assert reply.json()["error"]["data"]["reason"] == "auth.scope"
        metadata = f"{up.base}/.well-known/oauth-protected-resource/mcp"
        assert reply.headers["www-authenticate"] == (
            'Bearer error="insufficient_scope", scope="mcp:read mcp:all", '
            f'resource_metadata="{metadata}"'
        )
        shown = {tool["name"] for tool in (await caller.ask("tools/list"))["result"]["tools"]}
    assert httpx2.get(metadata).json()["scopes_supported"] == ["mcp:all", "mcp:read"]
    assert "web__echo" in shown
    assert reached(raw, "web", **meta) == 0
    async with a_caller(up.url, up.token(sub="rita", scopes=("mcp:all",))) as caller:
        assert await caller.text("web__headers", **meta)
    assert reached(raw, "web", **meta) == 1


async def test_no_challenge_tells_of_what_policy_hides_and_no_scope_grants(up: Gate) -> None:
    for scopes in ((), ("mcp:read",), ("mcp:all",)):
        async with a_caller(up.url, up.token(sub="rita", scopes=scopes)) as caller:
            for name in ("web__garbage", "web__no-such-tool"):
                reply = await caller.send("tools/call", {"name": name, "arguments": {}})
                assert reply.status_code == 400
                assert reply.json()["error"]["data"]["reason"] == "target.unknown"
                assert "www-authenticate" not in reply.headers
    async with a_caller(up.url, up.token("viewer", sub="vera", scopes=("mcp:all",))) as vera:
        assert await vera.refusal("web__echo") == "target.unknown"
