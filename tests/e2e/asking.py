"""A worker's way to the fixture server of servers/asking.py, through a real runner."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from bawn.config import Limits
from bawn.model import Answer, Json, Outbound
from bawn.protocol import versions
from bawn.upstream.exchange import Wire
from bawn.upstream.http1 import PooledClient
from bawn.upstream.local import Local
from tests.e2e.runner_process import RunnerProcess

SERVER = str(Path(__file__).parent / "servers" / "asking.py")
ALL: Json = {"sampling": {}, "elicitation": {"form": {}, "url": {}}, "roots": {}}
ROOTS: Json = {"roots": {}}
FORM = ["form", "elicitation/create", {"message": "Name?", "requestedSchema": {"type": "object"}}]


def asking_server(*traits: str, **settings: Any) -> Json:
    """The configuration of an asking server with these traits."""
    made = {"command": [sys.executable, SERVER, *traits], "confine": "off"}
    return {**made, **settings}


class Ear:
    """What was emitted; `after` waits until there is so much of it."""

    def __init__(self) -> None:
        self.told: list[Json] = []
        self._more = asyncio.Event()

    async def __call__(self, message: Json) -> None:
        self.told.append(message)
        self._more.set()

    async def after(self, count: int) -> list[Json]:
        """The first `count` messages, once they are here."""
        async with asyncio.timeout(20):
            while len(self.told) < count:
                self._more.clear()
                await self._more.wait()
        return self.told[:count]

    @property
    def methods(self) -> list[str]:
        """What was told, without its details."""
        return [message["method"].removeprefix("notifications/") for message in self.told]


class Worker:
    """One worker's upstream for the server `files`."""

    def __init__(self, runner: RunnerProcess, **limits: Any) -> None:
        self.client = PooledClient(64, 5.0)
        url = f"http+unix://{quote(str(runner.socket), safe='')}/servers/files"
        self.local = Local(Wire("files", self.client, url, (), Limits(**limits)))

    async def call(
        self,
        name: str,
        who: str = "anna",
        offers: Json | None = None,
        ear: Ear | None = None,
        level: str | None = None,
        **arguments: Any,
    ) -> Answer:
        """Call a tool for somebody who can be asked this."""
        return await self.local.call(self.outbound(name, who, offers, level, arguments), ear)

    async def retry(
        self,
        parked: Answer,
        responses: Json,
        who: str = "anna",
        declined: Json | None = None,
        name: str = "ask",
    ) -> Answer:
        """Come back with what was asked."""
        assert parked.result is not None
        extra = {"requestState": parked.result["requestState"], "inputResponses": responses}
        first = self.outbound(name, who, ALL, None, {})
        params = {**first.params, **extra}
        return await self.local.call(
            Outbound(
                "files", "tools/call", params, who, "0" * 32, principal=who, parked=True,
                declined=declined or {},
            )
        )  # fmt: skip

    def listen(self, ear: Ear, who: str = "anna", **wanted: Any) -> asyncio.Task[Answer]:
        """Listen for somebody."""
        params = {"_meta": _meta(None, None), "notifications": wanted}
        outbound = Outbound("files", "subscriptions/listen", params, who, "0" * 32, principal=who)
        return asyncio.create_task(self.local.call(outbound, ear))

    def outbound(
        self, name: str, who: str, offers: Json | None, level: str | None, arguments: Json
    ) -> Outbound:
        """A call of a tool as the gateway makes it."""
        params = {"name": name, "arguments": arguments, "_meta": _meta(offers, level)}
        return Outbound("files", "tools/call", params, who, "0" * 32, principal=who)


def _meta(offers: Json | None, level: str | None) -> Json:
    meta: Json = {versions.META_VERSION: versions.MODERN, versions.META_CAPABILITIES: offers or {}}
    return meta if level is None else {**meta, versions.META_LOG_LEVEL: level}


@asynccontextmanager
async def a_worker(runner: RunnerProcess, **limits: Any) -> AsyncIterator[Worker]:
    """A worker that is closed afterwards."""
    worker = Worker(runner, **limits)
    try:
        yield worker
    finally:
        await worker.local.aclose()
        await worker.client.aclose()


def value(answer: Answer) -> Any:
    """What a tool said."""
    assert answer.result is not None, answer
    assert answer.result["resultType"] == "complete", answer
    return json.loads(answer.result["content"][0]["text"])


def questions(answer: Answer) -> Json:
    """What a parked call asks, by key."""
    assert answer.parked, answer
    assert answer.result is not None
    assert answer.result["resultType"] == "input_required"
    found: Json = answer.result["inputRequests"]
    return found
