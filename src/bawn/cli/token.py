"""`bawn token`: mint a token of the gate's own; only the token goes to standard output."""

from __future__ import annotations

import json as jsonlib
import os
import re
import sys
import time
from typing import TYPE_CHECKING, Annotated, Final

import typer

from bawn.cli.options import ConfigOption, JsonOption, fail, find_config

if TYPE_CHECKING:
    from bawn.config import Config

_TTL: Final = re.compile(r"([0-9]{1,7})([smhd])")
_UNIT: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_LONG: Final = 86_400

SubjectOption = Annotated[
    str,
    typer.Option("--sub", help="Who will call: a person or an agent, as the audit shall name it."),
]
RoleOption = Annotated[
    list[str] | None,
    typer.Option("--role", "-r", help="A role of the caller; repeat for more.", show_default=False),
]
TtlOption = Annotated[
    str, typer.Option("--ttl", help="How long it is good: a number and s, m, h or d; at most 30d.")
]
ServerOption = Annotated[
    str | None,
    typer.Option("--server", help="Good for this server's endpoint only. Default: all."),
]

ScopeOption = Annotated[
    list[str] | None,
    typer.Option("--scope", help="A scope; repeat for more.", show_default=False),
]
AgentOption = Annotated[
    str, typer.Option("--agent", help="The agent that will act for the caller, by its client id.")
]
TenantOption = Annotated[str, typer.Option("--tenant", help="The tenant that the caller is of.")]


def token(
    *,
    sub: SubjectOption,
    role: RoleOption = None,
    scope: ScopeOption = None,
    agent: AgentOption = "",
    tenant: TenantOption = "",
    ttl: TtlOption = "1h",
    server: ServerOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Mint a bearer token for a caller (identity.mode: embedded). (stable)"""
    from bawn.config.load import load
    from bawn.errors import Misconfigured
    from bawn.identity.embedded import open_embedded
    from bawn.storage.directory import StateDirectory

    path = find_config(config)
    try:
        loaded = load(path, os.environ)
        settings = loaded.config
        _check_mode(settings)
        roles, seconds = _roles(role or [], settings), _seconds(ttl)
        _check_tenant(tenant, settings)
        _check_server(server, tenant, settings)
        issuer = open_embedded(
            settings.base_url, settings.identity.leeway, StateDirectory(loaded.state)
        )
        scopes = scope or []
        minted = issuer.mint(sub, roles, seconds, server, scopes=scopes, agent=agent, tenant=tenant)
    except (Misconfigured, ValueError) as problem:
        fail(str(problem), code=2)
    _warn(roles, seconds)
    _warn_of_scopes(scopes, settings)
    if json:
        endpoint = f"{settings.base_url}/mcp" + (f"/{server}" if server else "")
        expires = int(time.time()) + seconds
        print(jsonlib.dumps({"token": minted, "endpoint": endpoint, "expires": expires}))
    else:
        print(minted)


def _check_mode(settings: Config) -> None:
    mode = settings.identity.mode
    if mode != "embedded":
        wanted = "its tokens come from the issuer" if mode == "oidc" else "it asks for no tokens"
        raise ValueError(f"identity.mode is {mode}, expected embedded: in mode {mode} {wanted}")


def _roles(given: list[str], settings: Config) -> list[str]:
    from bawn.policy.roles import BUILT_IN

    known = sorted({*BUILT_IN, *settings.roles})
    unknown = [role for role in given if role not in known]
    if unknown or not given:
        what = f"unknown role {unknown[0]!r}" if unknown else "no role given"
        raise ValueError(f"{what}; expected --role with one of {', '.join(known)}")
    return given


def _seconds(ttl: str) -> int:
    from bawn.identity.embedded import LONGEST_TTL

    match = _TTL.fullmatch(ttl)
    seconds = int(match[1]) * _UNIT[match[2]] if match else 0
    if not 1 <= seconds <= LONGEST_TTL:
        raise ValueError(f"--ttl {ttl!r}: expected such as 90s, 15m, 1h or 7d, and at most 30d")
    return seconds


def _check_tenant(tenant: str, settings: Config) -> None:
    known = sorted({server.tenant for server in settings.servers.values() if server.tenant})
    if tenant and tenant not in known:
        which = ", ".join(known) or "none is configured"
        raise ValueError(f"--tenant {tenant!r} has no server; expected one of: {which}")


def _check_server(server: str | None, tenant: str, settings: Config) -> None:
    if server is None:
        return
    if server not in settings.servers:
        known = ", ".join(sorted(settings.servers)) or "none is configured"
        raise ValueError(f"--server {server!r} is not known; expected one of: {known}")
    owner = settings.servers[server].tenant
    if owner != tenant:
        whose = f"tenant {owner}; expected --tenant {owner}" if owner else "no tenant"
        raise ValueError(f"--server {server!r} belongs to {whose}: this token could not use it")


def _warn(roles: list[str], seconds: int) -> None:
    if "admin" in roles:
        print("bawn: warning: admin may use all that any server offers.", file=sys.stderr)
    if seconds > _LONG:
        print(
            "bawn: warning: whoever finds this token can use it until it ends; "
            "a day or less is safer.",
            file=sys.stderr,
        )


def _warn_of_scopes(scopes: list[str], settings: Config) -> None:
    if settings.scopes and settings.scopes.keys().isdisjoint(scopes):
        print(
            "bawn: warning: `scopes` is set, and this token has none of them, so it can use "
            f"nothing; expected --scope with one of {', '.join(sorted(settings.scopes))}.",
            file=sys.stderr,
        )
