"""The stage of the path that looks at what is in a call, both ways."""

from __future__ import annotations

from collections.abc import Sequence

from bawn.inspection.leaving import Leaving
from bawn.inspection.returning import Returning
from bawn.model import Answer, Call, Item, Json, View
from bawn.ports import Inspected, Placed


class Inspection:
    """`ports.Inspector`."""

    def __init__(self, leaving: Leaving, returning: Returning) -> None:
        self._leaving = leaving
        self._returning = returning

    def leaving(
        self, call: Call, item: Item, params: Json, more: Sequence[Placed] = ()
    ) -> Inspected | None:
        """Fills `ports.Inspector`."""
        return self._leaving.inspected(call, item, params, more)

    def returning(
        self, call: Call, item: Item, answer: Answer, more: Sequence[Placed] = ()
    ) -> Inspected | None:
        """Fills `ports.Inspector`."""
        return self._returning.answer(call, item, answer, more)

    def telling(self, call: Call, item: Item, message: Json) -> Inspected | None:
        """Fills `ports.Inspector`."""
        return self._returning.told(call, item, message)

    def swap(self, view: View) -> None:
        """Fills `ports.Inspector`."""
        self._leaving.forget()
        self._returning.forget()
