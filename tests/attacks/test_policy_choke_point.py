"""One choke point: whatever the route, what happens is what the oracle says of that very call."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from bawn.barrier.edition import Cut
from bawn.config.policy import Quota
from bawn.model import Json, Kind, Label
from bawn.storage.database import Database
from tests.attacks.choke import listening, rules, steps, world
from tests.attacks.choke.actor import KEY, SAID, Actor, reply_of
from tests.attacks.choke.bench import Setting, conversation
from tests.attacks.choke.drawn import Step, Steps, scenarios
from tests.gate import LEGACY


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    path: Path = tmp_path_factory.mktemp("choke")
    opened = Database(path / "state.db")
    yield opened
    opened.close()


@settings(max_examples=240, suppress_health_check=[HealthCheck.too_slow])
@given(scenarios())
def test_whatever_the_route_what_happens_is_what_the_oracle_says(
    database: Database, scenario: tuple[Setting, Steps]
) -> None:
    asyncio.run(_run(*scenario, database))


async def _run(setting: Setting, taken: Steps, database: Database) -> None:
    actor = Actor(setting, database)
    for step in taken:
        await step.run(actor)
    await actor.house.gateway.aclose()


# ── what random steps seldom meet ─────────────────────────────────────────────────────────────────

ADA = world.PRINCIPALS[0]
PLAIN = Setting((rules.ALL,), {}, {}, (), {})


async def test_a_task_is_judged_as_the_tool_that_began_it(database: Database) -> None:
    reading = rules.Drawn(
        "permit",
        "principal, action, resource",
        ("when { resource has readOnly && resource.readOnly }",),
        (),
    )
    begin = steps.Use("tools/call", "files__start", None, ADA, "modern")
    follow = steps.Follow(0, "tasks/get")
    actor = Actor(replace(PLAIN, policy=(reading,)), database)
    await begin.run(actor)
    await follow.run(actor)
    assert [sent.method for sent in actor.house.sent] == ["tools/call", "tasks/get"]


async def test_what_its_caller_told_the_gate_never_reaches_a_server(database: Database) -> None:
    asking = rules.Drawn("forbid", "principal, action, resource", (), (), '@ask("self")')
    actor = Actor(replace(PLAIN, policy=(rules.ALL, asking)), database)
    await steps.Use("tools/call", "files__read", None, ADA, "modern").run(actor)
    await steps.Enforce((rules.ALL,)).run(actor)
    await steps.Retry(0).run(actor)
    [sent] = actor.house.sent
    assert not {"inputResponses", "requestState"} & sent.params.keys()


@pytest.mark.parametrize("method", ["completion/complete", "graph/query"])
async def test_nobody_is_asked_who_could_not_come_back(database: Database, method: str) -> None:
    asking = rules.Drawn("forbid", "principal, action, resource", (), (), '@ask("self")')
    actor = Actor(replace(PLAIN, policy=(rules.ALL, asking)), database)
    if method == "graph/query":
        await steps.Extension(method, None, ADA).run(actor)
    else:
        await steps.Use(method, "files__summary", None, ADA, "modern").run(actor)
    assert actor.house.sent == []
    assert [each.state for each in actor.model.consents] == ["pending"]


async def test_a_server_that_went_to_another_tenant_is_out_of_reach_of_older_tasks(
    database: Database,
) -> None:
    actor = Actor(PLAIN, database)
    await steps.Use("tools/call", "files__start", None, ADA, "modern").run(actor)
    [task] = actor.tasks
    moved = actor.house.config.servers | {
        "files": actor.house.config.servers["files"].model_copy(update={"tenant": "acme"})
    }
    actor.house.config = actor.house.config.model_copy(update={"servers": moved})
    actor.bench.enforce(PLAIN)
    call = actor.call("tasks/get", {"taskId": task.id}, ADA, None)
    reply = await actor.house.gateway.answer(actor.modern(call, able=True), actor.emit)
    assert reply_of(json.loads(reply.body)) == "target.unknown"
    assert [sent.method for sent in actor.house.sent] == ["tools/call"]
    await actor.house.gateway.aclose()


@pytest.mark.parametrize(
    "cut", [Cut("item", "files:read", 0.0), Cut("server", "files", 0.0), Cut("gate", "", 0.0)]
)
async def test_what_is_switched_off_is_so_by_every_way(database: Database, cut: Cut) -> None:
    call = steps.Use("tools/call", "files__read", None, ADA, "modern")
    resource = steps.Use("resources/read", "file:///a", None, ADA, "session")
    listen = listening.Listen(("file:///a",), 0, None, ADA)
    await taken(PLAIN, database, steps.Switch((cut,)), call, resource, listen)


async def test_a_consent_is_not_spent_on_a_call_that_a_quota_refuses(database: Database) -> None:
    asking = rules.Drawn(
        "forbid", "principal, action, resource", ("when { resource.name == \"write\" }",), (),
        '@ask("ops")',
    )  # fmt: skip
    quota = Quota(per="principal", rate="1/day")
    setting = replace(PLAIN, policy=(rules.ALL, asking), quotas=(quota,))
    read = steps.Use("tools/call", "files__read", None, ADA, "modern")
    write = steps.Use("tools/call", "files__write", None, ADA, "modern")
    actor = await taken(setting, database, write, steps.Decide(0, "bob", "grant"), read, write)
    assert [each.state for each in actor.model.consents] == ["granted"]


@pytest.mark.parametrize("method", ["tools/call", "prompts/get"])
async def test_a_server_is_answered_once(database: Database, method: str) -> None:
    name = "files__ask" if method == "tools/call" else "files__summary"
    begin = steps.Use(method, name, None, ADA, "modern")
    actor = await taken(PLAIN, database, begin, steps.Retry(0), steps.Retry(0))
    assert len(actor.house.sent) == 2


async def test_what_a_conversation_has_touched_counts_for_it_alone(database: Database) -> None:
    after = rules.Drawn(
        "forbid", "principal, action, resource", (), ("when { context.flow.private }",)
    )
    read = steps.Use("tools/call", "files__read", None, ADA, "modern")
    write = steps.Use("tools/call", "files__write", None, ADA, "modern")
    of_another = replace(write, who=world.LOCAL)
    setting = replace(PLAIN, policy=(rules.ALL, after))
    actor = await taken(setting, database, write, read, write, of_another)
    assert [sent.name for sent in actor.house.sent] == ["write", "read", "write"]


async def test_consent_does_not_cover_what_policy_says_only_meanwhile(database: Database) -> None:
    asking = rules.Drawn("forbid", "principal, action, resource", (), (), '@ask("self")')
    after = rules.Drawn(
        "forbid", "principal, action, resource", (), ("when { context.flow.private }",)
    )
    actor = Actor(replace(PLAIN, policy=(rules.ALL, asking, after)), database)
    actor.session = session = await actor.session_of(ADA, None, True)
    assert session is not None
    params = {"name": "files__write", "arguments": {}}
    call = actor.call("tools/call", params, ADA, None, session=session, era=LEGACY)

    async def emit(message: Json) -> None:
        actor.house.flows.touch(conversation(call), frozenset({Label.PRIVATE}))
        await actor.emit(message)

    reply = await actor.house.gateway.answer(actor.legacy(call), emit)
    assert reply_of(json.loads(reply.body)) == "approval.pending"
    assert (actor.house.journal.of("event")[-1][1], actor.house.sent) == ("approval.confirmed", [])
    await actor.house.gateway.aclose()


async def test_an_answer_that_came_too_late_consents_to_nothing_new(database: Database) -> None:
    asking = rules.Drawn(
        "forbid", "principal, action, resource", (), (), '@ask("self") @within("60s")'
    )
    call = steps.Use("tools/call", "files__write", None, ADA, "modern")
    setting = replace(PLAIN, policy=(rules.ALL, asking))
    actor = await taken(setting, database, call, steps.Wait(61.0), steps.Retry(0), call)
    assert actor.house.sent == []


def forbid(scope: str = "principal, action, resource", when: str = "") -> rules.Drawn:
    return rules.Drawn("forbid", scope, (), (f"when {{ {when} }}",) if when else ())


DOC = steps.Use("resources/read", "common://doc", None, ADA, "modern")
READ = steps.Use("tools/call", "files__read", None, ADA, "modern")
LISTED = steps.Show(Kind.TOOL, None, ADA, "modern")
EVE = world.PRINCIPALS[1]
SCENES: dict[str, tuple[tuple[rules.Drawn, ...], Steps]] = {
    "arguments": (
        (rules.ALL, forbid(when="context.arguments has n && context.arguments.n == 1")),
        (READ, replace(READ, arguments=(("n", 1),)), replace(READ, arguments=(("n", 2),))),
    ),
    "endpoints": (
        (rules.ALL, forbid(when='context.endpoint == "files"')),
        (READ, replace(READ, name="read", at="files")),
    ),
    "clients": (
        (rules.ALL, forbid(when='context.client.name == "bad"')),
        (READ, replace(READ, client="bad"), replace(READ, era="old")),
    ),
    "methods": (
        (rules.ALL, forbid('principal, action == Action::"resources/subscribe", resource')),
        (
            steps.Use("tools/call", "files__start", None, ADA, "modern"),
            listening.Listen(("file:///a",), 1, None, ADA),
            listening.Subscribe("file:///a", None, ADA),
            steps.Follow(0, "tasks/get"),
        ),
    ),
    "claims": ((rules.ALL,), (DOC, replace(DOC, at="issues"))),
    "claims of what is not for this caller": ((), (DOC, replace(DOC, at="issues"))),
    "the protocol's own methods": (
        (rules.ALL,),
        (steps.Extension("tasks/list", None, ADA), steps.Extension("TOOLS/CALL", "files", ADA)),
    ),
    "lists by caller": (
        (rules.ALL, forbid('principal == User::"eve", action, resource in Server::"files"')),
        (LISTED, replace(LISTED, who=EVE), steps.Discover(None, ADA), steps.Discover(None, EVE)),
    ),
    "lists by View": ((rules.ALL,), (LISTED, steps.Turn(later=True), LISTED)),
    "answers to what nobody asked": (
        (rules.ALL,),
        (steps.Use("tools/call", "files__ask", None, ADA, "modern"), steps.Retry(0, swapped=True)),
    ),
    "what is asked only on the way back": (
        (
            rules.ALL,
            rules.Drawn(
                "forbid",
                'principal, action == Action::"call files/ask", resource',
                (),
                ("when { context.flow.untrusted }",),
                '@ask("ops")',
            ),
        ),
        (
            replace(READ, name="files__ask"),
            replace(READ, name="issues__search_issues"),
            steps.Retry(0),
            steps.Decide(0, "bob", "grant"),
            steps.Retry(0),
        ),
    ),
    "watching": ((rules.ALL,), (steps.Enforce((), observing=True), READ, LISTED, DOC)),
}


@pytest.mark.parametrize("scene", SCENES)
async def test_policy_hears_of_all_that_counts(database: Database, scene: str) -> None:
    policy, steps_ = SCENES[scene]
    await taken(replace(PLAIN, policy=policy), database, *steps_)


async def test_an_answer_in_the_gates_name_needs_its_state(database: Database) -> None:
    actor = Actor(PLAIN, database)
    call = actor.call("tools/call", {"name": "files__read", "arguments": {}}, ADA, None)
    came = {"inputResponses": {KEY: SAID["accept"]}}
    reply = await actor.house.gateway.answer(actor.modern(call, able=True, more=came), actor.emit)
    assert reply_of(json.loads(reply.body)) == "state.invalid"
    assert actor.house.sent == []


async def taken(setting: Setting, database: Database, *each: Step) -> Actor:
    """What is left when these steps were taken."""
    actor = Actor(setting, database)
    for step in each:
        await step.run(actor)
    await actor.house.gateway.aclose()
    return actor
