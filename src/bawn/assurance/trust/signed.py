"""Whether somebody whom the trust root names vouches for what serves: by bawn.lock, or for one server."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bawn.assurance.lock import contents, reading
from bawn.config import Config
from bawn.errors import Misconfigured
from bawn.findings.evidence import Evidence
from bawn.signing import chain, editing
from bawn.signing import lock as locks
from bawn.signing.envelope import Envelope
from bawn.signing.evidence import evidence
from bawn.signing.root import Root
from bawn.signing.trusted import Trusted
from bawn.signing.unverified import Unverified
from bawn.signing.verify import verify_lock, verify_pins


@dataclass(frozen=True, slots=True)
class _Lock:
    stamp: tuple[int, int, int]
    roots: Mapping[str, str]
    content: bytes
    envelopes: tuple[Envelope, ...]


class Signatures:
    """Judges signatures by the files as they are now; nothing is written, so `bawn up` alone sees rollback."""

    def __init__(self, config: Config, base: Path, clock: Callable[[], float] = time.time) -> None:
        named = config.signing.root
        self._root = None if named is None else base / Path(named).expanduser()
        self._lock = base / contents.NAME
        self._own = base / "signatures"
        self._clock = clock
        self._held: _Lock | None = None

    @property
    def files(self) -> tuple[Path, ...]:
        """What all servers are judged by; one's own file comes to it."""
        return () if self._root is None else (self._root, self._lock)

    def own(self, server: str) -> Path:
        """Where the signature of one server's pins is."""
        return self._own / f"{server}.json"

    def of(self, server: str, merkle_root: str) -> Evidence:
        """Who vouches for these pins of a server: enough if either the lockfile or its own file does."""
        now = self._clock()
        if self._root is None:
            return evidence(None, 0.0)
        try:
            root = chain.load(editing.read(self._root), now)
        except (Unverified, Misconfigured, OSError) as error:
            return Evidence("signature", "failed", f"the trust root cannot be used: {error}", now)
        found = [
            self._judged(look, root, now, merkle_root)
            for look in (
                lambda: self._by_own_file(server, merkle_root, root, now),
                lambda: self._by_lock(server, merkle_root, root, now),
            )
        ]
        order = {"verified": 0, "failed": 1, "unmeasured": 2}
        return min(found, key=lambda each: order[each.verdict])

    def _judged(
        self, look: Callable[[], Evidence], root: Trusted[Root], now: float, of: str
    ) -> Evidence:
        try:
            return look()
        except FileNotFoundError:
            return evidence(Unverified("missing", "nobody has signed it"), now, of, root)
        except Unverified as error:
            return evidence(error, now, of, root)
        except (Misconfigured, OSError) as error:
            return Evidence("signature", "failed", str(error), now, of)

    def _lockfile(self) -> _Lock:
        """The lockfile, read again when it was replaced: it is large, and all servers are in it."""
        found = self._lock.stat()
        stamp = found.st_mtime_ns, found.st_ino, found.st_size
        if self._held is None or self._held.stamp != stamp:
            lock = reading.read(self._lock)
            roots = {name: each.root for name, each in lock.servers.items()}
            content, signed = locks.content(lock.tree), locks.envelopes(lock.tree)
            self._held = _Lock(stamp, roots, content, signed)
        return self._held

    def _by_own_file(
        self, server: str, merkle_root: str, root: Trusted[Root], now: float
    ) -> Evidence:
        envelope = Envelope.read(locks.read(editing.read(self.own(server))))
        return evidence(
            verify_pins(server, merkle_root, envelope, root, now), now, merkle_root, root
        )

    def _by_lock(self, server: str, merkle_root: str, root: Trusted[Root], now: float) -> Evidence:
        lock = self._lockfile()
        if server not in lock.roots:
            raise Unverified("missing", "it is not in bawn.lock")
        found = verify_lock(lock.content, lock.envelopes, root, now)
        if lock.roots[server] != merkle_root:
            raise Unverified("subject", "what is approved is not what was signed in bawn.lock")
        return evidence(found, now, merkle_root, root)
