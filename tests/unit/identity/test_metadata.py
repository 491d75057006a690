"""What a client without a token is told, and how safely."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.errors import (
    AUTH_AUDIENCE,
    AUTH_EXPIRED,
    AUTH_INVALID,
    AUTH_MISSING,
    AUTH_UNAVAILABLE,
    POLICY_DENIED,
    Reason,
)
from bawn.identity.metadata import WELL_KNOWN, Resources, serves
from bawn.model import Principal
from tests.forge import BASE, ISSUER

OIDC = Resources(BASE, (ISSUER,))
EMBEDDED = Resources(BASE, ())
PATHED = Resources("https://example.com/bawn", (ISSUER,))

PARAMETER = r'[a-z_]+="(?:[ !#-\[\]-~]|\\["\\])*"'
CHALLENGE = re.compile(rf"Bearer {PARAMETER}(, {PARAMETER})*")


def bound_to(endpoint: str | None) -> Principal:
    return Principal("alice", ISSUER, frozenset(), 0.0, endpoint)


@pytest.mark.parametrize(
    ("bound", "endpoint", "verdict"),
    [
        (None, None, True),
        (None, "files", True),
        ("files", "files", True),
        ("files", None, False),
        ("files", "mail", False),
        ("files", "file", False),
        ("files", "", False),
        ("", None, False),
    ],
)
def test_a_bound_credential_serves_its_own_endpoint_only(
    bound: str | None, endpoint: str | None, verdict: bool
) -> None:
    assert serves(bound_to(bound), endpoint) is verdict


@pytest.mark.parametrize(
    ("endpoint", "resource"), [(None, f"{BASE}/mcp"), ("files", f"{BASE}/mcp/files")]
)
def test_the_metadata_names_exactly_the_endpoint(endpoint: str | None, resource: str) -> None:
    assert OIDC.document(endpoint) == {
        "resource": resource,
        "authorization_servers": [ISSUER],
        "bearer_methods_supported": ["header"],
        "resource_name": "bawn",
    }


def test_the_metadata_names_the_scopes_where_there_are_any() -> None:
    scoped = Resources(BASE, (ISSUER,), ("read", "write"))
    for endpoint in (None, "files"):
        assert scoped.document(endpoint)["scopes_supported"] == ["read", "write"]
        assert "scopes_supported" not in OIDC.document(endpoint)


def test_without_an_issuer_the_metadata_says_where_tokens_come_from() -> None:
    document = EMBEDDED.document(None)
    assert "authorization_servers" not in document
    assert "bawn token" in document["resource_name"]


def test_the_metadata_is_served_where_the_challenge_points() -> None:
    for resources, host in ((OIDC, BASE), (PATHED, "https://example.com")):
        for endpoint in (None, "files"):
            path = resources.metadata_url(endpoint).removeprefix(host)
            assert resources.lookup(path) == resources.document(endpoint)


def test_the_well_known_part_goes_before_the_path() -> None:
    assert PATHED.metadata_url("files") == (
        "https://example.com/.well-known/oauth-protected-resource/bawn/mcp/files"
    )
    assert PATHED.document("files")["resource"] == "https://example.com/bawn/mcp/files"


def test_a_proxy_that_cuts_the_path_off_still_finds_the_metadata() -> None:
    assert PATHED.lookup(f"{WELL_KNOWN}/mcp/files") == PATHED.document("files")


def test_the_bare_path_speaks_for_the_aggregate() -> None:
    assert OIDC.lookup(WELL_KNOWN) == OIDC.document(None)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/mcp",
        f"{WELL_KNOWN}/",
        f"{WELL_KNOWN}/mcp/",
        f"{WELL_KNOWN}x",
        f"{WELL_KNOWN}/MCP",
        f"{WELL_KNOWN}/mcp/Files",
        f"{WELL_KNOWN}/mcp/files/",
        f"{WELL_KNOWN}/mcp/a/b",
        f"{WELL_KNOWN}/mcp/../x",
        f"{WELL_KNOWN}/mcp/{'x' * 33}",
        f"x{WELL_KNOWN}",
    ],
)
def test_other_paths_have_no_metadata(path: str) -> None:
    assert OIDC.lookup(path) is None


def test_a_missing_token_is_challenged_without_an_error() -> None:
    assert OIDC.challenge(AUTH_MISSING, "files") == (
        f'Bearer resource_metadata="{BASE}{WELL_KNOWN}/mcp/files"'
    )


@pytest.mark.parametrize("reason", [AUTH_INVALID, AUTH_EXPIRED, AUTH_AUDIENCE])
def test_a_bad_token_is_challenged_with_its_kind_of_error(reason: Reason) -> None:
    challenge = OIDC.challenge(reason, None)
    assert challenge == (
        f'Bearer error="invalid_token", error_description="{reason.message}", '
        f'resource_metadata="{BASE}{WELL_KNOWN}/mcp"'
    )


@pytest.mark.parametrize("reason", [AUTH_UNAVAILABLE, POLICY_DENIED])
def test_other_refusals_ask_for_no_credentials(reason: Reason) -> None:
    assert OIDC.challenge(reason, None) is None


def test_all_scopes_that_are_needed_come_in_one_challenge() -> None:
    assert OIDC.insufficient_scope(("read", "write"), None) == (
        f'Bearer error="insufficient_scope", scope="read write", '
        f'resource_metadata="{BASE}{WELL_KNOWN}/mcp"'
    )


@given(st.text())
def test_nothing_breaks_out_of_a_challenge(text: str) -> None:
    assert CHALLENGE.fullmatch(OIDC.insufficient_scope((text,), text))
