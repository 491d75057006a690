"""What is done with the findings in one message: marked, stripped, made inert, redacted.

What nothing was found in stays the very object that it was, and the message itself is never changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from bawn.inspection.outputs.blobs import encoded
from bawn.inspection.outputs.draft import Draft
from bawn.inspection.outputs.leaves import KEY, STRUCTURED, Kind, Leaf, of_message
from bawn.inspection.outputs.marking import around, noted
from bawn.inspection.outputs.plan import Plan, Redact, planned
from bawn.inspection.outputs.stripping import inert, stripped
from bawn.inspection.outputs.structured import DROPPED, Change, Validator, forms, mended
from bawn.model import Json
from bawn.ports import Found

_ADDRESSES: Final = ("/uri", "/url", "/src")
_LINK: Final = frozenset({"uri", "name", "title", "description", "mimeType", "size", "icons"})
_LATER: Final = ("mark", "redact")
_SHAPE: Final = "shape"
_PARTIAL: Final = "inspection/partial"


class Way(msgspec.Struct, frozen=True):
    """How it is done: `nonce` is new for each message, `style` that of redacted text.

    `compiled` is the tool's `outputSchema`, if it has one. Without `note`, nothing is put into `_meta`,
    as errors have none.
    """

    nonce: str
    redact: Redact
    style: str = "label"
    compiled: Validator | None = None
    note: bool = True


def acted(message: Json, decided: Sequence[Found], way: Way) -> Json | None:
    """The result (or params, or error) as the caller gets it; None when none of it may be given.

    That is when a finding is to be held back or refused, when what should be changed cannot be without
    making the message an invalid one, or when not all that should be taken out is known.
    """
    taken = [each for each in decided if not each.shadow and each.action != "pass"]
    if not taken:
        return message
    if any(each.action not in _LATER for each in taken) or _unsure(taken):
        return None
    work = _Work(message, way)
    if not work.do(taken):
        return None
    return noted(work.draft.done(), taken) if way.note else work.draft.done()


def _unsure(taken: Sequence[Found]) -> bool:
    """Whether something is to be taken out, and there may be more of it where nobody looked."""
    partial = any(each.detection.rule == _PARTIAL for each in taken)
    return partial and any(each.action == "redact" for each in taken)


class _Work:
    """One message that is being changed."""

    def __init__(self, message: Json, way: Way) -> None:
        self.draft = Draft(message)
        self._message = message
        self._way = way
        self._links: list[str] = []
        self._structured: dict[str, list[Change]] = {}

    def do(self, taken: Sequence[Found]) -> bool:
        """Make every change; False when one cannot be made."""
        places: dict[str, list[Found]] = {}
        for each in taken:
            places.setdefault(each.place, []).append(each)
        leaves = {leaf.place: leaf for leaf in of_message(self._message) if leaf.place in places}
        for place, found in places.items():
            leaf = leaves.get(place)
            if leaf is None:  # a note is all that can be given of it
                if any(each.action != "mark" for each in found):
                    return False
            elif not self._one(leaf, found):
                return False
        return self._mend() and self._unlink()

    def _one(self, leaf: Leaf, found: Sequence[Found]) -> bool:
        plan = planned(leaf.text, found, self._way.redact, self._style(leaf))
        if leaf.kind is Kind.TEXT:
            self.draft.put(leaf.place, plan.text(leaf.text, around(self._way.nonce)))
            return True
        made = plan.text(leaf.text)
        if made == leaf.text:
            return True
        region = _region(leaf.place)
        if region is not None:
            self._structured.setdefault(region, []).append(self._change(leaf, found, made))
        elif leaf.kind is Kind.BLOB:
            self.draft.put(leaf.place, encoded(self.draft.at(leaf.place), made))
        elif leaf.kind is Kind.VALUE and leaf.place.endswith(_ADDRESSES):
            return self._address(leaf, plan)
        elif leaf.kind is Kind.VALUE:
            self.draft.put(leaf.place, made)
        else:  # a word of the protocol, or the name of a member that something else may name, too
            return False
        return True

    def _style(self, leaf: Leaf) -> str:
        return _SHAPE if leaf.place.endswith(_ADDRESSES) else self._way.style

    def _change(self, leaf: Leaf, found: Sequence[Found], made: str) -> Change:
        if leaf.kind is Kind.KEY:
            return Change(leaf.place, (made, DROPPED))
        shaped = planned(leaf.text, found, self._way.redact, _SHAPE).text(leaf.text)
        number = sum(map(len, self._structured.values())) + 1
        return Change(leaf.place, forms(stripped(leaf.text), made, shaped, number))

    def _address(self, leaf: Leaf, plan: Plan) -> bool:
        """Change an address, which has to stay one; a link that is not to be followed becomes a text."""
        above = leaf.place.rpartition("/")[0]
        block = self.draft.at(above)
        if plan.inert and isinstance(block, dict) and block.get("type") == "resource_link":
            self._links.append(above)
        elif plan.inert and not leaf.place.endswith("/uri"):
            return False
        self.draft.put(leaf.place, plan.text(leaf.text, active=True))
        return True

    def _mend(self) -> bool:
        for region, changes in self._structured.items():
            compiled = self._way.compiled if region in _CHECKED else None
            done = mended(self.draft.at(region), changes, compiled, region)
            if done is None:
                return False
            self.draft.put(region, done[0])
        return True

    def _unlink(self) -> bool:
        for place in self._links:
            block = self.draft.at(place)
            kept = {key: value for key, value in block.items() if key not in _LINK}
            told = [block.get("title") or block.get("name"), inert(str(block["uri"]))]
            text = ": ".join(str(each) for each in told if each)
            self.draft.put(place, {**kept, "type": "text", "text": f"(link) {text}"})
        return True


_CHECKED: Final = (f"/{STRUCTURED}", f"/result/{STRUCTURED}")


def _region(place: str) -> str | None:
    """The place of the structured content in which a place is; None outside."""
    pointer = place.removeprefix(KEY)
    for checked in _CHECKED:
        if pointer == checked or pointer.startswith(f"{checked}/"):
            return checked
    return None
