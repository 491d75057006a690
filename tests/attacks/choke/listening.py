"""Callers who want to be told of resources and tasks: what is decided and recorded of that."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bawn.model import Item, Json, Kind, Principal
from tests.attacks.choke.actor import Actor, listens, reply_of, rule_of, started
from tests.attacks.choke.model import Asked, Expected
from tests.gate import LEGACY


@dataclass(frozen=True)
class Listen:
    """A modern client's stream of what changes."""

    uris: tuple[str, ...]
    tasks: int
    at: str | None
    who: Principal

    async def run(self, actor: Actor) -> None:
        followed = actor.tasks[: self.tasks]
        params = {
            "notifications": {
                "resourceSubscriptions": list(self.uris),
                "taskIds": [task.id for task in followed],
            }
        }
        call = actor.call("subscriptions/listen", params, self.who, self.at)
        refusal = actor.model.admitted(self.who, self.at)
        expected, granted = subscribed(actor, call, self.uris) if not refusal else ([], [])
        for task in followed if not refusal else ():
            if (self.who.key, self.at) == (task.call.principal.key, task.call.endpoint):
                one = silent(actor, Asked(call, started(actor, task.item), True, True))
                expected.append(one)
        first = await opened(actor, actor.modern(call, True))
        recorded(actor, expected)
        if refusal:
            assert reply_of(first) == refusal
        else:
            honoured = first["params"]["notifications"]
            assert sorted(honoured.get("resourceSubscriptions", [])) == sorted(granted)


async def opened(actor: Actor, arrival: Any) -> Json:
    """The first message of a stream, which is closed then; or the answer in its place."""
    begun: asyncio.Queue[Json] = asyncio.Queue()
    listening = asyncio.create_task(actor.house.gateway.answer(arrival, begun.put))
    waiting = asyncio.create_task(begun.get())
    await asyncio.wait({listening, waiting}, return_when=asyncio.FIRST_COMPLETED)
    found: Json = waiting.result() if waiting.done() else json.loads(listening.result().body)
    for task in (listening, waiting):
        task.cancel()
    await asyncio.wait({listening, waiting})
    return found


def subscribed(actor: Actor, call: Any, uris: Sequence[str]) -> tuple[list[Expected], list[str]]:
    """What subscribing to these has to come to, and which of them are told of."""
    found: dict[str, Item] = {}
    expected: list[Expected] = []
    for uri in dict.fromkeys(uris):
        item = actor.target(call.principal, call.endpoint, Kind.RESOURCE, uri)
        if isinstance(item, Item):
            found[uri] = item
        else:
            expected.append(actor.model.expect(Asked(call, item, True, False)))
    granted = []
    for uri, item in found.items():
        one = silent(actor, Asked(call, item, True, False))
        expected.append(one)
        granted += [uri] if one.sent else []
    return expected, granted


def silent(actor: Actor, asked: Asked) -> Expected:
    """What has to happen where nobody can be asked first, and nothing is sent for each alone."""
    assert isinstance(asked.item, Item)
    decision = actor.model.permitted(asked.call, asked.item)
    if isinstance(decision, str):
        return Expected().refused(decision)
    if decision.asks:
        return Expected().refused("approval.pending")
    return Expected([("intent", decision.rule)], sent=asked)


def recorded(actor: Actor, expected: Sequence[Expected]) -> None:
    """Hold the journal against what should stand there of subscriptions."""
    journal = actor.house.journal[actor.mark :]
    actor.mark = len(actor.house.journal)
    lines = [line for line in journal if line[0] != "outcome" and not listens(line)]
    found = [
        (line[0], line[1][1] if line[0] == "refusal" else rule_of(line[1][2].rule))
        for line in lines
    ]
    assert found == [line for each in expected for line in each.told]
    intents = [line[1] for line in lines if line[0] == "intent"]
    for intent, each in zip(intents, [one for one in expected if one.sent], strict=True):
        assert each.sent is not None
        assert isinstance(each.sent.item, Item)
        assert intent[1].key == each.sent.item.key
        assert intent[0].principal == each.sent.call.principal
    outcomes = [line[1] for line in journal if line[0] == "outcome"]
    assert sorted((n, status) for n, _, status, _ in outcomes) == [
        (intent[3], "ok") for intent in intents
    ]
    recorded_ = [line[1][1] for line in actor.house.journal if line[0] == "intent"]
    allowed = {(item.server, item.name) for item in recorded_}
    for line in journal:
        if listens(line):
            told = line[1].params["notifications"]
            uris = {(line[1].server, uri) for uri in told.get("resourceSubscriptions", ())}
            assert uris <= allowed
            assert set(told.get("taskIds", ())) <= {"own"}


@dataclass(frozen=True)
class Subscribe:
    """A legacy session subscribes to a resource, or to none that it may read."""

    uri: str
    at: str | None
    who: Principal

    async def run(self, actor: Actor) -> None:
        session = await actor.session_of(self.who, self.at, True)
        if session is None:
            return
        call = actor.call(
            "resources/subscribe", {"uri": self.uri}, self.who, self.at, session=session, era=LEGACY
        )
        served = {"": ("files", "issues"), "acme": ("mail",)}.get(self.who.tenant, ())
        expected: list[Expected] = []
        reply = "method.unknown"
        if self.at in served or (self.at is None and served):
            first, granted = subscribed(actor, call, [self.uri])
            expected, reply = first, "result" if granted else ""
        answer = await actor.house.gateway.answer(actor.legacy(call), actor.emit)
        recorded(actor, expected)
        body = json.loads(answer.body)
        if reply:
            assert reply_of(body) == reply
        else:
            assert "error" in body
        if reply == "result" and self.uri not in session.uris:
            session.uris.append(self.uri)


@dataclass(frozen=True)
class Stream:
    """The GET stream of a legacy session, whose subscriptions are judged anew by a new worker."""

    which: int

    async def run(self, actor: Actor) -> None:
        open_ = [each for each in actor.sessions.values() if each.uris]
        if not open_:
            return
        session = open_[self.which % len(open_)]
        if actor.model.admitted(session.who, session.at) is not None:
            return
        call = actor.call(
            "resources/subscribe", {}, session.who, session.at, session=session, era=LEGACY
        )
        streams = actor.house.gateway._legacy._open.values()
        held = {
            uri
            for stream in streams
            if (stream.principal, stream.endpoint) == (session.who, session.at) and not stream.over
            for uri in stream.items
        }
        missing = [uri for uri in session.uris if uri not in held]
        expected, _ = subscribed(actor, call, missing)
        arrival = actor.legacy(call)
        following = asyncio.create_task(actor.house.gateway.follow(arrival, actor.emit))
        while not following.done() and not actor.house.gateway._legacy._followers:
            await asyncio.sleep(0)
        following.cancel()
        await asyncio.wait({following})
        recorded(actor, expected)
