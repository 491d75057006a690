"""Clients of sockets are held to their contract on both event loops: plain asyncio, and uvloop."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import uvloop

from bawn.ports import HttpClient
from bawn.upstream.http1 import PooledClient
from bawn.upstream.reference import ReferenceClient
from tests.contracts.exchanges import Make

LoopFactory = Callable[[], asyncio.AbstractEventLoop]


def pytest_asyncio_loop_factories(item: pytest.Item) -> Mapping[str, LoopFactory]:
    """uvloop is what a worker runs on."""
    if item.path.name.startswith("test_http_client"):
        return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}
    return {"asyncio": asyncio.new_event_loop}


@pytest.fixture
async def closing() -> AsyncIterator[list[HttpClient]]:
    clients: list[HttpClient] = []
    yield clients
    for client in clients:
        await client.aclose()


def _native(connections: int = 8, connect: float = 5.0, ca: Path | None = None) -> HttpClient:
    tls = None if ca is None else ssl.create_default_context(cafile=ca)
    return PooledClient(connections, connect, tls)


def _reference(connections: int = 8, connect: float = 5.0, ca: Path | None = None) -> HttpClient:
    return ReferenceClient(connections, connect, ca=None if ca is None else str(ca))


@pytest.fixture(params=[_native, _reference], ids=["native", "reference"])
def make(request: pytest.FixtureRequest, closing: list[HttpClient]) -> Make:
    def build(**options: Any) -> HttpClient:
        client: HttpClient = request.param(**options)
        closing.append(client)
        return client

    return build


@pytest.fixture
def client(make: Make) -> HttpClient:
    return make()


@pytest.fixture
def native(closing: list[HttpClient]) -> HttpClient:
    client = _native()
    closing.append(client)
    return client
