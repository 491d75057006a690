"""Texts of others in the log: what servers say, what exceptions quote. Detectors take the secrets out.

Our own texts are written without secrets in the first place, and pass through `redaction` alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any, Final

from bawn.detectors.secrets.detector import Secrets
from bawn.model import Surface
from bawn.telemetry.redaction import LOOKED_AT, REDACTED

_SERVERS: Final = "bawn.server."
_QUOTING: Final = frozenset(("exception", "detail", "error", "why", "reason", "stack"))
"""Fields that quote what somebody else wrote."""

_OURS: Final = "bawn"
_LEAST: Final = 8  # characters of a text that could hold a secret


def of_others(logger: str, fields: Iterable[str]) -> frozenset[str]:
    """Which fields of a record hold texts of others."""
    if logger.startswith(_SERVERS) or logger.partition(".")[0] != _OURS:
        return frozenset(fields) - {"timestamp", "level", "logger"}
    return _QUOTING.intersection(fields)


def cleaned(value: Any) -> Any:
    """The value with what detectors take for secrets replaced, in each of its texts."""
    if isinstance(value, str):
        return _without_secrets(value)
    if isinstance(value, dict):
        return {_without_secrets(str(name)): cleaned(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [cleaned(each) for each in value]
    return value


def _without_secrets(text: str) -> str:
    if len(text) < _LEAST:
        return text
    text = text[:LOOKED_AT]
    parts: list[str] = []
    at = 0
    for found in _detector().detect(text, Surface.OUTPUT):
        parts += (text[at : found.start], REDACTED)
        at = found.end
    return "".join([*parts, text[at:]])


@cache
def _detector() -> Secrets:
    """Made when first there is something to look at: a command that logs nothing does not wait for it."""
    return Secrets()
