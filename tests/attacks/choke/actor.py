"""Sends messages to the gate, and holds what it did with each against what the model says."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from bawn.approvals.viewed import Decider
from bawn.barrier.edition import Cut, Cuts
from bawn.errors import Refused
from bawn.model import Call, Client, Item, Json, Kind, Outbound, Principal
from bawn.policy.isolation import account, isolation_key
from bawn.ports import Arrival
from bawn.storage.database import Database
from tests.attacks.choke import world
from tests.attacks.choke.bench import Bench, Setting
from tests.attacks.choke.model import Asked, Consent, Expected, Held, Model, Told
from tests.gate import LEGACY, MODERN, arrive, legacy, modern, session_of

KEY = "bawn.approval"
SAID: dict[str, Json] = {
    "accept": {"action": "accept", "content": {"approve": True}},
    "no": {"action": "accept", "content": {"approve": False}},
    "decline": {"action": "decline"},
    "cancel": {"action": "cancel"},
}
"""What callers answer to the gate's own question."""


@dataclass(frozen=True)
class Task:
    """A task that was begun, under the id that its caller knows it by."""

    id: str
    call: Call
    item: Item
    isolation: str


@dataclass(frozen=True)
class Session:
    """A legacy session, and what it subscribed to."""

    id: str
    who: Principal
    at: str | None
    able: bool
    uris: list[str]


class Actor:
    """All callers of one gate, and those who decide."""

    def __init__(self, setting: Setting, database: Database) -> None:
        self.bench = Bench(setting, database)
        self.house = self.bench.house
        self.model = Model(setting, self.house.clock)
        self.held: list[Held] = []
        self.tasks: list[Task] = []
        self.sessions: dict[tuple[Principal, str | None, bool], Session] = {}
        self.answer = "accept"
        self.session: Session | None = None
        self.told: list[Json] = []
        self._spent: set[str] = set()
        self.mark = 0

    # ── what the operator does ──

    async def enforce(self, setting: Setting) -> None:
        """Another configuration is in force from now on."""
        before = self.house.gateway
        self.bench.enforce(setting)
        self.model.enforce(setting)
        self.house.gateway.cut(self.model.cuts)
        await before.aclose()

    def cut(self, *cuts: Cut) -> None:
        """Just these are switched off."""
        self.model.cut(*cuts)
        self.house.gateway.cut(Cuts(cuts))

    # ── messages ──

    def target(
        self, who: Principal, at: str | None, kind: Kind, name: str
    ) -> Item | list[Item] | None:
        """What a name stands for."""
        return world.target(self.bench.listings, who.tenant, at, kind, name)

    async def session_of(self, who: Principal, at: str | None, able: bool) -> Session | None:
        """The caller's session, begun when there is none; None when it may not come in."""
        key = (who, at, able)
        if self.model.admitted(who, at) is not None:
            return None
        if key not in self.sessions:
            capabilities = world.CAPABILITIES if able else {}
            id_ = await session_of(self.house, who, at, capabilities=capabilities)
            self.sessions[key] = Session(id_, who, at, able, [])
        return self.sessions[key]

    def call(
        self, method: str, params: Json, who: Principal, at: str | None, *, client: str = "good",
        session: Session | None = None, era: str = MODERN,
    ) -> Call:  # fmt: skip
        """The call as policy has to see it."""
        name = "test" if session is not None else client if era == MODERN else ""
        version = LEGACY if session is not None else era
        return Call(
            1, method, params, who, at, Client(version, name), "", session.id if session else None
        )  # fmt: skip

    def modern(self, call: Call, able: bool, more: Json | None = None) -> Arrival:
        """The message of a modern client."""
        params = {**call.params, **(more or {})}
        meta = world.declared(call.client.name, able)
        return modern(call.method, params, who=call.principal, at=call.endpoint, meta=meta)

    def legacy(self, call: Call) -> Arrival:
        """The message of a legacy client."""
        return legacy(
            call.method, call.params, who=call.principal, at=call.endpoint,
            version=call.client.version, session=call.session,
        )  # fmt: skip

    async def emit(self, message: Json) -> None:
        """A legacy client is asked, and answers at once."""
        self.told.append(message)
        session = self.session
        if "id" not in message or session is None:
            return
        by_gate = message["params"]["message"].startswith("[bawn]")
        result = SAID[self.answer] if by_gate else {"action": "accept", "content": {}}
        headers = {b"mcp-session-id": session.id.encode(), b"mcp-protocol-version": LEGACY.encode()}
        body = {"jsonrpc": "2.0", "id": message["id"], "result": result}
        await self.house.gateway.answer(
            arrive(body, headers, who=session.who, at=session.at), self.emit
        )

    async def ask(self, asked: Asked, arrival: Arrival, session: Session | None = None) -> None:
        """Send a request for an item, and see that exactly what should happen does."""
        refusal = self.model.admitted(asked.call.principal, asked.call.endpoint)
        expected = [Expected(reply=refusal)] if refusal else self.expected(asked)
        self.answer, self.session = asked.answer, session
        reply = await self.house.gateway.answer(arrival, self.emit)
        self.check(expected)
        body = json.loads(reply.body)
        assert reply_of(body) == expected[-1].reply, (reply_of(body), expected)
        if asked.modern:
            self._keep(asked, expected[-1], body.get("result", {}))

    def expected(self, asked: Asked) -> list[Expected]:
        """What a request comes to, with what its server asks on the way."""
        first = self.model.expect(asked)
        if first.sent is None:
            return [first]
        status, reply = answered(asked)
        first.status, first.reply = status, reply
        if status != "input_required" or asked.modern or not asked.able:
            return [first]
        again = self.model.expect(replace(asked, consented=first.consented, state=None))
        if again.sent is not None:
            again.replied = True
        return [first, again]

    def _keep(self, asked: Asked, expected: Expected, result: Json) -> None:
        item = asked.item
        if not isinstance(item, Item):
            return
        if "requestState" in result:
            approval = expected.question.id if expected.question else ""
            until = self.house.clock() + self.house.config.limits.input
            left_with = expected.consented if not approval else frozenset()
            self.held.append(
                Held(result["requestState"], asked.call, item, until, approval, left_with)
            )
        if result.get("resultType") == "task" and asked.call.method == "tools/call":
            shared = self.bench.setting.isolations.get(item.server, "principal")
            isolation = isolation_key(shared, asked.call)
            self.tasks.append(Task(result["taskId"], asked.call, item, isolation))

    # ── what was done ──

    def check(self, expected: Sequence[Expected], *, isolation: str | None = None) -> None:
        """Hold the journal since the last look against what should stand there, line by line."""
        journal = self.house.journal[self.mark :]
        self.mark = len(self.house.journal)
        lines = [line for line in journal if line[0] != "outcome" and not listens(line)]
        told = [line for each in expected for line in each.told]
        assert [told_of(line) for line in lines] == told, (lines, told)
        begun = [each.begun for each in expected if each.begun is not None]
        asked = [line[1][3] for line in lines if told_of(line) == ("event", "approval.asked")]
        for consent, detail in zip(begun, asked, strict=True):
            consent.id = detail["approval"]
        intents = [line[1] for line in lines if line[0] == "intent"]
        sends = [line[1] for line in lines if line[0] == "send"]
        left = [each for each in expected if each.sent is not None]
        for each, intent, sent in zip(left, intents, sends, strict=True):
            self._check_record(each, intent)
            self._check_sent(each, sent, isolation)
        outcomes = [line[1] for line in journal if line[0] == "outcome"]
        statuses = [(intent[3], each.status) for each, intent in zip(left, intents, strict=True)]
        assert [(number, status) for number, _, status, _ in outcomes] == statuses
        self._check_spent(journal)

    def _check_record(self, expected: Expected, intent: tuple[Any, ...]) -> None:
        call, item, decision, _ = intent
        asked = expected.sent
        assert asked is not None
        assert (call.principal, call.method, call.endpoint, call.session) == (
            asked.call.principal, asked.call.method, asked.call.endpoint, asked.call.session
        )  # fmt: skip
        assert isinstance(asked.item, Item)
        assert item.key == asked.item.key
        assert decision.allowed
        assert {key: call.params[key] for key in asked.call.params} == asked.call.params
        told = f"; approval {expected.used.id}" if expected.used else ""
        assert decision.rule.endswith(told)
        assert ("; approval " in decision.rule) == bool(told)
        covered = asked.consented.issuperset(decision.asks)
        assert covered == (expected.used is None)

    def _check_sent(self, expected: Expected, sent: Outbound, isolation: str | None) -> None:
        asked = expected.sent
        assert asked is not None
        assert isinstance(asked.item, Item)
        call, item = asked.call, asked.item
        shared = self.bench.setting.isolations.get(item.server, "principal")
        assert (sent.method, sent.server) == (call.method, item.server)
        assert sent.principal == account(call.principal)
        assert sent.isolation == (isolation or isolation_key(shared, call))
        assert sent.params.get("arguments") == call.params.get("arguments")
        if call.method in ("tools/call", "prompts/get"):
            assert sent.name == sent.params["name"] == item.name
        responses = {"sure": {"action": "accept", "content": {}}}
        to_server = expected.replied or (asked.state is not None and not asked.state.approval)
        assert sent.params.get("inputResponses") == (responses if to_server else None)
        assert sent.params.get("requestState") == ("own" if to_server else None)
        written = repr(sent)
        for each in world.PRINCIPALS:
            assert not each.token or each.token not in written

    def _check_spent(self, journal: Sequence[tuple[Any, ...]]) -> None:
        for word, about in journal:
            if word == "event" and about[1] == "approval.used":
                assert about[3]["approval"] not in self._spent
                self._spent.add(about[3]["approval"])

    # ── deciding ──

    def decide(self, consent: Consent, who: Principal, verdict: Any) -> None:
        """Have somebody decide a call that waits, and see that it counts only where it may."""
        expected = self.model.decides(consent, who, verdict)
        counted = True
        try:
            self.bench.book.decide(consent.id, Decider(who), verdict)
        except Refused:
            counted = False
        assert counted == expected
        self.mark = len(self.house.journal)


def started(actor: Actor, item: Item) -> Item:
    """What started a task, as its server offers it now."""
    listings, tenant = actor.bench.listings, world.TENANT_OF[item.server]
    found = world.target(listings, tenant, item.server, item.kind, item.name)
    return (
        found if isinstance(found, Item) else Item(item.kind, item.server, item.name, item.name, {})
    )


def answered(asked: Asked) -> tuple[str, str]:
    """How a server's answer is recorded, and what its caller gets: see `world.behave`."""
    item, method = asked.item, asked.call.method
    assert isinstance(item, Item)
    if method == "tools/call" and item.name == "start":
        return ("ok", "result") if asked.modern else ("upstream.invalid", "upstream.invalid")
    if method not in ("tools/call", "prompts/get") or item.name not in ("ask", "summary"):
        return "ok", "result"
    if asked.state is not None and not asked.state.approval:
        return "ok", "result"
    if asked.modern and not asked.able:
        return "input.undeclared", "input.undeclared"
    return "input_required", "question" if asked.modern else "input.undeclared"


def reply_of(body: Json) -> str:
    """The reason, `question` or `result`."""
    if "error" in body:
        return str(body["error"]["data"]["reason"])
    if body["result"].get("isError"):  # a legacy client has no code for it
        return "input.undeclared"
    return "question" if body["result"].get("resultType") == "input_required" else "result"


def listens(line: tuple[Any, ...]) -> bool:
    """Whether something is asked of a server that is shared by who listens there."""
    return bool(line[0] == "send" and line[1].method == "subscriptions/listen")


def rule_of(rule: str) -> str:
    """What decided, without the approval; and without shadows where all is denied, maybe for sure."""
    rule = rule.partition("; approval ")[0]
    if rule.startswith("observed: would deny"):
        rule = re.sub(r"; shadow: .*", ")", rule)
    return rule


def told_of(line: tuple[Any, ...]) -> Told:
    """A line of the journal as the model tells it."""
    word, about = line
    match word:
        case "refusal" | "event":
            return word, about[1]
        case "intent":
            return word, rule_of(about[2].rule)
        case _:
            return word, about.server
