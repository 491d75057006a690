"""Config → the rooms of one worker, joined."""

from __future__ import annotations

import asyncio
import os
import random
import secrets
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import quote

from bawn.app.deciding import Deciding, deciding
from bawn.app.inspecting import inspection, panel
from bawn.app.looking import Looking
from bawn.app.places import Places
from bawn.app.sealing import Seals
from bawn.app.siblings import Siblings
from bawn.audit.writer import Writer
from bawn.barrier.follower import Follower
from bawn.budget import Budget
from bawn.catalogue import Catalogue
from bawn.config import Config, Server
from bawn.errors import GATE_NOT_READY, Misconfigured, Refused
from bawn.feeds.board import Board
from bawn.gateway.asks import Asks
from bawn.gateway.door import Gateway
from bawn.gateway.homes import Homes
from bawn.gateway.notes import Notes
from bawn.gateway.rounds import Rounds
from bawn.gateway.stages import Stages
from bawn.gateway.streams import Streams
from bawn.identity import credentials
from bawn.identity.build import build_identity
from bawn.identity.tokens import Bearers
from bawn.policy.rules import Source
from bawn.ports import HttpClient, Upstream, UpstreamSessions
from bawn.protocol.sealing import Sealer
from bawn.protocol.sessions import Sessions
from bawn.storage.approved import Approved
from bawn.storage.database import NAME as DATABASE
from bawn.storage.database import Database
from bawn.storage.directory import StateDirectory
from bawn.storage.ring import Ring
from bawn.storage.session_notes import StoredNotes
from bawn.storage.tombstones import Tombstones
from bawn.storage.upstream_sessions import SharedSessions
from bawn.telemetry.figures import Figures, figures
from bawn.telemetry.metrics import Meter
from bawn.transport.held import Held
from bawn.transport.relay import Relay
from bawn.transport.standing import Standing
from bawn.upstream.exchange import Wire
from bawn.upstream.http import Remote
from bawn.upstream.http1 import PooledClient
from bawn.upstream.local import Local


@dataclass(frozen=True, slots=True)
class Place:
    """Which worker it is: the one in `slot` among `workers`, of the configuration of `epoch`."""

    epoch: int
    slot: int
    workers: int


@dataclass(frozen=True, slots=True)
class Assembly:
    """The rooms of one worker."""

    config: Config
    places: Places
    follower: Follower
    gateway: Gateway
    identity: Bearers
    audit: Writer
    meter: Meter
    relay: Relay
    siblings: Siblings
    upstreams: Mapping[str, Upstream]
    clients: Clients
    database: Database
    held: Held
    standing: Standing
    deciding: Deciding
    sealer: Sealer  # of handles
    looking: Looking
    locked: bool

    async def aclose(self) -> None:
        """Stop in the order in which rooms depend on each other; the audit is closed last."""
        await self.gateway.aclose()
        for upstream in self.upstreams.values():
            await upstream.aclose()
        await self.clients.aclose()
        await self.identity.aclose()
        self.audit.close()
        self.database.close()


class Clients:
    """The HTTP clients of a process: our own for most servers, httpx2 where it is asked for.

    `approved` is for a process whose calls rely on what another has listed.
    """

    def __init__(
        self,
        config: Config,
        base: Path,
        sessions: UpstreamSessions | None = None,
        approved: Approved | None = None,
    ) -> None:
        self._config = config
        self._base = base
        self._sessions = sessions
        self._approved = approved
        self._tls = ssl.create_default_context()
        self._budget = Budget(config.limits.held)
        self._all: list[HttpClient] = []

    def upstream(self, name: str, server: Server, runner: str) -> Upstream:
        """The way to one server: by the runner, or over the network with the gate's credential."""
        client, limits = self._for(server), self._config.limits
        if server.url is None:
            url = f"http+unix://{quote(runner, safe='')}/servers/{name}"
            # a first call waits for the server to start, on top of its own time
            patient = {
                "first_byte": limits.first_byte + limits.start,
                "total": limits.total + limits.start,
            }
            return Local(Wire(name, client, url, (), limits.model_copy(update=patient)))
        headers = credentials.headers(server, self._base)
        wire = Wire(name, client, server.url, headers, limits)
        if self._approved is None:
            return Remote(wire, self._sessions)
        verify = partial(self._approved.verifying, name)
        return Remote(wire, self._sessions, verify, always=self._approved.always)

    def own(self) -> HttpClient:
        """A client for what is the gate's own: other workers, and the runner."""
        limits = self._config.limits
        return self._kept(PooledClient(limits.connections, limits.connect, self._tls))

    def streams(self) -> HttpClient:
        """A client for streams that other workers carry: as many as there are callers to read them."""
        limits = self._config.limits
        return self._kept(PooledClient(limits.clients, limits.connect, self._tls))

    async def aclose(self) -> None:
        """Close every connection."""
        for client in self._all:
            await client.aclose()

    def _for(self, server: Server) -> HttpClient:
        """A client of the server's own: servers at one origin must not take each other's connections."""
        limits = self._config.limits
        if not server.uses_reference_client:
            return self._kept(
                PooledClient(limits.connections, limits.connect, self._tls, self._budget)
            )
        from bawn.upstream.reference import ReferenceClient

        return self._kept(
            ReferenceClient(
                limits.connections,
                limits.connect,
                ca=str(self._base / server.ca) if server.ca else None,
                proxy=server.proxy,
                budget=self._budget,
            )
        )

    def _kept(self, client: HttpClient) -> HttpClient:
        self._all.append(client)
        return client


def assemble(
    config: Config,
    base: Path,
    state: StateDirectory,
    runner: str,
    place: Place,
    *,
    policy: Source | None = None,
    insecure_no_auth: bool,
    lock: str = "",
) -> Assembly:
    """Build a worker's rooms; nothing is connected or started yet. `lock` is as in its order.

    Raises:
        Misconfigured: what the configuration asks for is unsafe or cannot be had.
        OSError: no gate runs.
    """
    loop = asyncio.get_running_loop()
    places = Places(state)
    identity = build_identity(config, state, insecure_no_auth)
    renewals: list[Callable[[], None]] = []

    def renewed() -> None:
        """The store was begun afresh: what was sealed under the old one is dead."""
        for renew in renewals:
            renew()

    database = _open(state, renewed)
    looking = Looking(places)
    always = config.drift.max_age == 0
    approved = Approved(state, looking.ask, config.limits.tools, always=always, lock=lock)
    clients = Clients(config, base, SharedSessions(database, state), approved)
    upstreams = {
        name: clients.upstream(name, server, runner) for name, server in config.servers.items()
    }
    audit = Writer(state, config.audit.durability, schedule=loop.call_later)
    follower = Follower(places.barrier(), places.shelf(), place.epoch)
    seals = Seals(Ring(state.keys), database)
    graves = Tombstones(database)
    sessions = Sessions(seals.handles, time.time, graves, place.slot, place.workers)
    meter = Meter()
    bits = random.Random(os.urandom(32)).getrandbits  # noqa: S311  # ids for correlation, not secrets
    limits, slot, secret = config.limits, place.slot, partial(secrets.randbits, 128)
    rules = deciding(
        config, policy, state, database, seals.handles, graves, audit, identity.resources, secret
    )
    own = clients.own()
    judges = panel(config, base, own, audit)
    stages = Stages(
        barrier=follower,
        policy=rules.policy,
        scopes=rules.scopes,
        approvals=rules.approvals,
        flows=rules.flows,
        quotas=rules.quotas,
        inspector=inspection(config, base, state, seals.handles),
        judges=judges,
        audit=audit,
        meter=meter,
        upstreams=upstreams,
        homes=Homes(slot, place.workers),
        rounds=Rounds(seals.handles, graves, time.time, secret, slot, limits.input),
        asks=Asks(secret, slot, limits.input, limits.parked),
        notes=Notes(StoredNotes(database), seals.handles, time.time),
        sealer=seals.handles,
        conversation=rules.conversation,
        clock=time.time,
    )

    def catch_up() -> bool:
        return not follower.behind() or follower.catch_up()

    gateway = Gateway(
        config,
        stages,
        Catalogue(rules.policy, seals.handles, limits.page),
        sessions,
        Streams(Board(upstreams), limits.listens, catch_up),
        partial(bits, 128),
        identity.resources.challenge,
    )

    def on_ring() -> None:
        seals.renew()
        sessions.forget()

    def on_store() -> None:
        seals.rebind()
        sessions.forget()

    renewals.append(on_store)
    follower.on_view, follower.on_cuts, follower.on_ring = gateway.swap, gateway.cut, on_ring

    def own_figures() -> Figures:
        in_flight = rules.quotas.servers
        return figures(meter, in_flight, audit.records, audit.failures, healthy=audit.healthy)

    siblings = Siblings(own, places, place.epoch, place.slot, place.workers, own_figures)
    where = partial(_socket_of, places, follower)
    relay = Relay(own, seals.relay, where, time.time, config.limits, clients.streams())
    standing = Standing.within(config.limits, seals.handles, place.slot, place.workers)
    return Assembly(
        config, places, follower, gateway, identity, audit, meter, relay, siblings, upstreams,
        clients, database, Held(config.limits.held), standing, rules, seals.handles,
        looking, bool(lock),
    )  # fmt: skip


def _open(state: StateDirectory, renewed: Callable[[], None]) -> Database:
    try:
        return Database(state.path / DATABASE, renewed)
    except Refused as refused:
        raise Misconfigured(
            f"{refused.detail}; expected a disk that can be written: free or repair it"
        ) from None


def _socket_of(places: Places, follower: Follower, slot: int) -> str:
    """Where the worker of this slot listens, among those whose configuration is in force."""
    edition = follower.edition
    if edition is None:
        raise Refused(GATE_NOT_READY)
    return str(places.worker(edition.epoch, slot % edition.workers))
