"""A gate of two rules: what says `steal` is flagged, and what says `token` is a secret."""

from __future__ import annotations

from collections.abc import Sequence

from bawn.assurance.measuring.measure import Dataset
from bawn.assurance.measuring.rows import Label, Row
from bawn.assurance.measuring.subject import Subject
from bawn.errors import INSPECTION_ARGUMENT, Refused
from bawn.model import Answer, Call, Detection, Item, Json, Kind, Listing, Severity, View, Withheld
from bawn.ports import Found, Inspected, Placed


class TwoRules:
    """`ports.Inspector`; `swapped` counts how often definitions were forgotten."""

    def __init__(self) -> None:
        self.swapped = 0
        self.items: list[Item] = []
        self.answers: list[Answer] = []

    def leaving(
        self, call: Call, item: Item, params: Json, more: Sequence[Placed] = ()
    ) -> Inspected | None:
        self.items.append(item)
        if "steal" in str(params["arguments"]):
            raise Refused(INSPECTION_ARGUMENT, "/arguments/a (argument/steal)")
        return _found(str(params))

    def returning(
        self, call: Call, item: Item, answer: Answer, more: Sequence[Placed] = ()
    ) -> Inspected | None:
        self.items.append(item)
        self.answers.append(answer)
        return _found(str(answer.result))

    def telling(self, call: Call, item: Item, message: Json) -> Inspected | None:
        raise AssertionError("nothing is told")

    def swap(self, view: View) -> None:
        self.swapped += 1


def _found(text: str) -> Inspected | None:
    rules = {"steal": "output/steal", "token": "secret/token", "perhaps": "output/perhaps"}
    found = [
        Found(
            "/", Detection(rule, Severity.HIGH, 0, 1, ""), "pass" if word == "perhaps" else "mark"
        )
        for word, rule in rules.items()
        if word in text
    ]
    return Inspected(found=tuple(found)) if found else None


class Pins:
    """Serves what it was shown first, and withholds anything else."""

    def __init__(self) -> None:
        self.first: dict[str, Listing] = {}
        self.times: list[float] = []

    def __call__(self, listing: Listing, at: float) -> Listing:
        self.times.append(at)
        before = self.first.setdefault(listing.server, listing)
        if before.definitions == listing.definitions:
            return listing
        several = tuple(
            Withheld(each, "integrity.drift") for each in listing.definitions[Kind.TOOL]
        )
        return Listing(listing.server, "1", {}, "", {}, 0, withheld={Kind.TOOL: several})


def subject() -> Subject:
    return Subject(TwoRules(), Pins())


def outputs(*texts: tuple[Label, str]) -> Dataset:
    """Rows of the track `outputs`."""
    rows = (
        Row(id=f"r{at}", label=label, kind="mail", style="loud" if at % 2 else "quiet", text=text)
        for at, (label, text) in enumerate(texts)
    )
    return Dataset("outputs", tuple(rows), "0" * 64)
