"""Who shares a process or a session with whom, in digests that tell nothing of a person."""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256

from bawn.config import Isolation
from bawn.model import Call, Principal


@lru_cache(4096)
def account(principal: Principal) -> str:
    """The person or agent that calls: the same whatever the token."""
    return _digest(principal.key, "principal", "")


def isolation_key(isolation: Isolation, call: Call) -> str:
    """Whose process or session a call runs in: opaque, and equal only where sharing is configured."""
    match isolation:
        case "shared":
            return "shared"
        case "principal":
            return account(call.principal)
        case "session":
            return _digest(call.principal.key, isolation, call.session or "")
        case "project":
            return _digest(call.principal.key, isolation, call.project or "")


@lru_cache(4096)
def _digest(principal: str, isolation: str, part: str) -> str:
    return sha256("\0".join((principal, isolation, part)).encode()).hexdigest()[:32]
