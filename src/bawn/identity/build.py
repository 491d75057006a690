"""The identity room as the configuration wants it; what is unsafe does not start."""

from __future__ import annotations

import time
from urllib.parse import urlsplit

from bawn.config import Config, Issuer
from bawn.config.kinds import is_loopback
from bawn.config.server import SERVER_ID
from bawn.errors import Misconfigured
from bawn.identity.embedded import open_embedded
from bawn.identity.jwt import Rules
from bawn.identity.keys import algorithm
from bawn.identity.metadata import Resources
from bawn.identity.oidc import IssuerKeys, Oidc, is_confidential
from bawn.identity.tokens import Bearers, Verifier
from bawn.storage.directory import StateDirectory


def build_identity(config: Config, state: StateDirectory, insecure_no_auth: bool) -> Bearers:
    """Who may call, by `identity.mode`.

    Raises:
        Misconfigured: mode `none` without the flag or beyond loopback, or an issuer that could be
            impersonated on its way here.
    """
    issuers = tuple(issuer.issuer for issuer in config.identity.issuers)
    return Bearers(
        _verifier(config, state, insecure_no_auth),
        Resources(config.base_url, issuers, sorted(config.scopes)),
        known=config.limits.tokens,
        local_roles=config.identity.local_roles,
        local_tenant=config.identity.local_tenant,
    )


def _verifier(config: Config, state: StateDirectory, insecure_no_auth: bool) -> Verifier | None:
    match config.identity.mode:
        case "embedded":
            return open_embedded(config.base_url, config.identity.leeway, state)
        case "oidc":
            return _oidc(config, config.identity.issuers[0])
        case "none":
            _check_open(config, insecure_no_auth)
            return None


def _check_open(config: Config, insecure_no_auth: bool) -> None:
    if not insecure_no_auth:
        raise Misconfigured(
            "identity.mode: `none` lets anybody on this machine call every tool; expected the flag "
            "--insecure-no-auth with it, or mode `embedded`"
        )
    if not config.loopback_only:
        raise Misconfigured(
            f"listen: {config.listen} can be reached from outside, and identity.mode `none` asks "
            "nobody who they are; listen on 127.0.0.1, or use mode `embedded` or `oidc`"
        )
    if not is_loopback(urlsplit(config.base_url).hostname or ""):
        raise Misconfigured(
            f"public_url: {config.base_url} is for callers from outside, and identity.mode `none` "
            "asks nobody who they are; remove it, or use mode `embedded` or `oidc`"
        )


def _oidc(config: Config, issuer: Issuer) -> Oidc:
    from bawn.identity.fetch import (
        Fetcher,
    )  # its HTTP client is not loaded where nothing is fetched

    _check_issuer(config, issuer)
    rules = Rules(
        issuer=issuer.issuer,
        base=config.base_url,
        algorithms=frozenset(map(algorithm, issuer.algorithms)),
        audience=issuer.audience,
        roles_claim=issuer.roles_claim,
        roles=issuer.roles,
        tenant_claim=issuer.tenant_claim,
        leeway=config.identity.leeway,
    )
    fetcher = Fetcher()
    return Oidc(rules, IssuerKeys(issuer, fetcher, time.monotonic), fetcher.aclose)


def _check_issuer(config: Config, issuer: Issuer) -> None:
    place = "identity.issuers[0]"
    if not is_confidential(issuer.issuer) or urlsplit(issuer.issuer).query:
        raise Misconfigured(
            f"{place}.issuer: expected an https:// URL without a query (http:// for loopback only): "
            "whoever sits in between could sign in as anybody"
        )
    if issuer.jwks_uri is not None and not is_confidential(issuer.jwks_uri):
        raise Misconfigured(f"{place}.jwks_uri: expected https:// (http:// for loopback only)")
    server = (issuer.audience or "").removeprefix(f"{config.base_url}/mcp/")
    if server != issuer.audience and SERVER_ID.fullmatch(server):
        raise Misconfigured(
            f"{place}.audience: {issuer.audience} is one server's endpoint, but an audience set here "
            "serves every endpoint; remove it: that endpoint's own tokens are accepted anyway"
        )
    if not issuer.algorithms:
        raise Misconfigured(f"{place}.algorithms: expected at least one")
