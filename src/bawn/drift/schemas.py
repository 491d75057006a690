"""What a changed schema newly allows, as far as that can be proved."""

from __future__ import annotations

from typing import Any, Final, Literal, TypeAlias

from bawn.drift.fields import NAMED, ONE, SEVERAL, same
from bawn.drift.tame import Measure, Untamed

Containing: TypeAlias = Literal["equal", "narrowed", "widened", "both", "unknown"]

_ANNOTATIONS: Final = frozenset(
    (
        "title",
        "description",
        "default",
        "examples",
        "$comment",
        "deprecated",
        "readOnly",
        "writeOnly",
    )
)
_PATTERN: Final = 1 << 16
"""Bytes that one compiled pattern may take, in an engine without backtracking."""


def compared(old: Any, new: Any) -> Containing:
    """What the new schema accepts besides, or instead of, what the old one did.

    `narrowed` and `equal` are proved; so is that what is `widened` accepts all it did. None stands for
    no schema, which accepts everything.
    """
    if same(old, new):
        return "equal"
    try:
        before, after = _tamed(old), _tamed(new)
        return "equal" if same(before, after) else _proved(before, after)
    except (Untamed, ValueError, RecursionError):
        return "unknown"


def _proved(before: Any, after: Any) -> Containing:
    # imported late: a worker, which has it for the rare look at a change, would hold 3 MB for it
    from jsonschema_rs import RegexOptions, canonicalize
    from jsonschema_rs.canonical import CanonicalizationError, Containment

    patterns = RegexOptions(size_limit=_PATTERN)
    try:
        one, other = (
            canonicalize(each, offline=True, pattern_options=patterns) for each in (before, after)
        )
        less, more = one.covers(other), other.covers(one)
    except CanonicalizationError:
        return "unknown"
    if Containment.YES in (less, more):
        both = less == more
        return "equal" if both else "narrowed" if less == Containment.YES else "widened"
    return "both" if less == more == Containment.NO else "unknown"


def _tamed(schema: Any) -> Any:
    """The bare schema, if it may be compared."""
    if schema is None:
        return True
    Measure(schema).cases(schema)
    return _bare(schema)


def _bare(schema: Any) -> Any:
    """A schema without what says something and allows nothing."""
    if isinstance(schema, list):
        return [_bare(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return {key: _part(key, value) for key, value in schema.items() if key not in _ANNOTATIONS}


def _part(key: str, value: Any) -> Any:
    if key in NAMED and isinstance(value, dict):
        return {name: _bare(each) for name, each in value.items()}
    return _bare(value) if key in ONE or key in SEVERAL else value
