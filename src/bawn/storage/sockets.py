"""Unix sockets that only this user can connect to."""

from __future__ import annotations

import os
import socket
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final

BACKLOG: Final = 2048


def listen(path: Path) -> socket.socket:
    """A listening socket at this path, with mode 0600 from its first moment.

    It takes the place of a socket that a killed process left; who may listen there is known otherwise.

    Raises:
        OSError: nothing listens there.
    """
    with suppress(FileNotFoundError):
        if stat.S_ISSOCK(path.lstat().st_mode):
            path.unlink()
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        listener.bind(str(path))
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    finally:
        os.umask(before)
    listener.setblocking(False)
    return listener
