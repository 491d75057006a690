"""Completion, tasks and the methods of extensions: whose they are, and what leaves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import msgspec
import pytest

from bawn.barrier.edition import Cut, Cuts
from bawn.config import RoleRule
from bawn.model import Answer, Json, Kind, Principal
from bawn.ports import Arrival
from bawn.protocol import versions
from tests.gate import (
    ADA,
    EVE,
    FILES,
    FORM,
    ISSUER,
    LISTINGS,
    META,
    VIC,
    House,
    Script,
    legacy,
    listing,
    modern,
    reason_of,
)

READ: Json = {"name": "files__read", "arguments": {"path": "/a"}}
BOB = Principal("bob", ISSUER, ADA.roles, float("inf"))

# ── completion ────────────────────────────────────────────────────────────────────────────────────

ARGUMENT: Json = {"name": "path", "value": "/"}


def _complete(type_: str, name: str) -> Json:
    member = "name" if type_ == "ref/prompt" else "uri"
    return {"ref": {"type": type_, member: name}, "argument": ARGUMENT}


def _values(count: int) -> Answer:
    values = [str(number) for number in range(count)]
    return Answer(result={"resultType": "complete", "completion": {"values": values}})


@pytest.mark.parametrize("ask", [modern, legacy])
async def test_a_prompts_argument_is_completed_under_the_servers_own_name(
    ask: Callable[..., Arrival],
) -> None:
    house = House()
    Script(house, _values(3))
    params = _complete("ref/prompt", "files__summary")
    _, body = await house.ask(ask("completion/complete", params))
    assert body["result"]["completion"]["values"] == ["0", "1", "2"]
    [sent] = house.sent
    assert sent.params["ref"] == {"type": "ref/prompt", "name": "summary"}
    assert sent.params["argument"] == ARGUMENT
    assert house.journal.words() == ["intent", "send", "outcome"]
    [(_, item, *_)] = house.journal.of("intent")
    assert (item.kind, item.name) == (Kind.PROMPT, "summary")


@pytest.mark.parametrize(
    ("uri", "kind"), [("file:///{+path}", Kind.TEMPLATE), ("file:///a", Kind.RESOURCE)]
)
async def test_a_templates_argument_is_completed_by_whose_it_is(uri: str, kind: Kind) -> None:
    house = House()
    Script(house, _values(1))
    await house.ask(modern("completion/complete", _complete("ref/resource", uri)))
    [sent] = house.sent
    assert (sent.server, sent.params["ref"]["uri"]) == ("files", uri)
    [(_, item, *_)] = house.journal.of("intent")
    assert item.kind is kind


async def test_a_server_suggests_no_more_than_the_protocol_allows() -> None:
    house = House()
    params = _complete("ref/prompt", "files__summary")
    for count, more in ((100, None), (101, True)):
        Script(house, _values(count))
        _, body = await house.ask(modern("completion/complete", params))
        completion = body["result"]["completion"]
        assert len(completion["values"]) == 100
        assert completion.get("hasMore") == more


async def test_suggestions_that_are_none_are_the_servers_fault() -> None:
    house = House()
    Script(house, Answer(result={"resultType": "complete", "completion": {"values": [5]}}))
    params = _complete("ref/prompt", "files__summary")
    _, body = await house.ask(modern("completion/complete", params))
    assert reason_of(body) == "upstream.invalid"


@pytest.mark.parametrize(
    ("type_", "name"),
    [
        ("ref/prompt", "files__summary"),
        ("ref/prompt", "files__summar0"),
        ("ref/resource", "file:///{+path}"),
        ("ref/resource", "elif:///{+path}"),
    ],
)
async def test_what_may_not_be_used_is_not_completed(type_: str, name: str) -> None:
    arrival = modern("completion/complete", _complete(type_, name), who=EVE)
    await House().refused(arrival, "target.unknown")


async def test_a_tools_permission_completes_no_prompt() -> None:
    house = House(roles={"caller": RoleRule(tools=("*",))})
    who = Principal("c", ISSUER, frozenset({"caller"}), float("inf"))
    params = _complete("ref/prompt", "files__summary")
    await house.refused(modern("completion/complete", params, who=who), "target.unknown")


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"ref": "files__summary", "argument": ARGUMENT},
        {"ref": {"type": "ref/tool", "name": "files__read"}, "argument": ARGUMENT},
        {"ref": {"type": "ref/prompt", "name": "files__summary"}},
        {"ref": {"type": "ref/prompt", "name": ["files__summary"]}, "argument": ARGUMENT},
    ],
)
async def test_a_completion_without_its_parameters_is_refused(params: Json) -> None:
    await House().refused(modern("completion/complete", params), "message.params")


# ── tasks ─────────────────────────────────────────────────────────────────────────────────────────

TASKS: Json = {META + "clientCapabilities": {"extensions": {versions.TASKS: {}}}}
STARTED = Answer(result={"resultType": "task", "taskId": "own-1", "status": "working"})
WORKING = Answer(result={"resultType": "complete", "taskId": "own-1", "status": "working"})


def _task(
    method: str, id_: object, *, who: Principal = ADA, at: str | None = None, **more: Json
) -> Arrival:
    return modern(f"tasks/{method}", {"taskId": id_, **more}, meta=TASKS, who=who, at=at)


async def _started(house: House, *, at: str | None = None) -> str:
    """The caller's id of a task that a call began."""
    Script(house, STARTED, WORKING)
    params = READ if at is None else READ | {"name": "read"}
    _, body = await house.ask(modern("tools/call", params, meta=TASKS, at=at))
    assert body["result"]["resultType"] == "task"
    house.journal.clear()
    return str(body["result"]["taskId"])


async def test_a_task_is_given_to_who_declared_that_it_knows_them() -> None:
    house = House()
    assert await _started(house) != "own-1"
    Script(house, STARTED)
    for arrival in (modern("tools/call", READ), legacy("tools/call", READ)):
        _, body = await house.ask(arrival)
        assert reason_of(body) == "upstream.invalid"


@pytest.mark.parametrize("method", ["get", "update", "cancel"])
async def test_a_task_goes_on_under_the_servers_own_id(method: str) -> None:
    house = House()
    id_ = await _started(house)
    _, body = await house.ask(_task(method, id_, inputResponses={"a": {}}))
    assert "result" in body
    [sent] = house.sent
    assert (sent.server, sent.method, sent.name) == ("files", f"tasks/{method}", "own-1")
    assert sent.params["taskId"] == "own-1"
    assert sent.params["inputResponses"] == {"a": {}}
    assert house.journal.words() == ["intent", "send", "outcome"]


async def test_the_callers_id_of_a_task_stays_the_same() -> None:
    house = House()
    id_ = await _started(house)
    for _ in range(2):
        _, body = await house.ask(_task("get", id_))
        assert body["result"] == {**(WORKING.result or {}), "taskId": id_}


async def test_a_task_runs_on_where_it_began() -> None:
    house = House()
    Script(house, STARTED, WORKING)
    _, body = await house.ask(modern("tools/call", READ, meta=TASKS))
    await house.ask(_task("get", body["result"]["taskId"]))
    began, went_on = house.sent
    assert began.isolation == went_on.isolation


async def test_another_callers_task_is_unknown() -> None:
    house = House()
    id_ = await _started(house)
    own = await _started(house, at="files")
    for arrival in (
        _task("get", id_, who=BOB),
        _task("cancel", id_, who=VIC),
        _task("update", id_, at="files"),
        _task("get", own),
        _task("get", id_[:-1]),
        _task("get", "own-1"),
        _task("get", ""),
    ):
        await house.refused(arrival, "task.unknown")
    assert house.journal.of("intent") == []


@pytest.mark.parametrize("id_", [None, 5, ["own-1"], {}])
async def test_an_id_of_another_type_names_no_task(id_: object) -> None:
    await House().refused(_task("get", id_), "task.unknown")


async def test_a_task_ends_with_its_time() -> None:
    house = House()
    id_ = await _started(house)
    house.clock.now += 24 * 3600
    await house.refused(_task("get", id_), "task.unknown")


async def test_who_may_no_longer_use_the_tool_may_no_longer_use_its_task() -> None:
    house = House()
    id_ = await _started(house)
    demoted = msgspec.structs.replace(ADA, roles=frozenset({"viewer"}))
    await house.refused(_task("get", id_, who=demoted), "target.unknown")
    house.gateway.cut(Cuts((Cut("item", "files:read", 0.0),)))
    await house.refused(_task("cancel", id_), "gate.cut")


async def test_a_client_without_the_extension_is_told_what_it_lacks() -> None:
    house = House()
    id_ = await _started(house)
    error = await house.refused(modern("tasks/get", {"taskId": id_}), "input.undeclared")
    assert error["code"] == -32021
    assert error["data"]["requiredCapabilities"] == {"extensions": {versions.TASKS: {}}}


async def test_what_a_task_asks_needs_what_any_question_needs() -> None:
    house = House()
    id_ = await _started(house)
    asking = {"taskId": "own-1", "status": "input_required", "inputRequests": {"a": FORM}}
    Script(house, Answer(result={"resultType": "complete", **asking}))
    _, body = await house.ask(_task("get", id_))
    assert reason_of(body) == "input.undeclared"
    able: Json = {"extensions": {versions.TASKS: {}}, "elicitation": {}}
    arrival = modern("tasks/get", {"taskId": id_}, meta={META + "clientCapabilities": able})
    _, body = await house.ask(arrival)
    assert body["result"]["inputRequests"]["a"]["params"]["message"] == "[files] Sure?"
    assert body["result"]["taskId"] == id_


@pytest.mark.parametrize("requests", [5, [FORM], {"a": 5}, {"a": {}}, {"bawn.a": FORM}])
async def test_a_task_that_asks_nonsense_is_the_servers_fault(requests: object) -> None:
    house = House()
    id_ = await _started(house)
    asking = {"resultType": "complete", "taskId": "own-1", "inputRequests": requests}
    Script(house, Answer(result=asking))
    _, body = await house.ask(_task("get", id_))
    assert reason_of(body) == "upstream.invalid"


async def test_a_task_that_a_server_names_besides_gets_an_id_as_well() -> None:
    house = House()
    id_ = await _started(house)
    Script(house, Answer(result={"resultType": "complete", "taskId": "own-2"}), WORKING)
    _, body = await house.ask(_task("get", id_))
    other = body["result"]["taskId"]
    assert other not in (id_, "own-2")
    await house.ask(_task("get", other))
    assert house.sent[-1].name == "own-2"


# ── extensions ────────────────────────────────────────────────────────────────────────────────────

OWN, OTHER = "com.example/graph", "com.example/other"


def _extended(files: Json | None = None, issues: Json | None = None) -> House:
    house = House()
    offered: tuple[Json, ...] = (({OWN: {}} if files is None else files), issues or {}, {})
    listings = [
        replace(each, capabilities={**each.capabilities, "extensions": extensions})
        for each, extensions in zip(LISTINGS, offered, strict=True)
    ]
    house.gateway.swap(house.view(*listings))
    return house


def _own(
    at: str | None = "files", extensions: Mapping[str, Json] | None = None, who: Principal = ADA
) -> Arrival:
    declared = {
        META + "clientCapabilities": {"extensions": {OWN: {}} if extensions is None else extensions}
    }
    return modern("graph/query", {"nodes": [1]}, at=at, meta=declared, who=who)


async def test_a_method_of_an_extension_takes_the_path_of_every_call() -> None:
    house = _extended()
    _, body = await house.ask(_own())
    assert body["result"]["from"] == "files"
    [sent] = house.sent
    assert (sent.method, sent.name, sent.params["nodes"]) == ("graph/query", None, [1])
    [(_, item, *_)] = house.journal.of("intent")
    assert (item.kind, item.server, item.name) == (Kind.METHOD, "files", "graph/query")
    assert house.journal.words() == ["intent", "send", "outcome"]


@pytest.mark.parametrize(
    ("files", "issues", "declared", "server"),
    [
        ({OWN: {}}, {}, {OWN: {}}, "files"),
        ({OWN: {}}, {}, {}, "files"),
        ({OWN: {}}, {}, {OTHER: {}}, "files"),
        ({OWN: {}}, {OTHER: {}}, {OTHER: {}}, "issues"),
        ({OWN: {}}, {OTHER: {}}, {OTHER: {}, OWN: {}}, None),
        ({OWN: {}}, {OTHER: {}}, {}, None),
        ({OWN: {}}, {OWN: {}}, {OWN: {}}, None),
        ({OWN: {}, OTHER: {}}, {OWN: {}}, {OWN: {}}, "files"),
        ({versions.TASKS: {}, versions.APPS: {}}, {}, {versions.TASKS: {}}, None),
        ({}, {}, {OWN: {}}, None),
    ],
)
async def test_on_the_aggregate_a_method_goes_where_it_can_only_be_meant(
    files: Json, issues: Json, declared: Json, server: str | None
) -> None:
    house = _extended(files, issues)
    _, body = await house.ask(_own(at=None, extensions=declared))
    if server is None:
        assert reason_of(body) == "method.unknown"
        assert house.sent == []
    else:
        assert [sent.server for sent in house.sent] == [server]


async def test_a_method_of_an_extension_goes_to_a_server_that_has_one() -> None:
    house = _extended()
    await house.refused(_own(at="issues"), "method.unknown")
    await house.refused(legacy("graph/query", {}, at="files"), "method.unknown", status=200)
    odd = {META + "clientCapabilities": {"extensions": 5}}
    _, body = await house.ask(modern("graph/query", {}, at="files", meta=odd))
    assert "result" in body


@pytest.mark.parametrize("known", [versions.TASKS, versions.APPS])
async def test_an_extension_that_the_gate_knows_brings_no_methods_beyond_those(known: str) -> None:
    await _extended({known: {}}).refused(_own(extensions={known: {}}), "method.unknown")


async def test_a_method_of_an_extension_is_a_matter_of_roles() -> None:
    for rule, allowed in (
        (RoleRule(methods=("graph/*",)), True),
        (RoleRule(methods=("graph/*",), servers=("issues",)), False),
        (RoleRule(tools=("*",), prompts=("*",), resources=("*",)), False),
    ):
        house = House(roles={"r": rule})
        capabilities: Json = {"extensions": {OWN: {}}}
        house.gateway.swap(house.view(replace(listing("files", FILES), capabilities=capabilities)))
        who = Principal("r", ISSUER, frozenset({"r"}), float("inf"))
        _, body = await house.ask(_own(who=who))
        assert ("result" in body) == allowed
        assert len(house.sent) == allowed


async def test_a_method_of_an_extension_cannot_ask_or_begin_a_task() -> None:
    house = _extended({OWN: {}, versions.TASKS: {}})
    for result in ({"resultType": "input_required", "requestState": "s"}, STARTED.result):
        Script(house, Answer(result=result))
        _, body = await house.ask(_own(extensions={OWN: {}, versions.TASKS: {}}))
        assert reason_of(body) == "upstream.invalid"


# ── arguments that headers repeat ─────────────────────────────────────────────────────────────────

REGION: Json = {"type": "string", "x-mcp-header": "Region"}
MIRRORED: Mapping[Kind, tuple[Json, ...]] = {
    **dict.fromkeys(FILES, ()),
    Kind.TOOL: (
        {"name": "read", "inputSchema": {"type": "object", "properties": {"region": REGION}}},
    ),
}


async def test_an_argument_that_a_header_repeats_is_checked_and_written_anew() -> None:
    house = House()
    house.gateway.swap(house.view(listing("files", MIRRORED)))
    params = {"name": "files__read", "arguments": {"region": "eu"}}
    good: dict[bytes, bytes | None] = {b"mcp-param-region": b"eu", b"mcp-param-other": b"x"}
    await house.ask(modern("tools/call", params, headers=good))
    assert house.sent[0].headers == ((b"mcp-param-region", b"eu"),)
    house.journal.clear()
    for value in (b"us", b"EU", b"", None):
        arrival = modern("tools/call", params, headers={b"mcp-param-region": value})
        await house.refused(arrival, "header.mismatch")


async def test_a_legacy_caller_repeats_nothing_and_its_server_gets_the_header_anyway() -> None:
    house = House()
    house.gateway.swap(house.view(listing("files", MIRRORED)))
    params = {"name": "files__read", "arguments": {"region": "eu"}}
    await house.ask(legacy("tools/call", params))
    assert house.sent[0].headers == ((b"mcp-param-region", b"eu"),)
