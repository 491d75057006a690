"""Client entries become servers of a configuration: once each, with their secrets taken out."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeAlias

from bawn.config.credentials import may_be_credential
from bawn.config.document import encodable
from bawn.config.load import check
from bawn.discovery.clients import Client
from bawn.discovery.documents.document import Slot
from bawn.discovery.entry import Entry, Launch, launch_of
from bawn.discovery.inventory import ClientFile
from bawn.discovery.pointing.rewrite import is_ours
from bawn.discovery.secrets import in_arguments, in_pair, in_text
from bawn.discovery.taking.matching import normal
from bawn.discovery.taking.names import free_id
from bawn.discovery.taking.packages import without_surprise
from bawn.discovery.taking.references import Untranslatable, translated
from bawn.errors import Misconfigured

Settings: TypeAlias = dict[str, Any]

MAX_VALUE = 16_384
"""Longest value, in characters, that is imported."""

_BEARER = re.compile(r"bearer\s+(\S+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Imported:
    """A server as it will stand in the configuration.

    `secrets` are the values that its references will lead to, by the name they are kept under.
    """

    id: str
    settings: Settings
    origins: tuple[str, ...]
    notes: tuple[str, ...] = ()
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Skipped:
    """An entry that is not imported, and why."""

    origin: str
    name: str
    why: str


class _Refused(Exception):
    """An entry that cannot be imported; its text says why."""


def imported(
    found: Iterable[ClientFile], refer: Callable[[str], str], taken: Collection[str] = ()
) -> tuple[tuple[Imported, ...], tuple[Skipped, ...]]:
    """Servers for every distinct entry. `refer` makes a reference from the name of a secret.

    `taken` are ids that none of them may get.
    """
    servers: dict[Any, Imported] = {}
    skipped: list[Skipped] = []
    for file in found:
        for slot, entry in file.found:
            origin = f"{file.client.title} ({entry.scope})"
            try:
                _take(servers, file.client, slot, entry, origin, refer, taken)
            except _Refused as why:
                skipped.append(Skipped(origin, slot.name, str(why)))
    return tuple(servers.values()), tuple(skipped)


def _take(
    servers: dict[Any, Imported],
    client: Client,
    slot: Slot,
    entry: Entry,
    origin: str,
    refer: Callable[[str], str],
    taken: Collection[str],
) -> None:
    if is_ours(client, slot.value):
        return
    launch = launch_of(client, slot.value)
    _, notes = without_surprise(launch.command)
    launch = normal(launch)
    same = (launch.command, launch.url, _frozen(launch.env), _frozen(launch.headers), launch.cwd)
    known = servers.get(same)
    if known is not None:
        _add_origin(servers, same, known, origin)
        return
    _insist(slot, launch)
    name = free_id(slot.name, {"bawn", *taken, *(server.id for server in servers.values())})
    maker = _Maker(name, refer)
    settings = maker.local(launch) if launch.command else maker.remote(launch)
    _check(name, settings)
    found_in = _project(entry)
    servers[same] = Imported(
        name, settings, (origin,), (*notes, *maker.notes, *found_in), maker.secrets
    )


def _add_origin(servers: dict[Any, Imported], same: Any, known: Imported, origin: str) -> None:
    if origin not in known.origins:
        servers[same] = replace(known, origins=(*known.origins, origin))


def _frozen(pairs: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(pairs.items()))


def _project(entry: Entry) -> tuple[str, ...]:
    return (f"the client starts it in {entry.project} only",) if entry.project else ()


def _insist(slot: Slot, launch: Launch) -> None:
    if slot.problem:
        raise _Refused(slot.problem)
    if launch.disabled:
        raise _Refused("it is disabled there")
    if launch.transport == "unknown":
        raise _Refused("neither a command nor a URL of a known transport")
    values = (*launch.command, launch.url, *launch.env.values(), *launch.headers.values())
    if any(len(value) > MAX_VALUE for value in values):
        raise _Refused(f"it holds a value of more than {MAX_VALUE} characters")
    if any("\0" in value or not encodable(value) for value in values):
        raise _Refused("it holds characters that no program can be given")
    if any(in_arguments(launch.command)):
        raise _Refused(
            "a secret is among its arguments, where every process can read it: use `env`"
        )
    if in_text(launch.url):
        raise _Refused("a secret is in its URL: add it with `bawn server add` and `auth`")


def _check(name: str, settings: Settings) -> None:
    """Hold it against the configuration's own rules, so that the file that is written loads."""
    try:
        check({"servers": {name: settings}})
    except Misconfigured as error:
        raise _Refused("; ".join(error.problems)) from None


class _Maker:
    """Builds the settings of one server, and collects the secrets and notes on the way."""

    def __init__(self, name: str, refer: Callable[[str], str]) -> None:
        self.name = name
        self.refer = refer
        self.secrets: dict[str, str] = {}
        self.notes: list[str] = []

    def local(self, launch: Launch) -> Settings:
        """Settings of a server that is started."""
        settings: Settings = {"command": [self.literal(word) for word in launch.command]}
        if launch.cwd:
            settings["cwd"] = str(Path(self.literal(launch.cwd)))
        env = {name: self.value(name, text) for name, text in launch.env.items()}
        return {**settings, "env": env} if env else settings

    def remote(self, launch: Launch) -> Settings:
        """Settings of a server that is reached by HTTP."""
        settings: Settings = {"url": self.literal(launch.url)}
        for name, text in launch.headers.items():
            bearer = _BEARER.fullmatch(text)
            if name.lower() != "authorization" or bearer is None:
                raise _Refused(f"its header {name} cannot be carried: only bearer tokens can")
            token = self.value("token", bearer.group(1))
            settings["auth"] = {"type": "bearer", "token": token}
        return settings

    def value(self, name: str, text: str) -> str:
        """A variable's value, or a reference to it when it is or may be a secret."""
        if in_pair(name, text) or may_be_credential(text):
            key = f"{self.name}-{name.lower().replace('_', '-')}"
            key = re.sub(r"[^a-z0-9.-]", "-", key)[:100]
            while key in self.secrets:
                key += "-"
            self.secrets[key] = text
            return self.refer(key)
        return self.translated(text)

    def literal(self, text: str) -> str:
        """Text in which nothing is to be looked up; references cannot stand there."""
        if self.translated(text) != text:
            raise _Refused(f"`{text}` refers to something that only the client knows")
        return text

    def translated(self, text: str) -> str:
        """A client's own references as ours."""
        try:
            return translated(text)
        except Untranslatable as what:
            raise _Refused(str(what)) from None
