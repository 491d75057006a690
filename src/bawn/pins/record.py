"""What is on record of one server: approved definitions, changes that wait, quarantines."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

import msgspec

from bawn.model import Json

Aspect: TypeAlias = Literal["tool", "prompt", "template", "instructions", "launch"]
"""What can be pinned. Of `instructions` and `launch` a server has one each, with an empty name.

The definition of `instructions` is {"text": …}; that of `launch` tells how a local server is started:
{"command": […], "cwd": …, "env": [names], "package": {…} or absent}.
"""

WHOLE: Final = "server"
"""In a quarantine: the whole server, with an empty name."""

Key: TypeAlias = tuple[str, str]
"""Aspect and name."""


class Pin(msgspec.Struct, frozen=True):
    """One approved definition. `by` is who approved it: principals, `first use`, `automatic: …` or `lock`.

    A server whose lists differ by credential may have several of one aspect and name.
    """

    aspect: Aspect
    name: str
    digest: str  # SHA-256 in hex of the canonical form
    definition: Json
    approved: float  # seconds since the epoch
    by: tuple[str, ...] = ()

    @property
    def key(self) -> Key:
        """What it is a pin of."""
        return self.aspect, self.name


class Vote(msgspec.Struct, frozen=True):
    """Somebody approved a change; `who` identifies a person over credentials (`Principal.key`)."""

    who: str
    shown: str  # for people
    at: float


class Change(msgspec.Struct, frozen=True):
    """A definition that is not the approved one. It never becomes the baseline but by approval."""

    aspect: Aspect
    name: str
    digest: str
    definition: Json
    found: float
    votes: tuple[Vote, ...] = ()
    rejected: str = (
        ""  # by whom, when somebody said no: it stays away without being asked for again
    )

    @property
    def key(self) -> Key:
        """What has changed, or is new."""
        return self.aspect, self.name


class Hold(msgspec.Struct, frozen=True):
    """A quarantine by hand: of one item, or of the whole server (`aspect` WHOLE)."""

    aspect: str
    name: str
    since: float
    by: str
    why: str = ""


class Record(msgspec.Struct, frozen=True):
    """Everything on record of one server. `revision` rises by one with each change of the record.

    At most one change waits for each key: a newer one takes the place of an older one, votes and all.
    """

    server: str
    first: float  # when the server was listed first; 0 for never yet
    revision: int = 0
    pins: tuple[Pin, ...] = ()
    waiting: tuple[Change, ...] = ()
    holds: tuple[Hold, ...] = ()
