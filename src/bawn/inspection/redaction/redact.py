"""Redaction: each span that a detector found is replaced by what stands for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal, TypeAlias

from bawn.model import Detection

Style: TypeAlias = Literal["label", "shape"]

Mask: TypeAlias = Callable[[str, Detection], str]
"""What stands for a value that was found. The same for the same value."""

KEY: Final = "#"
"""Behind a place: what was found is in the name of the field there, not in its value."""

_CARD: Final = "personal/card"
_SHOWN_OF_CARD: Final = 4


def label(value: str, detection: Detection) -> str:
    """What it was: `[secret:github-token]`."""
    return f"[{detection.rule.replace('/', ':', 1)}]"


def shape(value: str, detection: Detection) -> str:
    """As long, with the same kinds of characters; of a card the last four digits stay."""
    kept = _last_digits(value, _SHOWN_OF_CARD) if detection.rule == _CARD else len(value)
    return "".join(map(_like, value[:kept])) + value[kept:]


STYLES: Final[Mapping[Style, Mask]] = {"label": label, "shape": shape}


def redact(text: str, detections: Sequence[Detection], mask: Mask = label) -> str:
    """The text with every span masked; of spans that overlap the first names what all of it was."""
    parts: list[str] = []
    at = 0
    for start, end, detection in _joined(detections):
        parts += (text[at:start], mask(text[start:end], detection))
        at = end
    parts.append(text[at:])
    return "".join(parts)


def redact_tree(
    tree: Any, found: Mapping[str, Sequence[Detection]], mask: Mask = label, place: str = ""
) -> Any:
    """A JSON value with its texts masked, by the place (RFC 6901) of what was found.

    What was found in the name of a field is under its place and `#`. Names that become equal are told
    apart by a number behind them, so that nothing is lost.
    """
    if isinstance(tree, str):
        here = found.get(place)
        return redact(tree, here, mask) if here else tree
    if isinstance(tree, list):
        return [
            redact_tree(each, found, mask, f"{place}/{index}") for index, each in enumerate(tree)
        ]
    if not isinstance(tree, dict):
        return tree
    made: dict[str, Any] = {}
    for name, value in tree.items():
        below = f"{place}/{name.replace('~', '~0').replace('/', '~1')}"
        masked = redact(name, found.get(below + KEY, ()), mask)
        made[masked if masked == name else _free(masked, made, tree)] = redact_tree(
            value, found, mask, below
        )
    return made


def _joined(detections: Sequence[Detection]) -> list[tuple[int, int, Detection]]:
    joined: list[tuple[int, int, Detection]] = []
    for each in sorted(detections, key=lambda each: (each.start, -each.end)):
        if each.end <= each.start:
            continue
        if joined and each.start < joined[-1][1]:
            start, end, first = joined[-1]
            joined[-1] = (start, max(end, each.end), first)
        else:
            joined.append((each.start, each.end, each))
    return joined


def _free(name: str, made: Mapping[str, Any], tree: Mapping[str, Any]) -> str:
    free, number = name, 1
    while free in made or free in tree:
        number += 1
        free = f"{name}{number}"
    return free


def _like(character: str) -> str:
    if character.isdigit():
        return "0"
    if character.isalpha():
        return "X" if character.isupper() else "x"
    return character


def _last_digits(value: str, count: int) -> int:
    """Where the last digits of a value begin."""
    for place in range(len(value) - 1, -1, -1):
        count -= value[place].isdigit()
        if count == 0:
            return place
    return len(value)
