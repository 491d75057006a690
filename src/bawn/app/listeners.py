"""The sockets of a gate: bound by the supervisor, inherited by workers, kept over their lives."""

from __future__ import annotations

import contextlib
import socket
from dataclasses import dataclass
from pathlib import Path

from bawn.config import Config
from bawn.errors import Misconfigured
from bawn.storage import sockets


@dataclass(frozen=True, slots=True)
class Listeners:
    """Listening sockets for clients (TCP and Unix) and for probes."""

    data: socket.socket
    unix: socket.socket
    management: socket.socket | None

    @property
    def descriptors(self) -> tuple[int, ...]:
        """Every descriptor that a worker inherits."""
        sockets = (self.data, self.unix, self.management)
        return tuple(s.fileno() for s in sockets if s is not None)

    def close(self) -> None:
        """Take no more connections here; a worker closes its own copies."""
        for held in (self.data, self.unix, self.management):
            if held is not None:
                held.close()


def open_listeners(
    config: Config, unix: Path, old: Listeners | None, old_config: Config | None
) -> Listeners:
    """Bind what the configuration asks for; sockets whose address stays are kept as they are.

    Raises:
        Misconfigured: an address cannot be bound; nothing was changed then.
    """
    with contextlib.ExitStack() as undo:
        if old and old_config and config.listen == old_config.listen:
            data = old.data
        else:
            data = _tcp(config.listen, "listen")
            undo.callback(data.close)
        if old and old_config and config.management.listen == old_config.management.listen:
            probes = old.management
        else:
            probes = _probes(config)
            if probes is not None:
                undo.callback(probes.close)
        shared = old.unix if old else sockets.listen(unix)
        undo.pop_all()
    return Listeners(data, shared, probes)


def close_unshared(gone: Listeners, kept: Listeners) -> None:
    """Close the sockets of one set that the other does not have."""
    held = {id(kept.data), id(kept.unix), id(kept.management)}
    for each in (gone.data, gone.unix, gone.management):
        if each is not None and id(each) not in held:
            each.close()


def _probes(config: Config) -> socket.socket | None:
    where = config.management.listen
    return None if where is None else _tcp(where, "management.listen")


def _tcp(address: str, setting: str) -> socket.socket:
    host, _, port = address.rpartition(":")
    try:
        family, kind, proto, _, where = socket.getaddrinfo(
            host.strip("[]"), int(port), type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        bound = socket.socket(family, kind, proto)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            bound.bind(where)
            bound.listen(2048)
        except OSError:
            bound.close()
            raise
    except OSError as error:
        raise Misconfigured(
            f"{setting}: {address} cannot be bound ({error.strerror}); expected a free address of "
            "this machine: change it, or stop what holds it"
        ) from error
    bound.setblocking(False)
    return bound
