"""What was asked and granted outlives processes, and nothing else: death, restart, time, another policy."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from mcp_types import InputRequiredResult

from bawn.model import Json
from tests.e2e.approvers import Office, Receiver, by_link, receiving
from tests.e2e.caller import Caller, a_caller
from tests.e2e.conftest import StartGate
from tests.e2e.consenting import ABLE, Mood, called, play, python
from tests.e2e.gate_process import Gate, wait_until
from tests.e2e.policed import (
    audited,
    crowd,
    killed,
    on_each_worker,
    reached,
    remote,
    running,
    written,
)
from tests.e2e.remote_process import Raw, raw_server

pytestmark = [
    pytest.mark.e2e,
    # what 2026-07-28 retires is what a legacy client is here to use
    pytest.mark.filterwarnings("ignore::mcp.MCPDeprecationWarning"),
]

RULES = """
@id("developers")
permit (principal in Role::"developer", action in Action::"use", resource);

@id("mine-asks") @ask("self")
forbid (principal, action in Action::"tools/call", resource in Server::"mine");

@id("theirs-asks") @ask("oncall")
forbid (principal, action in Action::"tools/call", resource in Server::"theirs");

@id("brief-asks") @ask("oncall") @within("2s")
forbid (principal, action in Action::"tools/call", resource in Server::"brief");
"""
HEAD = """\
workers: 2
policy: '{policy}'
approvals:
  wait: 0.5
  approvers: [{{name: Lena, roles: [oncall], webhook: '{hook}'}}]
servers:
"""
_numbers = count(1)


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Raw]:
    with raw_server(tmp_path_factory.mktemp("raw")) as server:
        yield server


@pytest.fixture(scope="module")
def hook() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("policy"), {"rules.cedar": RULES})


@pytest.fixture(scope="module")
def up(shared_gate: StartGate, raw: Raw, hook: Receiver, policy: Path) -> Gate:
    head = HEAD.format(policy=policy, hook=hook.url)
    return shared_gate(head + remote(raw, "mine", "theirs", "brief")).until_ok()


@pytest.fixture
def ben(up: Gate) -> Office:
    return Office(up, up.token("oncall", sub="ben"))


@pytest.fixture
def arguments() -> Json:
    """Arguments that no other call has."""
    return {"order": f"number {next(_numbers)}"}


async def asked(caller: Caller, server: str, arguments: Json) -> str:
    """The id of the approval for which a call waits."""
    told = (await caller.tool(f"{server}__echo", **arguments))["error"]["data"]
    assert told["reason"] == "approval.pending"
    id_: str = told["approval"]
    return id_


# ── clients that drop the question ──────────────────────────────────────────────────────────────


async def test_a_legacy_client_that_drops_the_question_is_told_before_its_patience_ends(
    up: Gate, raw: Raw, ben: Office, arguments: Json
) -> None:
    call = ("python-legacy", up, up.token())
    own = await play(*call, "mine__echo", arguments, Mood("ignore"))
    assert (own.reason, len(own.asked)) == ("approval.pending", 1)
    assert json.loads((await play(*call, "mine__echo", arguments)).says) == arguments

    async def never(url: str) -> None:
        await asyncio.Event().wait()

    others = await play(*call, "theirs__echo", arguments, Mood(visit=never))
    assert (others.reason, others.asked[0]["mode"]) == ("approval.pending", "url")
    assert ben.grant(others.data["approval"]) == "granted"
    again = await play(*call, "theirs__echo", arguments, Mood(visit=never))
    assert (json.loads(again.says), again.asked) == (arguments, [])
    assert reached(raw, "theirs", **arguments) == reached(raw, "mine", **arguments) == 1


async def test_a_modern_client_that_never_comes_back_loses_nothing(
    up: Gate, raw: Raw, ben: Office, arguments: Json
) -> None:
    async with python(up.url, up.token(), "auto", ABLE, []) as client:
        dropped = await client.session.call_tool(
            "theirs__echo", arguments, allow_input_required=True
        )
        assert isinstance(dropped, InputRequiredResult)
        (pending,) = [a for a in ben.listed("pending") if arguments["order"] in a["arguments"]]
        assert ben.grant(pending["id"]) == "granted"
        found = await called(client, "theirs__echo", arguments)
    assert json.loads(found.says) == arguments
    assert reached(raw, "theirs", **arguments) == 1


async def test_what_is_not_decided_in_time_is_pending_and_the_page_stays_open(
    up: Gate, raw: Raw, ben: Office, arguments: Json
) -> None:
    call = ("python-modern", up, up.token(), "theirs__echo", arguments)
    found = await play(*call)  # the client opens the page, and nobody decides
    assert (found.reason, found.data["needs"]) == ("approval.pending", "1 more of oncall")
    assert found.asked[0]["url"].endswith(found.data["approval"])
    assert ben.grant(found.data["approval"]) == "granted"
    assert json.loads((await play(*call)).says) == arguments
    assert reached(raw, "theirs", **arguments) == 1


# ── processes that die ──────────────────────────────────────────────────────────────────────────


async def test_killed_workers_take_no_approval_with_them(
    up: Gate, raw: Raw, ben: Office, arguments: Json
) -> None:
    async with crowd(up) as callers:
        (first, alice), *_ = (await on_each_worker(up, callers)).items()
        id_ = await asked(alice, "theirs", arguments)
    (name,) = (name for name, pid in running(up).items() if pid == first)
    await killed(up, name)
    assert ben.grant(id_) == "granted"
    await killed(up, "worker 0", "worker 1")
    async with a_caller(up.url, up.token()) as alice:
        assert json.loads(await alice.text("theirs__echo", **arguments)) == arguments
        assert await alice.refusal("theirs__echo", **arguments) == "approval.pending"
    assert reached(raw, "theirs", **arguments) == 1


async def test_a_killed_steward_is_followed_by_one_that_tells_the_approver(
    up: Gate, hook: Receiver, ben: Office, arguments: Json
) -> None:
    hook.refusing = 1_000_000
    async with a_caller(up.url, up.token()) as alice:
        id_ = await asked(alice, "theirs", arguments)
    (first, _), *_ = await asyncio.to_thread(hook.of, id_)
    await killed(up, "steward")
    before = len(hook.heard[id_])
    hook.refusing = 0
    *_, (last, body) = await asyncio.to_thread(hook.of, id_, before + 1)
    assert last["webhook-id"] == first["webhook-id"]
    assert by_link(up, json.loads(body)["link"]).status_code == 200
    assert ben.show(id_)["state"] == "granted"


async def test_consent_outlives_the_gate_and_is_still_for_once(
    up: Gate, raw: Raw, ben: Office, arguments: Json
) -> None:
    other = {**arguments, "other": True}
    async with a_caller(up.url, up.token()) as alice:
        granted = await asked(alice, "theirs", arguments)
        pending = await asked(alice, "theirs", other)
    assert ben.grant(granted) == "granted"
    up.kill()
    up.start().until_ok()
    assert ben.show(pending)["state"] == "pending"
    async with a_caller(up.url, up.token()) as alice:
        assert json.loads(await alice.text("theirs__echo", **arguments)) == arguments
        assert await asked(alice, "theirs", other) == pending
        assert await alice.refusal("theirs__echo", **arguments) == "approval.pending"
        assert ben.grant(pending) == "granted"
        assert json.loads(await alice.text("theirs__echo", **other)) == other
    assert reached(raw, "theirs", **arguments) == reached(raw, "theirs", **other) == 1
    events = audited(up, lambda call: (call["sealed"] or {}).get("approval") == granted)
    assert [(event["who"], event["method"]) for event in events] == [
        ("alice", "approval.asked"), ("ben", "approval.granted"), ("alice", "approval.used"),
    ]  # fmt: skip


# ── what ends consent ───────────────────────────────────────────────────────────────────────────


async def test_consent_ends_with_its_time_asked_or_granted(
    up: Gate, raw: Raw, ben: Office, arguments: Json
) -> None:
    other = {**arguments, "other": True}
    async with a_caller(up.url, up.token()) as alice:
        granted = await asked(alice, "brief", arguments)
        assert ben.grant(granted) == "granted"
        pending = await asked(alice, "brief", other)
        wait_until(lambda: ben.show(pending)["state"] == "expired", 10)
        wait_until(lambda: ben.show(granted)["state"] == "expired", 10)
        assert ben.grant(pending) == "approval.unknown"
        assert await asked(alice, "brief", arguments) != granted
        assert await asked(alice, "brief", other) != pending
    assert reached(raw, "brief", **arguments) == 0


async def test_another_policy_makes_what_was_asked_and_granted_void(
    up: Gate, raw: Raw, ben: Office, policy: Path, arguments: Json
) -> None:
    other = {**arguments, "other": True}
    async with a_caller(up.url, up.token()) as alice:
        granted, pending = [await asked(alice, "theirs", each) for each in (arguments, other)]
    assert ben.grant(granted) == "granted"
    more = '@id("more") forbid (principal in Role::"nobody", action, resource);'
    written(policy, {"rules.cedar": RULES, "more.cedar": more})
    assert up.cli("reload") == "applied: the policies\n"
    assert {ben.show(id_)["state"] for id_ in (granted, pending)} == {"void"}
    assert ben.grant(pending) == "approval.unknown"
    async with a_caller(up.url, up.token()) as alice:
        assert await asked(alice, "theirs", arguments) not in (granted, pending)
        assert await asked(alice, "theirs", other) not in (granted, pending)
    assert reached(raw, "theirs", **arguments) == 0
