"""Rules that types cannot hold: secrets are referred to and never written down, names do not collide.

They look at the tree as it was read, whatever its shape, so that their findings come together with
those about types. A plain value of `env` is accepted when its name does not denote a credential and
its look is not that of one (`credentials.py`); anything else must be a reference.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from bawn.config import secrets
from bawn.config.credentials import (
    denotes_credential,
    known_credential,
    may_be_credential,
    query_credential,
)
from bawn.config.problems import Problem
from bawn.config.server import RESERVED_IDS, SERVER_ID
from bawn.errors import Misconfigured

STORE: Final = (
    "store it with `keyring set bawn NAME` and write ${keyring:NAME}, "
    "or use ${file:PATH} or ${env:NAME}"
)
_VIA_ENV: Final = (
    "arguments can be read by every user of the machine: give it to the program by `env`, "
    "with ${keyring:NAME}, ${file:PATH} or ${env:NAME}"
)
_INLINE_REFERENCE = re.compile(r"\$\{(?:env|file|keyring):")
_ASSIGNMENT = re.compile(r"-*([A-Za-z][A-Za-z0-9_.-]*)=(.+)", re.DOTALL)
_HEADER = re.compile(r"([A-Za-z][A-Za-z0-9-]*): *(\S.*)", re.DOTALL)
_FLAG = re.compile(r"--?[A-Za-z][A-Za-z0-9_.-]*")
_PLACEHOLDER = re.compile(r"\$\{?[A-Za-z_][A-Za-z0-9_]*\}?")  # a shell or the program fills it in


def check(tree: dict[str, Any]) -> Iterator[Problem]:
    """Everything in the tree that breaks a rule."""
    state = tree.get("state")
    if isinstance(state, str) and (not state or re.match(r"~(?!/|$)|.*\0", state)):
        yield Problem(("state",), "expected a directory: absolute, relative or below ~/")
    servers = tree.get("servers")
    if not isinstance(servers, dict):
        return
    for name, server in servers.items():
        if not SERVER_ID.fullmatch(name) or name in RESERVED_IDS:
            reserved = f", and not {name}" if name in RESERVED_IDS else ""
            yield Problem(
                ("servers", name),
                f"expected an id of 1 to 32 of a-z, 0-9 and hyphen{reserved}",
            )
        if isinstance(server, dict):
            yield from _server(name, server)
    yield from _prefixes(servers)


def _server(name: str, server: dict[str, Any]) -> Iterator[Problem]:
    place = ("servers", name)
    env = server.get("env")
    for variable, value in env.items() if isinstance(env, dict) else ():
        if isinstance(value, str):
            yield from _variable((*place, "env", variable), variable, value)
    auth = server.get("auth")
    if isinstance(auth, dict) and isinstance(token := auth.get("token"), str):
        yield from _token((*place, "auth", "token"), token)
    command = server.get("command")
    if isinstance(command, list):
        yield from _command((*place, "command"), command)
    if isinstance(url := server.get("url"), str):
        yield from _url((*place, "url"), url)


def _variable(path: tuple[str, ...], name: str, value: str) -> Iterator[Problem]:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.-]*", name):
        yield Problem(path, "expected the name of an environment variable, such as API_URL")
    try:
        pieces = secrets.parse(value)
    except Misconfigured as problem:
        yield Problem(path, problem.problems[0])
        return
    plain = [piece for piece in pieces if isinstance(piece, str)]
    if any("\0" in piece for piece in plain):
        yield Problem(path, "a NUL character cannot stand in an environment variable")
    elsewhere = any(isinstance(piece, secrets.Reference) for piece in pieces)
    path_of_its_own = isinstance(pieces[0], secrets.Data) if pieces else True
    if denotes_credential(name) and not elsewhere and not path_of_its_own:
        yield Problem(path, f"its name says it is a secret, expected a reference; {STORE}")
    elif any(map(may_be_credential, plain)):
        yield Problem(path, f"its value may be a secret, expected a reference; {STORE}")


def _token(path: tuple[str, ...], token: str) -> Iterator[Problem]:
    if not secrets.is_reference(token):
        yield Problem(path, f"expected a reference, never the token itself; {STORE}")


def _command(path: tuple[str, ...], command: list[Any]) -> Iterator[Problem]:
    flag = ""
    for at, argument in enumerate(command):
        if not isinstance(argument, str):
            continue
        if at == 0 and not argument.strip():
            yield Problem((*path, at), "expected a program to start, got empty text")
        if "\0" in argument:
            yield Problem((*path, at), "a NUL character cannot stand in an argument")
        if _INLINE_REFERENCE.search(argument):
            yield Problem((*path, at), f"references are not resolved in arguments; {_VIA_ENV}")
        elif _is_inline_secret(argument) or (flag and not _is_harmless(argument)):
            yield Problem((*path, at), f"this looks like a secret; {_VIA_ENV}")
        flag = argument if _FLAG.fullmatch(argument) and denotes_credential(argument) else ""


def _is_inline_secret(argument: str) -> bool:
    named = _ASSIGNMENT.fullmatch(argument) or _HEADER.fullmatch(argument)
    if named and denotes_credential(named[1]) and not _is_harmless(named[2]):
        return True
    return known_credential(argument)


def _is_harmless(value: str) -> bool:
    """Whether what follows a name that denotes a credential cannot be one."""
    return (
        value.startswith(("-", "/", "./", "../", "~"))
        or value.lower() in {"true", "false", "none", "env", "0", "1"}
        or bool(_PLACEHOLDER.fullmatch(value))
    )


def _url(path: tuple[str, ...], url: str) -> Iterator[Problem]:
    if _INLINE_REFERENCE.search(url):
        yield Problem(path, "references are not resolved in URLs; set `auth` for credentials")
    elif (name := query_credential(url)) is not None:
        yield Problem(
            path, f"its parameter `{name}` may be a secret; expected `auth` with a reference"
        )


def _prefixes(servers: dict[str, Any]) -> Iterator[Problem]:
    """Two servers with one prefix would offer one name for two things; empty ones are checked by name."""
    owners: dict[str, str] = {}
    for name, server in servers.items():
        given = server.get("prefix") if isinstance(server, dict) else None
        prefix = f"{name}__" if given is None else given
        if not isinstance(prefix, str) or not prefix:
            continue
        if (owner := owners.setdefault(prefix, name)) != name:
            key = ("servers", name) if given is None else ("servers", name, "prefix")
            yield Problem(key, f"server `{owner}` has the prefix `{prefix}` too; expected another")
