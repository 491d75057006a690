"""What is in it: detectors, and the stage that acts on what they find."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import Literal, Protocol, TypeAlias, runtime_checkable

import msgspec

from bawn.model import Answer, Ask, Call, Detection, Item, Json, Label, Surface, View

Wanted: TypeAlias = Literal["raw", "folded", "all"]
"""Which forms of a text a detector is shown: as they stand (decoded ones too), folded ones, or both."""


Placed: TypeAlias = tuple[str, Detection]
"""A detection and the place of its text, an RFC 6901 pointer."""


class Detector(Protocol):
    """Finds in a text what should not be there. Pure: no I/O, no clock, nothing remembered.

    Takes time linear in the text. It is shown the text as it stands and, one after the other, the forms
    in which it may be hidden (folded, decoded), and need not look for disguises itself.
    """

    @property
    def id(self) -> str:
        """Its name, with which the ids of its rules begin: `secret` for `secret/aws-key`."""

    @property
    def surfaces(self) -> frozenset[Surface]:
        """Where it looks."""

    @property
    def forms(self) -> Wanted:
        """What it reads: `folded` for words and models, `raw` where each character counts."""

    @property
    def triggers(self) -> Sequence[str]:
        """Patterns (Hyperscan syntax, any case) one of which every text has in which it finds something.

        What has no trigger of any detector is clean, and looked at no further. Empty: it is always asked.
        """

    def detect(self, text: str, surface: Surface) -> Sequence[Detection]:
        """What is found in one form of a text, in the order of `start`."""


@runtime_checkable
class Naming(Protocol):
    """A detector that also judges a value by the name of its field, as in `{"password": "…"}`."""

    def named(self, name: str, text: str) -> Detection | None:
        """What is found in the value of a field of this name."""


class Found(msgspec.Struct, frozen=True):
    """A detection in a message: at which place (an RFC 6901 pointer), and what was done about it."""

    place: str
    detection: Detection
    action: str  # pass, mark, redact, ask, quarantine, block
    shadow: bool = False  # it would have been done


class Inspected(msgspec.Struct, frozen=True):
    """What leaves, or comes back, after inspection.

    `params` is what leaves; `answer` what goes to the caller. `asks` is whose consent findings call for.
    `labels` is what the conversation has touched by it.
    """

    params: Json | None = None
    answer: Answer | None = None
    asks: tuple[Ask, ...] = ()
    found: tuple[Found, ...] = ()
    labels: frozenset[Label] = frozenset()


class Judges(Protocol):
    """External judges, asked out of the way of calls unless one of them decides."""

    def ask(
        self, direction: str, call: Call, item: Item, tree: Json
    ) -> Awaitable[Sequence[Placed]] | None:
        """What judges find who decide (`arguments` or `outputs`); None when nobody has to be waited for.

        Raises:
            Refused: when awaited, inspection.judge.
        """


class Inspector(Protocol):
    """Inspects calls both ways. It fails closed: whatever breaks in it is a refusal.

    `more` is what judges have found, with its place.
    """

    def leaving(
        self, call: Call, item: Item, params: Json, more: Sequence[Placed] = ()
    ) -> Inspected | None:
        """What of these params may leave to the item's server; None when nothing was found.

        Raises:
            Refused: inspection.* reasons.
        """

    def returning(
        self, call: Call, item: Item, answer: Answer, more: Sequence[Placed] = ()
    ) -> Inspected | None:
        """What of an answer the caller gets; None when nothing was found.

        Raises:
            Refused: inspection.* reasons.
        """

    def telling(self, call: Call, item: Item, message: Json) -> Inspected | None:
        """A notification on the way to the caller: `params` is the message as it may be told.

        Raises:
            Refused: inspection.* reasons.
        """

    def swap(self, view: View) -> None:
        """Inspect by this View's definitions from now on."""
