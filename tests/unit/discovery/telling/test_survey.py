"""One look around: which sources are asked, what is never sent unasked, and that none hides another."""

from __future__ import annotations

import socket as network
from pathlib import Path
from typing import Any

import pytest

from bawn.discovery.clients import Roots
from bawn.discovery.shadow import homes, kubernetes, processes, sockets
from bawn.discovery.shadow.probe import MAX_TARGETS, Target
from bawn.discovery.shadow.processes import Process, Running
from bawn.discovery.shadow.sighting import Look
from bawn.discovery.shadow.sockets import Connection, Endpoint, Sockets
from bawn.discovery.telling import survey as surveys
from bawn.discovery.telling.survey import Scope, survey
from tests.unit.discovery.seen import registered

LISTENS = Connection(Endpoint("0.0.0.0", 3000), Endpoint("0.0.0.0", 0), sockets.LISTEN, 1, 11)
OURS = Connection(Endpoint("127.0.0.1", 8811), Endpoint("0.0.0.0", 0), sockets.LISTEN, 2, 20)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Target]:
    """The addresses that would be probed."""
    found: list[Target] = []

    async def probe(targets: Any, **_: Any) -> Look:
        found.extend(targets)
        return Look()

    server = Process(11, 1, "ada", ("node", "/n/.bin/mcp-server-weather"))
    monkeypatch.setattr(surveys, "probe", probe)
    monkeypatch.setattr(processes, "running", lambda: Running({11: server}))
    monkeypatch.setattr(sockets, "sockets", lambda seen: Sockets((LISTENS, OURS), (), ()))
    return found


def look(roots: Roots, text: str = "", **more: Any) -> surveys.Survey:
    return survey(Scope(roots, **more), registered(text or "servers: {}\n"), lambda _: None)


def test_nothing_is_asked_unless_it_is_said(asked: list[Target], roots: Roots) -> None:
    found = look(roots)
    assert asked == []
    assert {each.source for each in found.look.sightings} == {"client", "process", "socket"}
    assert found.around.exposed == {3000}
    assert "127.0.0.1" in found.around.addresses


def test_ports_are_asked_but_for_the_gates_own(asked: list[Target], roots: Roots) -> None:
    look(roots, probes=True, ours=(20,))
    assert [target.endpoint for target in asked] == [Endpoint("127.0.0.1", 3000)]


def test_networks_are_asked_at_their_ports(asked: list[Target], roots: Roots) -> None:
    look(roots, networks=("10.0.0.0/30",), ports=(80, 8080))
    assert {str(target.endpoint) for target in asked} == {
        "10.0.0.1:80", "10.0.0.2:80", "10.0.0.1:8080", "10.0.0.2:8080",
    }  # fmt: skip


def test_a_huge_range_is_not_made_up_whole(asked: list[Target], roots: Roots) -> None:
    look(roots, processes=False, networks=("10.0.0.0/16",) * 64, ports=tuple(range(1, 250)))
    assert len(asked) == MAX_TARGETS + 1  # the probe itself tells of the rest


def test_without_processes_none_is_looked_at(
    asked: list[Target], roots: Roots, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "running", lambda: pytest.fail("looked at"))
    found = look(roots, processes=False)
    assert {each.source for each in found.look.sightings} == {"client"}


def test_one_source_that_fails_is_told_and_hides_no_other(
    asked: list[Target], roots: Roots, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def broken(*_: object) -> Look:
        raise ValueError("odd\x1b[2J")

    monkeypatch.setattr(kubernetes, "look", broken)
    found = look(roots, kubeconfig=tmp_path / "config")
    (told,) = (each for each in found.look.unseen if each.source == "cluster")
    assert told.why.startswith("it failed (ValueError: odd")
    assert "\x1b" not in told.why
    assert found.look.sightings


def test_the_files_of_all_users_are_told_once(
    asked: list[Target], roots: Roots, machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = look(roots, processes=False).look.sightings
    monkeypatch.setattr(homes, "homes", lambda: (homes.Home("ada", machine / "home"),))
    every = look(roots, processes=False, all_users=True).look.sightings
    assert len(every) == len(mine)
    assert {each.user for each in every} == {"ada"}


REMOTE = (
    "servers: {one: {url: 'https://one.example.com/mcp'}, two: {url: 'http://127.0.0.1:9000'}}\n"
)


@pytest.mark.parametrize(
    ("address", "why"),
    [("93.184.216.34", "has a public address"), (None, "cannot be looked up"), ("10.1.1.1", "")],
)
def test_connections_are_told_of_addresses_that_are_a_servers_alone(
    asked: list[Target],
    roots: Roots,
    monkeypatch: pytest.MonkeyPatch,
    address: str | None,
    why: str,
) -> None:
    def resolve(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        if address is None:
            raise network.gaierror(-2, "Name or service not known")
        return [(network.AF_INET, network.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(network, "getaddrinfo", resolve)
    client = Process(10, 1, "ada", ("/usr/bin/cursor",))
    here = Endpoint("10.0.0.2", 50_000)
    passing = [
        Connection(here, Endpoint(address or "93.184.216.34", 443), sockets.ESTABLISHED, 3, 10),
        Connection(here, Endpoint("127.0.0.1", 9000), sockets.ESTABLISHED, 4, 10),
    ]
    monkeypatch.setattr(processes, "running", lambda: Running({10: client}))
    monkeypatch.setattr(sockets, "sockets", lambda seen: Sockets((), tuple(passing), ()))
    found = look(roots, REMOTE)
    assert [each.name for each in found.passing] == (["two"] if why else ["one", "two"])
    told = [each.why for each in found.look.unseen if each.source == "socket"]
    assert all(why in each for each in told)
    assert bool(told) == bool(why)
