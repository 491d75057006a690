"""Host and Origin: which names the gate answers to, and which web pages may speak to it.

A page that rebinds a DNS name to loopback sends its own name as Host: the list refuses it
(security best practices, "DNS rebinding").
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

from bawn.config import Config
from bawn.errors import HTTP_HOST, HTTP_ORIGIN, Refused
from bawn.transport.cors import Cors

_LOCAL: Final = ("localhost", "127.0.0.1", "[::1]")


class OriginGuard:
    """Judges by exact comparison, in lower case, with the port where it is not the default one.

    `cors` is for pages of another origin than the gate's own.
    """

    def __init__(
        self, hosts: Iterable[str], origins: Iterable[str], cors: Cors | None = None
    ) -> None:
        self.cors: Final = cors or Cors()
        self._hosts = frozenset(host.lower().encode() for host in hosts)
        self._origins = frozenset(origin.lower().encode() for origin in origins)

    def check(self, host: bytes | None, origin: bytes | None) -> None:
        """Let pass, or say why not.

        Raises:
            Refused: http.host or http.origin.
        """
        if host is None or (host not in self._hosts and host.lower() not in self._hosts):
            raise Refused(HTTP_HOST, detail=f"Host is {host!r}"[:200])
        if origin is not None and origin.lower() not in self._origins:
            raise Refused(HTTP_ORIGIN, detail=f"Origin is {origin!r}"[:200])


def for_listener(listen: str, config: Config) -> OriginGuard:
    """The guard of one listener: its own address, the public URL, and what the operator adds."""
    address, _, port = listen.rpartition(":")
    names = {f"{address}:{port}", *config.hosts}
    if config.loopback_only:
        names |= {f"{name}:{port}" for name in _LOCAL}
    public = urlsplit(config.base_url)
    names.add(public.netloc)
    names |= {name.removesuffix(":80") for name in names if name.endswith(":80")}
    origins = {f"{public.scheme}://{public.netloc}", *config.origins}
    origins |= {f"http://{name}" for name in names}
    return OriginGuard(names, origins, Cors(config.origins))
