"""Names to addresses, one look-up of a name at a time, on a thread of its own.

A look-up cannot be given up: it ends when the system's resolver does. On the threads that all share, a
few that hang would hold up every other name; here a name that hangs holds up itself, with one thread.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from threading import Thread
from typing import Final

from bawn.upstream.origin import Origin

Addresses = list[str]
LookUp = Callable[[str, int], Addresses]


def look_up(host: str, port: int) -> Addresses:
    """The addresses of a name, best first, as the system knows them.

    Raises:
        OSError: there is none, or nobody who knows.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for _, _, _, _, address in found))


class Resolver:
    """Looks up the name of one origin; whoever asks meanwhile gets the same answer."""

    def __init__(self, origin: Origin, look_up: LookUp = look_up) -> None:
        self._origin: Final = origin
        self._look_up = look_up
        self._pending: asyncio.Future[Addresses] | None = None

    async def addresses(self) -> Addresses:
        """The addresses, best first; at least one.

        Raises:
            OSError: as `look_up`.
        """
        if _is_address(self._origin.host):
            return [self._origin.host]
        if self._pending is None:
            self._pending = asyncio.get_running_loop().create_future()
            # a daemon: one that hangs must not keep the process from ending
            Thread(target=self._run, args=(self._pending,), daemon=True, name="resolver").start()
        return await asyncio.shield(self._pending)

    def _run(self, answer: asyncio.Future[Addresses]) -> None:
        found: Addresses | OSError
        try:
            found = self._look_up(self._origin.host, self._origin.port)
        except OSError as error:
            found = error
        except Exception as error:  # noqa: BLE001 - a name that cannot even be asked for
            found = OSError(f"the name cannot be looked up: {error}")
        with suppress(RuntimeError):  # the loop has closed meanwhile
            answer.get_loop().call_soon_threadsafe(self._tell, answer, found)

    def _tell(self, answer: asyncio.Future[Addresses], found: Addresses | OSError) -> None:
        self._pending = None
        if isinstance(found, OSError):
            answer.set_exception(found)
            answer.exception()  # whoever asked may have gone
        else:
            answer.set_result(found)


def _is_address(host: str) -> bool:
    for family in (socket.AF_INET, socket.AF_INET6):
        with suppress(OSError):
            socket.inet_pton(family, host)
            return True
    return False
