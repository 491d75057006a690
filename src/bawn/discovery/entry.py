"""What a client's entry says: how a server is reached, with every secret left out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias
from urllib.parse import urlsplit

from bawn.discovery.clients import Client, Scope
from bawn.discovery.documents.document import Slot
from bawn.discovery.secrets import (
    Hit,
    in_arguments,
    in_pair,
    in_text,
    mask,
    names_credential,
    pair_name,
)

Transport: TypeAlias = Literal["stdio", "http", "sse", "unknown"]

_TYPES: dict[str, Transport] = {
    "stdio": "stdio",
    "local": "stdio",
    "sse": "sse",
    "http": "http",
    "streamable-http": "http",
    "streamablehttp": "http",
    "streamable_http": "http",
    "remote": "http",
}
_ENV_FIELDS = ("env", "environment", "envs")
_HEADER_FIELDS = ("headers", "http_headers")


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret that stands literally in a file: what it is called and how long it is, never itself."""

    place: Literal["env", "header", "argument", "url", "field"]
    name: str
    length: int

    def __str__(self) -> str:
        return f"{self.name} (inline secret, {self.length} characters)"


@dataclass(frozen=True, slots=True)
class Entry:
    """One server of one client. `command` and `url` are exact and whole, but for masked secrets."""

    client: str
    path: Path
    scope: Scope
    project: str  # the directory that a `local` entry is for
    name: str
    line: int
    transport: Transport
    command: tuple[str, ...]
    url: str
    env: tuple[str, ...]
    headers: tuple[str, ...]
    secrets: tuple[Secret, ...]
    disabled: bool
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Launch:
    """The fields of an entry that say how its server is reached, with their secrets: handle with care."""

    transport: Transport
    command: tuple[str, ...]
    url: str
    env: dict[str, str]
    headers: dict[str, str]
    cwd: str
    disabled: bool


def launch_of(client: Client, value: Any) -> Launch:
    """Read an entry's fields by the names that clients give them; what is malformed reads as absent."""
    fields = value if isinstance(value, dict) else {}
    url = next((_text(fields.get(key)) for key in (client.url, "url") if fields.get(key)), "")
    command, fields = _command(client, fields)
    return Launch(
        transport=_transport(client, fields, command[0] if command else "", url),
        command=command,
        url=url,
        env=_pairs(fields, _ENV_FIELDS),
        headers=_pairs(fields, _HEADER_FIELDS),
        cwd=_text(fields.get("cwd")),
        disabled=fields.get("disabled") is True or fields.get("enabled") is False,
    )


def _command(client: Client, fields: dict[Any, Any]) -> tuple[tuple[str, ...], dict[Any, Any]]:
    """The whole command, and the fields with those of a nested command beside them.

    `command` is a program, one list with its arguments (opencode), or an object (Zed before 2026).
    """
    command = fields.get(client.command)
    if isinstance(command, dict):
        fields = {**fields, **command}
        command = command.get("path")
    words = command if isinstance(command, list) else [command]
    args = fields.get("args")
    words = [*words, *args] if isinstance(args, list) else words
    if not words or not isinstance(words[0], str) or not words[0]:
        return (), fields
    return tuple(str(word) for word in words), fields


def entry_of(client: Client, path: Path, scope: Scope, slot: Slot) -> Entry:
    """The entry at a slot, safe to keep and show."""
    launch = launch_of(client, slot.value)
    hits = in_arguments(launch.command)
    return Entry(
        client=client.id,
        path=path,
        scope=scope,
        project=slot.keys[1] if scope == "local" else "",
        name=slot.name,
        line=slot.line,
        transport=launch.transport,
        command=tuple(mask(word, found) for word, found in zip(launch.command, hits, strict=True)),
        url=mask(launch.url, in_text(launch.url)),
        env=tuple(launch.env),
        headers=tuple(launch.headers),
        secrets=tuple(_secrets(launch, slot.value)),
        disabled=launch.disabled,
        problem=slot.problem,
    )


def _secrets(launch: Launch, value: Any) -> Iterator[Secret]:
    for name, text in launch.env.items():
        yield from (Secret("env", name, end - start) for start, end in in_pair(name, text))
    for name, text in launch.headers.items():
        yield from (Secret("header", name, end - start) for start, end in in_pair(name, text))
    arguments = in_arguments(launch.command)
    for at, hits in enumerate(arguments):
        name = _argument_name(launch.command, arguments, at)
        yield from (Secret("argument", name, end - start) for start, end in hits)
    yield from (Secret("url", "URL", end - start) for start, end in in_text(launch.url))
    token = value.get("bearer_token") if isinstance(value, dict) else None
    if isinstance(token, str) and token:
        yield Secret("field", "bearer_token", len(token))


def _argument_name(command: tuple[str, ...], hits: tuple[tuple[Hit, ...], ...], at: int) -> str:
    """What a secret argument is called: by its own name, by the option before it, else by its place."""
    name = pair_name(command[at])
    if name and all(hit.start >= len(name) for hit in hits[at]):
        return name
    option = command[at - 1] if at else ""
    if option.startswith("-") and not hits[at - 1] and names_credential(option):
        return option
    return f"argument {at}"


def _transport(client: Client, fields: dict[Any, Any], program: str, url: str) -> Transport:
    named = _text(fields.get("type")) or _text(fields.get("transport"))
    if program and not url:
        return "stdio"
    if not url:
        return "unknown"
    if named:
        return _TYPES.get(named.lower(), "unknown")
    try:
        ends_in_sse = urlsplit(url).path.rstrip("/").endswith("/sse")
    except ValueError:
        return "unknown"
    if ends_in_sse:
        return "sse"
    return "http" if fields.get(client.url) == url and client.url != "url" else client.bare_url


def _pairs(fields: dict[Any, Any], names: tuple[str, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in names:
        pairs = fields.get(name)
        if isinstance(pairs, dict):
            found |= {str(key): str(item) for key, item in pairs.items() if item is not None}
    return found


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
