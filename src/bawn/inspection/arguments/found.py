"""Detections in arguments: their rules come from `detectors/rules/arguments.toml`, told by id."""

from __future__ import annotations

import re
from typing import Final

from bawn.detectors.rule import Rule, load
from bawn.model import Detection

RULES: Final[dict[str, Rule]] = {rule.id: rule for rule in load("arguments")}

_SHOWN: Final = 64
"""Characters of a value that a detection shows."""
_SEEN: Final = 1024
_CREDENTIALS: Final = re.compile(r"(?<=//)[^/@\s]{1,1000}(?:@|\Z)")


def found(rule: str, value: str, start: int = 0, end: int | None = None) -> Detection:
    """A detection of `argument/{rule}` in a span of a value."""
    known = RULES[f"argument/{rule}"]
    end = len(value) if end is None else end
    return Detection(known.id, known.grave, start, end, _shown(value[start:end]), known.confidence)


def hidden(rule: str, value: str, evidence: str) -> Detection:
    """A detection whose span may hold a credential: it shows something else."""
    known = RULES[f"argument/{rule}"]
    return Detection(known.id, known.grave, 0, len(value), evidence[:_SHOWN], known.confidence)


def _shown(text: str) -> str:
    """The beginning, without the credentials of an address, and printable."""
    text = text[:_SEEN]
    if "@" in text and "//" in text:
        text = _CREDENTIALS.sub("…@", text)
    text = text[:_SHOWN]
    return text if text.isprintable() else ascii(text)[1:-1]
