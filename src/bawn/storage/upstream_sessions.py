"""The sessions at legacy servers that all workers share.

Their ids let in whoever has them, so each lies sealed under a key that is not in the database: a copy
of the database alone opens none.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bawn.errors import Refused
from bawn.ports import UpstreamSession
from bawn.storage.database import Database
from bawn.storage.directory import StateDirectory

SWEEP: Final = 3600.0  # seconds between looks for what can be forgotten
KEPT: Final = 7 * 86_400.0  # seconds after which nobody asks for a session any more
_NONCE: Final = 12  # bytes; NIST SP 800-38D, section 8.2.2: random, below 2^32 uses of a key

_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(UpstreamSession).decode


class SharedSessions:
    """`ports.UpstreamSessions` in the database; `clock` gives seconds since the epoch.

    Raises:
        Misconfigured: the key of the state directory cannot be used.
    """

    def __init__(
        self, database: Database, state: StateDirectory, clock: Callable[[], float] = time.time
    ) -> None:
        self._database = database
        self._cipher = AESGCM(state.key("state-db", lambda: os.urandom(32)))
        self._clock = clock
        self._swept = 0.0

    def find(self, server: str, isolation: str) -> UpstreamSession | None:
        """The session that stands for this key, whoever began it."""
        try:
            sealed = self._standing(server, isolation)
        except Refused:
            return None
        return self._open(server, isolation, sealed)

    def offer(
        self, server: str, isolation: str, session: UpstreamSession, instead: UpstreamSession | None
    ) -> UpstreamSession:
        """Let this session stand if the one that stands is `instead`; returns the one that stands now."""
        try:
            sealed = self._standing(server, isolation)
            standing = self._open(server, isolation, sealed)
            if standing is not None and standing != instead:
                return standing
            if self._replace(server, isolation, session, sealed):
                return session
            return self.find(server, isolation) or session  # another worker was quicker
        except Refused:
            return session

    def _standing(self, server: str, isolation: str) -> bytes | None:
        found = self._database.rows(
            "SELECT sealed FROM upstream_sessions WHERE server = ? AND isolation = ?",
            server, isolation,
        )  # fmt: skip
        return found[0][0] if found else None

    def _replace(
        self, server: str, isolation: str, session: UpstreamSession, sealed: bytes | None
    ) -> bool:
        """Put the session in the place of this row, or of none, unless that has changed meanwhile."""
        now = self._clock()
        if abs(now - self._swept) > SWEEP:
            self._swept = now
            self._database.change("DELETE FROM upstream_sessions WHERE at < ?", now - KEPT)
        fresh = self._seal(server, isolation, session)
        changed = self._database.change(
            "INSERT INTO upstream_sessions VALUES (?, ?, ?, ?) "
            "ON CONFLICT (server, isolation) "
            "DO UPDATE SET sealed = excluded.sealed, at = excluded.at WHERE sealed IS ?",
            server, isolation, fresh, now, sealed,
        )  # fmt: skip
        return changed == 1

    def _seal(self, server: str, isolation: str, session: UpstreamSession) -> bytes:
        nonce = os.urandom(_NONCE)
        return nonce + self._cipher.encrypt(nonce, _encode(session), _bound(server, isolation))

    def _open(self, server: str, isolation: str, sealed: bytes | None) -> UpstreamSession | None:
        """What a row holds, None when there is none or it does not open: the key is another one."""
        if sealed is None:
            return None
        try:
            nonce, rest = sealed[:_NONCE], sealed[_NONCE:]
            return _decode(self._cipher.decrypt(nonce, rest, _bound(server, isolation)))
        except (InvalidTag, ValueError):
            return None


def _bound(server: str, isolation: str) -> bytes:
    return f"upstream session|{server}|{isolation}".encode()
