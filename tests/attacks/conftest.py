"""Both HTTP clients, as the attacks of hostile servers meet them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bawn.ports import HttpClient
from bawn.upstream.http1 import PooledClient
from bawn.upstream.reference import ReferenceClient


@pytest.fixture(params=["native", "reference"])
async def client(request: pytest.FixtureRequest) -> AsyncIterator[HttpClient]:
    made: HttpClient = (
        PooledClient(2, 5.0) if request.param == "native" else ReferenceClient(2, 5.0)
    )
    yield made
    await made.aclose()


@pytest.fixture
async def reference() -> AsyncIterator[HttpClient]:
    made = ReferenceClient(2, 5.0)
    yield made
    await made.aclose()


@pytest.fixture
async def native() -> AsyncIterator[HttpClient]:
    made = PooledClient(2, 5.0)
    yield made
    await made.aclose()
