"""Targets, from where servers are written down: clients' files, a configuration, a lockfile, a listing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from bawn.assurance.across.offer import of_record, shown
from bawn.assurance.lock.reading import Lock, is_sound
from bawn.assurance.scanning.target import Definitions, Target
from bawn.config import Config, Server
from bawn.discovery.entry import Secret, launch_of
from bawn.discovery.inventory import ClientFile
from bawn.discovery.secrets import in_arguments, in_pair, in_text, pair_name
from bawn.errors import Refused
from bawn.findings.finding import Finding
from bawn.launching.package import Resolution
from bawn.model import Json, Kind, Listing
from bawn.pins.record import Aspect, Record

Read = Callable[[str], Record | None]
Packages = Callable[[str], Resolution | None]

_KINDS: Final[Mapping[Aspect, Kind]] = {
    "tool": Kind.TOOL,
    "prompt": Kind.PROMPT,
    "template": Kind.TEMPLATE,
}


def of_clients(files: Sequence[ClientFile]) -> list[Target]:
    """The servers that clients would start or reach; those of one client are a group."""
    found = []
    for file in files:
        for slot, entry in file.found:
            launch = launch_of(file.client, slot.value)
            found.append(
                Target(
                    name=f"{file.client.id}:{shown(entry.name)}",
                    group=file.client.id,
                    file=str(entry.path),
                    line=entry.line,
                    command=launch.command,
                    env=launch.env,
                    cwd=Path(entry.project or launch.cwd),
                    cwd_as_written=launch.cwd,
                    url=launch.url,
                    secrets=entry.secrets,
                )
            )
    return found


def unreadable(files: Iterable[ClientFile]) -> Iterator[Finding]:
    """What could not be looked at of the clients."""
    for file in files:
        if file.error:
            message = f"this file of {file.client.title} cannot be used: {file.error}"
            fix = "Mend it: the client cannot use it either."
            path = str(file.path)
            yield Finding("note", "scan/unreadable", "", path, 0, message, fix, file.client.id)


def of_config(
    config: Config, file: str, base: Path, records: Read, packages: Packages
) -> tuple[list[Target], list[str]]:
    """The servers of a gate with what is on record of them; and of which the record cannot be read."""
    found, problems = [], []
    for name, server in config.servers.items():
        record, resolution = None, None
        try:
            record, resolution = records(name), packages(name)
        except Refused as refused:
            problems.append(f"{name}: {refused.detail or refused.message}")
        target = of_server(name, server, file, base, resolution)
        if record is not None and record.first:
            target = replace(target, definitions=_recorded(record))
        found.append(replace(target, prefix=config.prefix_of(name)))
    return found, problems


def of_server(
    name: str, server: Server, file: str, base: Path, resolution: Resolution | None = None
) -> Target:
    """A server of a configuration, of which nobody has listed what it offers."""
    command = server.command or ()
    return Target(
        name=name,
        group=server.tenant,
        file=file,
        command=command,
        env=server.env,
        cwd=base / Path(server.cwd or "").expanduser(),
        cwd_as_written=server.cwd or "",
        url=server.url or "",
        secrets=tuple(_secrets(command, server.env, server.url or "")),
        settings=server,
        resolution=resolution,
        prefix=f"{name}__" if server.prefix is None else server.prefix,
    )


def of_lock(lock: Lock, file: str, base: Path) -> tuple[list[Target], list[Finding]]:
    """The servers of a lockfile, and what of it is damaged."""
    found = []
    problems = [
        Finding("error", "definition/unusable", "", file, 0, why, "Write it anew: `bawn lock`.", name)
        for name, why in lock.damaged.items()
    ]  # fmt: skip
    for name, locked in lock.servers.items():
        definitions: dict[Aspect, tuple[Json, ...]] = {}
        for pin in locked.pins:
            if pin.aspect == "launch":
                continue
            if not is_sound(pin):
                message = (
                    f"the definition of {pin.aspect} `{shown(pin.name)}` is not that of its digest"
                )
                fix = "Write it anew: `bawn lock`."
                subject = f"{name}/{pin.name}"
                problems.append(
                    Finding("error", "definition/unusable", "", file, 0, message, fix, subject)
                )
            definitions[pin.aspect] = (*definitions.get(pin.aspect, ()), pin.definition)
        found.append(_locked(name, locked.reach, definitions, locked.package, file, base))
    return found, problems


def listed(target: Target, listing: Listing) -> Target:
    """A server with what it has just said of itself."""
    definitions: dict[Aspect, tuple[Json, ...]] = {
        aspect: listing.definitions.get(kind, ()) for aspect, kind in _KINDS.items()
    }
    if listing.instructions:
        definitions["instructions"] = ({"text": listing.instructions},)
    return replace(target, definitions=definitions)


def _recorded(record: Record) -> Definitions:
    offered = of_record(record, "").definitions
    return {aspect: tuple(several.values()) for aspect, several in offered.items()}


def _locked(
    name: str,
    reach: Json,
    definitions: Definitions,
    package: Resolution | None,
    file: str,
    base: Path,
) -> Target:
    """Of a lockfile nothing is taken on trust: what is no text is not there."""
    command = tuple(map(str, _list(reach.get("command"))))
    env = {str(each): "" for each in _list(reach.get("env"))}
    prefix = reach.get("prefix")
    return Target(
        name=name,
        group=str(reach.get("tenant", "")),
        file=file,
        command=command,
        env=env,
        cwd=base / str(reach.get("cwd", "")),
        cwd_as_written=str(reach.get("cwd", "")),
        url=str(reach.get("url", "")),
        secrets=tuple(_secrets(command, {}, str(reach.get("url", "")))),
        definitions=definitions,
        resolution=package,
        prefix=prefix if isinstance(prefix, str) else f"{name}__",
    )


def _secrets(command: tuple[str, ...], env: Mapping[str, str], url: str) -> Iterator[Secret]:
    for at, hits in enumerate(in_arguments(command)):
        name = pair_name(command[at]) or f"argument {at}"
        yield from (Secret("argument", name, hit.end - hit.start) for hit in hits)
    for name, text in env.items():
        yield from (Secret("env", name, hit.end - hit.start) for hit in in_pair(name, text))
    yield from (Secret("url", "URL", hit.end - hit.start) for hit in in_text(url))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
