"""What to make of a changed definition: of which classes it is, how grave, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, Literal, TypeAlias

import msgspec

from bawn.drift.classes import CLASSES, RISKS, Class, Risk
from bawn.drift.cues import NOBODY, Cue, Names, introduced
from bawn.drift.detected import detected
from bawn.drift.fields import SCHEMAS, Field, differences
from bawn.drift.said import said
from bawn.drift.schemas import Containing, compared
from bawn.drift.trivial import is_cosmetic, property_names, says_nothing_new
from bawn.model import Json
from bawn.pins.canonical import Uncanonical, canonical
from bawn.pins.record import Aspect

Automatic: TypeAlias = Literal["", "cosmetic", "narrowed", "added"]

_GRAVE: Final = frozenset(("instruction", "concealment", "detected"))
_GOAL: Final = frozenset(("secret", "url", "other-tool"))
_PARTS: Final[dict[str, Class]] = {
    "annotations": "annotation", "icons": "icon", "_meta": "meta", "execution": "meta",
    "mimeType": "meta", "title": "title",
}  # fmt: skip
_HINTS: Final = {
    "readOnlyHint": (False, False),
    "destructiveHint": (True, True),
    "idempotentHint": (False, False),
    "openWorldHint": (True, True),
}
"""What counts where a hint is absent, and which of the two is more dangerous (2026-07-28, ToolAnnotations)."""

_CONTAINING: Final[dict[Containing, tuple[Class, ...]]] = {
    "equal": (),
    "narrowed": ("narrowed",),
    "widened": ("widened",),
    "both": ("widened", "narrowed"),
    "unknown": ("schema",),
}
_LISTED: Final = frozenset(("tool", "prompt", "template"))


class Drift(msgspec.Struct, frozen=True):
    """A change, judged. `classes` stand by gravity; `kind` is what it may be approved as without anybody.

    `cues` are by the path of the field that brings them in.
    """

    aspect: Aspect
    classes: tuple[Class, ...]
    risk: Risk
    recommendation: str
    kind: Automatic
    fields: tuple[Field, ...]
    cues: tuple[tuple[str, Cue], ...]


def judge(
    old: Json | None,
    new: Json,
    aspect: Aspect,
    names: Names = NOBODY,
) -> Drift:
    """What it means if this definition takes the place of the approved one (None: of nothing)."""
    try:
        before, after = old and _normal(aspect, old), _normal(aspect, new)
    except Uncanonical:
        fields = differences(old, new)
        return _drift(aspect, {"unreadable"}, fields, _all_cues(fields, names), "")
    fields = differences(before, after)
    cues = (*_all_cues(fields, names), *detected(old, new, aspect, names))
    found = _classes(before, after, aspect, fields)
    kind: Automatic = "" if cues else _automatic(before, aspect, fields, found)
    return _drift(aspect, found, fields, cues, kind)


def _normal(aspect: Aspect, definition: Json) -> Json:
    """The definition with everything in the order that canonical form gives it."""
    found: Json = msgspec.json.decode(canonical(aspect, definition))
    return {"annotations": {}, **found} if aspect == "tool" else found


def _drift(
    aspect: Aspect,
    found: set[Class],
    fields: tuple[Field, ...],
    cues: tuple[tuple[str, Cue], ...],
    kind: Automatic,
) -> Drift:
    present = found | {cue.kind for _, cue in cues}
    if len(present) > 1:
        present -= {"cosmetic"}
    classes = tuple(each for each in CLASSES if each in present)
    risk, advice = CLASSES[classes[0]]
    if _GRAVE & present and (_GOAL & present or len(_GRAVE & present) > 1):
        risk = "critical"
    elif any(map(_turns_dangerous, fields)):
        risk = max(risk, "high", key=RISKS.index)
    return Drift(aspect, classes, risk, advice, kind, fields, cues)


def _all_cues(fields: Iterable[Field], names: Names) -> tuple[tuple[str, Cue], ...]:
    return tuple((field.path, cue) for field in fields for cue in _cues(field, names))


def _cues(field: Field, names: Names) -> tuple[Cue, ...]:
    """What a field's new value brings in, and its name where that is new."""
    if field.kind == "removed":
        return ()
    old = () if field.kind == "added" else said(field.old, field.key)
    named = field.kind == "added" and field.place == "name"
    return introduced(old, said(field.new, field.key, named=named), names)


def _classes(old: Json | None, new: Json, aspect: Aspect, fields: tuple[Field, ...]) -> set[Class]:
    if aspect == "launch":
        return {"launch", "added"} if old is None else {"launch"}
    if old is None:
        return {"added"}
    found = {_class(field, old) for field in fields}
    if aspect == "tool":
        found.update(*(_CONTAINING[each] for each in _schemas(old, new, fields)))
    return found or {"cosmetic"}


def _class(field: Field, old: Json) -> Class:
    part = _part(field)
    if is_cosmetic(field):
        return "cosmetic"
    if part == "annotations":
        return "title" if field.key == "title" else _hint(field)
    if part in _PARTS:
        return _PARTS[part]
    if _silent(field, old):
        return "cosmetic"  # its schemas are compared as a whole
    return "removed" if field.kind == "removed" else "text"


def _hint(field: Field) -> Class:
    return (
        "annotation"
        if field.key not in _HINTS or len(set(_told(field))) == 1
        else "annotation-flip"
    )


def _turns_dangerous(field: Field) -> bool:
    if field.key not in _HINTS or _part(field) != "annotations":
        return False
    before, after = _told(field)
    return before != after and after == _HINTS[field.key][1]


def _told(field: Field) -> tuple[bool, bool]:
    """What a hint said before and says now."""
    absent = _HINTS[field.key][0]
    old, new = (absent if each is None else each is True for each in (field.old, field.new))
    return old, new


def _part(field: Field) -> str:
    return field.path.partition(".")[0].partition("[")[0]


def _schemas(old: Json, new: Json, fields: Iterable[Field]) -> Iterator[Containing]:
    changed = {_part(field) for field in fields if not is_cosmetic(field)}
    for part in SCHEMAS:
        if part in changed:
            yield compared(old.get(part), new.get(part))


def _automatic(
    old: Json | None, aspect: Aspect, fields: Sequence[Field], found: set[Class]
) -> Automatic:
    if old is None:
        return "added" if aspect in _LISTED else ""
    if aspect == "launch":
        return ""
    words = [field for field in fields if not is_cosmetic(field)]
    if not words:
        return "cosmetic"
    proved = not found & {"widened", "schema"}
    silent = all(_silent(field, old) for field in words)
    return "narrowed" if aspect == "tool" and proved and silent else ""


def _silent(field: Field, old: Json) -> bool:
    part = _part(field)
    known = property_names(old.get(part))
    return part in SCHEMAS and says_nothing_new(field, known)
