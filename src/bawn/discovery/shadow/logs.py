"""Access logs: which hosts are spoken to in MCP, by whom, how often, and when."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from bawn.discovery.shadow.lines import Lines
from bawn.discovery.shadow.records import Malformed, Reader, Record
from bawn.discovery.shadow.sighting import Look, Sighting, Unseen, clipped, joined, masked_text

MAX_HOSTS: Final = 10_000
MAX_CLIENTS: Final = 64
"""Client addresses that are named of one server; the rest is counted."""

MAX_SIGNS: Final = 8


@dataclass(slots=True)
class _Host:
    first: float = 0.0
    last: float = 0.0
    count: int = 0
    clients: set[str] = field(default_factory=set)
    more_clients: bool = False
    signs: dict[str, None] = field(default_factory=dict)

    def add(self, record: Record) -> None:
        self.count += 1
        if record.when:
            self.first = min(self.first or record.when, record.when)
            self.last = max(self.last, record.when)
        if record.client:
            if len(self.clients) < MAX_CLIENTS:
                self.clients.add(record.client)
            else:
                self.more_clients |= record.client not in self.clients
        for sign in record.signs:
            if len(self.signs) < MAX_SIGNS:
                self.signs[_without_session(sign)] = None


def look(paths: Iterable[Path]) -> Look:
    """The servers that the requests in these logs went to."""
    return joined(_of(path) for path in paths)


def _of(path: Path) -> Look:
    hosts: dict[tuple[str, str], _Host] = {}
    lines, reader = Lines(path), Reader()
    malformed = left = 0
    try:
        for line in lines:
            try:
                record = reader.read(line)
            except Malformed:
                malformed += 1
                continue
            if record is None or not record.signs:
                continue
            key = (record.host.lower()[:255], record.path.partition("?")[0][:512])
            if key not in hosts and len(hosts) >= MAX_HOSTS:
                left += 1
                continue
            hosts.setdefault(key, _Host()).add(record)
    except OSError as problem:
        why = f"cannot be read ({problem.strerror or problem})"
        return Look((), (Unseen("log", str(path), why),))
    unseen = [
        Unseen("log", str(path), why, count)
        for count, why in (
            (malformed, "lines of no known form"),
            (lines.long, "lines that are too long"),
            (left, f"requests to more than {MAX_HOSTS} hosts and paths"),
            (1 if lines.cut else 0, lines.cut),
        )
        if count
    ]
    found = (_sighting(path, host, at, seen) for (host, at), seen in hosts.items())
    return Look(tuple(found), tuple(unseen))


def _sighting(path: Path, host: str, at: str, seen: _Host) -> Sighting:
    clients = ", ".join(sorted(seen.clients)) + (" and others" if seen.more_clients else "")
    url = at if "://" in at else f"http://{host}{at}" if host else at
    streams = any("event stream" in sign for sign in seen.signs)
    return Sighting(
        source="log",
        what="sse" if streams else "http",
        name=clipped(host) or "(no host in the log)",
        where=str(path),
        url=masked_text(url),
        since=seen.first,
        seen=seen.last,
        count=seen.count,
        evidence=(
            *map(masked_text, seen.signs),
            *((clipped(f"from {clients}"),) if clients else ()),
        ),
    )


def _without_session(sign: str) -> str:
    """A session's id is a credential of sorts: that there is one is all that is told."""
    return "mcp-session-id" if sign.startswith("mcp-session-id") else sign
