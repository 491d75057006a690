"""Which server of ours stands for a client's entry: the one of its name, and of several the same one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from bawn.config import secrets
from bawn.config.server import Server
from bawn.discovery.entry import Launch
from bawn.discovery.taking.containers import inherited
from bawn.discovery.taking.names import base_id, slug
from bawn.discovery.taking.packages import without_surprise
from bawn.discovery.taking.references import Untranslatable, translated
from bawn.errors import Misconfigured


def server_of(name: str, launch: Launch, servers: Mapping[str, Server], base: Path) -> str | None:
    """The id of the server for an entry of this name; None when there is none.

    `bawn init` numbers servers that share a name. Among those the one that is reached in the same
    way, with the same variables, is meant. `base` anchors relative files of references.
    """
    named = slug(name) if slug(name) in servers else base_id(name)
    numbered = [id_ for id_ in servers if _is_numbered(id_, named)]
    if not numbered:
        return named if named in servers else None
    candidates = [id_ for id_ in (named, *numbered) if id_ in servers]
    alike = [id_ for id_ in candidates if _reached_alike(launch, servers[id_])]
    same = (id_ for id_ in alike if _same_environment(launch, servers[id_], base))
    return next(same, None) or next(iter(alike), None) or (named if named in servers else None)


def same_server(launch: Launch, server: Server, base: Path) -> bool:
    """Whether a server is reached as an entry says, with the same variables and credential."""
    return _reached_alike(launch, server) and _same_environment(launch, server, base)


def normal(launch: Launch) -> Launch:
    """The launch as it is imported: without npx's `-y`, secrets of containers in the environment."""
    command, _ = without_surprise(launch.command)
    command, moved = inherited(command)
    return replace(launch, command=command, env={**launch.env, **moved})


def _is_numbered(id_: str, named: str) -> bool:
    stem, _, number = id_.rpartition("-")
    return (
        number.isdigit()
        and bool(stem)
        and (stem == named or (len(id_) == 32 and named.startswith(stem)))
    )


def _reached_alike(launch: Launch, server: Server) -> bool:
    launch = normal(launch)
    if server.command is not None:
        return launch.command == server.command
    return not launch.command and launch.url == server.url


def _same_environment(launch: Launch, server: Server, base: Path) -> bool:
    if server.url is not None:
        token = _bearer(launch)
        return _same_value(token, server.auth.token, base) if server.auth.token else not token
    env = normal(launch).env
    return env.keys() == server.env.keys() and all(
        _same_value(env[name], server.env[name], base) for name in env
    )


def _bearer(launch: Launch) -> str:
    headers = {name.lower(): value for name, value in launch.headers.items()}
    return headers.get("authorization", "").partition(" ")[2].strip()


def _same_value(theirs: str, ours: str, base: Path) -> bool:
    try:
        return ours in (theirs, translated(theirs)) or secrets.resolve(ours, base) == theirs
    except (Misconfigured, Untranslatable):
        return False
