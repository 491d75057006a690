"""Whether a debugger's address is this machine's alone."""

from __future__ import annotations

from bawn.config.kinds import is_loopback as by_name


def is_loopback(address: str | None) -> bool:
    """Whether `HOST:PORT`, a host, a port alone or nothing is on loopback, as debuggers read it."""
    if not address or address.isdigit():
        return True
    host = address.rpartition(":")[0] if address.rpartition(":")[2].isdigit() else address
    return by_name(host.strip("[]"))
