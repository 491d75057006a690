"""Which conversation a call belongs to, where the protocol has no sessions.

In this order: the handle that the client gives in `_meta`, its legacy session, the trace that it
itself began (one that the gate made up would be new with each call), and where it gives none of
these, all that a principal does by one agent is one conversation.

What this means for safety: the key is never anybody else's, for the principal and the agent are part
of it, as their token says. But a client picks its handle, session and trace, so an agent that takes
new ones leaves its past behind, and what it touched before is unknown to its next conversation. Whoever
does not trust the agent with that sets `flow.by: principal`, and all three are ignored.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256
from typing import Final

from bawn.errors import MESSAGE_PARAMS, Refused
from bawn.model import Json

HANDLE: Final = "io.bawn/conversation"
"""The key in a request's `_meta`."""

LONGEST: Final = 256  # characters of a handle


def conversation(
    principal_key: str, agent: str, meta: Json, trace_given: str | None, session: str | None
) -> str:
    """The key of a call's conversation: 32 hex digits that tell nothing of anybody.

    `trace_given` is the trace id that the client gave, and None when the gate made one.

    Raises:
        Refused: message.params, when the handle is no text of 1 to 256 characters.
    """
    if HANDLE in meta:
        kind, part = "handle", _handle(meta[HANDLE])
    elif session is not None:
        kind, part = "session", session
    elif trace_given is not None:
        kind, part = "trace", trace_given
    else:
        kind, part = "agent", ""
    return _digest(principal_key, agent, kind, part)


def by_principal(principal_key: str, agent: str) -> str:
    """The key where all that a principal does by one agent is one conversation."""
    return _digest(principal_key, agent, "agent", "")


def _handle(handle: object) -> str:
    if not isinstance(handle, str) or not 0 < len(handle) <= LONGEST:
        raise Refused(
            MESSAGE_PARAMS, f"`_meta` `{HANDLE}` must be text of 1 to {LONGEST} characters"
        )
    return handle


@lru_cache(4096)
def _digest(*parts: str) -> str:
    # repr tells where a part ends, whatever it holds
    return sha256(repr(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]
