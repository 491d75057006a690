"""What callers, deciders and the operator do, one step after another."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from bawn.barrier.edition import Cut
from bawn.model import Item, Json, Kind, Principal
from bawn.protocol import versions
from tests.attacks.choke import rules, world
from tests.attacks.choke.actor import KEY, SAID, Actor, Session, reply_of, started
from tests.attacks.choke.model import Asked, Expected
from tests.gate import LEGACY, arrive, legacy, modern

KIND = {
    "tools/call": Kind.TOOL,
    "prompts/get": Kind.PROMPT,
    "resources/read": Kind.RESOURCE,
}


@dataclass(frozen=True)
class Use:
    """A call, in either era, of whatever name at whichever endpoint."""

    method: str
    name: str
    at: str | None
    who: Principal
    era: str  # modern, session, or a legacy client without one
    able: bool = True
    client: str = "good"
    arguments: tuple[tuple[str, Any], ...] = ()
    answer: str = "accept"

    async def run(self, actor: Actor) -> None:
        session = None
        if self.era == "session":
            session = await actor.session_of(self.who, self.at, self.able)
        asked = self.asked(actor, session)
        arrival = actor.modern(asked.call, asked.able) if asked.modern else actor.legacy(asked.call)
        await actor.ask(asked, arrival, session)

    def asked(self, actor: Actor, session: Session | None, version: str = LEGACY) -> Asked:
        """What is asked, and of which item."""
        params, item = self._params(actor)
        is_modern = self.era == "modern"
        era = versions.MODERN if is_modern else version
        call = actor.call(
            self.method, params, self.who, self.at, client=self.client, session=session, era=era
        )
        able = self.able and (is_modern or session is not None)
        return Asked(call, item, is_modern, able, self.answer)

    def _params(self, actor: Actor) -> tuple[Json, Item | list[Item] | None]:
        name, who, at = self.name, self.who, self.at
        if self.method == "completion/complete":
            return self._completion(actor)
        kind = KIND[self.method]
        item = actor.target(who, at, kind, name)
        if kind is Kind.RESOURCE:
            return {"uri": name}, item
        return {"name": name, "arguments": dict(self.arguments)}, item

    def _completion(self, actor: Actor) -> tuple[Json, Item | list[Item] | None]:
        who, at, name = self.who, self.at, self.name
        rest = {"argument": {"name": "x", "value": ""}}
        if "://" not in name:
            ref = {"type": "ref/prompt", "name": name}
            return {"ref": ref, **rest}, actor.target(who, at, Kind.PROMPT, name)
        ref = {"type": "ref/resource", "uri": name}
        item = actor.target(who, at, Kind.TEMPLATE, name)
        return {"ref": ref, **rest}, item or actor.target(who, at, Kind.RESOURCE, name)


@dataclass(frozen=True)
class Batch:
    """Several messages of a client of 2025-03-26 as one."""

    uses: tuple[Use, ...]

    async def run(self, actor: Actor) -> None:
        first = self.uses[0]
        uses = [replace(use, who=first.who, at=first.at, era="old") for use in self.uses]
        asked = [use.asked(actor, None, versions.BATCHES) for use in uses]
        body = [
            {"jsonrpc": "2.0", "id": n, "method": each.call.method, "params": each.call.params}
            for n, each in enumerate(asked)
        ]
        headers = {b"mcp-protocol-version": versions.BATCHES.encode()}
        refusal = actor.model.admitted(first.who, first.at)
        expected = [] if refusal else [e for each in asked for e in actor.expected(each)]
        arrival = arrive(body, headers, who=first.who, at=first.at)
        reply = await actor.house.gateway.answer(arrival, actor.emit)
        actor.check(expected)
        answers = json.loads(reply.body)
        if refusal:
            assert reply_of(answers) == refusal
            return
        assert [reply_of(each) for each in answers] == [each.reply for each in expected]


@dataclass(frozen=True)
class Extension:
    """A method that the gate does not know, or that only looks so."""

    method: str
    at: str | None
    who: Principal

    async def run(self, actor: Actor) -> None:
        call = actor.call(self.method, {}, self.who, self.at)
        owner = self.at or {"": "files", "acme": "mail"}.get(self.who.tenant)
        item = None
        if owner in ("files", "mail") and self.method == "graph/query":
            item = Item(Kind.METHOD, owner, self.method, self.method, {})
        arrival = actor.modern(call, True)
        if item is not None:
            await actor.ask(Asked(call, item, True, True), arrival)
            return
        reply = await actor.house.gateway.answer(arrival, actor.emit)
        actor.check([])
        refusal = actor.model.admitted(self.who, self.at)
        assert reply_of(json.loads(reply.body)) == (refusal or "method.unknown")


@dataclass(frozen=True)
class Retry:
    """Somebody comes back with a state, and with an answer; or with what it has made of them."""

    which: int
    who: Principal | None = None
    at: str | None = "same"
    changed: bool = False
    answer: str = "accept"
    swapped: bool = False  # the key of the other kind of question

    async def run(self, actor: Actor) -> None:
        if not actor.held:
            return
        state = actor.held[-1 - self.which % len(actor.held)]
        call = state.call
        params = {**call.params}
        if self.changed:
            params["arguments"] = {"n": 7}
        who, at = self.who or call.principal, call.endpoint if self.at == "same" else self.at
        call = msgspec.structs.replace(call, principal=who, endpoint=at, params=params)
        to_gate = bool(state.approval) != self.swapped
        said = SAID[self.answer] if to_gate else {"action": "accept", "content": {}}
        more = {"requestState": state.token, "inputResponses": {KEY if to_gate else "sure": said}}
        name = str(params.get("name", params.get("uri")))
        item = actor.target(who, at, KIND[call.method], name)
        answer = self.answer if to_gate else "nothing"
        asked = Asked(call, item, True, True, answer, state, consented=state.consented)
        arrival = actor.modern(call, True, more)
        wrong = isinstance(item, Item) and (
            call.principal.key != state.call.principal.key
            or at != state.call.endpoint
            or params != state.call.params
            or actor.house.clock() >= state.expires
            or (not state.approval and to_gate)
        )
        if not wrong:
            await actor.ask(asked, arrival)
            return
        reply = await actor.house.gateway.answer(arrival, actor.emit)
        actor.check([])
        refusal = actor.model.admitted(who, at)
        assert reply_of(json.loads(reply.body)) == (refusal or "state.invalid")


@dataclass(frozen=True)
class Follow:
    """Somebody asks for a task, or has it changed."""

    which: int
    method: str
    who: Principal | None = None
    at: str | None = "same"

    async def run(self, actor: Actor) -> None:
        if not actor.tasks:
            return
        task = actor.tasks[-1 - self.which % len(actor.tasks)]
        who = self.who or task.call.principal
        at = task.call.endpoint if self.at == "same" else self.at
        call = actor.call(self.method, {"taskId": task.id}, who, at)
        arrival = actor.modern(call, True)
        if (who.key, at) == (task.call.principal.key, task.call.endpoint):
            asked = Asked(call, started(actor, task.item), True, True)
            refusal = actor.model.admitted(who, at)
            expected = [Expected(reply=refusal)] if refusal else actor.expected(asked)
            reply = await actor.house.gateway.answer(arrival, actor.emit)
            actor.check(expected, isolation=task.isolation)
            assert reply_of(json.loads(reply.body)) == expected[-1].reply
            return
        reply = await actor.house.gateway.answer(arrival, actor.emit)
        actor.check([])
        refusal = actor.model.admitted(who, at)
        assert reply_of(json.loads(reply.body)) == (refusal or "task.unknown")


@dataclass(frozen=True)
class Show:
    """All pages of a list; it holds just what some call could be allowed of."""

    kind: Kind
    at: str | None
    who: Principal
    era: str

    async def run(self, actor: Actor) -> None:
        method, member = versions.LIST_METHODS[self.kind]
        shown: list[str] = []
        cursor: Json = {}
        send = modern if self.era == "modern" else legacy
        while True:
            reply = await actor.house.answer(send(method, cursor, who=self.who, at=self.at))
            body = json.loads(reply.body)
            actor.check([])
            refusal = actor.model.admitted(self.who, self.at)
            assert reply_of(body) == (refusal or "result")
            if refusal:
                return
            shown += [each[versions.IDENTIFIER[self.kind]] for each in body["result"][member]]
            if "nextCursor" not in body["result"]:
                break
            cursor = {"cursor": body["result"]["nextCursor"]}
        offered = world.offered_at(actor.bench.listings, self.who.tenant, self.at, self.kind)
        may = [n for n, item in sorted(offered.items()) if actor.model.shown(self.who, item)]
        assert shown == may
        for name, item in offered.items():
            call = actor.call("use", {}, self.who, self.at)
            assert name in shown or not actor.model.oracle.verdict(call, item).allowed


@dataclass(frozen=True)
class Discover:
    """What a caller is told of how to use the servers: of those that it may use at all."""

    at: str | None
    who: Principal

    async def run(self, actor: Actor) -> None:
        reply = await actor.house.answer(modern("server/discover", who=self.who, at=self.at))
        actor.check([])
        body = json.loads(reply.body)
        refusal = actor.model.admitted(self.who, self.at)
        assert reply_of(body) == (refusal or "result")
        if refusal:
            return
        told = body["result"].get("instructions", "")
        mine = {
            item.server
            for kind in versions.LIST_METHODS
            for item in world.offered_at(
                actor.bench.listings, self.who.tenant, self.at, kind
            ).values()
            if actor.model.shown(self.who, item)
        }
        assert {server for server in world.TENANT_OF if f"use {server}." in told} == mine


@dataclass(frozen=True)
class Decide:
    """Somebody of the caller's tenant, or of another one, decides a call that waits."""

    which: int
    who: str
    verdict: str
    strange: bool = False

    async def run(self, actor: Actor) -> None:
        consents = actor.model.consents
        if not consents:
            return
        consent = consents[-1 - self.which % len(consents)]
        tenant = "other" if self.strange else consent.who.tenant
        roles = {"dan": "viewer"}.get(self.who, "ops")
        issuer = "https://idp.example.com"
        person = Principal(self.who, issuer, frozenset({roles}), float("inf"), tenant=tenant)
        actor.decide(consent, person, self.verdict)


@dataclass(frozen=True)
class Enforce:
    """Another policy comes into force."""

    policy: tuple[rules.Drawn, ...]
    observing: bool = False

    async def run(self, actor: Actor) -> None:
        setting = replace(actor.bench.setting, policy=self.policy, observing=self.observing)
        await actor.enforce(setting)


@dataclass(frozen=True)
class Turn:
    """The servers offer something else, or what they did at first."""

    later: bool

    async def run(self, actor: Actor) -> None:
        actor.bench.view(self.later)


@dataclass(frozen=True)
class Switch:
    """The operator switches off something, and everything else on again."""

    cuts: tuple[Cut, ...]

    async def run(self, actor: Actor) -> None:
        actor.cut(*self.cuts)


@dataclass(frozen=True)
class Wait:
    """Time passes."""

    seconds: float

    async def run(self, actor: Actor) -> None:
        actor.house.clock.now += self.seconds
