"""What was seen before: the highest version of everything that is signed, and the latest time.

Without it an old lockfile with good signatures would do (rollback), and so would an old clock (freeze).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final, Protocol

import msgspec

from bawn.errors import Misconfigured
from bawn.signing.unverified import Unverified
from bawn.storage.private import locked, read_private, replace_private

_LARGEST: Final = 16 << 20  # bytes
_ROOT: Final = "root"


class Mark(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The highest version that was seen of something, and the digest of what that version said."""

    version: int
    digest: str


class _Store(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`root` is the one line of roots that is trusted here; `marks` are by line, then by subject."""

    root: str
    issued: float
    marks: dict[str, dict[str, Mark]]


class Version(Protocol):
    """What `admit_root` needs of a version of the root."""

    @property
    def id(self) -> str: ...
    @property
    def digest(self) -> str: ...
    @property
    def issued(self) -> float: ...


class Seen:
    """The store in this file, private, for all processes of a gate. A second file beside it (`.known`)
    says that it was there once, so that a lost store is not taken for a first use.

    Raises:
        Unverified: store: from every method, when it is lost, torn, not private, or cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known = path.with_name(path.name + ".known")

    def bound(self, now: float) -> float:
        """The time that it is at least: never earlier than the latest time at which anything was issued."""
        store = self._read()
        return now if store is None else max(now, store.issued)

    def admit_root(self, line: Sequence[Version]) -> None:
        """Take note of a line of roots, from its first version on, if it continues what was trusted.

        Raises:
            Unverified: root, rollback.
        """
        newest = line[-1]
        try:
            with locked(self._path.parent):
                store = self._read() or _Store(newest.id, newest.issued, {})
                if store.root != newest.id:
                    raise Unverified(
                        "root",
                        "this is another trust root than the one that was trusted before; if it was "
                        "replaced on purpose, `bawn sign root trust` shows it and asks",
                    )
                mark = store.marks.get(newest.id, {}).get(_ROOT)
                if mark is not None:
                    _continues(line, mark)
                now = Mark(len(line), newest.digest)
                self._write(_with(store, newest.id, _ROOT, now, newest.issued))
        except (Misconfigured, OSError) as error:
            raise _unusable(error) from None

    def admit(self, root: str, subject: str, mark: Mark, issued: float) -> None:
        """Take note of a version of something, if it is not older than one that was seen.

        Raises:
            Unverified: rollback: a higher version was seen, or the same one saying something else.
        """
        try:
            with locked(self._path.parent):
                store = self._read()
                if store is None or store.root != root:
                    raise Unverified("root", "the trust root was not admitted here before")
                last = store.marks.get(root, {}).get(subject)
                if last is not None:
                    _not_older(subject, mark, last)
                self._write(_with(store, root, subject, mark, issued))
        except (Misconfigured, OSError) as error:
            raise _unusable(error) from None

    def begin_anew(self, line: Sequence[Version]) -> None:
        """Trust this line of roots from now on, whatever was seen before: for its owner to say."""
        newest = line[-1]
        try:
            with locked(self._path.parent):
                mark = Mark(len(line), newest.digest)
                self._write(_Store(newest.id, newest.issued, {newest.id: {_ROOT: mark}}))
        except (Misconfigured, OSError) as error:
            raise _unusable(error) from None

    def _read(self) -> _Store | None:
        try:
            return msgspec.json.decode(read_private(self._path, _LARGEST), type=_Store)
        except FileNotFoundError:
            if self._known.exists():
                raise Unverified(
                    "store",
                    f"{self._path}: lost, so an older lockfile could not be told from a newer one; restore "
                    "it, or begin anew with `bawn sign root trust`",
                ) from None
            return None
        except (
            Misconfigured,
            OSError,
            msgspec.MsgspecError,
            UnicodeError,
            RecursionError,
        ) as error:
            raise Unverified("store", f"{self._path}: {error}") from None

    def _write(self, store: _Store) -> None:
        content = msgspec.json.encode(store)
        if content != _content(self._path):
            replace_private(self._path, content)
        if not self._known.exists():
            replace_private(self._known, b"known\n")


def _content(path: Path) -> bytes:
    try:
        return read_private(path, _LARGEST)
    except (OSError, Misconfigured):
        return b""


def _with(store: _Store, root: str, subject: str, mark: Mark, issued: float) -> _Store:
    marks = {**store.marks, root: {**store.marks.get(root, {}), subject: mark}}
    return _Store(store.root, max(store.issued, issued), marks)


def _continues(line: Sequence[Version], mark: Mark) -> None:
    if len(line) < mark.version:
        raise Unverified(
            "rollback",
            f"version {mark.version} of the trust root was seen, and this is {len(line)}",
        )
    if line[mark.version - 1].digest != mark.digest:
        raise Unverified(
            "rollback",
            f"version {mark.version} of the trust root said something else when it was seen",
        )


def _not_older(subject: str, mark: Mark, last: Mark) -> None:
    if mark.version < last.version:
        raise Unverified(
            "rollback", f"{subject}: version {last.version} was seen, and this is {mark.version}"
        )
    if mark.version == last.version and mark.digest != last.digest:
        raise Unverified(
            "rollback", f"{subject}: version {mark.version} said something else when it was seen"
        )


def _unusable(error: Exception) -> Unverified:
    return Unverified("store", f"what was seen before cannot be kept: {error}")
