"""What detectors find in a definition that they had not found in the approved one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

from bawn.detectors.definitions import examine, flagged
from bawn.drift.cues import EXCERPT, MOST, Cue, Names
from bawn.model import Detection, Json
from bawn.pins.record import Aspect

_READ: Final[frozenset[Aspect]] = frozenset(("tool", "prompt", "template", "instructions"))
"""What a model reads; how a server is launched has a grammar of its own."""


def detected(
    old: Json | None, new: Json, aspect: Aspect, names: Names
) -> Iterator[tuple[str, Cue]]:
    """The cues of what is found in the new definition alone, by the path of their field."""
    if aspect not in _READ:
        return
    found = _alarms(new, aspect, names)
    before = Counter(map(_same, _alarms(old, aspect, names))) if found and old else Counter()
    for place, detection in found[:MOST]:
        key = _same((place, detection))
        if before[key]:
            before[key] -= 1
            continue
        said = f"{detection.rule}: {detection.evidence}"
        yield _path(place), Cue("detected", said[:EXCERPT])


def alarming(definition: Json, aspect: Aspect) -> bool:
    """Whether something is found in a definition for which nobody should trust it unread."""
    return aspect in _READ and bool(_alarms(definition, aspect, Names()))


def _alarms(definition: Json | None, aspect: Aspect, names: Names) -> list[tuple[str, Detection]]:
    if definition is None:
        return []
    return flagged(examine(definition, aspect, names.foreign))


def _same(found: tuple[str, Detection]) -> tuple[str, str]:
    return found[1].rule, found[1].evidence


def _path(pointer: str) -> str:
    """A place as `drift.fields` writes it."""
    steps = (step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:])
    return "".join(f"[{step}]" if step.isdigit() else f".{step}" for step in steps).lstrip(".")
