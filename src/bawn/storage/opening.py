"""Opening `state.db`: one that is not sound is set aside, and a fresh one begun.

All of it happens under a lock over processes. Those that had the old one open find out by themselves
that another file has its name (`Database`).
"""

from __future__ import annotations

import fcntl
import logging
import os
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import quote

from bawn.storage.schema import APPLICATION_ID, MIGRATIONS, TABLES

BUSY: Final = 0.25  # seconds to wait for another process's statement
_COMPANIONS: Final = ("-wal", "-shm")
_UNSOUND: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR})

log = logging.getLogger("bawn.storage")


class UnsoundError(Exception):
    """What lies there is not our database, or not whole."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A connection, the file that it is to, and the id that the database was created with."""

    connection: sqlite3.Connection
    identity: tuple[int, int]
    lineage: str


def is_unsound(problem: sqlite3.Error) -> bool:
    """Whether an error tells of a damaged or foreign database, and not of the disk or of others."""
    return getattr(problem, "sqlite_errorcode", 0) & 0xFF in _UNSOUND


def open_sound(path: Path) -> Opened:
    """Open the database, as it is or begun afresh.

    Raises:
        sqlite3.Error: it can be neither read nor begun now, which says nothing of its soundness.
        OSError: likewise.
    """
    with _lock(path):
        try:
            return _opened(path)
        except FileNotFoundError:
            pass
        except UnsoundError as problem:
            _set_aside(path, str(problem))
        _set_aside_companions(
            path, _stamp()
        )  # without its database a log would be played into ours
        return _begun(path)


def _opened(path: Path) -> Opened:
    status = path.stat()
    connection = _connect(path)
    try:
        lineage = _check(connection)
    except sqlite3.Error as problem:
        connection.close()
        if is_unsound(problem):
            raise UnsoundError(str(problem)) from None
        raise
    except BaseException:
        connection.close()
        raise
    return Opened(connection, (status.st_dev, status.st_ino), lineage)


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(
        f"file:{quote(str(path))}?mode=rw", uri=True, timeout=BUSY, isolation_level=None
    )


def _check(connection: sqlite3.Connection) -> str:
    """Bring the schema up to date and see that everything is there; returns the lineage."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    if application != APPLICATION_ID:
        raise UnsoundError("not a database of bawn")
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > len(MIGRATIONS):
        raise UnsoundError(f"of schema version {version}; this release knows {len(MIGRATIONS)}")
    (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        raise UnsoundError(verdict)
    connection.execute("PRAGMA synchronous = NORMAL")
    _migrate(connection, version)
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema")}
    row = connection.execute("SELECT lineage FROM meta").fetchone() if tables >= TABLES else None
    if row is None:
        raise UnsoundError("without its tables")
    return str(row[0])


def _migrate(connection: sqlite3.Connection, version: int) -> None:
    for number, step in enumerate(MIGRATIONS[version:], version + 1):
        connection.executescript(f"BEGIN IMMEDIATE; {step} PRAGMA user_version = {number}; COMMIT")


def _begun(path: Path) -> Opened:
    """A fresh database; it gets its name when it is whole."""
    new = path.with_name(f".{path.name}.new")
    for part in _parts(new):
        part.unlink(missing_ok=True)
    os.close(os.open(new, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    with closing(_connect(new)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        _migrate(connection, 0)
        connection.execute("INSERT INTO meta VALUES (?)", (secrets.token_hex(16),))
    new.rename(path)
    return _opened(path)


def _set_aside(path: Path, why: str) -> None:
    """Keep a database that cannot be used for whoever wants to look at it."""
    stamp = _stamp()
    log.error(
        "%s cannot be used (%s): set aside as %s.broken-%s, and begun afresh; sessions end by it",
        path, why, path.name, stamp,
    )  # fmt: skip
    path.rename(path.with_name(f"{path.name}.broken-{stamp}"))
    _set_aside_companions(path, stamp)


def _set_aside_companions(path: Path, stamp: str) -> None:
    for suffix in _COMPANIONS:
        companion = path.with_name(path.name + suffix)
        with suppress(FileNotFoundError):
            companion.rename(path.with_name(f"{path.name}.broken-{stamp}{suffix}"))


def _parts(path: Path) -> list[Path]:
    return [path, *(path.with_name(path.name + suffix) for suffix in _COMPANIONS)]


def _stamp() -> str:
    return datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(path.with_name(f".{path.name}.lock"), flags, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
