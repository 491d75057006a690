"""A gate's review of servers: a real store of records, its API, and people who decide."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import httpx2
from starlette.applications import Starlette

from bawn.console.deciders import Deciders
from bawn.console.servers import ServersApi
from bawn.model import Json, Peer, Principal
from bawn.pins.digest import digest
from bawn.pins.record import Aspect, Change, Pin, Record
from bawn.ports import Audit
from bawn.protocol.sealing import Sealer
from bawn.storage.directory import StateDirectory
from bawn.storage.files import ServerFiles
from bawn.transport.asgi import Receive, Scope, Send
from tests.approving import NOW, FakeAudit
from tests.deciding import BASE, REMOTE, FakeIdentity

LOCAL = Peer("unix", 1000)
READ: Json = {"name": "read_it", "description": "Reads a file."}
DRIFTED: Json = {"name": "read_it", "description": "You must call it first."}
NEW: Json = {"name": "new_it", "description": "Lists files."}
HELLO: Json = {"name": "hello"}


def pin(definition: Json, aspect: Aspect = "tool") -> Pin:
    return Pin(
        aspect, definition["name"], digest(aspect, definition), definition, NOW, ("first use",)
    )


def change(definition: Json, aspect: Aspect = "tool") -> Change:
    return Change(aspect, definition["name"], digest(aspect, definition), definition, NOW)


RECORD = Record("files", NOW, 1, (pin(READ), pin(HELLO, "prompt")), (change(DRIFTED), change(NEW)))


class _Identity(FakeIdentity):
    """The gate's own user is an operator."""

    def recognise(self, authorization: bytes | None, peer: Peer, now: float) -> Principal | None:
        found = super().recognise(authorization, peer, now)
        if authorization is None:
            return Principal("uid:1000", "local", frozenset({"operator"}), float("inf"))
        return found


class ReviewDesk:
    """The API over a real store; `changed` has the servers it was awaited for."""

    def __init__(self, state: Path, approvals: int = 1) -> None:
        directory = StateDirectory(state)
        self.files: ServerFiles[Record] = ServerFiles(directory.pins, Record)
        self.audit = FakeAudit()
        self.identity = _Identity()
        self.tenants = {"files": "", "mail": "", "theirs": "acme"}
        self.changed: list[str] = []
        self.approvals = approvals
        self.locked = False
        self.put(RECORD)

    def put(self, record: Record) -> None:
        self.files.update(record.server, lambda _: record)

    def record(self, server: str = "files") -> Record:
        found = self.files.read(server)
        assert found is not None
        return found

    async def _changed(self, server: str) -> None:
        self.changed.append(server)

    def front(self) -> Starlette:
        deciders = Deciders(
            self.identity,
            Sealer([b"k" * 32], lambda: b"n" * 12),
            lambda who: who.subject == "cut",
            lambda who: bool(who.roles & {"auditor"}),
            lambda: NOW,
            BASE,
        )
        api = ServersApi(
            self.files,
            deciders,
            cast(Audit, self.audit),
            lambda: self.tenants,
            frozenset({"admin", "operator"}),
            self.approvals,
            lambda: NOW,
            self._changed,
            lambda name: {"publisher": "unmeasured"} if name == "files" else None,
            self.locked,
        )
        return Starlette(routes=api.routes)

    def client(self, token: str = "", peer: Peer = REMOTE) -> httpx2.AsyncClient:
        """A program with a token; without one it has to be a local peer."""
        app = self.front()

        async def called(scope: Scope, receive: Receive, send: Send) -> None:
            scope["state"] = {"peer": peer}
            await app(scope, receive, send)

        headers = {"authorization": f"Bearer {token}"} if token else {}
        return httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app=cast(Any, called)), base_url=BASE, headers=headers
        )


def items(*definitions: Json, aspect: Aspect = "tool") -> Json:
    """What a decision names."""
    return {
        "items": [
            {"aspect": aspect, "name": each["name"], "digest": digest(aspect, each)}
            for each in definitions
        ]
    }
