"""`state.db`: what all processes of a gate have to know at once, in SQLite.

Write-ahead log, `synchronous = NORMAL`: what was written outlives any process, killed or not; a power
loss may take the last seconds. What it holds is small, so statements run on the event loop.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from bawn.errors import STORE_UNAVAILABLE, Refused
from bawn.storage.opening import is_unsound, open_sound

NAME: Final = "state.db"
RETRY: Final = 0.25  # seconds between attempts to open one that could not be opened

log = logging.getLogger("bawn.storage")


class Database:
    """A connection that mends itself: the disk may come back, and the file may become another one.

    `lineage` is the id the database was created with. When it changes, what was buried before is
    forgotten: `renewed` is called, and no handle sealed before may count any more. For one thread.

    Raises:
        Refused: store.unavailable, here and from every method.
    """

    def __init__(self, path: Path, renewed: Callable[[], None] = lambda: None) -> None:
        self._path = str(path)
        self._renewed = renewed
        self._connection: sqlite3.Connection | None = None
        self._identity = (0, 0)
        self._retry = 0.0  # not before this time
        self._why = ""
        self.healthy = True
        """Whether the last statement went well."""
        self.lineage = ""
        self._ready()

    def rows(self, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """What a query finds."""
        return self._execute(statement, parameters).fetchall()

    def change(self, statement: str, *parameters: Any) -> int:
        """Run a statement that changes rows, all or none of them; how many it changed."""
        return self._execute(statement, parameters).rowcount

    def close(self) -> None:
        """Let go of the file; the next statement opens it again."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _execute(self, statement: str, parameters: tuple[Any, ...]) -> sqlite3.Cursor:
        try:
            cursor = self._ready().execute(statement, parameters)
        except sqlite3.Error as problem:
            if not is_unsound(problem):
                raise self._unavailable(problem) from None
            self.close()
            cursor = self._once_more(statement, parameters)
        if not self.healthy:
            self.healthy = True
            log.warning("%s can be used again", self._path)
        return cursor

    def _once_more(self, statement: str, parameters: tuple[Any, ...]) -> sqlite3.Cursor:
        """Open it again, which begins it afresh if it is damaged."""
        try:
            return self._ready().execute(statement, parameters)
        except sqlite3.Error as problem:
            raise self._unavailable(problem) from None

    def _ready(self) -> sqlite3.Connection:
        if self._connection is not None:
            if self._is_there():
                return self._connection
            self.close()
        if time.monotonic() < self._retry:
            raise Refused(STORE_UNAVAILABLE, detail=self._why)
        try:
            opened = open_sound(Path(self._path))
        except (OSError, sqlite3.Error) as problem:
            self._retry = time.monotonic() + RETRY
            raise self._unavailable(problem) from None
        self._connection, self._identity = opened.connection, opened.identity
        before, self.lineage = self.lineage, opened.lineage
        if before not in ("", opened.lineage):
            self._renewed()
        return opened.connection

    def _is_there(self) -> bool:
        """Whether the file of this name is the one we have open: another process may have replaced it."""
        try:
            status = os.stat(self._path)  # noqa: PTH116  # a third of the price of Path.stat
        except OSError:
            return False
        return (status.st_dev, status.st_ino) == self._identity

    def _unavailable(self, problem: Exception) -> Refused:
        self._why = f"{self._path}: {problem}"
        if self.healthy:  # once, not for every call
            self.healthy = False
            log.error("%s cannot be used: %s", self._path, problem)
        return Refused(STORE_UNAVAILABLE, detail=self._why)
