"""Sockets: what listens, whose it is, and which client talks to a server past the gate.

Linux: `/proc/net/{tcp,tcp6,unix}` (proc(5)) joined to processes by the inodes of their descriptors. Only this
network namespace is seen; a container with its own is told as not seen.
"""

from __future__ import annotations

import ipaddress
import sys
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from bawn.discovery.shadow.processes import PROC, Process, Running, ancestors, client_of, is_gate
from bawn.discovery.shadow.sighting import Look, Sighting, Unseen, clipped, masked_command

LISTEN: Final = "0A"
ESTABLISHED: Final = "01"
_UNIX_ACCEPTS: Final = 0x10000
MAX_LINES: Final = 500_000


class Endpoint(NamedTuple):
    """An address and a port."""

    address: str
    port: int

    @property
    def is_loopback(self) -> bool:
        """Whether it can be reached from this machine only."""
        return ipaddress.ip_address(self.address).is_loopback

    @property
    def reached(self) -> Endpoint:
        """Where a client on this machine reaches it: loopback for the wildcard address."""
        address = ipaddress.ip_address(self.address)
        if not address.is_unspecified:
            return self
        return Endpoint("127.0.0.1" if address.version == 4 else "::1", self.port)

    def __str__(self) -> str:
        return (
            f"[{self.address}]:{self.port}"
            if ":" in self.address
            else f"{self.address}:{self.port}"
        )


class Connection(NamedTuple):
    """A TCP socket; `pid` is 0 where its process is not seen. A listening one has no remote end."""

    local: Endpoint
    remote: Endpoint
    state: str
    inode: int
    pid: int = 0


class Sockets(NamedTuple):
    """The sockets of this network namespace."""

    listening: tuple[Connection, ...]
    established: tuple[Connection, ...]
    unix: tuple[tuple[str, int], ...]  # path and pid
    unseen: tuple[Unseen, ...] = ()


def sockets(seen: Running, proc: Path = PROC) -> Sockets:
    """Every TCP socket that listens or is connected, and every Unix socket that listens."""
    owners, unseen = _owners(seen, proc)
    every: list[Connection] = []
    for name in ("tcp", "tcp6"):
        try:
            with (proc / "net" / name).open(encoding="ascii", errors="replace") as file:
                every += tcp(file)
        except FileNotFoundError:
            continue  # no IPv6 here
        except OSError as problem:
            unseen.append(Unseen("socket", f"/proc/net/{name}", f"{problem.strerror}"))
    owned = [socket._replace(pid=owners.get(socket.inode, 0)) for socket in every]
    listening = tuple(socket for socket in owned if socket.state == LISTEN)
    nameless = sum(socket.pid == 0 for socket in listening)
    if nameless:
        why = "the process of a listening socket is not visible: another user's or container's"
        unseen.append(Unseen("socket", str(proc), why, nameless))
    established = tuple(socket for socket in owned if socket.state == ESTABLISHED)
    return Sockets(listening, established, _unix(proc, owners, unseen), tuple(unseen))


def tcp(lines: Iterator[str]) -> Iterator[Connection]:
    """The sockets of a file like `/proc/net/tcp`; lines of another form are passed over."""
    for count, line in enumerate(lines):
        words = line.split()
        if count > MAX_LINES:
            return
        if len(words) < 10 or words[3] not in {LISTEN, ESTABLISHED}:
            continue
        try:
            local, remote, inode = _endpoint(words[1]), _endpoint(words[2]), int(words[9])
        except ValueError:
            continue
        yield Connection(local, remote, words[3], inode)


def listeners(seen: Running, found: Sockets, servers: Mapping[int, Sighting]) -> Look:
    """Recognised server processes (by pid) that listen: where they can be reached."""
    sightings = []
    for socket in found.listening:
        process = servers.get(socket.pid) or _server_above(socket.pid, seen, servers)
        if process is None:
            continue
        where = "" if socket.local.is_loopback else ": other machines may reach it"
        sightings.append(
            Sighting(
                source="socket",
                what="http",
                name=process.name,
                where=f"pid {socket.pid}",
                command=process.command,
                url=f"http://{socket.local.reached}",
                client=process.client,
                user=process.user,
                since=process.since,
                seen=process.seen,
                pid=socket.pid,
                ours=process.ours,
                evidence=(f"listens on {socket.local}{where}",),
            )
        )
    return Look(tuple(sightings), found.unseen)


def bypasses(
    seen: Running,
    found: Sockets,
    registered: Mapping[Endpoint, str],
    ours: Collection[int] = (),
) -> Look:
    """Processes other than the gate's that are connected to an address of a registered server.

    `registered` are the addresses by which servers are reached, and the servers' names.
    """
    servers_own = {socket.pid for socket in found.listening}
    sightings = []
    for socket in found.established:
        name = registered.get(_plain(socket.remote))
        process = seen.processes.get(socket.pid)
        if name is None or process is None or socket.pid in servers_own:
            continue
        lineage = (process, *ancestors(process, seen.processes))
        if any(p.pid in ours or is_gate(p) for p in lineage):
            continue
        client = next((known for p in lineage if (known := client_of(p))), "")
        sightings.append(_bypass(socket, process, name, client))
    return Look(tuple(sightings), found.unseen)


def _bypass(socket: Connection, process: Process, name: str, client: str) -> Sighting:
    return Sighting(
        source="socket",
        what="http",
        name=name,
        where=f"pid {process.pid}",
        command=masked_command(process.command),
        url=f"http://{socket.remote}",
        client=client,
        user=process.user,
        since=process.started,
        pid=process.pid,
        evidence=(f"{client or 'a process'} is connected to {socket.remote}, past the gate",),
    )


def _server_above(pid: int, seen: Running, servers: Mapping[int, Sighting]) -> Sighting | None:
    """The server whose child a process is: runners start it as one."""
    process = seen.processes.get(pid)
    above = ancestors(process, seen.processes) if process else ()
    return next((servers[p.pid] for p in above if p.pid in servers), None)


def _plain(endpoint: Endpoint) -> Endpoint:
    """IPv4 in its own form where it was mapped into IPv6."""
    address = ipaddress.ip_address(endpoint.address)
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return Endpoint(str(mapped), endpoint.port) if mapped else endpoint


def _endpoint(text: str) -> Endpoint:
    """`0100007F:1F90`: words of 32 bits in the machine's own order, then the port."""
    digits, _, port = text.partition(":")
    raw = bytes.fromhex(digits)
    if len(raw) not in {4, 16}:
        raise ValueError(text)
    if sys.byteorder == "little":
        raw = b"".join(raw[at : at + 4][::-1] for at in range(0, len(raw), 4))
    return Endpoint(str(ipaddress.ip_address(raw)), int(port, 16))


def _owners(seen: Running, proc: Path) -> tuple[dict[int, int], list[Unseen]]:
    """Which process holds which socket, by inode; the first process that does."""
    owners: dict[int, int] = {}
    denied = 0
    for pid in seen.processes:
        directory = proc / str(pid) / "fd"
        try:
            names = [entry.name for entry in directory.iterdir()]
        except PermissionError:
            denied += 1
            continue
        except OSError:
            continue  # it has ended
        for name in names:
            try:
                target = str((directory / name).readlink())
            except OSError:
                continue
            if target.startswith("socket:["):
                owners.setdefault(int(target[8:-1]), pid)
    why = "its descriptors are another user's: run as root to see them"
    return owners, [Unseen("socket", str(proc), why, denied)] if denied else []


def _unix(
    proc: Path, owners: Mapping[int, int], unseen: list[Unseen]
) -> tuple[tuple[str, int], ...]:
    found = []
    try:
        lines = (proc / "net" / "unix").read_text(errors="replace").splitlines()[1:]
    except OSError as problem:
        unseen.append(Unseen("socket", "/proc/net/unix", f"{problem.strerror}"))
        return ()
    for line in lines[:MAX_LINES]:
        words = line.split(maxsplit=7)
        if len(words) == 8 and int(words[3], 16) & _UNIX_ACCEPTS:
            found.append((clipped(words[7]), owners.get(int(words[6]), 0)))
    return tuple(found)
