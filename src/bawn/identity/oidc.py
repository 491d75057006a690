"""An external issuer: its metadata, its signing keys, and the tokens they vouch for.

Metadata is looked for where MCP's authorization page says (RFC 8414 with the path inserted, then
OpenID Connect Discovery) and counts only if its `issuer` is ours, exactly. Keys are kept fresh; a
key id never seen before asks for them again, at most every half minute. When the issuer cannot be
reached, the keys we have go on for an hour; then nothing can be checked, and nobody is let in.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias
from urllib.parse import urlsplit

from bawn.config import Issuer
from bawn.config.kinds import is_loopback
from bawn.errors import AUTH_UNAVAILABLE, BawnError, Refused
from bawn.identity.claims import invalid
from bawn.identity.jwt import Rules, accept, parse
from bawn.identity.keys import VerifyKey, choose, from_jwks
from bawn.model import Json, Principal
from bawn.protocol.strict import JsonLimits, careful

FRESH: Final = 300.0  # seconds that keys are used without asking again
STALE: Final = 3600.0  # seconds beyond, while the issuer cannot be reached
REFETCH: Final = 30.0  # least seconds between fetches while there are keys
RETRY: Final = 5.0  # the same while there are none

_JSON: Final = JsonLimits(depth=16, nodes=20_000)


class Unreachable(BawnError):
    """A document could not be fetched whole; the text is for the operator."""


Fetch: TypeAlias = Callable[[str], Awaitable[bytes | None]]
"""The body at a URL, or None when the server answers but has no such document.

Raises Unreachable when there is no answer, or one that cannot be taken.
"""


class IssuerKeys:
    """The signing keys of one issuer; `clock` is monotonic, in seconds."""

    def __init__(self, issuer: Issuer, fetch: Fetch, clock: Callable[[], float]) -> None:
        self._issuer = issuer
        self._fetch = fetch
        self._clock = clock
        self._keys: tuple[VerifyKey, ...] = ()
        self._fetched = float("-inf")
        self._next = float("-inf")
        self._problem = ""
        self._loading: asyncio.Task[None] | None = None

    async def find(self, kid: str | None, alg: str) -> VerifyKey:
        """The key that a token of this key id and algorithm must be signed with.

        Raises:
            Refused: auth.invalid if the issuer has no such key, auth.unavailable if it cannot be
                asked.
        """
        if self._age() > FRESH:
            await self._refresh()
        if self._age() > FRESH + STALE:
            raise Refused(AUTH_UNAVAILABLE, detail=self._problem)
        key = choose(self._keys, kid, alg)
        if key is None:
            await self._refresh()
            key = choose(self._keys, kid, alg)
        if key is not None:
            return key
        if self._problem:
            raise Refused(
                AUTH_UNAVAILABLE, detail=f"a new key cannot be looked up: {self._problem}"
            )
        raise invalid(f"no key of the issuer fits kid {ascii(kid)[:120]} and alg {alg}")

    async def aclose(self) -> None:
        """Give up a fetch that is under way."""
        if self._loading is not None:
            self._loading.cancel()
            await asyncio.wait([self._loading])

    def _age(self) -> float:
        return self._clock() - self._fetched

    async def _refresh(self) -> None:
        """Fetch once for everybody who waits, unless the last attempt is too recent."""
        if self._loading is None:
            if self._clock() < self._next:
                return
            self._loading = asyncio.create_task(self._load())
        # shielded: one caller going away must not take it from the others
        await asyncio.shield(self._loading)

    async def _load(self) -> None:
        try:
            uri = str(self._issuer.jwks_uri or await self._discover())
            body = await self._fetch(uri)
            if body is None:
                raise Unreachable(f"{uri} has no keys to offer")
            self._keys = from_jwks(_document(body, uri))
            self._fetched = self._clock()
            self._problem = ""
        except (Unreachable, ValueError) as error:
            self._problem = f"issuer {self._issuer.issuer}: {error}"
        finally:
            known = self._fetched > float("-inf")
            self._next = self._clock() + (REFETCH if known else RETRY)
            self._loading = None

    async def _discover(self) -> str:
        problem = "it publishes no metadata (RFC 8414, OpenID Connect); set `jwks_uri`"
        for url in metadata_urls(self._issuer.issuer):
            body = await self._fetch(url)
            if body is None:
                continue
            try:
                return _jwks_uri(_document(body, url), self._issuer.issuer)
            except ValueError as error:
                problem = f"{url}: {error}"
        raise Unreachable(problem)


class Oidc:
    """Verifies tokens of one external issuer."""

    def __init__(
        self, rules: Rules, keys: IssuerKeys, close: Callable[[], Awaitable[None]]
    ) -> None:
        self._rules = rules
        self._keys = keys
        self._close = close

    async def principal(self, token: bytes, now: float) -> Principal:
        """Whom the token speaks for.

        Raises:
            Refused: an auth.* reason.
        """
        parsed = parse(token, self._rules)
        key = await self._keys.find(parsed.kid, parsed.algorithm)
        return accept(parsed, key, self._rules, now)

    async def aclose(self) -> None:
        """Close the connections to the issuer."""
        await self._keys.aclose()
        await self._close()


def metadata_urls(issuer: str) -> tuple[str, ...]:
    """Where an issuer's metadata may be, in the order to try (RFC 8414, 3.1; OpenID Discovery, 4)."""
    parts = urlsplit(issuer)
    origin, path = f"{parts.scheme}://{parts.netloc}", parts.path.rstrip("/")
    oauth = f"{origin}/.well-known/oauth-authorization-server{path}"
    inserted = f"{origin}/.well-known/openid-configuration{path}"
    appended = f"{origin}{path}/.well-known/openid-configuration"
    return (oauth, inserted, appended) if path else (oauth, inserted)


def is_confidential(url: str, *, loopback: bool = True) -> bool:
    """Whether what comes from this URL can be believed: https, or plain http within the machine."""
    parts = urlsplit(url)
    if not parts.hostname or parts.username is not None or parts.fragment:
        return False
    return parts.scheme == "https" or (
        loopback and parts.scheme == "http" and is_loopback(parts.hostname)
    )


def _jwks_uri(metadata: Json, issuer: str) -> str:
    if metadata.get("issuer") != issuer:
        raise ValueError(f"it is about issuer {ascii(metadata.get('issuer'))[:120]}")
    uri = metadata.get("jwks_uri")
    plain = urlsplit(issuer).scheme == "http"  # an https issuer has no reason to leave https
    if not isinstance(uri, str) or not is_confidential(uri, loopback=plain):
        raise ValueError("its jwks_uri is not an https URL")
    return uri


def _document(body: bytes, url: str) -> Json:
    try:
        tree = careful(body, _JSON)
    except Refused as refused:
        raise ValueError(f"{url}: {refused.message}") from refused
    if not isinstance(tree, dict):
        raise ValueError(f"{url}: not a JSON object")
    return tree
