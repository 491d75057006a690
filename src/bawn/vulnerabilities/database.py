"""What a database of vulnerabilities answers, whichever it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from bawn.model import Json
from bawn.vulnerabilities.component import Component


class Answer(msgspec.Struct, frozen=True):
    """What a database has on one component.

    `records` are those about its package; `claims` the ids that the database itself says are about its
    version. With a `problem` there may be more than these: silence then means nothing.
    """

    records: tuple[Json, ...] = ()
    claims: tuple[str, ...] = ()
    problem: str = ""


class Database(Protocol):
    """A place to ask for records in the OSV schema."""

    @property
    def title(self) -> str:
        """Where it is, for people."""
        ...

    async def answers(self, components: Sequence[Component]) -> list[Answer]:
        """One answer for each component, in their order. What goes wrong is told in the answers."""
        ...

    async def aclose(self) -> None:
        """Let go of connections and files."""
        ...
