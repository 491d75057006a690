"""Results that are held back: sealed under a key of the gate, until somebody decides or their time is over.

Of each there are two private files, `HANDLE.result` and then `HANDLE.facts`: what is not complete is not
there. AES-256-GCM binds each to its handle. Many processes may use one directory.
"""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from hashlib import blake2b
from pathlib import Path
from typing import Final, TypeAlias

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bawn.errors import INSPECTION_HELD, STORE_UNAVAILABLE, Misconfigured, Refused
from bawn.model import Item, Json, Principal
from bawn.ports import Found
from bawn.storage.directory import StateDirectory
from bawn.storage.private import locked, read_private, replace_private

MOST: Final = 1_000
"""Results that are held at once."""

OF_ONE: Final = 250
"""Of one server: a hostile one must not take the room of the others."""

BYTES: Final = 256 << 20
"""Bytes of all that is held, sealed."""

LARGEST: Final = 32 << 20
"""Bytes of one result; `limits.result` lets far less in."""

RULES: Final = 64
"""Findings that are kept of one result."""

_DAY: Final = 86_400.0
_ORPHAN: Final = 3_600.0  # seconds after which what was not finished is taken away
_FACTS: Final = 1 << 20  # bytes
_KEY: Final = 32
_NONCE: Final = 12  # bytes; NIST SP 800-38D, section 8.2.2: random, below 2^32 uses of a key
_SERVER: Final = 8  # characters of a handle that are the same for all of one server
_HANDLE: Final = 40
_DIGITS: Final = frozenset("0123456789abcdef")
_SHOWN: Final = 512  # characters of a name


class Held(msgspec.Struct, frozen=True):
    """What is known of one result. `owner` is a digest of who asked, `who` the name that is shown.

    `created`, `expires` and `released_at` are in seconds since the epoch; `released` is who released it.
    """

    handle: str
    owner: str
    who: str
    tenant: str
    server: str
    kind: str
    item: str
    method: str
    trace: str
    found: tuple[Found, ...]
    created: float
    expires: float
    size: int  # bytes of the result
    released: str = ""
    released_at: float = 0.0


class Broken(msgspec.Struct, frozen=True):
    """One that is there and cannot be read: torn, changed, or of another key. It can be discarded."""

    handle: str
    problem: str


Entry: TypeAlias = Held | Broken


class Quarantine:
    """The results that are held in a state directory; `clock` gives seconds since the epoch.

    Raises:
        Misconfigured: the key cannot be read or made.
        Refused: store.unavailable, from every method: the disk, or what it holds, cannot be used.
    """

    def __init__(
        self, state: StateDirectory, days: int, clock: Callable[[], float] = time.time
    ) -> None:
        self._directory = state.quarantine
        self._days = days
        self._clock = clock
        key = state.key("quarantine", lambda: os.urandom(_KEY))
        self._cipher = AESGCM(_derived(key, b"seal"))
        self._digests = _derived(key, b"digest")

    def put(
        self,
        principal: Principal,
        item: Item,
        method: str,
        trace: str,
        found: Sequence[Found],
        result: Json,
    ) -> Held:
        """Hold a result back; it is on the disk on return.

        Raises:
            Refused: store.unavailable, and then the result must not be given to anybody.
        """
        content = msgspec.json.encode(result)
        if len(content) > LARGEST:
            raise _unavailable(f"a result of {len(content)} bytes is more than {LARGEST}")
        handle = self._digest(item.server)[:_SERVER] + secrets.token_hex((_HANDLE - _SERVER) // 2)
        sealed, now = self._sealed(handle, "result", content), self._clock()
        held = Held(
            handle, self.owner(principal), principal.subject[:_SHOWN], principal.tenant, item.server,
            item.kind.value, item.name[:_SHOWN], method[:_SHOWN], trace, tuple(found[:RULES]),
            now, now + self._days * _DAY, len(content),
        )  # fmt: skip
        with self._alone():
            self._make_room(handle[:_SERVER], len(sealed))
            replace_private(self._path(handle, "result"), sealed)
            self._write(held)
        return held

    def listed(self) -> list[Entry]:
        """Everything that is held, the newest first, and then what cannot be read."""
        try:
            names = [path.stem for path in sorted(self._directory.glob("*.facts"))]
        except OSError as problem:
            raise _unavailable(str(problem)) from None
        entries = [entry for name in names if _is_handle(name) and (entry := self._entry(name))]
        held = [each for each in entries if isinstance(each, Held)]
        broken = [each for each in entries if isinstance(each, Broken)]
        return [*sorted(held, key=lambda each: -each.created), *broken]

    def find(self, handle: str) -> Entry:
        """What is known of one.

        Raises:
            Refused: inspection.held: there is none of this handle, or its time is over.
        """
        entry = self._entry(handle) if _is_handle(handle) else None
        if entry is None:
            raise Refused(INSPECTION_HELD)
        return entry

    def facts(self, handle: str) -> Held:
        """The same of one that can be read.

        Raises:
            Refused: inspection.held; store.unavailable, saying what is wrong with it.
        """
        entry = self.find(handle)
        if isinstance(entry, Broken):
            raise Refused(STORE_UNAVAILABLE, entry.problem, detail=f"{handle}: {entry.problem}")
        return entry

    def show(self, handle: str) -> tuple[Held, Json]:
        """One, with the result that is held.

        Raises:
            Refused: inspection.held; store.unavailable, saying what is wrong with it.
        """
        held = self.facts(handle)
        try:
            sealed = read_private(self._path(handle, "result"), LARGEST + 1024)
            return held, msgspec.json.decode(self._opened(handle, "result", sealed))
        except FileNotFoundError:
            problem, detail = "what was held is not there any more", ""
        except (OSError, Misconfigured) as error:
            problem, detail = "what was held cannot be read", str(error)
        except (InvalidTag, ValueError, RecursionError) as error:
            problem, detail = "what was held was changed on the disk", str(error)
        raise Refused(STORE_UNAVAILABLE, problem, detail=f"{handle}: {problem} {detail}".rstrip())

    def release(self, handle: str, by: str) -> Held:
        """Let who had asked fetch it, from now until its time is over; the first release counts.

        Raises:
            Refused: inspection.held; store.unavailable.
        """
        with self._alone():
            held = self.facts(handle)
            if held.released:
                return held
            done = msgspec.structs.replace(held, released=by[:_SHOWN], released_at=self._clock())
            self._write(done)
        return done

    def discard(self, handle: str) -> None:
        """Destroy one, in whatever state it is.

        Raises:
            Refused: inspection.held; store.unavailable.
        """
        with self._alone():
            self.find(handle)
            self._remove(handle)

    def sweep(self) -> int:
        """Destroy what is past its time, and what was never finished; how many results that were."""
        with self._alone():
            return self._sweep()

    def owner(self, principal: Principal) -> str:
        """The digest by which one caller's are found."""
        return self._digest(principal.key)

    def _make_room(self, server: str, size: int) -> None:
        for swept in (False, True):
            sizes = self._sizes()
            own = sum(name.startswith(server) for name in sizes)
            full = len(sizes) >= MOST or sum(sizes.values()) + size > BYTES
            if not full and own < OF_ONE:
                return
            if not swept:
                self._sweep()
        what = "quarantine" if full else "this server's share of the quarantine"
        raise _unavailable(f"{what} is full; look at it with `bawn quarantine list`")

    def _sizes(self) -> dict[str, int]:
        with os.scandir(self._directory) as entries:
            return {
                each.name: each.stat().st_size for each in entries if each.name.endswith(".result")
            }

    def _sweep(self) -> int:
        now, count = self._clock(), 0
        for path in sorted(self._directory.glob("*.facts")):
            held = self._read(path.stem)
            if isinstance(
                held, Broken
            ):  # nobody knows when it ends: as if it began when it was written
                over = self._written(path) + self._days * _DAY <= time.time()
            else:
                over = held is not None and held.expires <= now
            if over:
                self._remove(path.stem)
                count += 1
        for path in self._left_over():
            with suppress(FileNotFoundError):
                if time.time() - path.stat().st_mtime > _ORPHAN:
                    path.unlink()
        return count

    @staticmethod
    def _written(path: Path) -> float:
        """When a file was written, in seconds since the epoch; now, if it cannot be told."""
        try:
            return path.stat().st_mtime
        except OSError:
            return time.time()

    def _left_over(self) -> Iterator[Path]:
        """Results without facts, and files that were being written when their process ended."""
        yield from (each for each in self._directory.glob(".*") if each.name != ".lock")
        for path in self._directory.glob("*.result"):
            if not path.with_suffix(".facts").exists():
                yield path

    def _remove(self, handle: str) -> None:
        for kind in ("facts", "result"):
            self._path(handle, kind).unlink(missing_ok=True)

    def _entry(self, handle: str) -> Entry | None:
        entry = self._read(handle)
        over = isinstance(entry, Held) and entry.expires <= self._clock()
        return None if over else entry

    def _read(self, handle: str) -> Entry | None:
        try:
            sealed = read_private(self._path(handle, "facts"), _FACTS)
            content = self._opened(handle, "facts", sealed)
            return msgspec.json.decode(content, type=Held)
        except FileNotFoundError:
            return None
        except (OSError, Misconfigured) as problem:
            return Broken(handle, str(problem))
        except (InvalidTag, ValueError, RecursionError):
            return Broken(handle, "it was torn, changed on the disk, or sealed with another key")

    def _write(self, held: Held) -> None:
        sealed = self._sealed(held.handle, "facts", msgspec.json.encode(held))
        replace_private(self._path(held.handle, "facts"), sealed)

    def _sealed(self, handle: str, kind: str, content: bytes) -> bytes:
        nonce = os.urandom(_NONCE)
        return nonce + self._cipher.encrypt(nonce, content, f"{kind} {handle}".encode())

    def _opened(self, handle: str, kind: str, sealed: bytes) -> bytes:
        return self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], f"{kind} {handle}".encode())

    def _path(self, handle: str, kind: str) -> Path:
        return self._directory / f"{handle}.{kind}"

    def _digest(self, text: str) -> str:
        return blake2b(text.encode(), digest_size=16, key=self._digests).hexdigest()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Be the one process that changes what is held."""
        try:
            with locked(self._directory):
                yield
        except (OSError, Misconfigured) as problem:
            raise _unavailable(str(problem)) from None


def _derived(key: bytes, purpose: bytes) -> bytes:
    return blake2b(b"bawn quarantine", digest_size=_KEY, key=key, person=purpose).digest()


def _is_handle(text: str) -> bool:
    return len(text) == _HANDLE and set(text) <= _DIGITS


def _unavailable(why: str) -> Refused:
    return Refused(STORE_UNAVAILABLE, detail=why)
