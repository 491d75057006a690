"""Automatic reload: the file is looked at every second, and what may be applied is applied."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Final

from bawn.app.supervisor import Supervisor
from bawn.errors import BawnError

log = logging.getLogger("bawn.config")

_EVERY: Final = 1.0


async def watch(supervisor: Supervisor) -> None:
    """Reload for as long as the gate runs; a bad file is reported once and keeps the old one serving."""
    path = supervisor.loaded.path
    seen = _stamp(path)
    while True:
        await asyncio.sleep(_EVERY)
        now = _stamp(path)
        if now == seen:
            continue
        seen = now
        try:
            log.info("configuration: %s", await supervisor.reload(by_owner=False))
        except (BawnError, OSError) as error:
            for problem in str(error).splitlines():
                log.error("configuration not taken over, the old one goes on: %s", problem)


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
