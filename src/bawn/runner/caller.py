"""Who made a call: where what its server says on the way goes, and what may be asked there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec

from bawn.model import Json
from bawn.protocol import versions

WEIGHTS: Final = {name: weight for weight, name in enumerate(versions.LEVELS)}


class Caller(msgspec.Struct, frozen=True, gc=False):
    """`tell` takes a message ahead of the answer; it is False when something had to give way to it.

    `offers` is what a legacy server may ask, as `capabilities.offered` gives it; `level` is the
    lowest level of log messages that are wanted, by its weight, or None.
    """

    tell: Callable[[Json], bool]
    offers: Json = {}
    level: int | None = None


def level_of(params: Json) -> int | None:
    """The level of log messages that a canonical request asks for."""
    meta = params.get("_meta")
    return weight(meta.get(versions.META_LOG_LEVEL)) if isinstance(meta, dict) else None


def weight(level: Any) -> int | None:
    """What a level weighs; None when it is none of the protocol's."""
    return WEIGHTS.get(level) if isinstance(level, str) else None
