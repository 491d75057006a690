"""A gateway on fakes: servers behind it, messages for it, and a journal of what it did, in order."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Mapping
from typing import Any, Final, cast

from bawn.catalogue import Catalogue
from bawn.compile import compile_view
from bawn.config import Config, Limits, RoleRule, Server
from bawn.config.policy import ApprovalsConfig
from bawn.errors import REASONS, Reason
from bawn.feeds.board import Board
from bawn.gateway.asks import Asks
from bawn.gateway.door import Gateway
from bawn.gateway.homes import Homes
from bawn.gateway.notes import Notes
from bawn.gateway.rounds import Rounds
from bawn.gateway.stages import Stages
from bawn.gateway.streams import Streams
from bawn.model import (
    Answer,
    Json,
    Kind,
    Listing,
    Outbound,
    Peer,
    Principal,
    View,
)
from bawn.policy.scopes import Scopes
from bawn.ports import Arrival, Emit, PolicyEngine, Reply
from bawn.protocol.sessions import Sessions
from bawn.quotas.book import Quotas
from bawn.storage.counters import StoredCounters
from tests.fakes import (
    Clock,
    FakeApprovals,
    FakeAudit,
    FakeBarrier,
    FakeFlows,
    FakeGraves,
    FakeInspector,
    FakeJudges,
    FakeMeter,
    FakeNotes,
    FakeUpstream,
    Journal,
    counting_sealer,
)
from tests.policies import roles_only

MODERN: Final = "2026-07-28"
LEGACY: Final = "2025-11-25"
META: Final = "io.modelcontextprotocol/"
ISSUER: Final = "https://idp.example.com"

ADA: Final = Principal("ada", ISSUER, frozenset({"developer"}), float("inf"))
VIC: Final = Principal("vic", ISSUER, frozenset({"viewer"}), float("inf"))
EVE: Final = Principal("eve", ISSUER, frozenset(), float("inf"))

FILES: Final[Mapping[Kind, tuple[Json, ...]]] = {
    Kind.TOOL: (
        {"name": "read", "inputSchema": {"type": "object"}},
        {"name": "write", "inputSchema": {"type": "object"}},
    ),
    Kind.PROMPT: ({"name": "summary"},),
    Kind.RESOURCE: (
        {"uri": "file:///a", "name": "a"},
        {"uri": "common://doc", "name": "doc"},
    ),
    Kind.TEMPLATE: ({"uriTemplate": "file:///{+path}", "name": "any file"},),
}
ISSUES: Final[Mapping[Kind, tuple[Json, ...]]] = {
    Kind.TOOL: (
        {"name": "search", "inputSchema": {"type": "object"}},
        {"name": "read", "inputSchema": {"type": "object"}},
    ),
    Kind.PROMPT: (),
    Kind.RESOURCE: ({"uri": "common://doc", "name": "doc"},),
    Kind.TEMPLATE: (),
}
BARE: Final[Mapping[Kind, tuple[Json, ...]]] = {
    Kind.TOOL: ({"name": "echo", "inputSchema": {"type": "object"}},),
    Kind.PROMPT: (),
    Kind.RESOURCE: (),
    Kind.TEMPLATE: (),
}


def listing(server: str, definitions: Mapping[Kind, tuple[Json, ...]], ttl_ms: int = 0) -> Listing:
    """What a server says that offers these definitions."""
    capabilities: Json = {"tools": {}, "prompts": {}, "resources": {}}
    return Listing(server, MODERN, capabilities, "", definitions, ttl_ms)


LISTINGS: Final = (listing("files", FILES), listing("issues", ISSUES), listing("bare", BARE))


def challenge(reason: Reason, endpoint: str | None) -> str | None:
    """What a 401 asks for, told by the reason."""
    return f"Bearer {reason.id}" if reason.status == 401 else None


class House:
    """A gateway over three fake servers: `files`, `issues`, and `bare` without a name prefix."""

    def __init__(
        self,
        *,
        policy: PolicyEngine | None = None,
        roles: Mapping[str, RoleRule] | None = None,
        scopes: Mapping[str, RoleRule] | None = None,
        limits: Limits | None = None,
        servers: Mapping[str, Server] | None = None,
        serving: bool = True,
        wait: float = 0.02,
        slot: int = 0,
        workers: int = 1,
    ) -> None:
        remote = Server(url="http://127.0.0.1:9/mcp")
        given = servers or {
            "files": remote,
            "issues": remote,
            "bare": Server(url="http://127.0.0.1:9/mcp", prefix=""),
        }
        self.config = Config(
            servers=dict(given),
            limits=limits or Limits(),
            approvals=ApprovalsConfig(wait=wait),
            scopes=dict(scopes or {}),
        )
        self.approvals, self.flows = FakeApprovals(), FakeFlows()
        no_counters = cast(
            "StoredCounters", None
        )  # where no quota is configured, nothing is stored
        self.quotas = Quotas(self.config.limits, (), no_counters, lambda item: 1)
        self.journal = Journal()
        self.audit = FakeAudit(self.journal)
        self.meter = FakeMeter()
        self.inspector, self.judges = FakeInspector(), FakeJudges()
        self.upstreams = {name: FakeUpstream(self.journal) for name in self.config.servers}
        self.clock = Clock()
        self.sealer = counting_sealer()
        self.policy = policy or roles_only(roles or {})
        self.barrier = FakeBarrier()
        self.graves = FakeGraves()
        self.notes = FakeNotes()
        self.sessions = Sessions(self.sealer, self.clock, self.graves, slot, workers)
        self.random = itertools.count(1)
        stages = Stages(
            barrier=self.barrier,
            policy=self.policy,
            scopes=Scopes(scopes or {}, lambda named, endpoint: f"Bearer scope={' '.join(named)}"),
            approvals=self.approvals,
            flows=self.flows,
            quotas=self.quotas,
            inspector=self.inspector,
            judges=self.judges,
            conversation=lambda call: call.principal.key,
            audit=self.audit,
            meter=self.meter,
            upstreams=self.upstreams,
            homes=Homes(slot, workers),
            rounds=Rounds(
                self.sealer, self.graves, self.clock, self.bits, slot, self.config.limits.input
            ),
            asks=Asks(self.bits, slot, self.config.limits.input),
            notes=Notes(self.notes, self.sealer, self.clock),
            sealer=self.sealer,
            clock=self.clock,
        )
        self.streams = Streams(Board(self.upstreams), self.config.limits.listens, self._catch_up)
        catalogue = Catalogue(self.policy, self.sealer, self.config.limits.page)
        self.gateway = Gateway(
            self.config, stages, catalogue, self.sessions, self.streams, self.bits, challenge
        )
        self.emitted: list[Json] = []
        if serving:
            self.gateway.swap(self.view())

    def bits(self) -> int:
        """Numbers in a row where the gate has random ones."""
        return next(self.random)

    def _catch_up(self) -> bool:
        return not self.barrier.behind() or self.barrier.catch_up()

    def view(self, *listings: Listing) -> View:
        """The View of these listings, or of what the servers offer at first."""
        return compile_view(self.config, listings or LISTINGS)

    async def emit(self, message: Json) -> None:
        """Takes what is told while a call is open."""
        self.emitted.append(message)

    async def answer(self, arrival: Arrival) -> Reply:
        """The gateway's answer."""
        return await self.gateway.answer(arrival, self.emit)

    async def ask(self, arrival: Arrival) -> tuple[Reply, Json]:
        """The answer, and its body as JSON."""
        reply = await self.answer(arrival)
        return reply, json.loads(reply.body)

    async def refused(self, arrival: Arrival, reason: str, status: int | None = None) -> Json:
        """The error, after seeing that nothing was sent."""
        reply, body = await self.ask(arrival)
        assert reason_of(body) == reason
        assert reply.status == (REASONS[reason].status if status is None else status)
        assert self.sent == []
        error: Json = body["error"]
        return error

    @property
    def nothing_in_flight(self) -> bool:
        """Whether no call counts for any bound."""
        calls = self.quotas._calls
        return not calls.principals and not calls.servers

    @property
    def in_flight(self) -> int:
        """How many calls a notification could cancel, or has cancelled without their noticing."""
        flight = self.gateway._path.flight
        return len(flight._running) + len(flight._cancelled)

    @property
    def sent(self) -> list[Outbound]:
        """What reached a server."""
        return self.journal.of("send")


def modern(
    method: str,
    params: Json | None = None,
    *,
    who: Principal = ADA,
    at: str | None = None,
    id_: object = 1,
    meta: Json | None = None,
    headers: Mapping[bytes, bytes | None] | None = None,
) -> Arrival:
    """A request of 2026-07-28 with the headers that belong to it; None takes a header away."""
    whole = {META + "protocolVersion": MODERN, META + "clientCapabilities": {}} | (meta or {})
    params = {**(params or {}), "_meta": whole}
    mirrored: dict[bytes, bytes | None] = {
        b"mcp-protocol-version": MODERN.encode(),
        b"mcp-method": method.encode(),
    }
    name = params.get("name", params.get("uri", params.get("taskId")))
    if isinstance(name, str):
        mirrored[b"mcp-name"] = name.encode()
    mirrored |= headers or {}
    body = {"jsonrpc": "2.0", "id": id_, "method": method, "params": params}
    return arrive(body, mirrored, who=who, at=at)


def legacy(
    method: str,
    params: Json | None = None,
    *,
    who: Principal = ADA,
    at: str | None = None,
    id_: object = 1,
    version: str | None = LEGACY,
    session: str | None = None,
) -> Arrival:
    """A request of a handshake version; a notification when `id_` is None."""
    mirrored: dict[bytes, bytes | None] = {
        b"mcp-protocol-version": version.encode() if version else None,
        b"mcp-session-id": session.encode() if session else None,
    }
    body: Json = {"jsonrpc": "2.0", "method": method, "params": params or {}}
    if id_ is not None:
        body["id"] = id_
    return arrive(body, mirrored, who=who, at=at)


def arrive(
    body: object,
    headers: Mapping[bytes, bytes | None] | None = None,
    *,
    who: Principal = ADA,
    at: str | None = None,
) -> Arrival:
    """Any body, as bytes or as what is written in JSON, at an endpoint."""
    raw = body if isinstance(body, bytes) else json.dumps(body, separators=(",", ":")).encode()
    named = {name: value for name, value in (headers or {}).items() if value is not None}
    return Arrival(who, at, named, raw, Peer("127.0.0.1"))


async def session_of(
    house: House,
    who: Principal = ADA,
    at: str | None = None,
    *,
    version: str = LEGACY,
    capabilities: Json | None = None,
) -> str:
    """The id of a session that was begun as clients do."""
    params: Json = {"protocolVersion": version, "capabilities": capabilities or {}}
    params["clientInfo"] = {"name": "test"}
    reply = await house.answer(legacy("initialize", params, who=who, at=at, version=None))
    return dict(reply.headers)[b"mcp-session-id"].decode()


class Held:
    """A server that answers when it is let, and says when it was reached."""

    def __init__(self, house: House, *servers: str) -> None:
        self.reached = asyncio.Event()
        self.let = asyncio.Event()
        self.cancelled = 0
        for server in servers or ("files",):
            house.upstreams[server].behave = self

    async def __call__(self, outbound: Outbound, emit: Emit | None) -> Answer:
        """How the server behaves."""
        self.reached.set()
        try:
            await self.let.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return Answer(result={"resultType": "complete", "content": []})


FORM: Final[Json] = {
    "method": "elicitation/create",
    "params": {"message": "Sure?", "requestedSchema": {"type": "object", "properties": {}}},
}
SAMPLE: Final[Json] = {
    "method": "sampling/createMessage",
    "params": {"messages": [], "maxTokens": 5},
}
ROOTS: Final[Json] = {"method": "roots/list"}
ABLE: Final[Json] = {"elicitation": {"form": {}, "url": {}}, "sampling": {}, "roots": {}}
"""The capabilities of a client that can be asked anything."""


def asks(requests: Json, state: str | None = None, *, parked: bool = False) -> Answer:
    """A server's answer that asks something first."""
    result: Json = {"resultType": "input_required", "inputRequests": requests}
    if state is not None:
        result["requestState"] = state
    return Answer(result=result, parked=parked)


class Script:
    """A server that gives these answers, one after the other; the last one for good."""

    def __init__(self, house: House, *answers: Answer, server: str = "files") -> None:
        self.answers = list(answers)
        house.upstreams[server].behave = self

    async def __call__(self, outbound: Outbound, emit: Emit | None) -> Answer:
        """How the server behaves."""
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


DONE: Final = Answer(result={"resultType": "complete", "content": []})


def reason_of(body: Json) -> str:
    """The reason that an error names."""
    reason: str = body["error"]["data"]["reason"]
    return reason


async def stopped(house: House, arrival: Arrival, reason: str) -> dict[str, Any]:
    """The error, after seeing the reason and that neither a server nor the audit of calls was reached."""
    reply = await house.answer(arrival)
    body: dict[str, Any] = json.loads(reply.body)
    assert "result" not in body
    assert body["error"]["data"]["reason"] == reason
    assert house.sent == []
    assert house.journal.of("intent") == []
    error: dict[str, Any] = body["error"]
    return error
