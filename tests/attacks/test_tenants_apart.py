"""Tenants of one gate: whatever a caller sends, those of another are not there, not even as a difference."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bawn.model import Answer, Item, Json, Outbound, Principal
from bawn.ports import Arrival, Emit, Reply
from bawn.protocol import versions
from bawn.storage.database import Database
from tests.attacks.choke import rules, world
from tests.attacks.choke.actor import SAID
from tests.attacks.choke.bench import Bench, Setting
from tests.gate import FORM, LEGACY, arrive, asks, legacy, modern, session_of

METHODS: Final = (
    *versions.METHODS, "graph/query", "notifications/cancelled", "tasks/list",
)  # fmt: skip
NAMES: Final = (
    "files__read", "files__start", "files__ask", "read", "start", "echo", "mail__read",
    "mail__send_message", "mail__start", "crm__find_customer", "find_customer", "send_message",
    "files__summary", "mail__draft", "draft", "file:///a", "mail://1", "mail://2", "common://doc",
    "odd://x", "file:///{+path}", "mail://{id}",
)  # fmt: skip
GIVEN: Final = (
    "files__start", "files__ask", "files__summary", "file:///a", "mail__start", "mail__draft",
    "mail://1",
)  # fmt: skip
SECRET: Final = re.compile(rb"[A-Za-z0-9_-]{60,}|\b[0-9a-f]{32}\b|(?<=[\"/ ])ap-[0-9-]+", re.ASCII)
"""Sealed handles, traces and ids, which are never the same twice."""

_policies = st.sampled_from(
    [
        (rules.ALL,),
        (rules.ALL, rules.Drawn("forbid", "principal, action, resource", (), (), '@ask("self")')),
        (rules.ALL, rules.Drawn("forbid", "principal, action, resource is Tool", (), ("when { context.flow.private }",))),
        (rules.Drawn("permit", 'principal in Tenant::"acme", action, resource', (), ()), rules.Drawn("permit", "principal, action, resource is Resource", (), ())),
    ]
)  # fmt: skip


@dataclass(frozen=True)
class Said:
    """A message of somebody; handles are named by their kind and number, and looked up when it is sent."""

    method: str
    name: str
    at: str | None
    who: Principal
    is_modern: bool
    handle: tuple[str, int]
    session: bool


@dataclass
class Site:
    """A gate, and what its callers were given."""

    bench: Bench
    mine: dict[str, list[str]] = field(default_factory=dict)

    async def send(self, said: Said, foreign: dict[str, list[str]]) -> bytes:
        """What comes back: status, headers and body, without what is never the same twice."""
        kind, number = said.handle
        pool = [*self.mine.get(kind, ()), *foreign.get(kind, ()), "made-up"]
        handle = pool[number % len(pool)]
        arrival = self._arrival(said, kind, handle)
        told: list[Json] = []
        begun = asyncio.Event()

        async def emit(message: Json) -> None:
            told.append(message)
            begun.set()

        answering = asyncio.create_task(self.bench.house.gateway.answer(arrival, emit))
        listening = asyncio.create_task(begun.wait())
        await asyncio.wait({answering, listening}, return_when=asyncio.FIRST_COMPLETED)
        if not answering.done():
            answering.cancel()
        listening.cancel()
        await asyncio.wait({answering, listening})
        reply = Reply(0, b"") if answering.cancelled() else answering.result()
        self._keep(reply)
        return plain(reply, told)

    def _arrival(self, said: Said, kind: str, handle: str) -> Arrival:
        params = params_of(said, kind, handle)
        if said.is_modern:
            meta = world.declared("good", True)
            return modern(said.method, params, who=said.who, at=said.at, meta=meta)
        session = handle if kind == "session" and said.session else None
        return legacy(said.method, params, who=said.who, at=said.at, session=session)

    def _keep(self, reply: Reply) -> None:
        body = json.loads(reply.body or b"{}")
        result = body.get("result", {}) if isinstance(body, dict) else {}
        for kind, member in (
            ("state", "requestState"), ("task", "taskId"), ("cursor", "nextCursor")
        ):  # fmt: skip
            if member in result:
                self.mine.setdefault(kind, []).append(result[member])


def params_of(said: Said, kind: str, handle: str) -> Json:
    """The params of a message, with whatever its method takes."""
    method, name = said.method, said.name
    params: Json = {"name": name, "arguments": {}}
    if method.startswith("resources/") and not method.endswith("list"):
        params = {"uri": name}
    elif method.startswith("tasks/"):
        params = {"taskId": handle}
    elif method.endswith("/list"):
        params = {"cursor": handle} if kind == "cursor" else {}
    elif method == "completion/complete":
        key, ref = ("uri", "ref/resource") if "://" in name else ("name", "ref/prompt")
        params = {"ref": {"type": ref, key: name}, "argument": {"name": "x", "value": ""}}
    elif method == "subscriptions/listen":
        uris = [each for each in NAMES if "://" in each]
        tasks = [handle] if kind == "task" else []
        params = {"notifications": {"resourceSubscriptions": uris, "taskIds": tasks}}
    elif method == "initialize":
        params = {"protocolVersion": LEGACY, "capabilities": {}, "clientInfo": {"name": "x"}}
    if kind == "state" and method in ("tools/call", "prompts/get", "resources/read"):
        said_: Json = {"bawn.approval": SAID["accept"], "sure": {"action": "accept"}}
        params |= {"requestState": handle, "inputResponses": said_}
    return params


def plain(reply: Reply, told: Sequence[Json]) -> bytes:
    """An answer without what is never the same twice."""
    whole = b"%d %r %s" % (reply.status, sorted(reply.headers), reply.body)
    return SECRET.sub(b"?", whole + json.dumps(told).encode())


async def behave(outbound: Outbound, emit: Emit | None) -> Answer:
    """As the servers of the world; drafts and what asks ask first."""
    if outbound.name == "draft" and "inputResponses" not in outbound.params:
        return asks({"sure": FORM}, "own")
    return await world.behave(outbound, emit)


async def a_busy_tenant(site: Site, tenant: str) -> dict[str, list[str]]:
    """Everything that callers of another tenant can be given: tasks, states, cursors, sessions."""
    house = site.bench.house
    found: dict[str, list[str]] = {"task": [], "state": [], "cursor": [], "session": []}
    who = [each for each in world.PRINCIPALS if each.tenant == tenant and each.endpoint is None][:2]
    for person in who:
        found["session"].append(await session_of(house, person))
        for name in GIVEN:
            method, key = ("resources/read", "uri") if "://" in name else ("tools/call", "name")
            for each in (method, "prompts/get") if key == "name" else (method,):
                params = {key: name}
                meta = world.declared("good", True)
                reply = await house.answer(modern(each, params, who=person, meta=meta))
                site._keep(reply)
        for method, _ in versions.LIST_METHODS.values():
            site._keep(await house.answer(modern(method, who=person)))
    found |= site.mine
    site.mine = {}
    return found


@pytest.fixture(scope="module")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Database]]:
    paths: list[Path] = [tmp_path_factory.mktemp(name) for name in ("both", "alone")]
    opened = [Database(path / "state.db") for path in paths]
    yield opened
    for database in opened:
        database.close()


def _said(tenant: str) -> st.SearchStrategy[Said]:
    people = [each for each in world.PRINCIPALS if each.tenant == tenant and each.endpoint is None]
    return st.builds(
        Said,
        st.sampled_from(METHODS),
        st.sampled_from(NAMES),
        st.sampled_from([None, None, "files", "mail", "crm"]),
        st.sampled_from(people),
        st.booleans(),
        st.tuples(
            st.sampled_from(["task", "state", "cursor", "session", "none"]), st.integers(0, 9)
        ),
        st.booleans(),
    )


@pytest.mark.parametrize(("tenant", "other"), [("", "acme"), ("acme", ""), ("zeta", "acme")])
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data(), policy=_policies)
def test_another_tenant_changes_nothing_and_hears_of_nothing(
    databases: list[Database], tenant: str, other: str, data: st.DataObject,
    policy: tuple[rules.Drawn, ...],
) -> None:  # fmt: skip
    messages = data.draw(st.lists(_said(tenant), min_size=3, max_size=12))
    asyncio.run(_compare(databases, tenant, other, policy, messages))


async def _compare(
    databases: list[Database], tenant: str, other: str, policy: tuple[rules.Drawn, ...],
    messages: Sequence[Said],
) -> None:  # fmt: skip
    own = frozenset(name for name, whose in world.TENANT_OF.items() if whose != other)
    sites = []
    for database, servers in zip(databases, (frozenset(world.TENANT_OF), own), strict=True):
        bench = Bench(Setting(policy, {}, {}, (), {}, servers=servers), database)
        for upstream in bench.house.upstreams.values():
            upstream.behave = behave
        sites.append(Site(bench))
    both, alone = sites
    foreign = await a_busy_tenant(both, other)
    both.bench.house.journal.clear()
    for said in messages:
        assert await both.send(said, foreign) == await alone.send(said, foreign), said
    _check_apart(both, tenant)
    for site in sites:
        await site.bench.house.gateway.aclose()


def _check_apart(site: Site, tenant: str) -> None:
    """Nothing of another tenant was asked, of a server or of the audit."""
    for word, about in site.bench.house.journal:
        if word == "send":
            assert world.TENANT_OF[about.server] == tenant
        if word == "intent":
            item: Item = about[1]
            assert world.TENANT_OF[item.server] == tenant == about[0].principal.tenant


async def test_an_approval_of_another_tenant_cannot_be_named(databases: list[Database]) -> None:
    asking = rules.Drawn("forbid", "principal, action, resource", (), (), '@ask("self, ops")')
    bench = Bench(Setting((rules.ALL, asking), {}, {}, (), {}), databases[0])
    house = bench.house
    acme = next(each for each in world.PRINCIPALS if each.tenant == "acme")
    meta = world.declared("good", True)
    reply = await house.answer(modern("tools/call", {"name": "mail__read"}, who=acme, meta=meta))
    state = json.loads(reply.body)["result"]["requestState"]
    twin = Principal(acme.subject, acme.issuer, acme.roles, acme.expires)
    for params in ({"name": "mail__read"}, {"name": "files__read"}):
        came = {
            **params,
            "requestState": state,
            "inputResponses": {"bawn.approval": SAID["accept"]},
        }
        reply = await house.answer(modern("tools/call", came, who=twin, meta=meta))
        assert json.loads(reply.body)["error"]["data"]["reason"] in (
            "state.invalid", "target.unknown"
        )  # fmt: skip
    assert house.sent == []
    await house.gateway.aclose()


async def test_a_batch_reaches_no_server_of_another_tenant(databases: list[Database]) -> None:
    bench = Bench(Setting((rules.ALL,), {}, {}, (), {}), databases[0])
    who = world.LOCAL
    body: list[Any] = [
        {"jsonrpc": "2.0", "id": n, "method": "tools/call", "params": {"name": name}}
        for n, name in enumerate(("mail__read", "crm__find_customer", "files__read"))
    ]
    headers = {b"mcp-protocol-version": versions.BATCHES.encode()}
    reply = await bench.house.answer(arrive(body, headers, who=who))
    answers = json.loads(reply.body)
    assert ["result" in each for each in answers] == [False, False, True]
    assert [sent.server for sent in bench.house.sent] == ["files"]
    await bench.house.gateway.aclose()
