"""Sessions of legacy clients: sealed handles, so that any worker of the gate can serve them.

What `initialize` said travels in the handle. Holding one proves nothing: it works for the principal
and the endpoint that it was made for, and for nobody else. One worker owns a session: what refers to
calls in flight has to find them there. When it is gone, another one adopts the session.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Final, NamedTuple

from bawn.errors import SESSION_UNKNOWN, Refused
from bawn.model import Client
from bawn.ports import Arrival, Elsewhere, Graves
from bawn.protocol import headers, versions
from bawn.protocol.sealing import Sealer, Unsealed
from bawn.protocol.strict import encode

LIFETIME: Final = 24 * 3600.0
_CAPABILITIES: Final = 2048  # larger ones are left out: a header has to carry the handle
_REMEMBERED: Final = 4096


class _Session(NamedTuple):
    owner: int
    expires: float
    client: Client


class Sessions:
    """Begins, opens and ends sessions; `clock` gives seconds since the epoch.

    `slot` is this worker's place among `workers`.
    """

    def __init__(
        self,
        sealer: Sealer,
        clock: Callable[[], float],
        graves: Graves,
        slot: int = 0,
        workers: int = 1,
    ) -> None:
        self.sealer = sealer
        self._clock = clock
        self._graves = graves
        self._slot = slot
        self._workers = workers
        self._opened: dict[tuple[bytes, str, str | None], _Session] = {}

    def forget(self) -> None:
        """Open handles anew from here on: the keys may have changed."""
        self._opened.clear()

    def begin(self, client: Client, arrival: Arrival, owner: int | None = None) -> str:
        """A new session's id for this principal at this endpoint; this worker owns it, or `owner`."""
        capabilities = dict(client.capabilities)
        return self.sealer.seal(
            "session",
            {
                "p": arrival.principal.key,
                "e": arrival.endpoint,
                "o": self._slot if owner is None else owner,
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
            Refused: session.unknown, whatever the cause; store.unavailable.
            Elsewhere: another worker owns it.
        """
        handle = arrival.headers.get(headers.SESSION)
        version = arrival.headers.get(headers.VERSION)
        if handle is None or version == versions.MODERN.encode():
            return None
        return self._session(arrival, handle).client

    def end(self, arrival: Arrival) -> None:
        """End the session, for every worker and for good.

        Raises:
            Refused: session.unknown; store.unavailable, and then it stands.
            Elsewhere: another worker owns it.
        """
        handle = arrival.headers.get(headers.SESSION, b"")
        session = self._session(arrival, handle)
        self._graves.bury(_grave(handle), session.expires)
        self._opened.pop((handle, arrival.principal.key, arrival.endpoint), None)

    def owner(self, arrival: Arrival) -> int:
        """Who should answer what this worker may not: the session's owner, else its own place."""
        try:
            handle = arrival.headers[headers.SESSION]
            return self._unseal(handle, arrival.principal.key, arrival.endpoint).owner
        except (KeyError, Refused):
            return self._slot

    def _session(self, arrival: Arrival, handle: bytes) -> _Session:
        key = (handle, arrival.principal.key, arrival.endpoint)
        session = self._opened.get(key)
        if session is None:
            session = self._unseal(*key)
            if session.owner % self._workers == self._slot:
                self._remember(key, session)
            elif not arrival.settled:
                raise Elsewhere(session.owner)
        # each time: one that could not reach us may have ended it
        buried = self._graves.buried(_grave(handle))
        if key not in self._opened:  # adopted, or the store has turned out to be another one
            session = self._unseal(*key)
        if buried or self._clock() >= session.expires:
            raise Refused(SESSION_UNKNOWN)
        return session

    def _remember(self, key: tuple[bytes, str, str | None], session: _Session) -> None:
        if len(self._opened) >= _REMEMBERED:
            self._opened.clear()
        self._opened[key] = session

    def _unseal(self, handle: bytes, principal: str, endpoint: str | None) -> _Session:
        try:
            said = self.sealer.open("session", handle.decode("ascii"))
        except (Unsealed, UnicodeDecodeError) as error:
            raise Refused(SESSION_UNKNOWN) from error
        if said["p"] != principal or said["e"] != endpoint:
            raise Refused(SESSION_UNKNOWN)
        return _Session(said["o"], said["x"], Client(said["v"], said["n"], said["c"]))


def _grave(handle: bytes) -> str:
    """What is remembered of a dead handle: nothing that would open one."""
    return sha256(handle).hexdigest()[:32]
