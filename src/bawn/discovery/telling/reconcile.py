"""What was seen, held against what is registered: behind the gate, known, past it, imitated, or unknown.

The same server seen by several sources is one row with all its evidence.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Final, Literal, NamedTuple, TypeAlias

import msgspec

from bawn.discovery.shadow.sighting import Sighting, Unseen
from bawn.discovery.telling.likeness import Launch, address, bare, launch
from bawn.discovery.telling.registered import GATE, Registered
from bawn.findings.finding import Finding, Level

Class: TypeAlias = Literal["behind", "known", "bypass", "look-alike", "unknown"]

CLASSES: Final[tuple[Class, ...]] = ("look-alike", "bypass", "unknown", "known", "behind")
ALARMING: Final = frozenset[Class](["look-alike", "bypass", "unknown"])
_PLACED: Final = frozenset(["probe", "socket", "cluster", "image"])
"""Sources that see a server itself, not somebody who uses it."""

_FIX: Final[Mapping[Class, str]] = {
    "unknown": "move it behind the gate with `bawn discover --adopt`, or remove it",
    "bypass": "point it at the gate with `bawn discover --adopt` or `bawn connect`",
    "look-alike": "check at its makers' own page what it is, and remove it if it is not theirs",
}


class Surroundings(NamedTuple):
    """What is needed of the machine: its own addresses, and the ports that others reach on it."""

    addresses: frozenset[str] = frozenset()
    exposed: frozenset[int] = frozenset()


NOWHERE: Final = Surroundings()


class Row(msgspec.Struct, frozen=True):
    """One server, with everything that was seen of it. `server` is its id if it is registered.

    `dormant`: every sighting is of an entry that is switched off, so that it calls for nothing.
    """

    kind: Class
    name: str
    level: Level
    server: str
    why: tuple[str, ...]
    sightings: tuple[Sighting, ...]
    dormant: bool = False

    @property
    def alarms(self) -> bool:
        """Whether something should be done about it."""
        return self.kind in ALARMING and not self.dormant


class _Judged(NamedTuple):
    sighting: Sighting
    kind: Class
    server: str
    why: tuple[str, ...]


def reconcile(
    registered: Registered,
    sightings: Iterable[Sighting],
    passing: Iterable[Sighting] = (),
    around: Surroundings = NOWHERE,
) -> tuple[Row, ...]:
    """The rows, gravest first. `passing` are connections of others to a registered server's address."""
    seen = tuple(sightings)
    placed = _placed(registered, seen)
    judged = [_judge(registered, each, placed, around) for each in seen]
    judged += [_Judged(each, "bypass", each.name, each.evidence) for each in passing]
    rows = [_row(group, around) for group in _grouped(judged)]
    return tuple(sorted(rows, key=lambda row: (CLASSES.index(row.kind), row.dormant, row.name)))


def _placed(registered: Registered, seen: Sequence[Sighting]) -> Mapping[int, str]:
    """The processes that are a registered server themselves: they listen where it is reached."""
    found: dict[int, str] = {}
    for each in seen:
        if each.source == "socket" and each.pid and each.url:
            where = address(each.url)
            for name, ours in registered.urls.items():
                if where == ours:
                    found[each.pid] = name
    return found


def _judge(
    registered: Registered, sighting: Sighting, placed: Mapping[int, str], around: Surroundings
) -> _Judged:
    if registered.is_gate(sighting):
        if sighting.source in _PLACED:
            return _Judged(sighting, "known", GATE, ("the gate itself",))
        return _Judged(sighting, "behind", registered.server_of_gate(sighting) or GATE, ())
    if sighting.pid in placed and sighting.source == "process":
        why = f"it listens where `{placed[sighting.pid]}` is reached"
        return _Judged(sighting, "known", placed[sighting.pid], (why,))
    match = registered.match(sighting)
    if sighting.ours:
        why = "under the gate's own runner"
        return _Judged(sighting, "known", match.id if match else sighting.name, (why,))
    if match is not None:
        kind: Class = "known" if _in_place(registered, sighting, match.id, around) else "bypass"
        return _Judged(sighting, kind, match.id, (match.why,))
    alike = registered.alike(sighting)
    return _Judged(sighting, "look-alike" if alike else "unknown", "", alike)


def _in_place(
    registered: Registered, sighting: Sighting, server: str, around: Surroundings
) -> bool:
    """Whether a registered server was seen itself, and not somebody who uses it past the gate."""
    if sighting.source == "log":
        # What the gate sends there is logged as well: only others' requests are past it.
        return clients_of(sighting) <= around.addresses
    return sighting.source in _PLACED and (server in registered.urls or sighting.what == "image")


def clients_of(sighting: Sighting) -> frozenset[str]:
    """The addresses that a log names as having asked."""
    told = [line for line in sighting.evidence if line.startswith("from ")]
    return frozenset(
        name
        for line in told
        for name in line.removeprefix("from ").removesuffix(" and others").split(", ")
        if name
    )


def _grouped(judged: Iterable[_Judged]) -> Iterator[tuple[_Judged, ...]]:
    """Those of one server and class together; what is not registered by what it is."""
    groups: list[list[_Judged]] = []
    known: dict[Hashable, int] = {}
    # Processes come last: what is configured says more exactly which server one is.
    for each in sorted(judged, key=lambda one: one.sighting.source == "process"):
        keys = _keys(each)
        found = sorted({known[key] for key in keys if key in known})
        if not found and each.sighting.source == "process":
            found = _started_by(each, groups)
        if not found:
            found = [len(groups)]
            groups.append([])
        for other in found[1:]:  # one sighting that is both joins them
            groups[found[0]] += groups[other]
            groups[other] = []
            known |= {key: found[0] for key, at in known.items() if at == other}
        groups[found[0]].append(each)
        known |= dict.fromkeys(keys, found[0])
    yield from (tuple(group) for group in groups if group)


def _keys(judged: _Judged) -> list[Hashable]:
    seen, kind = judged.sighting, judged.kind
    if judged.server:
        return [(kind, judged.server)]
    keys: list[Hashable] = [(kind, "pid", seen.pid)] if seen.pid else []
    where = address(seen.url) if seen.url else None
    if where is not None:
        keys.append((kind, where))
    if seen.command and seen.source not in {"process", "socket"}:
        keys.append((kind, launch(seen.command).words))
    return keys or [(kind, seen.source, seen.where, seen.name)]


def _started_by(process: _Judged, groups: Sequence[Sequence[_Judged]]) -> list[int]:
    """The one configured server that a process was started as; none when several may be it."""
    theirs = launch(process.sighting.command)
    exact: list[int] = []
    alike: list[int] = []
    for at, group in enumerate(groups):
        for each in group:
            if each.kind != process.kind or each.server or not each.sighting.command:
                continue
            ours = launch(each.sighting.command)
            if ours.words == theirs.words:
                exact.append(at)
            elif _program(ours) == _program(theirs) and ours.arguments == theirs.arguments:
                alike.append(at)
    for found in (sorted(set(exact)), sorted(set(alike))):
        if len(found) == 1:
            return found
    return []


def _program(found: Launch) -> str:
    return bare(found.package.name if found.package is not None else found.program)


def _row(group: Sequence[_Judged], around: Surroundings) -> Row:
    first = group[0]
    seen = tuple(each.sighting for each in group)
    opened = [line for each in seen if (line := _open(each, around))]
    secrets = sorted({secret for each in seen for secret in each.secrets})
    why = [line for each in group for line in each.why]
    why += [f"inline secret: {secret}" for secret in secrets]
    level: Level = "note"
    dormant = all(each.disabled for each in seen)
    if first.kind in ALARMING and not dormant:
        grave = first.kind == "look-alike" or bool(opened) or bool(secrets)
        level = "error" if grave else "warning"
    lines = tuple(dict.fromkeys([*why, *opened]))
    return Row(first.kind, first.server or _name(seen), level, first.server, lines, seen, dormant)


def _open(sighting: Sighting, around: Surroundings) -> str:
    """What is to be said of a server that others reach and that asks for no credentials."""
    where = address(sighting.url) if sighting.access == "open" else None
    if where is None or (where.is_loopback and where.port not in around.exposed):
        return ""
    return "it answers anybody who reaches it, without credentials"


def _name(seen: Sequence[Sighting]) -> str:
    """What people call it, if anybody does."""
    named = (each.name for each in seen if each.source in {"client", "git", "cluster"})
    return next(named, seen[0].name)


def findings(rows: Iterable[Row], unseen: Iterable[Unseen]) -> Iterator[Finding]:
    """What calls for something, and, as notes, what could not be looked at."""
    for row in rows:
        if not row.alarms:
            continue
        file, line = _place(row.sightings[0])
        told = "; ".join(row.why) or _TOLD[row.kind]
        yield Finding(
            row.level, f"discovery/{row.kind}", "", file, line,
            f"{row.name}: {told}", _FIX[row.kind], row.server or row.name,
        )  # fmt: skip
    for each in unseen:
        more = f" ({each.count})" if each.count > 1 else ""
        message = f"not seen: {each.where}: {each.why}{more}"
        yield Finding("note", "discovery/not-seen", "", "", 0, message, subject=each.source)


_TOLD: Final[Mapping[Class, str]] = {
    "unknown": "an MCP server that is not registered",
    "bypass": "a registered server is used past the gate",
    "look-alike": "it can be taken for another server",
}


def _place(sighting: Sighting) -> tuple[str, int]:
    """The file and line of a client's entry; empty where there is no file."""
    file, _, line = sighting.where.rpartition(":")
    if sighting.source != "client" or not line.isdigit():
        return "", 0
    return file, int(line)
