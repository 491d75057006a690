"""What starts, and what does not because it would be unsafe."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from bawn.config import Config, IdentityConfig, Issuer, RoleRule
from bawn.errors import AUTH_MISSING, Misconfigured, Refused
from bawn.identity.build import build_identity
from bawn.identity.embedded import open_embedded
from bawn.identity.jwt import Rules
from bawn.identity.oidc import Oidc
from bawn.identity.tokens import ANONYMOUS
from bawn.model import Peer
from bawn.storage.directory import StateDirectory
from tests.forge import BASE, ISSUER, NOW, REMOTE


@pytest.fixture
def state(tmp_path: Path) -> StateDirectory:
    return StateDirectory(tmp_path / "state")


def none(**changes: Any) -> Config:
    return Config(identity=IdentityConfig(mode="none"), **changes)


def oidc(**changes: Any) -> Config:
    issuer = Issuer(**{"issuer": ISSUER, **changes})
    return Config(identity=IdentityConfig(mode="oidc", issuers=(issuer,)))


async def test_by_default_the_gates_own_tokens_open_it(state: StateDirectory) -> None:
    bearers = build_identity(Config(), state, insecure_no_auth=False)
    token = open_embedded(BASE, 30.0, state).mint("alice", ["viewer"], 60)
    principal = await bearers.verify(b"Bearer " + token.encode(), time.time())
    assert principal.subject == "alice"
    assert principal.roles == {"viewer"}
    with pytest.raises(Refused) as caught:
        bearers.recognise(None, REMOTE, NOW)
    assert caught.value.reason is AUTH_MISSING


async def test_the_insecure_flag_changes_nothing_in_other_modes(state: StateDirectory) -> None:
    bearers = build_identity(Config(), state, insecure_no_auth=True)
    with pytest.raises(Refused):
        bearers.recognise(None, REMOTE, NOW)


@pytest.mark.parametrize("listen", ["127.0.0.1:8811", "[::1]:8811", "localhost:8811"])
def test_mode_none_starts_on_loopback_with_its_flag(state: StateDirectory, listen: str) -> None:
    bearers = build_identity(none(listen=listen), state, insecure_no_auth=True)
    assert bearers.recognise(None, REMOTE, NOW) == ANONYMOUS


@pytest.mark.parametrize(
    ("config", "flag", "what"),
    [
        (none(), False, "--insecure-no-auth"),
        (none(listen="0.0.0.0:8811"), True, "listen"),
        (none(listen="[::]:8811"), True, "listen"),
        (none(listen="192.0.2.1:8811"), True, "listen"),
        (none(listen="gate.example.com:8811"), True, "listen"),
        (none(public_url="https://gate.example.com"), True, "public_url"),
        (oidc(issuer="http://idp.example.com"), False, "issuer"),
        (oidc(issuer=f"{ISSUER}/?tenant=1"), False, "issuer"),
        (oidc(jwks_uri="http://idp.example.com/keys"), False, "jwks_uri"),
        (oidc(audience=f"{BASE}/mcp/files"), False, "audience"),
        (oidc(algorithms=()), False, "algorithms"),
    ],
)
def test_what_is_unsafe_does_not_start(
    state: StateDirectory, config: Config, flag: bool, what: str
) -> None:
    with pytest.raises(Misconfigured, match=what):
        build_identity(config, state, insecure_no_auth=flag)


async def test_scopes_and_tenants_are_as_configured(state: StateDirectory) -> None:
    scopes = {"write": RoleRule(), "read": RoleRule()}
    local = IdentityConfig(local_tenant="acme")
    bearers = build_identity(Config(identity=local, scopes=scopes), state, insecure_no_auth=False)
    assert bearers.resources.document(None)["scopes_supported"] == ["read", "write"]
    own = bearers.recognise(None, Peer("unix", os.geteuid()), NOW)
    assert own is not None
    assert own.tenant == "acme"


async def test_the_claim_that_names_the_tenant_is_the_issuers(
    state: StateDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Rules] = []

    def noted(rules: Rules, *rest: Any) -> Oidc:
        seen.append(rules)
        return Oidc(rules, *rest)

    monkeypatch.setattr("bawn.identity.build.Oidc", noted)
    bearers = build_identity(oidc(tenant_claim="org.id"), state, insecure_no_auth=False)
    assert (seen[0].tenant_claim, seen[0].tenant_required) == ("org.id", True)
    await bearers.aclose()


async def test_an_issuer_is_advertised_and_its_client_closed(state: StateDirectory) -> None:
    bearers = build_identity(oidc(audience="api://bawn"), state, insecure_no_auth=False)
    assert bearers.resources.document(None)["authorization_servers"] == [ISSUER]
    await bearers.aclose()
