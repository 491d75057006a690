"""What a local server says in the log: cleaned, bounded, and without the secrets it was given."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Final

from bawn.runner.lines import LineSplitter, Overlong

LINE: Final = 2_000
"""Characters of one entry."""
BURST: Final = 100
"""Entries in one window; what comes beyond is counted, not written."""
WINDOW: Final = 10.0
_RAW: Final = 2 * LINE  # more than is written, so that no secret is cut in half before it is found
_SHORTEST_SECRET: Final = 6  # a shorter value would blot out ordinary words


class Journal:
    """The log of one server's process, under the name `bawn.server.<id>`."""

    def __init__(
        self,
        server: str,
        secrets: tuple[str, ...] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._logger = logging.getLogger(f"bawn.server.{server}")
        self._secrets = sorted(
            (value for value in secrets if len(value) >= _SHORTEST_SECRET), key=len, reverse=True
        )
        self._clock = clock
        self._until = 0.0
        self._room = BURST
        self._dropped = 0
        self._stderr = LineSplitter(_RAW, keep=_RAW)
        self.last = ""

    def clean(self, text: str) -> str:
        """The text as it may be shown: no known secret, no control character, not too long."""
        for secret in self._secrets:
            text = text.replace(secret, "[redacted]")
        text = text[:LINE]
        if text.isprintable():
            return text
        return "".join(c if c.isprintable() else " " for c in text)

    def write(self, level: int, text: str) -> None:
        """One entry, unless the window is full."""
        if self._admits():
            self._room -= 1
            self._logger.log(level, "%s", self.clean(text))
        else:
            self._dropped += 1

    def stderr(self, data: bytes) -> None:
        """What came from the process's standard error; `last` is its latest line."""
        if not self._admits():
            self._dropped += data.count(b"\n")  # a flood costs no more than counting it
            return
        for line in self._stderr.feed(data):
            raw = line.head if isinstance(line, Overlong) else line
            text = raw.decode("utf-8", "replace").strip()
            if text:
                self.last = self.clean(text)
                self.write(logging.INFO, text)

    def _admits(self) -> bool:
        """Whether the window has room; opens the next one when its time has come."""
        now = self._clock()
        if now >= self._until:
            if self._dropped:
                self._logger.warning("%d more lines were left out", self._dropped)
            self._until, self._room, self._dropped = now + WINDOW, BURST, 0
        return self._room > 0
