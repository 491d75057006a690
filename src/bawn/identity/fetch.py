"""Fetching an issuer's documents: one client, no redirects, no proxy from the environment, bounded."""

from __future__ import annotations

import asyncio
from typing import Final

import httpx2

from bawn.identity.oidc import Unreachable

LARGEST: Final = 1 << 20  # bytes of one document
TOTAL: Final = 10.0  # seconds for one document, however slowly it drips


class Fetcher:
    """Gets documents over HTTP(S); the TLS context and the pool are made once."""

    def __init__(self, transport: httpx2.AsyncBaseTransport | None = None) -> None:
        self._client = httpx2.AsyncClient(
            transport=transport,
            follow_redirects=False,
            trust_env=False,
            timeout=httpx2.Timeout(5.0),
            limits=httpx2.Limits(max_connections=4, max_keepalive_connections=0),
            # identity, so that a small answer cannot unfold into a large one
            headers={"accept": "application/json", "accept-encoding": "identity"},
        )

    async def __call__(self, url: str) -> bytes | None:
        """The body of a 200, or None when the server has no such document (3xx, 4xx).

        Raises:
            Unreachable: no answer in time, another status, or one that is too large.
        """
        try:
            async with asyncio.timeout(TOTAL), self._client.stream("GET", url) as response:
                if response.status_code == 200:
                    return await _body(response, url)
                if 300 <= response.status_code < 500:
                    return None
                raise Unreachable(f"{url} answered {response.status_code}")
        except (httpx2.HTTPError, httpx2.InvalidURL, TimeoutError) as error:
            why = str(error) or type(error).__name__
            raise Unreachable(f"{url} cannot be fetched: {why}") from error

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()


async def _body(response: httpx2.Response, url: str) -> bytes:
    if response.headers.get("content-encoding", "identity") != "identity":
        raise Unreachable(f"{url} answered compressed, which was not asked for")
    held = bytearray()
    async for chunk in response.aiter_raw():
        held += chunk
        if len(held) > LARGEST:
            raise Unreachable(f"{url} answered with more than {LARGEST} bytes")
    return bytes(held)
