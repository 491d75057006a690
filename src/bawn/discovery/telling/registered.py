"""The servers that are registered, and the gate itself, as what is seen elsewhere is held against them."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from bawn.config.load import Loaded
from bawn.config.model import Config
from bawn.discovery.shadow.sighting import Sighting, masked_command, masked_text
from bawn.discovery.taking.names import slug
from bawn.discovery.telling.likeness import (
    Address,
    Launch,
    address,
    addresses_in,
    borrowed,
    launch,
    near,
    near_host,
    same_launch,
)

GATE: Final = "bawn"
_FILES: Final = frozenset(["client", "git", "image"])
"""Sources in which people gave the name."""


class Match(NamedTuple):
    """Which server of ours something is, and in which way that shows."""

    id: str
    why: str


@dataclass(frozen=True, slots=True)
class Registered:
    """Every registered server by its id, as an address or as a launch; and the addresses of the gate."""

    urls: Mapping[str, Address]
    launches: Mapping[str, Launch]
    gates: frozenset[Address] = frozenset()

    @classmethod
    def of(cls, found: Loaded) -> Registered:
        """Those of a configuration."""
        urls: dict[str, Address] = {}
        launches: dict[str, Launch] = {}
        for name, server in found.config.servers.items():
            where = address(masked_text(server.url)) if server.url else None
            if where is not None:
                urls[name] = where
            if server.command is not None:
                launches[name] = _anchored(launch(masked_command(server.command)), str(found.base))
        return cls(urls, launches, frozenset(_gates(found.config)))

    @property
    def names(self) -> tuple[str, ...]:
        """The ids."""
        return (*self.urls, *self.launches)

    def is_gate(self, sighting: Sighting) -> bool:
        """Whether a client's entry starts bawn, or leads to it, by way of a bridge as well."""
        words = sighting.command
        if words and _starts_gate(words):
            return True
        return any(each.origin in self.gates for each in _reached(sighting))

    def server_of_gate(self, sighting: Sighting) -> str:
        """The one server that an entry asks the gate for; empty for all of them."""
        words = sighting.command
        at = words.index("--server") + 1 if "--server" in words else len(words)
        return words[at] if at < len(words) else ""

    def match(self, sighting: Sighting) -> Match | None:
        """The registered server that something is."""
        for where in _reached(sighting):
            for name, ours in self.urls.items():
                loose = sighting.source in {"socket", "probe"}
                if where == ours or (loose and where.origin == ours.origin):
                    return Match(name, f"it is reached where `{name}` is")
        if not sighting.command:
            return None
        theirs = launch(sighting.command)
        for name, known in self.launches.items():
            if same_launch(known, theirs):
                same = "the same command" if known.words == theirs.words else "the same program"
                return Match(name, f"{same} as `{name}`")
        return None

    def alike(self, sighting: Sighting) -> tuple[str, ...]:
        """Why something that is no registered server can be taken for one, or for a well-known one."""
        found: list[str] = []
        if sighting.command:
            theirs = launch(sighting.command)
            found += theirs.imitations
            found += [
                f"its package is nearly that of `{name}`"
                for name, ours in self.launches.items()
                if borrowed(ours, theirs)
            ]
        found += [
            f"its host is nearly that of `{name}`: {where.host}"
            for where in _reached(sighting)
            for name, ours in self.urls.items()
            if near_host(ours.host, where.host)
        ]
        if sighting.source in _FILES and sighting.what != "image":
            found += self._named_alike(sighting.name)
        return tuple(dict.fromkeys(found))

    def _named_alike(self, name: str) -> Iterable[str]:
        for ours in self.names:
            if slug(name) == ours:
                yield f"it is called `{ours}`, and is another server than the registered one"
            elif near(ours, name):
                yield f"its name is nearly `{ours}`"


def _gates(config: Config) -> Iterable[Address]:
    urls = [f"http://{config.listen}", config.base_url]
    return (found.origin for url in urls if (found := address(url)) is not None)


def _starts_gate(words: tuple[str, ...]) -> bool:
    """`bawn stdio`, or `python -m bawn stdio`."""
    if posixpath.basename(words[0]) == GATE:
        return words[1:2] == ("stdio",)
    return words[1:4] == ("-m", GATE, "stdio")


def _reached(sighting: Sighting) -> tuple[Address, ...]:
    where = address(sighting.url) if sighting.url else None
    return ((where,) if where is not None else ()) + addresses_in(sighting.command)


def _anchored(found: Launch, base: str) -> Launch:
    """With a program that is relative to the configuration by its whole path."""
    if "/" not in found.program or found.program.startswith("/"):
        return found
    return found._replace(program=posixpath.normpath(posixpath.join(base, found.program)))
