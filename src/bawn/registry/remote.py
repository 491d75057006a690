"""Reading another registry: over https, from the host that was named and no other, within bounds.

Redirects are not followed, for they lead where nobody looked; no proxy or credential of the environment
is used, and nothing is sent but the question.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final
from urllib.parse import quote, unquote, urlencode, urlsplit

import httpx2

from bawn.config.kinds import is_loopback
from bawn.errors import Misconfigured
from bawn.registry.server_json import parse

LARGEST: Final = 8 << 20  # bytes of one answer
TOTAL: Final = 30.0  # seconds for all of it
PAGES: Final = 20
_PREFIXES: Final = ("/v0.1/servers", "/v0/servers")


def is_url(text: str) -> bool:
    """Whether an argument is meant as a URL, and not as the path of a file."""
    return "://" in text


async def fetch(
    url: str, search: str = "", transport: httpx2.AsyncBaseTransport | None = None
) -> list[Any]:
    """The servers that a URL leads to: of a registry, of one server in it, or a server.json itself.

    What is found is not yet held against its shape.

    Raises:
        Misconfigured: not a URL that is fetched, no answer within the bounds, or not of this form.
    """
    place, one = _place(url)
    client = httpx2.AsyncClient(
        transport=transport,
        follow_redirects=False,
        trust_env=False,
        timeout=httpx2.Timeout(10.0),
        headers={"accept": "application/json", "accept-encoding": "identity"},
    )
    try:
        async with asyncio.timeout(TOTAL), client:
            if one:
                return [await _get(client, place)]
            return await _pages(client, place, search)
    except TimeoutError:
        raise Misconfigured(f"{_shown(url)}: no whole answer within {TOTAL:g} seconds") from None


def _place(url: str) -> tuple[str, bool]:
    """Where to ask, and whether one server is asked for."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise Misconfigured(f"{_shown(url)}: not a URL") from None
    fine = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))
    if not fine or not host or "@" in parts.netloc or not url.isascii() or not url.isprintable():
        raise Misconfigured(
            f"{_shown(url)}: expected an https URL without credentials; http is for loopback alone"
        )
    base = f"{parts.scheme}://{parts.netloc}"
    path = parts.path.rstrip("/")
    if path.endswith(".json"):
        return f"{base}{path}{'?' + parts.query if parts.query else ''}", True
    for prefix in _PREFIXES:
        before, found, after = path.partition(prefix)
        if found and after.startswith("/"):
            name, _, version = after[1:].partition("/versions/")
            told = f"{quote(unquote(name), safe='')}/versions/{quote(unquote(version or 'latest'), safe='')}"
            return f"{base}{before}{prefix}/{told}", True
        if found and not after:
            return f"{base}{path}", False
    return f"{base}{path}{_PREFIXES[0]}", False


async def _pages(client: httpx2.AsyncClient, place: str, search: str) -> list[Any]:
    found: list[Any] = []
    cursors: set[str] = set()
    cursor = ""
    for _ in range(PAGES):
        asked = {"limit": "100", "version": "latest", "search": search, "cursor": cursor}
        told = urlencode({name: value for name, value in asked.items() if value})
        page = await _get(client, f"{place}?{told}")
        servers = page.get("servers") if isinstance(page, dict) else None
        if not isinstance(servers, list):
            raise Misconfigured(
                f"{_shown(place)}: expected a list of servers, as registries answer"
            )
        found += servers
        metadata = page.get("metadata")
        following = metadata.get("nextCursor") if isinstance(metadata, dict) else None
        if not isinstance(following, str) or not following:
            return found
        if following in cursors:
            raise Misconfigured(f"{_shown(place)}: its pages lead in a circle")
        cursors.add(following)
        cursor = following
    raise Misconfigured(
        f"{_shown(place)}: more than {PAGES} pages; say --select with a part of the name"
    )


async def _get(client: httpx2.AsyncClient, url: str) -> Any:
    try:
        async with client.stream("GET", url) as response:
            if 300 <= response.status_code < 400:
                raise Misconfigured(
                    f"{_shown(url)}: redirects elsewhere, which is not followed; name the place itself"
                )
            if response.status_code != 200:
                raise Misconfigured(f"{_shown(url)}: answered {response.status_code}")
            if response.headers.get("content-encoding", "identity") != "identity":
                raise Misconfigured(f"{_shown(url)}: answered compressed, which was not asked for")
            return parse(await _body(response, url), _shown(url))
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        why = type(error).__name__
        raise Misconfigured(f"{_shown(url)}: cannot be fetched ({why})") from None


async def _body(response: httpx2.Response, url: str) -> bytes:
    held = bytearray()
    async for chunk in response.aiter_raw():
        held += chunk
        if len(held) > LARGEST:
            raise Misconfigured(f"{_shown(url)}: answered with more than {LARGEST >> 20} MiB")
    return bytes(held)


def _shown(url: str) -> str:
    """The URL without its query and whatever login it has."""
    plain = url.partition("?")[0]
    scheme, slashes, rest = plain.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}{slashes}{host.rpartition('@')[2]}{slash}{path}"
