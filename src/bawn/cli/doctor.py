"""`bawn doctor`: what stands in the way of a gate on this machine, and what to do about it."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import typer

from bawn.cli.options import ConfigOption, JsonOption, find_config

if TYPE_CHECKING:
    from bawn.config import Config
    from bawn.config.load import Loaded

LONGEST_NAME: Final = 64
"""What several model APIs allow a tool's name, a client's own prefix included."""

CLIENT_PREFIXES: Final = {"Claude Code": "mcp__bawn__", "Cursor": "mcp_bawn_", "Codex": "bawn__"}


class Check(NamedTuple):
    """One look at one thing: fine, or what is wrong and what to do."""

    what: str
    ok: bool
    detail: str


def doctor(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Check this machine, the configuration and the running gate. (stable)"""
    checks = list(_checks(find_config(config)))
    if as_json:
        print(json.dumps([check._asdict() for check in checks], indent=2))
    else:
        for check in checks:
            print(f"{'ok  ' if check.ok else 'FAIL'}  {check.what}: {check.detail}")
    if not all(check.ok for check in checks):
        raise typer.Exit(1)


def _checks(path: Path) -> Iterator[Check]:
    from bawn.config.load import load
    from bawn.errors import Misconfigured

    version = ".".join(map(str, sys.version_info[:3]))
    yield Check("Python", sys.version_info >= (3, 11), f"{version}; 3.11 or newer is needed")
    try:
        loaded = load(path, os.environ)
    except Misconfigured as error:
        yield Check("configuration", False, str(error))
        return
    yield Check("configuration", True, str(path))
    yield _consent(loaded)
    yield from _servers(loaded)
    yield from _tenants(loaded.config)
    state = _state(loaded)
    yield state
    if state.ok:
        yield from _running(loaded)


def _consent(loaded: Loaded) -> Check:
    from bawn.config import trust
    from bawn.errors import Misconfigured

    try:
        trust.require(loaded)
    except Misconfigured as error:
        return Check("consent", False, str(error))
    return Check("consent", True, "given, or not needed")


def _servers(loaded: Loaded) -> Iterator[Check]:
    from bawn.config import secrets
    from bawn.errors import Misconfigured

    for name, server in loaded.config.servers.items():
        if server.command is not None:
            program = server.command[0]
            where = str(loaded.base / program) if "/" in program else program
            found = shutil.which(where)
            yield Check(
                f"server {name}",
                found is not None,
                found or f"{program} is not found; install it, or correct `command`",
            )
        for text in (*server.env.values(), server.auth.token or ""):
            try:
                secrets.resolve(text, loaded.base)
            except Misconfigured as error:
                yield Check(f"server {name}", False, str(error))


def _tenants(config: Config) -> Iterator[Check]:
    """Whether each server has callers who can see it; nothing to say where there are no tenants."""
    owned = {name: server.tenant for name, server in config.servers.items()}
    local = config.identity.local_tenant
    if not local and not any(owned.values()):
        return
    issuers, mode = config.identity.issuers, config.identity.mode
    nameless = mode == "none" or (issuers and not any(issuer.tenant_claim for issuer in issuers))
    reached = {local} if mode == "none" else {local, ""}  # where tokens name no tenant
    for name, tenant in owned.items():
        if nameless and tenant not in reached:
            yield Check(
                f"server {name}",
                False,
                f"no caller is of its tenant ({tenant or 'none'}); set the issuer's "
                "`tenant_claim`, or `identity.local_tenant`",
            )
    mine = sum(tenant == local for tenant in owned.values())
    seen = (
        f"callers on this machine are of {local or 'none'}, and see {mine} of {len(owned)} servers"
    )
    hint = "" if mine else "; set `identity.local_tenant` to one that has servers"
    yield Check("tenants", bool(mine) or not local, seen + hint)


def _state(loaded: Loaded) -> Check:
    from bawn.errors import Misconfigured
    from bawn.storage.directory import StateDirectory

    if not loaded.state.exists():
        return Check("state", True, f"{loaded.state} is made at the first start")
    try:
        StateDirectory(loaded.state)
    except Misconfigured as error:
        return Check("state", False, str(error))
    return Check("state", True, str(loaded.state))


def _running(loaded: Loaded) -> Iterator[Check]:
    from bawn.app.control import NotRunningError, ask
    from bawn.cli.status import health

    try:
        gate = ask(loaded.state, "status")
    except NotRunningError:
        yield Check("gate", True, "not running; `bawn up` starts it")
        return
    body = health(gate["socket"])
    if body is None:
        yield Check("gate", False, "it runs, but does not answer; the log tells why")
        return
    yield Check("gate", body["status"] == "ready", f"{body['status']} at {gate['url']}/mcp")
    for name, server in body.get("servers", {}).items():
        ok = server["state"] == "ok"
        yield Check(
            f"server {name}", ok, server["state"] + (f": {server['detail']}" if not ok else "")
        )
    yield from _names(body.get("longest_name", ""))


def _names(longest: str) -> Iterator[Check]:
    for client, prefix in CLIENT_PREFIXES.items():
        length = len(prefix + longest)
        yield Check(
            f"tool names in {client}",
            length <= LONGEST_NAME,
            f"the longest has {length} characters of {LONGEST_NAME}"
            + ("" if length <= LONGEST_NAME else f" ({longest}); set a shorter `prefix`"),
        )
