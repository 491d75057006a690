"""The directories that belong to one server and isolation key: `${data}`, and its TMPDIR within."""

from __future__ import annotations

import hashlib
import logging
import shutil
from pathlib import Path
from typing import Final

from bawn.errors import UPSTREAM_NOT_STARTED, Refused

TEMPORARY: Final = "tmp"
_SESSION: Final = "session-"  # in front of the names of those that end with their process

_log = logging.getLogger("bawn.runner")


def place(root: Path, server: str, isolation: str, project: str | None, *, session: bool) -> Path:
    """Where the directory of this key lies; its name tells nothing of a person."""
    text = "\0".join((server, isolation, "" if project is None else f"in {project}"))
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return root / f"{_SESSION if session else ''}{digest}"


def make(directory: Path) -> None:
    """Create it, and its TMPDIR, for this user alone, unless it is there.

    Raises:
        Refused: upstream.not_started.
    """
    try:
        directory.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        directory.mkdir(mode=0o700, exist_ok=True)
        (directory / TEMPORARY).mkdir(mode=0o700, exist_ok=True)
    except OSError as problem:
        detail = f"its data directory {directory} cannot be created: {problem.strerror}"
        raise Refused(UPSTREAM_NOT_STARTED, detail=detail) from None


def remove(directory: Path) -> None:
    """Delete it with all it holds; may block. What cannot be deleted is told in the log."""

    def note(_: object, path: str, problem: BaseException) -> None:
        if not isinstance(problem, FileNotFoundError):
            _log.warning("%s cannot be deleted: %s", path, problem)

    # What a server left there may be of any kind: rmtree follows no link out of the directory.
    shutil.rmtree(directory, onerror=lambda f, path, info: note(f, path, info[1]))


def clear_sessions(root: Path) -> None:
    """Delete what sessions of a runner before this one left; may block."""
    for directory in root.glob(f"{_SESSION}*"):
        remove(directory)
