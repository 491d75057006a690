"""There is no second door: what reaches a server is what the policy allows, recorded before."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bawn.config import RoleRule
from bawn.model import Answer, Call, Item, Json, Kind, Outbound, Principal
from bawn.ports import Arrival, Emit, PolicyEngine
from bawn.protocol import versions
from tests.fakes import fine
from tests.gate import ABLE, FORM, ISSUER, LISTINGS, META, House, asks, legacy, modern, session_of
from tests.policies import roles_only

# ── one choke point ───────────────────────────────────────────────────────────────────────────────

_METHODS = [
    *versions.METHODS,
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
    asyncio.run(_send_all(House(roles=roles), roles_only(roles), messages))


async def _send_all(house: House, policy: PolicyEngine, messages: list[tuple[Any, ...]]) -> None:
    for ask, method, name, at, role, id_ in messages:
        who = Principal("p", ISSUER, frozenset({role}), float("inf"))
        item = _target(at, _KINDS[method], name) if method in _KINDS else None
        if id_ is None and ask is modern:
            id_ = 5
        allowed = item is not None and id_ is not None and policy.may(who, item)
        house.journal.clear()
        params = {"uri" if method == "resources/read" else "name": name, "taskId": name}
        if ask is modern and method not in _KINDS:
            params = {"taskId": name} if method.startswith("tasks/") else {}
        await house.answer(ask(method, params, who=who, at=at, id_=id_))
        reached = [(sent.server, sent.name) for sent in house.sent]
        assert reached == ([(item.server, item.name)] if allowed and item else [])
        words = [word for word in house.journal.words() if word != "refusal"]
        assert words == (["intent", "send", "outcome"] if allowed else [])


# ── what does not name one item, or lasts ─────────────────────────────────────────────────────────

_EXTENSION = "com.example/graph"
_DECLARED: Json = {
    META + "clientCapabilities": ABLE | {"extensions": {versions.TASKS: {}, _EXTENSION: {}}}
}
_TOOLS = {None: "files__write", "files": "write", "issues": "read"}


async def _behave(outbound: Outbound, emit: Emit | None) -> Answer:
    """A server that has everything: tasks, questions, suggestions, and news of its resources."""
    if outbound.method == "subscriptions/listen" and emit is not None:
        told = {"notifications": outbound.params["notifications"]}
        method = "notifications/subscriptions/acknowledged"
        await emit({"jsonrpc": "2.0", "method": method, "params": told})
        await asyncio.Event().wait()
    if outbound.method == "tools/call" and outbound.name == "write":
        return Answer(result={"resultType": "task", "taskId": "own", "status": "working"})
    if outbound.method == "prompts/get" and "inputResponses" not in outbound.params:
        return asks({"sure": FORM}, "own")
    if outbound.method == "completion/complete":
        return Answer(result={"resultType": "complete", "completion": {"values": []}})
    return await fine(outbound, emit)


def _everything(roles: dict[str, RoleRule]) -> House:
    house = House(roles=roles)
    offered = {"resources": {"subscribe": True}, "extensions": {_EXTENSION: {}}}
    listings = [replace(each, capabilities=each.capabilities | offered) for each in LISTINGS]
    house.gateway.swap(house.view(*listings))
    for upstream in house.upstreams.values():
        upstream.behave = _behave
    return house


_who = st.sampled_from(["a", "b", "developer", "viewer", "nobody"])
_request = st.tuples(
    st.sampled_from(
        ["complete", "start", "ask", "task", "retry", "subscribe", "listen", "extension", "call"]
    ),
    st.sampled_from(_NAMES),
    st.sampled_from([None, "files", "issues"]),
    _who,
    _who,
)


class _Attacker:
    """Sends what it likes as whom it likes, and keeps what it is given."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.tasks: list[str] = ["own"]
        self.states: list[str] = ["own"]

    async def send(self, what: str, name: str, at: str | None, role: str) -> None:
        who = Principal(role, ISSUER, frozenset({role}), float("inf"))
        if what == "subscribe":
            session = await session_of(self.house, who, at)
            await self._ask(
                legacy("resources/subscribe", {"uri": name}, who=who, at=at, session=session)
            )
            self.house.gateway.end(legacy("x", who=who, at=at, session=session))
            return
        method, params = self._message(what, name, at)
        arrival = modern(method, params, who=who, at=at, meta=_DECLARED)
        if what == "listen":
            await self._listen(arrival)
        else:
            await self._ask(arrival)

    def _message(self, what: str, name: str, at: str | None) -> tuple[str, Json]:
        argument = {"argument": {"name": "x", "value": ""}}
        match what:
            case "complete":
                of_prompt = name.endswith("summary")
                key, type_ = ("name", "ref/prompt") if of_prompt else ("uri", "ref/resource")
                return "completion/complete", {"ref": {"type": type_, key: name}, **argument}
            case "start":
                return "tools/call", {"name": _TOOLS[at]}
            case "task":
                return f"tasks/{('get', 'update', 'cancel')[len(name) % 3]}", {
                    "taskId": self.tasks[-1]
                }
            case "ask":
                return "prompts/get", {"name": "summary" if at else "files__summary"}
            case "retry":
                given = {"requestState": self.states[-1], "inputResponses": {"sure": {}}}
                return "prompts/get", {"name": "summary" if at else "files__summary", **given}
            case "listen":
                uris = [each for each in _NAMES if ":" in each]
                wanted = {"resourceSubscriptions": uris, "taskIds": self.tasks}
                return "subscriptions/listen", {"notifications": wanted}
            case "extension":
                return "graph/query", {}
        return "tools/call", {"name": name}

    async def _ask(self, arrival: Arrival) -> None:
        result = json.loads((await self.house.answer(arrival)).body).get("result", {})
        self.tasks += [result["taskId"]] if "taskId" in result else []
        self.states += [result["requestState"]] if "requestState" in result else []

    async def _listen(self, arrival: Arrival) -> None:
        begun = asyncio.Event()

        async def emit(message: Json) -> None:
            begun.set()

        listening = asyncio.create_task(self.house.gateway.answer(arrival, emit))
        waiting = asyncio.create_task(begun.wait())
        await asyncio.wait({listening, waiting}, return_when=asyncio.FIRST_COMPLETED)
        for task in (listening, waiting):
            task.cancel()
        await asyncio.wait({listening, waiting})


@settings(max_examples=150, deadline=None)
@given(_rule, _rule, st.booleans(), st.lists(_request, min_size=1, max_size=10))
def test_nothing_reaches_a_server_without_a_decision_and_an_intent_of_its_own(
    one: RoleRule, other: RoleRule, methods: bool, requests: list[tuple[Any, ...]]
) -> None:
    allowed = RoleRule(**one.model_dump() | {"methods": ("*",) if methods else ()})
    roles = {"a": allowed, "b": other}
    house = _everything(roles)

    async def run() -> None:
        attacker = _Attacker(house)
        for what, name, at, role, thief in requests:
            await attacker.send(what, name, at, role)
            if what in ("start", "ask"):
                follow_up = "task" if what == "start" else "retry"
                await attacker.send(follow_up, name, at, thief)
        await house.gateway.aclose()

    asyncio.run(run())
    _check_journal(house, roles_only(roles))


def _check_journal(house: House, policy: PolicyEngine) -> None:
    intents: list[tuple[Call, Item]] = []
    open_: dict[int, tuple[Call, Item]] = {}
    for word, about in house.journal:
        if word == "intent":
            call, item, decision, number = about
            assert decision.allowed
            assert policy.may(call.principal, item)
            intents.append((call, item))
            open_[number] = (call, item)
        elif word == "outcome":
            del open_[about[0]]
        elif word == "send" and about.method == "subscriptions/listen":
            _check_listen(about, intents)
        elif word == "send":
            [(call, item)] = open_.values()
            assert (call.method, item.server) == (about.method, about.server)
            assert _named(about) in (None, item.name)
    assert open_ == {}


def _named(sent: Outbound) -> str | None:
    """What a call names, in the server's own words; tasks and extensions name none."""
    ref: Json = sent.params.get("ref", {})
    return None if "taskId" in sent.params else sent.name or ref.get("name") or ref.get("uri")


def _check_listen(sent: Outbound, intents: list[tuple[Call, Item]]) -> None:
    wanted = sent.params["notifications"]
    at_server = [item for _, item in intents if item.server == sent.server]
    asked = {item.name for item in at_server if item.kind is Kind.RESOURCE}
    assert set(wanted.get("resourceSubscriptions", [])) <= asked
    if wanted.get("taskIds"):
        assert wanted["taskIds"] == ["own"]
        assert any(item.kind is Kind.TOOL and item.name == "write" for item in at_server)
    assert wanted
