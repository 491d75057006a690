"""Rules are data: each says what it looks for, why, and shows texts that it hits and misses.

A file of rules is TOML, and the tables of it are `[[rule]]`. Patterns match the *folded* form of a text:
lower case, one blank between words, accents and look-alike letters taken off (see `views`).
"""

from __future__ import annotations

from importlib.resources import files
from typing import Final

import msgspec

from bawn.model import Severity, Surface

_SEVERITIES: Final = {severity.name.lower(): severity for severity in Severity}


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One rule. `rationale` is a sentence for `docs/rules.md`; `hit` and `miss` run as tests."""

    id: str
    severity: str
    surfaces: tuple[Surface, ...]
    rationale: str
    patterns: tuple[str, ...] = ()
    triggers: tuple[str, ...] = ()  # in place of those that follow from the patterns
    confidence: float = 0.9
    hit: tuple[str, ...] = ()
    miss: tuple[str, ...] = ()

    @property
    def grave(self) -> Severity:
        """Its severity."""
        return _SEVERITIES[self.severity]


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    rule: tuple[Rule, ...]


def load(name: str) -> tuple[Rule, ...]:
    """The rules of one file of the package, which is named without its ending.

    Raises:
        msgspec.ValidationError: a rule is not as it should be.
    """
    text = (files("bawn.detectors.rules") / f"{name}.toml").read_bytes()
    return msgspec.toml.decode(text, type=_File).rule
