"""When the kernel does not say who it is, it is nobody. Real sockets are in tests/e2e/test_peer.py."""

from __future__ import annotations

import os

from bawn.identity import peer
from bawn.identity.peer import unix_peer
from bawn.model import Peer


def test_what_is_no_socket_has_no_user() -> None:
    read, write = os.pipe()
    try:
        assert unix_peer(read) == Peer("unix", None)
        assert os.fstat(read)
    finally:
        os.close(read)
        os.close(write)


def test_a_closed_descriptor_has_no_user() -> None:
    assert unix_peer(-1) == Peer("unix", None)


def test_the_kernels_structures_have_their_documented_sizes() -> None:
    assert peer._UCRED.size == 12
    assert peer._XUCRED.size == 76
