"""What the claims of a judged token say of its caller: subject, agent, tenant, roles, scopes.

Sources: RFC 7519, section 4; RFC 9068, section 2.2 (`client_id`, `scope`, `roles`); RFC 6749, 3.3.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from bawn.config.policy import SCOPE, TENANT
from bawn.errors import AUTH_INVALID, Refused
from bawn.model import Json

LONGEST_NAME: Final = 512
"""Characters of a subject, an agent or a key id."""

_AGENT: Final = ("client_id", "azp")  # the latter is what OpenID Connect and older issuers have


def invalid(detail: str) -> Refused:
    """A refusal whose cause only the operator reads."""
    return Refused(AUTH_INVALID, detail=detail)


def name_problem(name: object, claim: str) -> str | None:
    """What is wrong with a subject or an agent, if anything: it will stand in the log and the audit."""
    if not isinstance(name, str) or not 0 < len(name) <= LONGEST_NAME:
        return f"{claim}: expected a text of 1 to {LONGEST_NAME} characters"
    if not name.isprintable() or name != name.strip():
        return f"{claim}: expected printable characters, and no spaces around them"
    return None


def tenant_problem(tenant: object, claim: str) -> str | None:
    """What is wrong with the name of a tenant, if anything."""
    if isinstance(tenant, str) and tenant and TENANT.fullmatch(tenant):
        return None
    return f"{claim}: expected the name of one tenant, 1 to 32 of a-z, 0-9 and hyphen"


def scope_problem(scope: str) -> str | None:
    """What is wrong with a scope, if anything (RFC 6749, section 3.3)."""
    if SCOPE.fullmatch(scope):
        return None
    return "scope: expected printable ASCII without spaces, quotes and backslashes"


def subject(claims: Json) -> str:
    """Whom the token is about.

    Raises:
        Refused: auth.invalid.
    """
    if problem := name_problem(claims.get("sub"), "sub"):
        raise invalid(problem)
    return str(claims["sub"])


def agent(claims: Json) -> str:
    """The OAuth client that acts; empty where the issuer names none.

    Raises:
        Refused: auth.invalid, when what it names is no text that may stand for a client.
    """
    for claim in _AGENT:
        if claim in claims:
            if problem := name_problem(claims[claim], claim):
                raise invalid(problem)
            return str(claims[claim])
    return ""


def tenant(claims: Json, claim: str | None, *, required: bool) -> str:
    """The tenant that the token's caller belongs to; empty where no claim is asked for.

    Raises:
        Refused: auth.invalid, when there is none though it is `required`, or more than one, or no
            name of a tenant.
    """
    if claim is None:
        return ""
    found = _at(claims, claim)
    if not found and not required:
        return ""
    if any(problem := tenant_problem(value, claim) for value in found or (None,)):
        raise invalid(str(problem))
    if len(set(found)) != 1:
        raise invalid(f"{claim}: it stands there twice, and names two tenants")
    return str(found[0])


def roles(claims: Json, claim: str, named: Mapping[str, str]) -> frozenset[str]:
    """The caller's roles; `named` maps what the issuer calls them.

    Raises:
        Refused: auth.invalid.
    """
    found = _at(claims, claim)
    return frozenset(named.get(name, name) for name in texts(found[0] if found else None, claim))


def scopes(claims: Json) -> frozenset[str]:
    """What the token was issued for, in either spelling of the claim.

    Raises:
        Refused: auth.invalid.
    """
    return frozenset(texts(claims.get("scope"), "scope") + texts(claims.get("scp"), "scp"))


def texts(value: object, name: str) -> list[str]:
    """Texts from a list, or from one text with spaces between; nothing for what is absent."""
    if value is None:
        return []
    if isinstance(value, str):
        return [word for word in value.split(" ") if word]
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise invalid(f"{name}: expected a text or a list of texts")
    return value


def _at(claims: Json, claim: str) -> list[Any]:
    """The values at a claim whose dots reach into objects.

    A name with dots of its own, such as a URL, comes first.
    """
    whole = [claims[claim]] if claim in claims else []
    value: Any = claims
    steps = claim.split(".")
    for step in steps:
        if not isinstance(value, dict) or step not in value:
            return whole
        value = value[step]
    return [*whole, value] if len(steps) > 1 else whole
