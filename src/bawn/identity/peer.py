"""Which user is at the other end of a Unix socket: the kernel's word, not the caller's."""

from __future__ import annotations

import os
import socket
import struct
import sys
from typing import Final

from bawn.model import Peer

# struct ucred (unix(7)) and struct xucred (<sys/ucred.h> of macOS, version 0)
_UCRED: Final = struct.Struct("iII")
_XUCRED: Final = struct.Struct("=IIhxx16I")
_NOBODY_AT_ALL: Final = 2**32 - 1  # (uid_t) -1: the socket has no peer
_SOL_LOCAL: Final = 0
_LOCAL_PEERCRED: Final = 1


def unix_peer(fileno: int) -> Peer:
    """The peer of a connected Unix socket, by descriptor; the descriptor stays open.

    `uid` is None when the kernel does not tell, and then the peer is nobody in particular: it
    needs a token like everybody else.
    """
    try:
        with socket.socket(fileno=os.dup(fileno)) as own:
            return Peer("unix", _uid(own))
    except (OSError, struct.error):
        return Peer("unix", None)


def _uid(connected: socket.socket) -> int | None:
    if connected.family != socket.AF_UNIX:
        return None
    uid: int | None = None
    if sys.platform == "linux":
        found = connected.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size)
        _pid, named, _gid = _UCRED.unpack(found)
        uid = named if named != _NOBODY_AT_ALL else None
    elif sys.platform == "darwin":
        found = connected.getsockopt(_SOL_LOCAL, _LOCAL_PEERCRED, _XUCRED.size)
        version, named, *_groups = _XUCRED.unpack(found)
        uid = named if version == 0 else None
    return uid
