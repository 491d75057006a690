"""Who a caller behind a reverse proxy is: what trusted proxies say, and nobody else.

Only the address is taken from them. X-Forwarded-Proto and -Host, and Forwarded, steer nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final

FORWARDED_FOR: Final = b"x-forwarded-for"


class Proxies:
    """The reverse proxies that are listed, by address or network."""

    def __init__(self, listed: Iterable[str] = ()) -> None:
        self._networks = [ip_network(network) for network in listed]
        self.trusts = lru_cache(1024)(self._trusts)
        self.caller = lru_cache(1024)(self._caller)

    def _trusts(self, address: str) -> bool:
        """Whether this address is a listed proxy's."""
        found = _read(address)
        return found is not None and any(found in network for network in self._networks)

    def _caller(self, forwarded: bytes, proxy: str) -> str:
        """The nearest address that is no listed proxy's, going back from the one that told us.

        What is no address ends the way back: the one who said it is then taken for the caller.
        """
        nearest = proxy
        for said in reversed(forwarded.decode("latin-1").split(",")):
            found = _read(said.strip())
            if found is None:
                break
            nearest = str(found)
            if not self.trusts(nearest):
                break
        return nearest


def _read(text: str) -> IPv4Address | IPv6Address | None:
    """The address, one mapped into IPv6 as what it is."""
    try:
        found = ip_address(text)
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found
