"""Judging one access token: pure, no clock and no network (RFC 7519, 8725, 9068).

First what the token says of itself (`parse`), then the signature, and only then the claims
(`accept`). Its header chooses nothing but the key id: algorithms come from configuration, and
`jku`, `x5u`, `jwk` and `x5c` are never followed.

Kinds: `at+jwt` is an access token. `JWT`, or no `typ` at all, is what most issuers send, so it is
let in unless it shows itself to be an ID token (`nonce`, `at_hash`, `c_hash`), a security event or
logout token (`events`), or what Keycloak and Cognito mark as such. A token bound to a key (`cnf`)
is refused in any case: by bearer alone, nobody has proven to hold that key.

Audience: `{base}/mcp` serves every endpoint, `{base}/mcp/{server}` that one only, the configured
one every endpoint. Compared as exact strings, but for the case of scheme and host: no prefix, no
trailing slash. A token for two servers, but not for all, is refused: one token, one endpoint.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

import msgspec
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwa import JWSAlgModel
from joserfc.util import urlsafe_b64decode

from bawn.config.server import SERVER_ID
from bawn.errors import AUTH_AUDIENCE, AUTH_EXPIRED, Refused
from bawn.identity import claims as says
from bawn.identity.claims import LONGEST_NAME, invalid
from bawn.identity.keys import VerifyKey, algorithm
from bawn.model import Json, Principal
from bawn.protocol.strict import JsonLimits, careful

LONGEST: Final = 16 << 10  # bytes of a token
ACCESS_TOKEN: Final = frozenset({"at+jwt", "application/at+jwt"})
GENERIC: Final = frozenset({"jwt", None})

_LATEST: Final = 2**53  # seconds; beyond it a double is no longer exact
_JSON: Final = JsonLimits(depth=16, nodes=4096)
_NOT_FOR_ACCESS: Final = ("nonce", "at_hash", "c_hash", "events")
_NOT_FOR_ACCESS_VALUES: Final = (("typ", "ID"), ("typ", "Logout"), ("token_use", "id"))


@dataclass(frozen=True, slots=True)
class Rules:
    """What a token must be to count here; `algorithms` by the names of `keys.algorithm`."""

    issuer: str
    base: str
    algorithms: frozenset[str]
    audience: str | None = None  # accepted besides our own endpoints
    types: frozenset[str | None] = ACCESS_TOKEN | GENERIC
    roles_claim: str = "roles"
    roles: Mapping[str, str] = field(default_factory=dict)
    tenant_claim: str | None = None  # where tokens name no tenant, their callers belong to none
    tenant_required: bool = True  # a token without that claim is refused
    leeway: float = 30.0


@dataclass(frozen=True, slots=True)
class Parsed:
    """A well-formed token of the right issuer, whose signature nobody has checked yet."""

    kid: str | None
    algorithm: str
    generic: bool  # its header does not say that it is an access token
    claims: Json
    compact: jws.CompactSignature


class _Registry(jws.JWSRegistry):
    """Algorithms by our names; headers that nobody must understand are ignored (RFC 7515, 4)."""

    def get_alg(self, name: str) -> JWSAlgModel:
        """The algorithm; `EdDSA` is Ed25519 and nothing else."""
        return super().get_alg(algorithm(name))


def parse(token: bytes, rules: Rules) -> Parsed:
    """The parts of a token that may be worth a signature check.

    Raises:
        Refused: auth.invalid, the detail naming the check.
    """
    if len(token) > LONGEST:
        raise invalid(f"the token has {len(token)} bytes, expected at most {LONGEST}")
    parts = token.split(b".")
    if len(parts) != 3 or not all(parts):
        raise invalid("it is not a signed JWT: three parts with dots between, none empty")
    header = _object(parts[0], "header")
    alg, kid, generic = _check_header(header, rules)
    claims = _object(parts[1], "payload")
    if claims.get("iss") != rules.issuer:
        raise invalid(f"iss is {_shown(claims.get('iss'))}, expected {rules.issuer!r}")
    compact = jws.CompactSignature(header, b"")
    compact.segments.update({"header": parts[0], "payload": parts[1], "signature": parts[2]})
    return Parsed(kid, alg, generic, claims, compact)


def accept(parsed: Parsed, key: VerifyKey, rules: Rules, now: float) -> Principal:
    """Whom the token speaks for, once `key` has confirmed the signature.

    `now` is seconds since the epoch. The principal expires when the token does, leeway included.

    Raises:
        Refused: auth.invalid, auth.expired or auth.audience, the detail naming the check.
    """
    if parsed.algorithm not in key.algorithms or not _signed(parsed, key):
        raise invalid("the signature does not fit")
    claims = parsed.claims
    _check_kind(parsed)
    return Principal(
        subject=says.subject(claims),
        issuer=rules.issuer,
        expires=_check_times(claims, rules.leeway, now),
        endpoint=_endpoint(claims.get("aud"), rules),
        roles=says.roles(claims, rules.roles_claim, rules.roles),
        scopes=says.scopes(claims),
        token=token_id(claims),
        agent=says.agent(claims),
        tenant=says.tenant(claims, rules.tenant_claim, required=rules.tenant_required),
    )


def read_id(token: bytes) -> str:
    """The id of a token that nobody has judged: to name it, never to trust it.

    Raises:
        Refused: auth.invalid, when it is no JWT.
    """
    parts = token.removeprefix(b"Bearer ").split(b".")
    if len(token) > LONGEST or len(parts) != 3:
        raise invalid("it is not a signed JWT: three parts with dots between")
    return token_id(_object(parts[1], "payload"))


def token_id(claims: Json) -> str:
    """What identifies a token: its `jti`, else a digest of all that it claims.

    Not of its bytes: some signatures can be rewritten by whoever holds them, and stay good.
    """
    jti = claims.get("jti")
    if isinstance(jti, str) and 0 < len(jti) <= LONGEST_NAME:
        return jti
    return sha256(msgspec.json.encode(claims, order="sorted")).hexdigest()[:32]


def _object(part: bytes, name: str) -> Json:
    try:
        tree = careful(urlsafe_b64decode(part), _JSON)
    except ValueError as error:
        raise invalid(f"its {name} is not base64url") from error
    except Refused as refused:
        raise invalid(f"its {name}: {refused.public or refused.message}") from refused
    if not isinstance(tree, dict):
        raise invalid(f"its {name} is not a JSON object")
    return tree


def _check_header(header: Json, rules: Rules) -> tuple[str, str | None, bool]:
    alg, kid, typ = header.get("alg"), header.get("kid"), header.get("typ")
    if not isinstance(alg, str) or algorithm(alg) not in rules.algorithms:
        raise invalid(
            f"alg is {_shown(alg)}, expected one of {', '.join(sorted(rules.algorithms))}"
        )
    for extension in ("crit", "b64", "cty"):
        if extension in header:
            raise invalid(f"its header has `{extension}`, which is not supported")
    if "kid" in header and not (isinstance(kid, str) and len(kid) <= LONGEST_NAME):
        raise invalid(f"kid: expected a text of at most {LONGEST_NAME} characters")
    kind = typ.lower() if isinstance(typ, str) else typ  # media types ignore case
    if ("typ" in header and not isinstance(typ, str)) or kind not in rules.types:
        raise invalid(f"typ is {_shown(typ)}, expected an access token: at+jwt")
    return algorithm(alg), kid, kind in GENERIC


def _signed(parsed: Parsed, key: VerifyKey) -> bool:
    registry = _Registry(algorithms=[parsed.algorithm], strict_check_header=False)
    try:
        return jws.validate_compact(parsed.compact, key.key, registry=registry)
    except (JoseError, ValueError) as error:
        raise invalid("the signature cannot be checked") from error


def _check_kind(parsed: Parsed) -> None:
    claims = parsed.claims
    if "cnf" in claims:
        raise invalid("it is bound to a key (cnf), which a bearer does not prove to hold")
    if not parsed.generic:
        return
    for name in _NOT_FOR_ACCESS:
        if name in claims:
            raise invalid(f"it has `{name}`: an ID, logout or event token, not an access token")
    for name, value in _NOT_FOR_ACCESS_VALUES:
        if claims.get(name) == value:
            raise invalid(f"its `{name}` is {value}, which is not an access token")


def _check_times(claims: Json, leeway: float, now: float) -> float:
    expires = _time(claims, "exp")
    if expires is None:
        raise invalid("exp is missing")
    if expires + leeway <= now:
        raise Refused(AUTH_EXPIRED, detail=f"exp was {now - expires:.0f} s ago")
    for name in ("nbf", "iat"):
        begins = _time(claims, name)
        if begins is not None and begins - leeway > now:
            raise invalid(f"{name} lies {begins - now:.0f} s ahead: compare the clocks")
    return expires + leeway


def _time(claims: Json, name: str) -> float | None:
    value = claims.get(name)
    if name not in claims:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < _LATEST:
        raise invalid(f"{name}: expected a number of seconds since the epoch")
    return float(value)


def _endpoint(aud: object, rules: Rules) -> str | None:
    """The one server the token serves, or None when it serves all."""
    named = [aud] if isinstance(aud, str) else says.texts(aud, "aud")
    everywhere = _folded(f"{rules.base}/mcp")
    if rules.audience is not None and rules.audience in named:
        return None
    named = [_folded(one) for one in named]
    if everywhere in named:
        return None
    below = everywhere + "/"
    servers = {one.removeprefix(below) for one in named if one.startswith(below)}
    servers = {server for server in servers if SERVER_ID.fullmatch(server)}
    if len(servers) != 1:
        raise Refused(AUTH_AUDIENCE, detail=f"aud is {_shown(aud)}, expected {everywhere}")
    return servers.pop()


def _folded(uri: str) -> str:
    """A URI in which neither scheme nor host depends on case (RFC 3986, section 6.2.2.1)."""
    scheme, mark, rest = uri.partition("://")
    host, slash, path = rest.partition("/")
    if not mark or not (scheme + host).isascii():  # other letters may fold to ours
        return uri
    return scheme.lower() + mark + host.lower() + slash + path


def _shown(value: object) -> str:
    """A claim for the operator's log: nobody has vouched for it, so it is escaped and cut."""
    return ascii(value)[:120]
