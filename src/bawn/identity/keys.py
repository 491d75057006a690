"""The public keys that may vouch for a token, and which of them one token may be judged by.

Each key knows the algorithms it fits, told by its own type and curve. A token's `alg` is looked up
among those, so a key is never used in another way than it was made for (RFC 8725, section 3.1).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

_RSA: Final = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"})
_CURVES: Final[Mapping[tuple[str, str], str]] = {
    ("EC", "P-256"): "ES256",
    ("EC", "P-384"): "ES384",
    ("EC", "P-521"): "ES512",
    ("OKP", "Ed25519"): "Ed25519",
}
_PUBLIC: Final[Mapping[str, tuple[type[RSAKey | ECKey | OKPKey], tuple[str, ...]]]] = {
    "RSA": (RSAKey, ("n", "e")),
    "EC": (ECKey, ("crv", "x", "y")),
    "OKP": (OKPKey, ("crv", "x")),
}
_RSA_BITS: Final = range(2048, 8193)  # RFC 7518, section 3.3; the upper end bounds our own work
_MOST_KEYS: Final = 100


@dataclass(frozen=True, slots=True)
class VerifyKey:
    """One public key: its id if it has one, the algorithms it fits, and what it is (RFC 7638)."""

    kid: str | None
    algorithms: frozenset[str]
    thumbprint: str
    key: Key


def algorithm(name: str) -> str:
    """The one name of an algorithm: `EdDSA` over Ed25519 is `Ed25519` (RFC 9864)."""
    return "Ed25519" if name == "EdDSA" else name


def from_jwk(jwk: Any) -> VerifyKey | None:
    """The key of one JWKS entry, or None if it must not or cannot verify signatures.

    Left out: symmetric and private keys (a published secret proves nothing), keys for encryption,
    RSA below 2048 bits, unknown types and curves. Only the public numbers are taken over.
    """
    if not isinstance(jwk, dict) or "d" in jwk or not _verifies(jwk):
        return None
    kid, named = jwk.get("kid"), jwk.get("alg")
    kind, members = _PUBLIC.get(str(jwk.get("kty")), (None, ()))
    if kind is None or not (kid is None or isinstance(kid, str)):
        return None
    try:
        key = kind.import_key({"kty": jwk["kty"], **{name: jwk[name] for name in members}})
        thumbprint = key.thumbprint()
    except (JoseError, KeyError, TypeError, ValueError):
        return None
    fits = _fitting(key)
    if named is not None:
        fits &= {algorithm(str(named))}
    return VerifyKey(kid, fits, thumbprint, key) if fits else None


def from_jwks(document: Mapping[str, Any]) -> tuple[VerifyKey, ...]:
    """Every usable key of a JWK Set (RFC 7517, section 5), repeated entries once.

    Raises:
        ValueError: it is not a JWK Set, or larger than any honest one.
    """
    entries = document.get("keys")
    if not isinstance(entries, list) or len(entries) > _MOST_KEYS:
        raise ValueError(f"expected `keys`, a list of at most {_MOST_KEYS}")
    found = [key for key in map(from_jwk, entries) if key is not None]
    return tuple({(key.kid, key.thumbprint, key.algorithms): key for key in found}.values())


def choose(keys: Sequence[VerifyKey], kid: str | None, alg: str) -> VerifyKey | None:
    """The key for a token: by `kid`, or without one the only key that fits; never a guess."""
    fitting = [key for key in keys if alg in key.algorithms and kid in (None, key.kid)]
    return fitting[0] if len(fitting) == 1 else None


def _verifies(jwk: Mapping[str, Any]) -> bool:
    operations = jwk.get("key_ops", ["verify"])
    return (
        jwk.get("use", "sig") == "sig" and isinstance(operations, list) and "verify" in operations
    )


def _fitting(key: RSAKey | ECKey | OKPKey) -> frozenset[str]:
    if isinstance(key, RSAKey):
        return _RSA if key.public_key.key_size in _RSA_BITS else frozenset()
    name = _CURVES.get((key.key_type, key.curve_name))
    return frozenset({name}) if name else frozenset()
