"""One look around: every source that is asked for, each on its own, so that one that fails hides no other."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Final, TypeAlias

from bawn.discovery.clients import Roots
from bawn.discovery.inventory import inventory
from bawn.discovery.shadow import (
    cluster,
    git,
    homes,
    images,
    kubernetes,
    logs,
    macos,
    processes,
    sockets,
    tree,
)
from bawn.discovery.shadow.probe import MAX_TARGETS, probe
from bawn.discovery.shadow.processes import Running
from bawn.discovery.shadow.sighting import Look, Sighting, Source, Unseen, clipped, joined
from bawn.discovery.shadow.sockets import Connection, Endpoint, Sockets
from bawn.discovery.shadow.targets import of_listeners, of_networks
from bawn.discovery.telling.likeness import Address
from bawn.discovery.telling.reconcile import Surroundings
from bawn.discovery.telling.registered import Registered

Tell: TypeAlias = Callable[[str], None]
_LOOPBACK: Final = ("127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Scope:
    """What is looked at. `networks` and `ports` are those of other hosts, empty to leave them alone."""

    roots: Roots
    project: Path | None = None
    all_users: bool = False
    directories: tuple[Path, ...] = ()
    repositories: tuple[Path, ...] = ()
    images: tuple[Path, ...] = ()
    logs: tuple[Path, ...] = ()
    dumps: tuple[Path, ...] = ()
    kubeconfig: Path | None = None
    processes: bool = True
    probes: bool = False
    networks: tuple[str, ...] = ()
    ports: tuple[int, ...] = ()
    ours: tuple[int, ...] = ()  # the gate's processes, as it tells them itself


@dataclass(frozen=True, slots=True)
class Survey:
    """What was seen; `passing` are connections of others to a registered server."""

    look: Look = field(default_factory=Look)
    passing: tuple[Sighting, ...] = ()
    around: Surroundings = field(default_factory=Surroundings)


def survey(scope: Scope, registered: Registered, tell: Tell) -> Survey:
    """Look at everything in the scope. `tell` is called with what is done next; it never raises."""
    found = [_guarded(source, what, look) for source, what, look in _read(scope, tell)]
    files = joined(found)
    files = Look(homes.once(files.sightings), tuple(dict.fromkeys(files.unseen)))
    if not scope.processes and not scope.probes:
        return Survey(_with_networks(scope, registered, files, tell))
    tell("running processes and their sockets")
    machine = _Machine()
    found = [files, _guarded("process", "processes", lambda: machine.see(scope, registered, files))]
    if scope.probes:
        found.append(_guarded("probe", "listening ports", lambda: machine.ask(registered, tell)))
    look = _with_networks(scope, registered, joined(found), tell)
    return Survey(look, machine.passing, machine.around)


def _read(scope: Scope, tell: Tell) -> Iterator[tuple[Source, str, Callable[[], Look]]]:
    """Every source that only reads files, each with what it is called."""
    tell("client files" + (" of every user" if scope.all_users else ""))
    if scope.all_users:
        yield "client", "every user's client files", lambda: homes.look(homes.homes(), scope.roots)
    yield "client", "client files", lambda: _client_files(scope)
    for directory in scope.directories:
        tell(f"directory {directory}")
        yield "client", str(directory), partial(_directory, directory, scope.roots)
    if scope.repositories:
        tell("git repositories")
        yield (
            "git",
            "repositories",
            lambda: git.look(map(_git_directory, scope.repositories), branches=True),
        )
    for image in scope.images:
        tell(f"image {image}")
        yield "image", str(image), partial(images.look, image)
    if scope.logs:
        tell("access logs")
        yield "log", "access logs", lambda: logs.look(scope.logs)
    if scope.dumps:
        tell("cluster dump")
        yield "cluster", "cluster dump", lambda: cluster.look(scope.dumps)
    if (config := scope.kubeconfig) is not None:
        tell("the cluster's API: services, pods, deployments, stateful sets are listed")
        yield "cluster", "its API", partial(kubernetes.look, config)


def _guarded(source: Source, what: str, look: Callable[[], Look]) -> Look:
    try:
        return look()
    except Exception as problem:  # noqa: BLE001 - a source that fails is told, and hides no other
        why = f"it failed ({type(problem).__name__}: {clipped(str(problem))[:200]})"
        return Look((), (Unseen(source, clipped(what), why),))


def _client_files(scope: Scope) -> Look:
    files = inventory(scope.roots, scope.project)
    strayed = [file for file in files if file.strays]
    why = "a link that leads out of the project: it is not followed"
    unseen = tuple(Unseen("client", str(file.path), why) for file in strayed)
    found = homes.of_files([file for file in files if not file.strays])
    return joined([*found, Look((), unseen)])


def _directory(directory: Path, roots: Roots) -> Look:
    found, repositories = tree.look(directory, roots)
    return joined([found, git.look(repositories)])


def _git_directory(path: Path) -> Path:
    inner = path / ".git"
    return inner if inner.exists() else path


class _Machine:
    """Processes and sockets, which tell of each other."""

    def __init__(self) -> None:
        self.passing: tuple[Sighting, ...] = ()
        self.around = Surroundings()
        self._sockets = Sockets((), (), ())
        self._asked: Sequence[Connection] = ()

    def see(self, scope: Scope, registered: Registered, files: Look) -> Look:
        """The servers that run, where they listen, and who passes the gate."""
        seen, self._sockets = _running(scope.roots.platform)
        self.around = _around(self._sockets)
        self._asked = [each for each in self._sockets.listening if each.pid not in scope.ours]
        if not scope.processes:
            return Look()
        commands = {each.command for each in files.sightings if each.command}
        commands |= {each.words for each in registered.launches.values()}
        found = processes.servers(seen, commands, scope.ours)
        by_pid = {each.pid: each for each in found.sightings}
        listening = sockets.listeners(seen, self._sockets, by_pid)
        places, hidden = _endpoints(registered)
        passing = sockets.bypasses(seen, self._sockets, places, scope.ours)
        self.passing = passing.sightings
        looks = [found, Look(listening.sightings), Look((), (*self._sockets.unseen, *hidden))]
        unasked = len({each.local for each in self._asked if each.pid not in by_pid})
        if not scope.probes and unasked:
            why = "ports that listen were not asked what they are: `--ports` asks them"
            looks.append(Look((), (Unseen("probe", "this machine", why, unasked),)))
        return joined(looks)

    def ask(self, registered: Registered, tell: Tell) -> Look:
        """Probe what listens here."""
        targets = of_listeners(self._asked)
        tell(f"asking {len(targets)} ports of this machine: `server/discover`, then `initialize`")
        return asyncio.run(probe(targets, own=_own(registered)))


def _running(platform: str) -> tuple[Running, Sockets]:
    if platform == "darwin":
        return macos.running(), macos.sockets()
    seen = processes.running()
    return seen, sockets.sockets(seen)


def _around(found: Sockets) -> Surroundings:
    every = (*found.listening, *found.established)
    addresses = frozenset([*_LOOPBACK, *(each.local.address for each in every)])
    exposed = frozenset(s.local.port for s in found.listening if not s.local.is_loopback)
    return Surroundings(addresses, exposed)


def _own(registered: Registered) -> frozenset[Endpoint]:
    return frozenset(endpoint for gate in registered.gates for endpoint in _literal(gate))


def _literal(where: Address) -> tuple[Endpoint, ...]:
    """The endpoints of an address that needs no look-up."""
    hosts = _LOOPBACK if where.is_loopback else (where.host,)
    try:
        return tuple(Endpoint(str(ipaddress.ip_address(host)), where.port) for host in hosts)
    except ValueError:
        return ()


def _endpoints(registered: Registered) -> tuple[Mapping[Endpoint, str], tuple[Unseen, ...]]:
    """By which addresses the registered servers are reached, as far as these are theirs alone.

    Behind a public address there may be anybody's sites: a browser that is connected to it says nothing.
    """
    found: dict[Endpoint, str] = {}
    unseen: list[Unseen] = []
    for name, where in registered.urls.items():
        try:
            places = _literal(where) or _resolved(where)
        except OSError as problem:
            why = f"{where.host} cannot be looked up ({problem}): who connects to it is not told"
            unseen.append(Unseen("socket", name, clipped(why)))
            continue
        private = [place for place in places if not ipaddress.ip_address(place.address).is_global]
        found |= dict.fromkeys(private, name)
        if not private:
            why = (
                "has a public address, which other sites may share: connections to it are not told"
            )
            unseen.append(Unseen("socket", name, why))
    return found, tuple(unseen)


def _resolved(where: Address) -> tuple[Endpoint, ...]:
    told = socket.getaddrinfo(where.host, where.port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(Endpoint(str(each[4][0]), where.port) for each in told))


def _with_networks(scope: Scope, registered: Registered, found: Look, tell: Tell) -> Look:
    """What is found on other hosts, beside the rest."""
    if not scope.networks:
        return found
    targets = tuple(islice(of_networks(scope.networks, scope.ports), MAX_TARGETS + 1))
    tell(f"asking {len(targets)} addresses of {', '.join(scope.networks)}")
    asked = _guarded("probe", "networks", lambda: asyncio.run(probe(targets, own=_own(registered))))
    return joined([found, asked])
