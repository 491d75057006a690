"""What every verifier of tokens promises, whoever issued them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from bawn.config import Issuer
from bawn.errors import AUTH_AUDIENCE, AUTH_EXPIRED, AUTH_INVALID, Reason, Refused
from bawn.identity.embedded import Embedded
from bawn.identity.oidc import IssuerKeys, Oidc
from bawn.identity.tokens import Verifier
from tests.forge import ABSENT, BASE, ISSUER, NOW, Clock, Site, claims, header, rules, sign


@dataclass
class Subject:
    """A verifier, and how its own issuer signs any claims."""

    verifier: Verifier
    token: Callable[..., bytes]


def embedded() -> Subject:
    own = Embedded(bytes(range(32)), BASE, 30.0)
    head = header(alg="Ed25519", kid=own._public.kid)

    def token(**changes: Any) -> bytes:
        return sign(claims(**{"iss": BASE, **changes}), head, key=own._private, alg="Ed25519")

    return Subject(own, token)


def oidc() -> Subject:
    async def close() -> None:
        return None

    keys = IssuerKeys(Issuer(issuer=ISSUER), Site().fetch, Clock())
    return Subject(Oidc(rules(), keys, close), lambda **changes: sign(claims(**changes)))


@pytest.fixture(params=[embedded, oidc])
def subject(request: pytest.FixtureRequest) -> Subject:
    made = request.param()
    assert isinstance(made, Subject)
    return made


async def test_an_honest_token_names_its_principal(subject: Subject) -> None:
    principal = await subject.verifier.principal(subject.token(), NOW)
    assert (principal.subject, principal.endpoint) == ("alice", None)
    assert principal.roles == {"developer"}
    assert principal.expires == NOW + 600 + 30


async def test_a_token_for_one_server_is_bound_to_it(subject: Subject) -> None:
    token = subject.token(aud=f"{BASE}/mcp/files")
    assert (await subject.verifier.principal(token, NOW)).endpoint == "files"


async def test_scopes_and_agent_are_those_of_the_token(subject: Subject) -> None:
    said = {"scope": "read write", "client_id": "claude-code"}
    principal = await subject.verifier.principal(subject.token(**said), NOW)
    assert principal.scopes == {"read", "write"}
    assert (principal.agent, principal.tenant) == ("claude-code", "")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"aud": "https://files.example.com/mcp"}, AUTH_AUDIENCE),
        ({"aud": f"{BASE}/mcp/"}, AUTH_AUDIENCE),
        ({"exp": NOW - 31}, AUTH_EXPIRED),
        ({"exp": ABSENT}, AUTH_INVALID),
        ({"nbf": NOW + 31}, AUTH_INVALID),
        ({"sub": ""}, AUTH_INVALID),
        ({"client_id": 5}, AUTH_INVALID),
        ({"scope": 5}, AUTH_INVALID),
        ({"iss": "https://evil.example"}, AUTH_INVALID),
        ({"cnf": {"jkt": "x"}}, AUTH_INVALID),
    ],
)
async def test_a_token_that_falls_short_is_refused(
    subject: Subject, changes: dict[str, Any], reason: Reason
) -> None:
    with pytest.raises(Refused) as caught:
        await subject.verifier.principal(subject.token(**changes), NOW)
    assert caught.value.reason is reason


async def test_another_verifiers_token_is_refused(subject: Subject) -> None:
    for other in (embedded(), oidc()):
        if type(other.verifier) is not type(subject.verifier):
            with pytest.raises(Refused):
                await subject.verifier.principal(other.token(), NOW)
