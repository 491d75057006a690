"""The gate's own tokens: what may be minted, and that what is minted is good."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.errors import AUTH_EXPIRED, Misconfigured, Refused
from bawn.identity.embedded import LONGEST_TTL, Embedded, open_embedded
from bawn.storage.directory import StateDirectory
from tests.forge import BASE, NOW


def own(secret: bytes = bytes(range(32))) -> Embedded:
    return Embedded(secret, BASE, 30.0, clock=lambda: NOW + 0.7)


def part(token: str, index: int) -> dict[str, Any]:
    """The header (0) or the claims (1) of a token."""
    text = token.split(".")[index]
    found = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    assert isinstance(found, dict)
    return found


async def test_a_minted_token_is_accepted_with_what_it_was_minted_for() -> None:
    token = own().mint("alice", ["operator", "developer", "operator"], 60)
    principal = await own().principal(token.encode(), NOW)
    assert (principal.subject, principal.issuer, principal.endpoint) == ("alice", BASE, None)
    assert principal.roles == {"developer", "operator"}
    assert principal.expires == NOW + 60 + 30


async def test_a_token_for_one_server_serves_there_only() -> None:
    token = own().mint("alice", ["developer"], 60, "files")
    assert part(token, 1)["aud"] == f"{BASE}/mcp/files"
    assert (await own().principal(token.encode(), NOW)).endpoint == "files"


async def test_a_token_ends() -> None:
    token = own().mint("alice", ["developer"], 60).encode()
    with pytest.raises(Refused) as caught:
        await own().principal(token, NOW + 90)
    assert caught.value.reason is AUTH_EXPIRED


def test_a_token_says_what_rfc_9068_asks_and_no_more() -> None:
    token = own().mint("alice", ["developer"], 60)
    header, claims = part(token, 0), part(token, 1)
    assert (header["alg"], header["typ"]) == ("Ed25519", "at+jwt")
    assert set(header) == {"alg", "typ", "kid"}
    assert set(claims) == {"iss", "sub", "aud", "iat", "exp", "jti", "roles"}
    assert claims["exp"] - claims["iat"] == 60


def test_no_two_tokens_are_the_same() -> None:
    assert own().mint("a", ["viewer"], 60) != own().mint("a", ["viewer"], 60)


@pytest.mark.parametrize("ttl", [0, -1, LONGEST_TTL + 1])
def test_a_lifetime_has_bounds(ttl: int) -> None:
    with pytest.raises(ValueError, match="ttl"):
        own().mint("alice", ["viewer"], ttl)


@pytest.mark.parametrize("server", ["", "Files", "a/b", "../x", "x" * 33, "a\n"])
def test_a_server_is_named_by_an_id(server: str) -> None:
    with pytest.raises(ValueError, match="server"):
        own().mint("alice", ["viewer"], 60, server)


async def test_a_token_carries_scopes_an_agent_and_a_tenant() -> None:
    further: dict[str, Any] = {
        "scopes": ["write", "read", "read"],
        "agent": "claude-code",
        "tenant": "acme",
    }
    token = own().mint("alice", ["developer"], 60, **further)
    claims = part(token, 1)
    assert (claims["scope"], claims["client_id"]) == ("read write", "claude-code")
    principal = await own().principal(token.encode(), NOW)
    assert principal.scopes == {"read", "write"}
    assert (principal.agent, principal.tenant) == ("claude-code", "acme")


async def test_a_token_for_no_tenant_belongs_to_none() -> None:
    principal = await own().principal(own().mint("alice", ["viewer"], 60).encode(), NOW)
    assert (principal.scopes, principal.agent, principal.tenant) == (frozenset(), "", "")


@pytest.mark.parametrize(
    ("further", "what"),
    [
        ({"scopes": ["a b"]}, "scope"),
        ({"scopes": [""]}, "scope"),
        ({"scopes": ['a"']}, "scope"),
        ({"agent": "a\n"}, "agent"),
        ({"agent": "a" * 513}, "agent"),
        ({"tenant": "Acme"}, "tenant"),
        ({"tenant": "acme\n"}, "tenant"),
        ({"tenant": "a" * 33}, "tenant"),
    ],
)
def test_what_no_token_may_say_is_not_minted(further: dict[str, Any], what: str) -> None:
    with pytest.raises(ValueError, match=f"{what}: expected"):
        own().mint("alice", ["viewer"], 60, **further)


@pytest.mark.parametrize("roles", [[], [""]])
def test_a_token_without_a_role_is_not_minted(roles: list[str]) -> None:
    with pytest.raises(ValueError, match="roles"):
        own().mint("alice", roles, 60)


@given(st.text(max_size=600), st.lists(st.text(max_size=20), max_size=3))
async def test_whatever_is_minted_is_accepted_unchanged(sub: str, roles: list[str]) -> None:
    try:
        token = own().mint(sub, roles, 60)
    except (ValueError, UnicodeEncodeError):
        return
    principal = await own().principal(token.encode(), NOW)
    assert principal.subject == sub
    assert principal.roles == set(roles)


async def test_the_key_is_made_once_and_kept_private(tmp_path: Path) -> None:
    state = StateDirectory(tmp_path / "state")
    token = open_embedded(BASE, 30.0, state).mint("alice", ["viewer"], 60)
    again = open_embedded(BASE, 30.0, StateDirectory(tmp_path / "state"))
    now = part(token, 1)["iat"]
    assert (await again.principal(token.encode(), now)).subject == "alice"
    assert [file.stat().st_mode & 0o077 for file in state.keys.glob("tokens*")] == [0]


def test_two_gates_have_two_keys(tmp_path: Path) -> None:
    one, two = (open_embedded(BASE, 30.0, StateDirectory(tmp_path / name)) for name in "ab")
    assert (
        part(one.mint("a", ["viewer"], 60), 0)["kid"]
        != part(two.mint("a", ["viewer"], 60), 0)["kid"]
    )


def test_a_damaged_key_is_named_and_not_replaced(tmp_path: Path) -> None:
    state = StateDirectory(tmp_path / "state")
    path = state.keys / "tokens.ed25519"
    path.write_bytes(b"short")
    path.chmod(0o600)
    with pytest.raises(Misconfigured, match=r"tokens\.ed25519: damaged"):
        open_embedded(BASE, 30.0, state)
    assert path.read_bytes() == b"short"
