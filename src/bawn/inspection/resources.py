"""Lists of resources: never pinned, so their words are looked at each time, as those of answers are.

Nothing is marked in a list, where a mark would be one more word of a name. A resource in whose words something
is found is listed by its URI alone, and one whose URI says it is not listed; what is read of it is inspected then.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from bawn.detectors.survey import Survey
from bawn.inspection.decisions import Decisions, hardest
from bawn.inspection.outputs.forged import NOTE, unforged
from bawn.inspection.outputs.leaves import of_values
from bawn.model import Item, Json, Kind, Listing, Surface
from bawn.ports import Placed
from bawn.protocol.strict import encode

_PATIENCE: Final = 1.0
"""Seconds for what stands out in one list. What there was no time for counts as found."""


class Resources:
    """Inspects listed resources, for the steward; `timer` gives seconds."""

    def __init__(self, survey: Survey, decisions: Decisions, timer: Callable[[], float]) -> None:
        self._survey = survey
        self._decisions = decisions
        self._timer = timer

    def shown(self, listing: Listing) -> tuple[Listing, str]:
        """A listing with its resources as they may be shown, and what is to be said where that differs."""
        definitions = listing.definitions.get(Kind.RESOURCE, ())
        ends = self._timer() + _PATIENCE
        shown: list[Json] = []
        bare = 0
        for each in definitions:
            if self._passes(listing.server, each, ends):
                shown.append(each)
            elif self._passes(listing.server, plain := _plain(each), ends):
                shown.append(plain)
                bare += 1
        left_out = len(definitions) - len(shown)
        if not bare and not left_out:
            return listing, ""
        made = replace(listing, definitions={**listing.definitions, Kind.RESOURCE: tuple(shown)})
        said = (
            f"of {len(definitions)} resources {bare} are listed by URI alone and {left_out} are not"
        )
        return made, f"{said}: something was found in their words"

    def _passes(self, server: str, definition: Json, ends: float) -> bool:
        """Whether nothing is found in it about which something has to be done; not where that cannot be told."""
        try:
            found = self._found(definition, ends)
        except Exception:  # noqa: BLE001  # fail closed, whatever breaks
            return False
        if found is None:
            return False
        if not found:
            return True
        uri = str(definition.get("uri", ""))
        item = Item(Kind.RESOURCE, server, uri, uri, definition)
        return hardest(self._decisions.decided(item, "outputs", found)) == "pass"

    def _found(self, definition: Json, ends: float) -> list[Placed] | None:
        """What is found in a resource; None when it could not be looked at, or not in time."""
        found: list[Placed] = [] if unforged(definition) is definition else [("", NOTE)]
        if self._survey.clean(encode(definition), Surface.OUTPUT):
            return found
        leaves = of_values(definition)
        if not leaves.whole or self._timer() > ends:
            return None
        return found + self._survey.look_at(tuple(leaves.texts), Surface.OUTPUT)


def _plain(definition: Json) -> Json:
    """A resource without a word of its server's, but for where it is; its name is obligatory."""
    uri = definition.get("uri")
    return {"uri": uri, "name": uri}
