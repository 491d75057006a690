"""A modern client among gossips: rounds of input, listens and tasks."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Final

from bawn.model import Json
from bawn.protocol import versions
from tests.e2e.caller import META, mirrored
from tests.e2e.gossips import CAPABILITIES, DYING, Loot, Teller, Unexpected, reason, some
from tests.e2e.wire import Flow

SERVERS: Final = ("modern", "pooled", "legacy", "local", "seat")
WATCHED: Final = ("modern", "pooled", "legacy", "local")
ASKS: Final = ("elicit", "sample", "roots")
META_WHOLE: Final[Json] = {
    **META,
    versions.META_CAPABILITIES: {**CAPABILITIES, "extensions": {versions.TASKS: {}}},
    versions.META_LOG_LEVEL: "debug",
}


class ModernTeller(Teller):
    """Speaks 2026-07-28."""

    async def ask(self, method: str, params: Json, **meta: object) -> tuple[Flow, int]:
        """One request, until the header of its answer; and its id."""
        id_ = self.serial()
        whole = {**params, "_meta": {**META_WHOLE, **meta}}
        message = {"jsonrpc": "2.0", "id": id_, "method": method, "params": whole}
        return await self.send(message, mirrored(method, params)), id_

    async def exchange(self, method: str, params: Json, nonce: str | None = None) -> Json:
        """One request and its answer."""
        token = f"token-{self.serial()}"
        meta = {"progressToken": token} if nonce else {}
        flow, id_ = await self.ask(method, params, **meta)
        try:
            if not flow.streams:
                return self._mine(await self.whole(flow, method, nonce), id_)
            async for event in flow.events():
                message = self.heard(event.data, method, nonce)
                if "method" not in message:
                    return self._mine(message, id_)
                if "progress" in message["method"] and message["params"]["progressToken"] != token:
                    self.book.fault(self.person, f"progress of another token: {message}")
        finally:
            flow.cut()
        raise Unexpected(f"{method}: a stream without an answer")

    def _mine(self, answer: Json, id_: int) -> Json:
        if answer.get("id") != id_:
            self.book.fault(self.person, f"asked as {id_}, was answered {answer}")
        return answer

    # ── calls, and rounds of input ──

    async def talk(self) -> None:
        """A call of any server, with any questions, each round on another connection."""
        server, asks = random.choice(SERVERS), some(ASKS)
        await self._told(server, asks)

    async def _told(self, server: str, asks: list[str], touch: str | None = None) -> None:
        mark = self.mark()
        # on standard input and output nothing says which call a question belongs to
        nonce = mark["nonce"] if server not in ("local", "seat") else None
        arguments = {"mark": mark, "asks": asks, **({"touch": touch} if touch else {})}
        first: Json = {"name": f"{server}__talk", "arguments": arguments}
        answer = await self.exchange("tools/call", first, nonce)
        while answer.get("result", {}).get("resultType") == "input_required":
            answer = await self._round(server, first, answer["result"], mark)
        self.judge(answer, mark, server, asks)
        self.book.counts[f"call {server}"] += 1

    async def _round(self, server: str, first: Json, asked: Json, mark: Json) -> Json:
        state, requests = asked["requestState"], asked.get("inputRequests", {})
        self.book.leave("state", Loot(self.person.name, state, first))
        self.book.counts[f"round {server}"] += 1
        await asyncio.sleep(random.random() * 0.1)  # as long as a person thinks: thieves are about
        responses = {key: self.answer(each, mark["nonce"]) for key, each in requests.items()}
        retry = {**first, "requestState": state, "inputResponses": responses}
        if random.random() < 0.2:
            other = {**retry, "arguments": {**first["arguments"], "asks": ["roots", "roots"]}}
            await self._refused(other, ("state.invalid",), "another request's state")
        nonce = mark["nonce"] if server not in ("local", "seat") else None
        answer = await self.exchange("tools/call", retry, nonce)
        if "result" in answer and random.random() < 0.2:
            # lost: its worker has died meanwhile, and with it the call
            await self._refused(retry, ("state.used", "state.lost"), "a used state")
        return answer

    async def _refused(self, params: Json, wanted: Sequence[str], what: str) -> None:
        found = reason(await self.exchange("tools/call", params))
        if found in DYING:
            raise Unexpected(f"{what}: {found}")
        if found not in wanted:
            self.book.fault(self.person, f"{what} was answered {found}")
        self.book.counts[f"refused {what}"] += 1

    # ── what changes ──

    async def watch(self) -> None:
        """Listen to one's own notes, and touch one until it is told of."""
        uris = [self.uri(server) for server in some(WATCHED, 1)]
        params = {"notifications": {"resourceSubscriptions": uris}}
        flow, id_ = await self.ask("subscriptions/listen", params)
        try:
            events = self._events(flow, id_)
            granted = (await anext(events))["params"]["notifications"]
            missing = set(uris) - set(granted.get("resourceSubscriptions", ()))
            if missing:
                raise Unexpected(f"not granted: {[uri.partition(':')[0] for uri in missing]}")
            uri = random.choice(uris)
            server = uri.partition(":")[0]
            await self._told(server, [], touch=uri)
            await self._until(events, lambda told: told["params"].get("uri") == uri, server)
            self.book.counts[f"update {server}"] += 1
        finally:
            flow.cut()

    async def _events(self, flow: Flow, id_: int) -> AsyncIterator[Json]:
        """What a listen tells."""
        if not flow.streams:
            raise Unexpected(f"a listen was answered {await self.whole(flow, 'listen')}")
        async for event in flow.events():
            message = self.heard(event.data, "listen")
            if "method" in message:
                if message["params"]["_meta"][versions.META_SUBSCRIPTION] != id_:
                    self.book.fault(self.person, f"told on another's listen: {message}")
                yield message

    async def _until(
        self, events: AsyncIterator[Json], there: Callable[[Json], bool], what: str
    ) -> Json:
        try:
            async with asyncio.timeout(30):
                async for told in events:
                    if there(told):
                        return told
        except TimeoutError:
            raise Unexpected(f"{what}: nothing was told of a change") from None
        raise Unexpected(f"{what}: the stream ended before a change was told")

    # ── tasks ──

    async def work(self) -> None:
        """A task, looked at, listened to, answered or cancelled."""
        mark = self.mark()
        called: Json = {"name": "modern__work", "arguments": {"mark": mark}}
        begun = await self.exchange("tools/call", called, mark["nonce"])
        if reason(begun) != "ok":
            raise Unexpected(f"no task: {begun}")
        task: str = begun["result"]["taskId"]
        self.book.leave("task", Loot(self.person.name, task))
        flow, id_ = await self.ask("subscriptions/listen", {"notifications": {"taskIds": [task]}})
        try:
            events = self._events(flow, id_)
            if (await anext(events))["params"]["notifications"].get("taskIds") != [task]:
                raise Unexpected("a task's owner is not told of it")
            await self._finished(task, mark, events)
        finally:
            flow.cut()

    async def _finished(self, task: str, mark: Json, events: AsyncIterator[Json]) -> None:
        seen = await self._task("get", task, mark)
        asked = seen["inputRequests"]["said"]
        ending = random.choice(("update", "cancel"))
        if ending == "update":
            given = {"said": self.answer(asked, mark["nonce"])}
            await self._task("update", task, mark, inputResponses=given)
        else:
            await self._task("cancel", task, mark)
        await self._until(events, lambda told: told["params"].get("taskId") == task, "tasks")
        status = (await self._task("get", task, mark))["status"]
        if status != {"update": "completed", "cancel": "cancelled"}[ending]:
            raise Unexpected(f"after tasks/{ending} a task is {status}")

    async def _task(self, verb: str, task: str, mark: Json, **more: object) -> Json:
        answer = await self.exchange(f"tasks/{verb}", {"taskId": task, **more}, mark["nonce"])
        if reason(answer) != "ok":
            raise Unexpected(f"tasks/{verb}: {json.dumps(answer)[:300]}")
        self.book.counts[f"tasks/{verb}"] += 1
        result: Json = answer["result"]
        return result
