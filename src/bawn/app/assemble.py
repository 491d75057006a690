"""Config → the rooms of one worker, joined."""

from __future__ import annotations

import asyncio
import os
import random
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import quote

from bawn.audit.writer import Writer
from bawn.catalogue import Catalogue
from bawn.config import Config, Server
from bawn.gateway import Gateway, Stages
from bawn.identity import credentials
from bawn.identity.build import build_identity
from bawn.identity.tokens import Bearers
from bawn.model import Health
from bawn.policy.roles import Roles
from bawn.ports import HttpClient, Upstream
from bawn.protocol.sealing import Sealer
from bawn.protocol.sessions import Sessions
from bawn.steward import Steward
from bawn.storage.directory import StateDirectory
from bawn.telemetry.exposition import Exposition, Sources
from bawn.telemetry.metrics import Meter
from bawn.upstream.exchange import Wire
from bawn.upstream.http import Remote
from bawn.upstream.http1 import PooledClient
from bawn.upstream.local import Local


@dataclass(frozen=True, slots=True)
class Assembly:
    """The rooms of one worker."""

    config: Config
    gateway: Gateway
    identity: Bearers
    steward: Steward
    audit: Writer
    meter: Meter
    exposition: Exposition
    upstreams: Mapping[str, Upstream]
    clients: tuple[HttpClient, ...]

    async def aclose(self) -> None:
        """Stop in the order in which rooms depend on each other; the audit is closed last."""
        await self.steward.stop()
        for upstream in self.upstreams.values():
            await upstream.aclose()
        for client in self.clients:
            await client.aclose()
        await self.identity.aclose()
        self.audit.close()


class _Clients:
    """The HTTP clients of a worker: our own for most servers, httpx2 where it is asked for."""

    def __init__(self, config: Config, base: Path) -> None:
        self._config = config
        self._base = base
        self._tls = ssl.create_default_context()
        self.all: list[HttpClient] = []

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
        return Remote(
            Wire(name, client, server.url, credentials.headers(server, self._base), limits)
        )

    def _for(self, server: Server) -> HttpClient:
        """A client of the server's own: servers at one origin must not take each other's connections."""
        limits = self._config.limits
        client: HttpClient
        if server.uses_reference_client:
            from bawn.upstream.reference import ReferenceClient

            client = ReferenceClient(
                limits.connections,
                limits.connect,
                ca=str(self._base / server.ca) if server.ca else None,
                proxy=server.proxy,
            )
        else:
            client = PooledClient(limits.connections, limits.connect, self._tls)
        self.all.append(client)
        return client


def assemble(
    config: Config, base: Path, state: StateDirectory, runner: str, *, insecure_no_auth: bool
) -> Assembly:
    """Build a worker's rooms; nothing is connected or started yet.

    Raises:
        Misconfigured: what the configuration asks for is unsafe or cannot be had.
    """
    loop = asyncio.get_running_loop()
    identity = build_identity(config, state, insecure_no_auth)
    clients = _Clients(config, base)
    upstreams: dict[str, Upstream] = {
        name: clients.upstream(name, server, runner) for name, server in config.servers.items()
    }
    audit = Writer(state, config.audit.durability, schedule=loop.call_later)
    sealer = Sealer([state.key("sealing", lambda: os.urandom(32))], lambda: os.urandom(12))
    policy = Roles(config.roles)
    catalogue = Catalogue(policy, sealer, config.limits.page)
    meter = Meter()
    bits = random.Random(os.urandom(32)).getrandbits  # noqa: S311  # ids for correlation, not secrets
    stages = Stages(
        policy=policy,
        audit=audit,
        meter=meter,
        sessions=Sessions(sealer, time.time),
        upstreams=upstreams,
        random_bits=partial(bits, 128),
        challenge=identity.resources.challenge,
    )
    gateway = Gateway(config, stages, catalogue)
    steward = Steward(config, upstreams, gateway.swap, project=str(base))
    exposition = Exposition(
        meter,
        Sources(
            in_flight=lambda: gateway.concurrency.servers,
            audit_records=lambda: audit.records,
            audit_failures=lambda: audit.failures,
            health=lambda: {name: state.health for name, state in steward.states.items()},
            view_items=lambda: steward.items,
            states=tuple(Health),
        ),
    )
    return Assembly(
        config, gateway, identity, steward, audit, meter, exposition, upstreams, tuple(clients.all)
    )
