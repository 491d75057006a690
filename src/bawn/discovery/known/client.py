"""What a row of the table of clients holds: where its files are, what they call things."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias

from bawn.discovery.documents.document import KeyPath

Scope: TypeAlias = Literal["user", "local", "project", "managed"]
"""`local` is one project's part of a user's file; `managed` files belong to the administrator."""

Root: TypeAlias = Literal["home", "applications", "config", "claude", "codex", "system", "project"]


@dataclass(frozen=True, slots=True)
class Roots:
    """The directories that the paths of the table start from."""

    home: Path
    applications: Path
    config: Path
    claude: Path
    codex: Path
    system: Path
    platform: str

    @classmethod
    def of(
        cls, environ: Mapping[str, str], platform: str = sys.platform, system: str = "/"
    ) -> Roots:
        """The roots of the user whose environment this is."""
        home = Path(environ.get("HOME") or Path.home())
        config = Path(environ.get("XDG_CONFIG_HOME") or home / ".config")
        library = home / "Library" / "Application Support"
        return cls(
            home=home,
            applications=library if platform == "darwin" else config,
            config=config,
            claude=Path(environ.get("CLAUDE_CONFIG_DIR") or home),
            codex=Path(environ.get("CODEX_HOME") or home / ".codex"),
            system=Path(system),
            platform=platform,
        )


class Place(NamedTuple):
    """Where in a file servers stand."""

    scope: Scope
    keys: KeyPath


@dataclass(frozen=True, slots=True)
class Location:
    """A file below a root; one component of its path may hold `*`."""

    root: Root
    path: str
    places: tuple[Place, ...]
    platform: str = ""  # only there; empty for everywhere


@dataclass(frozen=True, slots=True)
class Client:
    """One client. The first location of a scope is the one that new entries are written to.

    `keeps` are the fields that say how the user wants a server treated, not how it is reached: they
    outlive `connect`. `http` is None where a file cannot name a remote server. `inside` are the types of
    entries that are the client's own parts, and no servers. `processes` are the names its programs run
    under.
    """

    id: str
    title: str
    locations: tuple[Location, ...]
    stdio: Mapping[str, Any] = field(default_factory=dict)
    http: Mapping[str, Any] | None = field(default_factory=dict)
    command: str = "command"
    url: str = "url"
    one_list: bool = False  # the program and its arguments are one list
    bare_url: Literal["http", "sse"] = "http"  # what a `url` without a type means
    keeps: tuple[str, ...] = ()
    inside: tuple[str, ...] = ()
    processes: tuple[str, ...] = ()

    @property
    def writable(self) -> bool:
        """Whether its files can be edited without loss: YAML cannot."""
        return not self.locations[0].path.endswith(".yaml")

    def stdio_entry(self, command: str, args: Sequence[str]) -> dict[str, Any]:
        """An entry that starts a program."""
        if self.one_list:
            return {**self.stdio, self.command: [command, *args]}
        return {**self.stdio, self.command: command, "args": list(args)}

    def http_entry(self, url: str) -> dict[str, Any]:
        """An entry that reaches a Streamable HTTP endpoint.

        Raises:
            ValueError: this client's file cannot hold one.
        """
        if self.http is None:
            raise ValueError(f"{self.title} cannot be given a URL in its file")
        return {**self.http, self.url: url}


SERVERS: KeyPath = ("mcpServers",)
"""Where most clients have their servers."""


def files(scope: Scope, keys: KeyPath, root: Root, *paths: str) -> tuple[Location, ...]:
    """Files of one root with servers at one place."""
    return tuple(Location(root, path, (Place(scope, keys),)) for path in paths)


def managed(keys: KeyPath, linux: str, macos: str) -> tuple[Location, ...]:
    """The administrator's file on each platform."""
    place = (Place("managed", keys),)
    return (
        Location("system", linux, place, "linux"),
        Location("system", macos, place, "darwin"),
    )
