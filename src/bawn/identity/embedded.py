"""Our own tokens: minted by `bawn token`, verified here, opaque to everybody else.

Signed with Ed25519. Only this gate verifies them, so it does not matter what clients and issuers
commonly support. Checking takes a fifth longer than ES256, once for each token and recheck; in
exchange the signatures need no randomness that could fail, and have one valid form only, while
ECDSA lets anybody turn a signature into a second one.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable
from typing import Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc import jws
from joserfc.jwk import OKPKey

from bawn.config.server import SERVER_ID
from bawn.errors import Misconfigured
from bawn.identity.claims import invalid, name_problem, scope_problem, tenant_problem
from bawn.identity.jwt import ACCESS_TOKEN, Rules, accept, parse
from bawn.identity.keys import VerifyKey
from bawn.model import Json, Principal
from bawn.storage.directory import StateDirectory

DEFAULT_TTL: Final = 3600  # seconds
LONGEST_TTL: Final = 30 * 86_400

_ALGORITHM: Final = "Ed25519"
_TENANT: Final = "tenant"
_KEY_FILE: Final = "tokens.ed25519"  # the 32 bytes of the private key


class Embedded:
    """Mints and verifies the gate's own tokens; `base` is its public URL, and their issuer."""

    def __init__(
        self, secret: bytes, base: str, leeway: float, clock: Callable[[], float] = time.time
    ) -> None:
        self._base = base
        self._clock = clock
        self._rules = Rules(
            issuer=base,
            base=base,
            algorithms=frozenset({_ALGORITHM}),
            types=ACCESS_TOKEN,
            tenant_claim=_TENANT,
            tenant_required=False,
            leeway=leeway,
        )
        private = Ed25519PrivateKey.from_private_bytes(secret)
        self._private = OKPKey.import_key(private)
        thumbprint = self._private.thumbprint()
        self._public = VerifyKey(
            thumbprint,
            frozenset({_ALGORITHM}),
            thumbprint,
            OKPKey.import_key(private.public_key()),
        )

    def mint(
        self,
        sub: str,
        roles: Iterable[str],
        ttl: int,
        server: str | None = None,
        *,
        scopes: Iterable[str] = (),
        agent: str = "",
        tenant: str = "",
    ) -> str:
        """A token for `sub` with these roles, good for `ttl` seconds, everywhere or at one server.

        Raises:
            ValueError: a value that no token may have, with what was expected.
        """
        claims = self._claims(sub, sorted(set(roles)), ttl, server)
        claims |= _further(sorted(set(scopes)), agent, tenant)
        header = {"alg": _ALGORITHM, "typ": "at+jwt", "kid": self._public.thumbprint}
        payload = msgspec.json.encode(claims)
        return jws.serialize_compact(header, payload, self._private, algorithms=[_ALGORITHM])

    def _claims(self, sub: str, roles: list[str], ttl: int, server: str | None) -> Json:
        if problem := name_problem(sub, "sub"):
            raise ValueError(problem)
        if not roles or not all(roles):
            raise ValueError("roles: expected at least one, by name")
        if not 1 <= ttl <= LONGEST_TTL:
            raise ValueError(f"ttl: expected 1 to {LONGEST_TTL} seconds (30 days)")
        if server is not None and not SERVER_ID.fullmatch(server):
            raise ValueError("server: expected an id of 1 to 32 of a-z, 0-9 and hyphen")
        now = int(self._clock())
        return {
            "iss": self._base,
            "sub": sub,
            "aud": f"{self._base}/mcp" + (f"/{server}" if server is not None else ""),
            "iat": now,
            "exp": now + ttl,
            "jti": secrets.token_urlsafe(16),
            "roles": roles,
        }

    async def principal(self, token: bytes, now: float) -> Principal:
        """Whom one of our own tokens speaks for.

        Raises:
            Refused: an auth.* reason.
        """
        parsed = parse(token, self._rules)
        if parsed.kid != self._public.kid:
            raise invalid("its kid is not that of this gate's key")
        return accept(parsed, self._public, self._rules, now)

    async def aclose(self) -> None:
        """Nothing is held open."""


def _further(scopes: list[str], agent: str, tenant: str) -> Json:
    """The claims that a token has only where there is something to say."""
    problems = [problem for scope in scopes if (problem := scope_problem(scope))]
    if agent and (problem := name_problem(agent, "agent")):
        problems.append(problem)
    if tenant and (problem := tenant_problem(tenant, "tenant")):
        problems.append(problem)
    if problems:
        raise ValueError(problems[0])
    said = {"scope": " ".join(scopes), "client_id": agent, _TENANT: tenant}
    return {claim: value for claim, value in said.items() if value}


def open_embedded(base: str, leeway: float, state: StateDirectory) -> Embedded:
    """The gate's own issuer, its key made at the first start.

    Raises:
        Misconfigured: the key cannot be read or written, or is damaged.
    """
    secret = state.key(_KEY_FILE, lambda: Ed25519PrivateKey.generate().private_bytes_raw())
    try:
        return Embedded(secret, base, leeway)
    except ValueError:
        raise Misconfigured(
            f"{state.keys / _KEY_FILE}: damaged, expected a private key of 32 bytes; restore it, or "
            "remove it to start anew: every token minted so far then ends"
        ) from None
