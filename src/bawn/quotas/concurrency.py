"""Calls in flight: how many one principal may have, one server gets, and each quota allows."""

from __future__ import annotations

from bawn.errors import LIMIT_PRINCIPAL, LIMIT_SERVER, Refused


class Concurrency:
    """Counts calls between `enter` and `leave`; keys without calls are forgotten."""

    def __init__(self, per_principal: int, per_server: int) -> None:
        self._per_principal = per_principal
        self._per_server = per_server
        self.principals: dict[str, int] = {}
        self.servers: dict[str, int] = {}

    def enter(self, principal: str, server: str) -> None:
        """Count one call in.

        Raises:
            Refused: limit.principal or limit.server, and then nothing was counted.
        """
        principals, servers = self.principals, self.servers
        mine, theirs = principals.get(principal, 0), servers.get(server, 0)
        if mine >= self._per_principal:
            raise Refused(LIMIT_PRINCIPAL, f"{mine} are")
        if theirs >= self._per_server:
            raise Refused(LIMIT_SERVER, f"{theirs} are")
        principals[principal] = mine + 1
        servers[server] = theirs + 1

    def leave(self, principal: str, server: str) -> None:
        """Count it out again."""
        principals, servers = self.principals, self.servers
        mine, theirs = principals[principal], servers[server]
        if mine > 1:
            principals[principal] = mine - 1
        else:
            del principals[principal]
        if theirs > 1:
            servers[server] = theirs - 1
        else:
            del servers[server]


class Places:
    """Places for calls in flight, so many under each key; keys without calls are forgotten."""

    def __init__(self) -> None:
        self.taken: dict[str, int] = {}

    def take(self, key: str, most: int) -> bool:
        """Take a place; False when all are taken."""
        taken = self.taken.get(key, 0)
        if taken >= most:
            return False
        self.taken[key] = taken + 1
        return True

    def give_back(self, key: str) -> None:
        """Let go of a place."""
        self.taken[key] -= 1
        if not self.taken[key]:
            del self.taken[key]
