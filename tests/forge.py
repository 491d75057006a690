"""An issuer for tests: makes any token, honest or not, and publishes any keys."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any, Final

from joserfc.jwk import ECKey, Key, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from bawn.config import Issuer
from bawn.identity.jwt import Rules
from bawn.identity.metadata import Resources
from bawn.identity.oidc import IssuerKeys, Oidc, Unreachable
from bawn.identity.tokens import Bearers
from bawn.model import Peer

BASE: Final = "http://127.0.0.1:8811"
ISSUER: Final = "https://idp.example.com"
JWKS: Final = f"{ISSUER}/keys"
METADATA: Final = f"{ISSUER}/.well-known/oauth-authorization-server"
NOW: Final = 1_800_000_000.0
ABSENT: Final = object()
REMOTE: Final = Peer("192.0.2.1")

EC: Final = ECKey.generate_key("P-256")
OTHER_EC: Final = ECKey.generate_key("P-256")
RSA: Final = RSAKey.generate_key(2048)
ED: Final = OKPKey.generate_key("Ed25519")


def encode(part: bytes | Mapping[str, Any]) -> bytes:
    """Base64url without padding, of bytes or of an object as JSON."""
    data = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def changed(honest: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """The honest members with some replaced, or left out where they are ABSENT."""
    return {k: v for k, v in {**honest, **changes}.items() if v is not ABSENT}


def claims(**changes: Any) -> dict[str, Any]:
    """What an honest access token for the whole gate says."""
    honest = {
        "iss": ISSUER,
        "sub": "alice",
        "aud": f"{BASE}/mcp",
        "iat": NOW - 10,
        "exp": NOW + 600,
        "roles": ["developer"],
    }
    return changed(honest, changes)


def header(**changes: Any) -> dict[str, Any]:
    """An honest header for the EC key."""
    return changed({"alg": "ES256", "typ": "at+jwt", "kid": "ec"}, changes)


def sign(
    payload: bytes | Mapping[str, Any] | None = None,
    head: bytes | Mapping[str, Any] | None = None,
    *,
    key: Key = EC,
    alg: str = "ES256",
) -> bytes:
    """A token signed by `key` with `alg`, whatever its header claims."""
    signed = encode(header() if head is None else head) + b"."
    signed += encode(claims() if payload is None else payload)
    return signed + b"." + encode(JWSRegistry.algorithms[alg].sign(signed, key))


def public(key: Key, **members: Any) -> dict[str, Any]:
    """The key as an issuer publishes it."""
    return {**key.as_dict(private=False), **members}


def rules(**changes: Any) -> Rules:
    """What the tests' gate expects of tokens."""
    expected: dict[str, Any] = {
        "issuer": ISSUER,
        "base": BASE,
        "algorithms": frozenset({"ES256", "RS256", "PS256", "Ed25519"}),
    }
    return Rules(**{**expected, **changes})


class Clock:
    """Monotonic seconds, moved by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Site:
    """The issuer's web site: documents by URL; None is not found, an Unreachable is raised."""

    def __init__(self, *keys: Mapping[str, Any]) -> None:
        self.asked: list[str] = []
        self.documents: dict[str, bytes | Unreachable | None] = {
            METADATA: json.dumps({"issuer": ISSUER, "jwks_uri": JWKS}).encode()
        }
        self.publish(*(keys or (public(EC, kid="ec"), public(RSA, kid="rsa"))))

    def publish(self, *keys: Mapping[str, Any]) -> None:
        """Replace the key set."""
        self.documents[JWKS] = json.dumps({"keys": keys}).encode()

    async def fetch(self, url: str) -> bytes | None:
        """Fills `oidc.Fetch`."""
        self.asked.append(url)
        found = self.documents.get(url)
        if isinstance(found, Unreachable):
            raise found
        return found


async def _nothing() -> None:
    return None


def gate(site: Site, clock: Clock | None = None, *, known: int = 100, **changes: Any) -> Bearers:
    """A gate that accepts this issuer's tokens."""
    keys = IssuerKeys(Issuer(issuer=ISSUER), site.fetch, clock or Clock())
    resources = Resources(BASE, (ISSUER,))
    verifier = Oidc(rules(**changes), keys, _nothing)
    return Bearers(verifier, resources, known=known, local_roles=("operator",), uid=1000)
