"""Which addresses are probed: what listens here, and, when asked, the configured networks and ports."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from typing import Final

from bawn.discovery.shadow.probe import Target
from bawn.discovery.shadow.sockets import Connection, Endpoint

_TLS_PORTS: Final = frozenset([443, 8443])
_NEVER: Final = frozenset(
    [*(21, 22, 23, 25, 53, 110, 111, 139, 143, 389, 445, 465, 515, 587, 631, 2049, 3306, 3389),
     *(5432, 5900, 6000, 6379, 9100, 11211, 27017)]
)  # fmt: skip
"""Ports of protocols that are not HTTP, whose servers may take a request for commands."""


def of_listeners(listening: Iterable[Connection]) -> tuple[Target, ...]:
    """The ports that listen on this machine, as it reaches them itself."""
    found = dict.fromkeys(socket.local.reached for socket in listening)
    return tuple(_target(endpoint) for endpoint in found if endpoint.port not in _NEVER)


def of_networks(networks: Iterable[str], ports: Iterable[int]) -> Iterator[Target]:
    """Every host of these networks at every port, port by port, so that no host is asked in a row."""
    ranges = [ipaddress.ip_network(network) for network in networks]
    for port in (port for port in ports if port not in _NEVER):
        for found in ranges:
            hosts = found.hosts() if found.num_addresses > 2 else iter(found)
            for host in hosts:
                yield _target(Endpoint(str(host), port))


def _target(endpoint: Endpoint) -> Target:
    return Target(endpoint, "https" if endpoint.port in _TLS_PORTS else "http")
