"""Sessions of legacy clients: sealed handles, so that any process of the gate can serve them.

What `initialize` said travels in the handle. Holding one proves nothing: it works for the principal
and the endpoint that it was made for, and for nobody else.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from bawn.errors import SESSION_UNKNOWN, Refused
from bawn.model import Client
from bawn.ports import Arrival
from bawn.protocol import headers, versions
from bawn.protocol.sealing import Sealer, Unsealed
from bawn.protocol.strict import encode

LIFETIME: Final = 24 * 3600.0
_CAPABILITIES: Final = 2048  # larger ones are left out: a header has to carry the handle
_REMEMBERED: Final = 4096


class Sessions:
    """Begins and opens sessions; `clock` gives seconds since the epoch."""

    def __init__(self, sealer: Sealer, clock: Callable[[], float]) -> None:
        self._sealer = sealer
        self._clock = clock
        self._opened: dict[tuple[bytes, str, str | None], tuple[float, Client]] = {}

    def begin(self, client: Client, arrival: Arrival) -> str:
        """A new session's id for this principal at this endpoint."""
        capabilities = dict(client.capabilities)
        return self._sealer.seal(
            "session",
            {
                "p": arrival.principal.key,
                "e": arrival.endpoint,
                "v": client.version,
                "n": client.name,
                "c": capabilities if len(encode(capabilities)) <= _CAPABILITIES else {},
                "x": self._clock() + LIFETIME,
            },
        )

    def open(self, arrival: Arrival) -> Client | None:
        """What the session of a legacy request says of its client; None without a session.

        Modern requests have no sessions, and what they say in the header is ignored.

        Raises:
            Refused: session.unknown, whatever the cause.
        """
        handle = arrival.headers.get(headers.SESSION)
        version = arrival.headers.get(headers.VERSION)
        if handle is None or version == versions.MODERN.encode():
            return None
        key = (handle, arrival.principal.key, arrival.endpoint)
        known = self._opened.get(key)
        if known is None:
            known = self._unseal(*key)
            if len(self._opened) >= _REMEMBERED:
                self._opened.clear()
            self._opened[key] = known
        expires, client = known
        if self._clock() >= expires:
            raise Refused(SESSION_UNKNOWN)
        return client

    def _unseal(self, handle: bytes, principal: str, endpoint: str | None) -> tuple[float, Client]:
        try:
            said = self._sealer.open("session", handle.decode("ascii"))
        except (Unsealed, UnicodeDecodeError) as error:
            raise Refused(SESSION_UNKNOWN) from error
        if said["p"] != principal or said["e"] != endpoint:
            raise Refused(SESSION_UNKNOWN)
        return said["x"], Client(said["v"], said["n"], said["c"])
