"""What a message has, as it is sent, in which somebody may be told to do something: the gate's part."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from typing import Final

import msgspec

_GAP: Final = r"(?:(?:[^a-z0-9]|\\[nrt]){1,4})"
"""What may stand for a blank in a message as it is sent, line ends escaped or not."""

_EDGE: Final = r"(?:\b|\\[nrt])"
"""Where a word may begin there: the letter of an escaped line end does not belong to it."""


class _Triggers(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    opens: tuple[str, ...]


def triggers() -> Sequence[str]:
    """Patterns for the gate. They are rare in honest texts; nothing but a gate uses them."""
    data = (files("bawn.detectors.injection") / "triggers.toml").read_bytes()
    given = msgspec.toml.decode(data, type=_Triggers).opens
    return tuple(map(_sent, given))


def _sent(pattern: str) -> str:
    edge, rest = (_EDGE, pattern[2:]) if pattern.startswith(r"\b") else ("", pattern)
    return edge + rest.replace(" ", _GAP)
