"""Structured content that is changed, and still is what the tool's `outputSchema` says.

A text that is changed comes with several forms, the best one first. Where a form breaks the schema, the
next one is tried there; where none is left, the result cannot be mended.

Source: server/tools, "Output Schema" (2026-07-28).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, Final, Protocol

import msgspec

from bawn.inspection.outputs.draft import Draft
from bawn.inspection.outputs.leaves import KEY, escaped, parts

_ROUNDS: Final = 24
"""Looks at the whole: each takes every text that is not as it should be one form further."""

_ERRORS: Final = 1_000  # of one look
_SHAPES: Final = (("x", "X", "0"), ("a", "A", "1"))
"""What letters and digits become: the second passes for hexadecimal digits, dates and addresses."""


class Dropped:
    """A form: the member is left out, or the key with its value."""


DROPPED: Final = Dropped()


class Change(msgspec.Struct, frozen=True):
    """What may stand at a place (of a key: what it may be called), the best form first."""

    place: str
    forms: tuple[Any, ...]


class Problem(Protocol):
    """What is not as a schema says."""

    @property
    def instance_path(self) -> Sequence[str | int]:
        """Where."""


class Validator(Protocol):
    """A compiled schema, such as one of jsonschema-rs."""

    def is_valid(self, instance: Any) -> bool:
        """Whether a value is as the schema says."""

    def iter_errors(self, instance: Any) -> Iterable[Problem]:
        """What is not."""


def validator(schema: Any) -> Validator | None:
    """The schema, compiled; None for one that cannot be. Nothing is fetched for it.

    Formats count, as there are clients that hold results against them.
    """
    from jsonschema_rs import RegexOptions, ValidationError, validator_for

    try:
        return validator_for(
            schema, offline=True, pattern_options=RegexOptions(), validate_formats=True
        )
    except (ValidationError, ValueError, TypeError):
        return None


def mended(
    value: Any, changes: Sequence[Change], compiled: Validator | None, at: str = ""
) -> tuple[Any] | None:
    """The value (in a tuple, for it may be null) with a form for each change, valid if it was before.

    Places are those of the message in which the value stands `at` its place. None when there is no way.
    """
    ranks = dict.fromkeys(range(len(changes)), 0)
    if compiled is None or not compiled.is_valid(value):
        return (_tried(value, changes, ranks, at),)
    for _ in range(_ROUNDS):
        tried = _tried(value, changes, ranks, at)
        if compiled.is_valid(tried):
            return (tried,)
        wrong = _wrong(tried, changes, compiled, at)
        if any(ranks[number] + 1 >= len(changes[number].forms) for number in wrong):
            return None
        for number in wrong:
            ranks[number] += 1
    return None


def forms(bare: str, made: str, shaped: str, number: int) -> tuple[Any, ...]:
    """The forms of a text: as it was `made`, as `shaped` like before, and then without any of it.

    `bare` is the text without what nobody sees; `number` keeps forms of several texts apart.
    """
    wholly = tuple(shape(bare, each) for each in range(len(_SHAPES)))
    return (made, shaped, f"[withheld {number}]", DROPPED, None, *wholly, "")


def shape(text: str, which: int) -> str:
    """A text with the length and the kinds of characters of another one, and nothing else of it."""
    small, large, digit = _SHAPES[which]
    return "".join(
        digit if each.isdigit() else large if each.isupper() else small if each.isalnum() else each
        for each in text
    )


def _tried(value: Any, changes: Sequence[Change], ranks: Mapping[int, int], at: str) -> Any:
    draft = Draft(value)
    for number, change in enumerate(changes):
        form = change.forms[ranks[number]]
        place = change.place.removeprefix(KEY)[len(at) :]
        above, _, key = place.rpartition("/")
        if change.place.startswith(KEY):
            beside = f"{above}/{escaped(form)}" if isinstance(form, str) else place
            if form is DROPPED or (beside != place and draft.has(beside)):
                draft.drop(place)
            else:
                draft.rename(place, form)
        elif form is not DROPPED:
            draft.put(place, form)
        elif key and isinstance(draft.at(above), dict):
            draft.drop(place)
        else:  # what has no key cannot be left out without moving the others
            draft.put(place, None)
    return draft.done()


def _wrong(tried: Any, changes: Sequence[Change], compiled: Validator, at: str) -> list[int]:
    """The changes at, below or above a place that is wrong; all of them where nothing else is."""
    wrong = [
        [str(part) for part in each.instance_path]
        for each in islice(compiled.iter_errors(tried), _ERRORS)
    ]
    found = []
    for number, change in enumerate(changes):
        own = parts(change.place.removeprefix(KEY)[len(at) :])
        if any(own[: len(each)] == each or each[: len(own)] == own for each in wrong):
            found.append(number)
    return found or list(range(len(changes)))
